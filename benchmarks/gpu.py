"""Training and sampling of every domain on a GPU, in less than ten minutes: one command for a machine that has one.

    python -m benchmarks.gpu [--device cuda:0] [--presets ...] > gpu.jsonl

Prints a JSON line for the device, then for each preset and stage what `benchmarks.training_speed` measures, then for
the networks of the same preset, with weights as they are made, seconds of a batch of samples, points of the signal
evaluated a second, and the most memory in use. Weights do not change what anything costs.
"""

import json
import time
from collections.abc import Callable

import torch
import tyro

from benchmarks import training_speed
from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.recipe import Denoising
from ddmi_core.support.devices import (
    fastest_precision,
    field_precision,
    pick_device,
    sampling_precision,
    use_tensor_cores,
)
from ddmi_core.text import TextEmbedding
from ddmi_core.training.config import RunConfig

PRESETS = (
    "furniture",
    "portraits",
    "painted-furniture",
    "skies",
    "paper-celebahq",
    "paper-text2shape",
    "paper-srn-cars",
    "paper-skytimelapse",
)
"""Our own recipes, and the paper's of each domain; those train on the domain's starter set here."""

_SAMPLES, _STEPS = 8, 20
_POINTS = 2**20


def main(device: str = "cuda", presets: tuple[str, ...] = PRESETS, batch: int = 4) -> None:
    """Measure.

    Args:
        device: which one.
        presets: recipes to measure.
        batch: of the paper's recipes, whose own need several GPUs.
    """
    where = pick_device(device)
    use_tensor_cores()
    about = {"benchmark": "gpu", "device": device}
    if where.type == "cuda":
        properties = torch.cuda.get_device_properties(where)
        about |= {"name": properties.name, "gigabytes": round(properties.total_memory / 2**30, 1)}
    print(json.dumps(about | {"precision": str(fastest_precision(where))}), flush=True)
    for preset in presets:
        config = training_speed.recipe(preset, batch if preset.startswith("paper-") else None)
        training_speed.measure({preset: config}, steps=4, rounds=2, device=device)
        print(json.dumps({"benchmark": "gpu", "recipe": preset} | _sampling(config, where)), flush=True)


@torch.no_grad()
def _sampling(config: RunConfig, device: torch.device) -> dict[str, object]:
    autoencoder = D2CVAE(config.autoencoder).eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    diffusion = LatentDiffusion(config.denoiser, autoencoder.canvas_shape).eval()
    diffusion = diffusion.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    width, tokens = config.denoiser.text_channels, config.text_encoder.max_tokens
    text = TextEmbedding(torch.zeros(1, tokens, width), torch.ones(1, tokens, dtype=torch.bool), torch.zeros(1, width))
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    seeds = range(_SAMPLES)
    sampled = _seconds(lambda: diffusion.sample(text, text, seeds, Denoising(steps=_STEPS)), device)
    field = autoencoder.field(torch.zeros(autoencoder.canvas_shape))
    dimensions = 1 + max(max(axes) for axes in autoencoder.domain.layout.axes)
    coords = torch.rand(_POINTS, dimensions, device=device) * 2 - 1
    read = _seconds(lambda: field(coords), device)
    found: dict[str, object] = {
        "samples": _SAMPLES,
        "steps": _STEPS,
        "sampling_precision": str(sampling_precision(device)),
        "seconds_a_batch": round(sampled, 3),
        "field_precision": str(field_precision(device)),
        "points_at_once": field.at_once,
        "points_a_second": round(_POINTS / read),
    }
    if device.type == "cuda":
        found["peak_gigabytes"] = round(torch.cuda.max_memory_allocated(device) / 2**30, 2)
    return found


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return how long something takes the second time."""
    for _ in range(2):
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    return time.perf_counter() - began


if __name__ == "__main__":
    tyro.cli(main)
