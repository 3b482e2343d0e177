"""The `ddmi` command: everything the window can do, without a window. Each command is a dataclass.

Torch and the models are loaded only by the commands that need them, so that help comes at once.
"""

import sys
from collections.abc import Sequence

import tyro
from pydantic import ValidationError

from ddmi_core.cli.comparing import Baseline
from ddmi_core.cli.data import Check, Prepare
from ddmi_core.cli.importing import ImportOfficial
from ddmi_core.cli.listing import Models, Presets
from ddmi_core.cli.making import Fit, Generate, Reconstruct
from ddmi_core.cli.measuring import Evaluate
from ddmi_core.cli.training import Ablate, Distill, Train, Trial
from ddmi_core.recipe import Denoising, PromptSettings, misfit
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.threads import spare_the_machine


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 for an error, 2 for wrong usage, 130 for Ctrl+C."""
    spare_the_machine()
    try:
        _commands().cli(
            prog="ddmi",
            description="Generate, reconstruct and train continuous signals.",
            args=list(sys.argv[1:] if argv is None else argv),
            config=(tyro.conf.OmitSubcommandPrefixes,),
        ).run()
    except DDMIError as error:
        print(f"ddmi: {error}", file=sys.stderr)
        return 1
    except ValidationError as error:
        if error.title not in (Denoising.__name__, PromptSettings.__name__):
            raise
        print(f"ddmi: --{misfit(error)}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ddmi: stopped", file=sys.stderr)
        return 130
    except SystemExit as stop:  # tyro's, for help and wrong usage
        return stop.code if isinstance(stop.code, int) else 1
    return 0


def _commands() -> tyro.extras.SubcommandApp:
    data, everything = tyro.extras.SubcommandApp(), tyro.extras.SubcommandApp()
    for command in (Prepare, Check):
        data.command(name=command.__name__.lower())(command)
    for one in (Generate, Reconstruct, Fit, Train, Trial, Distill, Ablate, Baseline, Evaluate, Models, Presets):
        everything.command(name=one.__name__.lower())(one)
    everything.command(name="import-official")(ImportOfficial)
    everything.command(data, name="data", help="Look into data sets.")
    return everything
