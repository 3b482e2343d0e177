"""`ddmi train`, `ddmi trial` and `ddmi ablate`: models of one's own."""

import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, UseAppendAction, arg

from ddmi_core.cli.terminal import Device, Flag, print_json, require
from ddmi_core.support.errors import DDMIError

if TYPE_CHECKING:
    from ddmi_core.training.config import RunConfig


@dataclass(frozen=True, kw_only=True)
class OfARecipe:
    """A command about a training recipe.

    Attributes:
        preset: a training recipe that comes with the project.
        config: a training recipe of your own (YAML).
        further: name or folder of a model to go on from, instead of a recipe: at its sizes, with gentler rates.
        device: auto takes a GPU if there is one, and the recipe's device where the recipe names one.
    """

    preset: str | None = None
    config: Path | None = None
    further: str | None = None
    device: Device = "auto"

    def recipe(self) -> "RunConfig":
        """The recipe that was given."""
        from ddmi_core.training.config import RunConfig

        given = sum(one is not None for one in (self.preset, self.config, self.further))
        require(given == 1, "Give --preset NAME, --config FILE or --further MODEL.")
        if self.further is not None:
            from ddmi_core.training.fine_tuning import further_from

            return further_from(self.further)
        return RunConfig.from_file(self.config) if self.config is not None else RunConfig.from_preset(str(self.preset))


@dataclass(frozen=True, kw_only=True)
class Train(OfARecipe):
    """Train a model in a run folder: both stages, then the finished model folder.

    Of several processes (the recipe's, or `accelerate launch -m ddmi_core.cli train ...`) each takes its part.

    Attributes:
        out: the run folder; otherwise one of the recipe's name among the studio's runs.
        data: a starter set's name or your folder, instead of the recipe's data.
        set: single settings of the recipe, such as stage1.steps=1000; may be given several times.
        resume: go on with the run in the folder; its own recipe counts.
    """

    out: Path | None = None
    data: str | None = None
    set: Annotated[list[tuple[str, ...]], UseAppendAction, arg(metavar="KEY=VALUE ...")] = field(default_factory=list)
    resume: Flag = False

    def run(self) -> None:
        """Do it."""
        from ddmi_core.support.known_runs import runs_folder

        recipe = self.recipe()
        out = self.out or runs_folder() / recipe.name
        resume = self.resume
        recipe = self._with_changes(recipe, out)
        # Only now: torch and what stands on it.
        from ddmi_core.support.processes import is_launched, launch
        from ddmi_core.training.distill import distill
        from ddmi_core.training.run import begin, train
        from ddmi_core.training.run_folder import RunFolder, Stopped

        if not is_launched():
            recipe = begin(recipe, out, resume)
            if recipe.processes > 1:
                arguments = ["train", "--out", str(out), "--resume", "--device", self.device]
                raise SystemExit(launch(arguments, recipe.processes))
            resume = True
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        try:
            folder = (distill if recipe.distils else train)(recipe, out, resume=resume, device=self.device)
        except Stopped:
            print(f"Stopped; a checkpoint is in {out}. Go on with: ddmi train --out {out} --resume", file=sys.stderr)
            return
        except (ArithmeticError, OSError, RuntimeError) as error:  # torch's and the system's
            raise DDMIError(
                f"The training failed: {error} The report is {RunFolder(out).crash_file}. "
                f"Once the cause is removed, go on with: ddmi train --out {out} --resume"
            ) from error
        print(folder)

    def recipe(self) -> "RunConfig":
        """The recipe that was given, or that of the run to go on with."""
        from ddmi_core.training.config import RunConfig

        if (self.preset, self.config, self.further) != (None, None, None):
            return super().recipe()
        require(
            self.resume and self.out is not None,
            "Give --preset NAME, --config FILE or --further MODEL, or --out and --resume to go on with the run there.",
        )
        return RunConfig.from_file(Path(str(self.out)) / "run.yaml")

    def _with_changes(self, recipe: "RunConfig", out: Path) -> "RunConfig":
        from ddmi_core.training.config import DataPart

        begun = self.resume and (out / "run.yaml").exists()
        require(
            not (begun and (self.set or self.data)),
            f"The run in {out} goes on as its own run.yaml says. Change that file, and leave --set and --data out.",
        )
        recipe = recipe.with_overrides([assignment for group in self.set for assignment in group])
        if self.data is not None:
            recipe = recipe.model_copy(update={"data": (DataPart(source=self.data),)})
        return recipe


