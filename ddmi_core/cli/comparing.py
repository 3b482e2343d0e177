"""`ddmi baseline`: the method beside what the paper compares it with, on the same data and budget."""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from ddmi_core.cli.terminal import Flag, Meter, print_json, require
from ddmi_core.cli.training import OfARecipe

if TYPE_CHECKING:
    from ddmi_core.training.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Baseline(OfARecipe):
    """Train a method for some minutes on a recipe's data, and measure it: functa or pe, or ddmi for the method itself.

    functa: a SIREN whose shifts a latent decides. pe: fixed positional encodings, and a network that a latent changes.
    All have the recipe's data, seed, likelihood and texts, and the same metrics. Ctrl+C writes a checkpoint; the same
    command goes on.

    Attributes:
        method: which.
        out: its folder.
        minutes: of training: half of them for the first stage, the rest for encoding and the second one.
        set: single settings of the recipe, such as seed=1, or of a baseline, such as functa.width=256.
        samples: how many to generate, and to compare with as many signals of the data.
        json: print the lines of the report.
    """

    method: Positional[Literal["functa", "pe", "ddmi"]]
    out: Path
    minutes: float = 60.0
    set: Annotated[list[tuple[str, ...]], UseAppendAction, arg(metavar="KEY=VALUE ...")] = field(default_factory=list)
    samples: int = 256
    json: Flag = False

    def run(self) -> None:
        """Do it."""
        require(self.minutes > 0, "--minutes must be more than 0.")
        require(self.samples >= 2, "--samples must be 2 or more.")
        recipe = self.recipe()
        from ddmi_core.baselines.figures import REPORT, SHEET, measure
        from ddmi_core.baselines.plan import Plan
        from ddmi_core.baselines.run import train
        from ddmi_core.training.run_folder import RunFolder, Stopped

        plan = Plan(method=self.method, minutes=self.minutes, recipe=recipe)
        plan = plan.with_overrides([assignment for group in self.set for assignment in group])
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        try:
            with _stopped_by_keyboard(RunFolder(self.out)):
                trained = train(plan, self.out, device=self.device)
        except Stopped:
            print(f"Stopped; a checkpoint is in {self.out}. The same command goes on.", file=sys.stderr)
            return
        with Meter() as meter:
            lines = measure(trained, plan, self.out, samples=self.samples, device=self.device, progress=meter)
        if self.json:
            for line in lines:
                print_json(line)
            return
        for line in lines[1:]:
            value = line["value"]
            print(f"{line['name']}: {'not told' if value is None else f'{value:.4g}'} {line.get('unit', '')}".rstrip())
        print(self.out / REPORT, self.out / SHEET, sep="\n")


@contextmanager
def _stopped_by_keyboard(run: "RunFolder") -> Iterator[None]:
    """Ask a training to stop at Ctrl+C, after a checkpoint; a second Ctrl+C ends it at once."""

    def ask(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        run.command("stop")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
