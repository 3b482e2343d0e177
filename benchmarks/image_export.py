"""How long an export of a large picture takes, and how much memory.

    python -m benchmarks.image_export --sides 1024 4096 16384 --format .png

Prints one JSON object a line for each side: size, seconds, peak resident memory in MB, evaluations. Each export runs in
a process of its own, so that the peak is its own; what the libraries take by themselves is in it. Weights are random,
unless a model is given: the cost does not depend on them.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import tyro

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.export.options import ImageExport
from ddmi_core.pipeline import Pipeline
from ddmi_core.training.config import RunConfig


def main(
    sides: tuple[int, ...] = (512, 1024),
    format: str = ".png",
    bits: int = 8,
    model: Path | None = None,
    threads: int = 2,
    alone: bool = False,
) -> None:
    """Measure exports.

    Args:
        sides: pixels along the side of each (square) picture.
        format: suffix of the file.
        bits: 8 or 16 a channel.
        model: a model folder of pictures.
        threads: that torch may use.
        alone: measure the one side here, in this process.
    """
    if alone:
        torch.set_num_threads(threads)
        print(json.dumps(_measured(sides[0], format, bits, model)), flush=True)
        return
    for side in sides:
        command = [sys.executable, "-m", "benchmarks.image_export", "--alone", "--sides", str(side)]
        command += ["--format", format, "--bits", str(bits), "--threads", str(threads)]
        subprocess.run(command if model is None else [*command, "--model", str(model)], check=True)


def _measured(side: int, suffix: str, bits: int, model: Path | None) -> dict[str, float | int | str]:
    if model is None:
        autoencoder = D2CVAE(RunConfig.from_preset("emoji").autoencoder).eval()
    else:
        autoencoder = Pipeline.from_pretrained(model).autoencoder
    field = autoencoder.field(torch.randn(autoencoder.canvas_shape, generator=torch.Generator().manual_seed(0)))
    options = ImageExport.checked({"resolution": side, "bits": bits})
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"picture{suffix}"
        began = time.perf_counter()
        facts = field.export(target, options)
        seconds = time.perf_counter() - began
        size = target.stat().st_size
    return {
        "side": side,
        "format": suffix,
        "seconds": round(seconds, 2),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "evaluations": facts["evaluations"],
        "file_mb": round(size / 1e6, 2),
    }


if __name__ == "__main__":
    tyro.cli(main)
