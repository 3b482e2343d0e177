"""`ddmi evaluate`: how good a model is."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ddmi_core.cli.terminal import Device, Flag, Meter, model_folder, print_json, require
from ddmi_core.recipe import MAX_SEED, Denoising


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Measure a model against a data set, and write report.json and report.html.

    What was interrupted goes on where it stopped, given the same settings. Of several processes
    (`accelerate launch -m ddmi_core.cli evaluate ...`) each takes its part.

    Attributes:
        model: name or folder.
        out: the folder of the report.
        data: a starter set's name or your folder; otherwise the first starter set of the model's domain.
        split: the part of the data that samples are compared with, test being one that was published with them;
            reconstructions are always of the held-out part.
        metrics: which; otherwise all that need no weight file, no hours, and not many samples of a prompt.
        samples: how many signals to generate.
        references: compare with at most so many signals of the data.
        reconstructions: reconstruct at most so many held-out signals.
        per_prompt: samples of each prompt; 10 if tmd is asked for, otherwise 1.
        points: of each cloud that sets of clouds are compared by.
        scale: of those clouds: as on the canvas, or each in the unit sphere, as in the paper's code.
        resolution: pixels along each side of pictures and frames; otherwise the model's base resolution.
        network: that takes the features; otherwise the one that comes along.
        seed: of the first sample; the next ones count on from it.
        denoising: how samples are made.
        device: auto takes a GPU if there is one.
        json: print the report.
    """

    model: Positional[str]
    out: Path
    data: str | None = None
    split: Literal["train", "held_out", "test"] = "train"
    metrics: tuple[str, ...] | None = None
    samples: int = 1000
    references: int | None = None
    reconstructions: int = 64
    per_prompt: int | None = None
    points: int = 2048
    scale: Literal["canvas", "sphere"] = "canvas"
    resolution: int | None = None
    network: str | None = None
    seed: int = 0
    denoising: Annotated[Denoising, arg(name="")] = Denoising()  # noqa: RUF009 - frozen
    device: Device = "auto"
    json: Flag = False

    def run(self) -> None:
        """Do it."""
        from ddmi_core.domains import get_domain
        from ddmi_core.evaluation.plan import make_plan
        from ddmi_core.model_folder import describe

        folder = model_folder(self.model, None)
        found = describe(folder)
        domain = get_domain(found.domain)
        self._check_bounds()
        plan = make_plan(
            domain,
            None if self.metrics is None else list(self.metrics),
            self.network,
            self.per_prompt,
            model=found.name,
            model_hash=found.hash,
            data=self.data or domain.starter_sets[0],
            split=self.split,
            samples=self.samples,
            references=self.references,
            reconstructions=self.reconstructions,
            points=self.points,
            scale=self.scale,
            resolution=self.resolution,
            first_seed=self.seed,
            **self.denoising.model_dump(),
        )
        from ddmi_core.evaluation import PAGE
        from ddmi_core.evaluation.known_reports import remember
        from ddmi_core.evaluation.run import evaluate
        from ddmi_core.pipeline import Pipeline

        with Meter() as meter:
            pipeline = Pipeline.from_pretrained(folder, device=self.device)
            report = evaluate(plan, pipeline, self.out, device=self.device, progress=meter)
        if not report:  # of another process than the first
            return
        remember(self.out)
        if self.json:
            print_json(report)
            return
        for figure in report["figures"]:
            unit, value = figure.get("unit", ""), figure["value"]
            text = "not told" if value is None else f"{value:.4g} {unit}".rstrip()
            print(f"{figure['name']}: {text}{'. ' + figure['reason'] if 'reason' in figure else ''}")
        for kind, reasons in report["not_measured"].items():
            if left_out := sum(reasons.values()):
                print(f"{left_out:,} of the {kind} are in no figure: {reasons}", file=sys.stderr)
        print(self.out / PAGE)

    def _check_bounds(self) -> None:
        for flag, value, least, most in (
            ("samples", self.samples, 1, None),
            ("references", self.references, 1, None),
            ("reconstructions", self.reconstructions, 1, None),
            ("per-prompt", self.per_prompt, 1, None),
            ("points", self.points, 16, 2048),
            ("resolution", self.resolution, 32, 2048),
            ("seed", self.seed, 0, MAX_SEED),
        ):
            bounds = f"{least} or more" if most is None else f"from {least} to {most}"
            holds = value is None or (value >= least and (most is None or value <= most))
            require(holds, f"--{flag} must be {bounds}.")