@dataclass(frozen=True, kw_only=True)
class Distill(OfARecipe):
    """Teach a student of a model to do with four steps what the model does with twenty; `--quality fast` asks for it.

    The teacher goes some thousand ways from noise to a latent first, for captions of the recipe's data. Prints the
    folder of a copy of the model that has the student.

    Attributes:
        model: name or folder of the model that it learns from.
        out: the run folder.
        set: single settings of the recipe, such as distillation.steps=1000; may be given several times.
        resume: go on with the run in the folder; its own recipe counts.
    """

    model: Positional[str]
    out: Path
    set: Annotated[list[tuple[str, ...]], UseAppendAction, arg(metavar="KEY=VALUE ...")] = field(default_factory=list)
    resume: Flag = False

    def run(self) -> None:
        """Do it."""
        recipe = self.recipe()
        from ddmi_core.training.distill import USUAL, distill
        from ddmi_core.training.run_folder import Stopped

        recipe = recipe.model_copy(
            update={"start_from": self.model, "distillation": recipe.distillation or USUAL}
        ).with_overrides([assignment for group in self.set for assignment in group])
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        try:
            print(distill(recipe, self.out, resume=self.resume, device=self.device))
        except Stopped:
            print(
                f"Stopped; what is there is kept in {self.out}. Go on with the same command and --resume.",
                file=sys.stderr,
            )


@dataclass(frozen=True, kw_only=True)
class Trial(OfARecipe):
    """Train for some seconds, keep nothing, and print as JSON what a whole training would cost on this machine.

    Attributes:
        seconds: how long to try, data apart.
        largest_batch: instead, find the largest batch of each stage that fits into memory, and say what limits it: the
            memory, the data (there are no more examples) or the time (larger steps do not end in it).
    """

    seconds: float = 20.0
    largest_batch: Flag = False

    def run(self) -> None:
        """Do it."""
        recipe = self.recipe()
        from ddmi_core.training.run import make_accelerator
        from ddmi_core.training.trial import largest_batches, try_out

        accelerator = make_accelerator(recipe, self.device)
        if self.largest_batch:
            batches = largest_batches(recipe, accelerator, seconds=self.seconds)
            print_json({stage: batch._asdict() for stage, batch in batches._asdict().items()})
            return
        found = try_out(recipe, accelerator, seconds=self.seconds)
        print_json({**found._asdict(), "run_seconds": found.seconds(recipe)})


@dataclass(frozen=True, kw_only=True)
class Ablate(OfARecipe):
    """Train the autoencoder of a recipe in the three ways of the paper's Table 8 and print what each is worth.

    Attributes:
        out: a folder that gets a run folder for each; what is done already is not done again.
        steps: of each autoencoder.
        set: single settings of the recipe, such as stage1.batch=8.
        json: print one JSON object a line for each.
    """

    out: Path
    steps: int
    set: Annotated[tuple[str, ...], arg(metavar="KEY=VALUE ...")] = ()
    json: Flag = False

    def run(self) -> None:
        """Do it."""
        recipe = self.recipe()
        require(self.steps >= 1, "--steps must be at least 1.")
        from ddmi_core.training.ablation import ablate

        logging.basicConfig(level=logging.INFO, format="%(message)s")
        for row in ablate(recipe.with_overrides(list(self.set)), self.out, steps=self.steps, device=self.device):
            if self.json:
                print_json(row._asdict())
                continue
            figures = "  ".join(f"{name} {value:.4g}" for name, value in row.figures.items())
            print(f"{row.variant:14}  {row.parameters:,} parameters  {row.steps:,} steps  {figures}", flush=True)
