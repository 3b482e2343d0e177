"""How fast this machine trains, and how much of it is arithmetic.

    python -m benchmarks.training_speed [--presets furniture portraits] [--steps 4] [--rounds 2]

For each preset and stage one JSON line: seconds a step (median), samples a second, billions of operations a second
(those of the forward pass, as `torch.utils.flop_counter` finds them, times three), and the share of the time that went
into drawing the batch. On a CPU that others use too, the processor seconds of a step without its batch, and the
operations in each of them, say more than the time on the clock. Where `version_0_1/` has a recipe of the domain, that
of version 0.1 is measured as well, a step of the one and a step of the other in turn, so that what else the machine
does touches both.
"""

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import tyro
from accelerate import Accelerator
from torch.utils.flop_counter import FlopCounterMode

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.domains import get_domain
from ddmi_core.support.devices import precision_of
from ddmi_core.text import load_text_encoder
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import RunConfig
from ddmi_core.training.optimisation import Optimisation
from ddmi_core.training.run import make_accelerator
from ddmi_core.training.stage import Stage
from ddmi_core.training.trial import noise_stage

_BEFORE = Path(__file__).parent / "version_0_1"
_BACKWARD = 3
"""Operations of a whole step in units of its forward pass: the backward pass has two products for each of its."""


class _Steps:
    """A stage in training, timed step by step."""

    def __init__(self, stage: Stage, accelerator: Accelerator) -> None:
        self.stage, self.accelerator = stage, accelerator
        self.trained = Optimisation(stage, accelerator.device)
        self.drawing: list[float] = []
        self.training: list[float] = []
        self.processing: list[float] = []
        self.operations = 0
        self._next = 0

    def count(self) -> None:
        """Count the operations of a step; it also warms up."""
        with FlopCounterMode(display=False) as counter:
            self.stage.loss_in_its_precision(self._batch(), 0, self.accelerator.device)
        self.operations = _BACKWARD * counter.get_total_flops()
        self.step(keep=False)

    def step(self, *, keep: bool = True) -> None:
        """Train for a step."""
        began = time.perf_counter()
        batch = self._batch()
        drawn, processed = time.perf_counter(), time.process_time()
        self.trained.add_gradients(batch, 0)
        self.trained.advance(0.0, 0)
        if self.accelerator.device.type == "cuda":
            torch.cuda.synchronize()
        if keep:
            self.drawing.append(drawn - began)
            self.training.append(time.perf_counter() - drawn)
            self.processing.append(time.process_time() - processed)

    def figures(self) -> dict[str, float]:
        """Return what was measured."""
        seconds = statistics.median(a + b for a, b in zip(self.drawing, self.training, strict=True))
        return {
            "parameters": sum(weights.numel() for weights in self.trained.module.parameters()),
            "batch": self.stage.settings.batch,
            "seconds_a_step": round(seconds, 4),
            "samples_a_second": round(self.stage.settings.batch / seconds, 2),
            "gflop_a_step": round(self.operations / 1e9, 1),
            "gflop_a_second": round(self.operations / 1e9 / statistics.median(self.training), 1),
            "processor_seconds_a_step": round(statistics.median(self.processing), 4),
            "gflop_a_processor_second": round(self.operations / 1e9 / statistics.median(self.processing), 1),
            "drawing_share": round(sum(self.drawing) / (sum(self.drawing) + sum(self.training)), 3),
        }

    def _batch(self) -> dict[str, torch.Tensor]:
        size = self.stage.settings.batch
        self._next += 1
        numbers = range(self._next * size, (self._next + 1) * size)
        return self.stage.batch(numbers, self.accelerator.device)


def main(
    presets: tuple[str, ...] = ("furniture", "emoji", "furniture-nerf", "emoji-motion"),
    steps: int = 4,
    rounds: int = 2,
    threads: int = 1,
    device: str = "auto",
    precision: str = "auto",
) -> None:
    """Measure.

    Args:
        presets: recipes to measure.
        steps: of each recipe in a round.
        rounds: how often the recipes of a domain take turns.
        threads: of torch on a CPU.
        device: auto, cpu or cuda.
        precision: auto, float32 or bfloat16.
    """
    torch.set_num_threads(threads)
    for preset in presets:
        now = recipe(preset)
        recipes = {preset: now} | _before(now.domain)
        recipes = {name: one.with_overrides([f"precision={precision}"]) for name, one in recipes.items()}
        measure(recipes, steps=steps, rounds=rounds, device=device)


def recipe(preset: str, batch: int | None = None) -> RunConfig:
    """Return a preset, with `batch` examples a step if given; one whose data are not there gets the starter set."""
    config = RunConfig.from_preset(preset)
    domain = get_domain(config.domain)
    changes = [] if batch is None else [f"stage1.batch={batch}", f"stage2.batch={batch}"]
    if not all(part.source in domain.starter_sets or Path(part.source).exists() for part in config.data):
        changes.append(f"data=[{{source: {domain.starter_sets[0]}}}]")
    return config.with_overrides(changes)


def measure(recipes: Mapping[str, RunConfig], *, steps: int, rounds: int, device: str) -> None:
    """Print a line for both stages of each recipe; recipes take turns, step by step."""
    for stage in ("autoencoder", "diffusion"):
        made = {name: _stage(config, stage, device) for name, config in recipes.items()}
        for one in made.values():
            one.count()
        for _ in range(rounds):
            _take_turns(tuple(made.values()), steps)
        for name, one in made.items():
            about = {"benchmark": "training_speed", "stage": stage, "recipe": name, "domain": recipes[name].domain}
            about |= {"threads": torch.get_num_threads(), "device": str(one.accelerator.device)}
            about |= {"precision": str(precision_of(one.stage.precision, one.accelerator.device))}
            print(json.dumps(about | one.figures()), flush=True)


def _take_turns(recipes: Sequence[_Steps], steps: int) -> None:
    for _ in range(steps):
        for recipe in recipes:
            recipe.step()


def _before(domain: str) -> dict[str, RunConfig]:
    found = {path.stem: RunConfig.from_file(path) for path in sorted(_BEFORE.glob("*.yaml"))}
    return {f"{name} of 0.1": config for name, config in found.items() if config.domain == domain}


def _stage(config: RunConfig, stage: str, device: str) -> _Steps:
    accelerator = make_accelerator(config, device)
    autoencoder = D2CVAE(config.autoencoder)
    if stage == "autoencoder":
        return _Steps(AutoencoderStage(config, autoencoder), accelerator)
    diffusion = LatentDiffusion(config.denoiser, autoencoder.canvas_shape)
    return _Steps(noise_stage(config, autoencoder, diffusion, load_text_encoder(config.text_encoder)), accelerator)


if __name__ == "__main__":
    tyro.cli(main)
