"""Whether the statistics of a Fréchet distance take the same memory for any number of samples.

    python -m benchmarks.frechet_memory [--width 2048]

Takes up the features of 1,000 and of 10,000 samples, 50 at a time, as they come from a network of that width. Prints
one JSON object: by how much the process grew at its peak, for each count.
"""

import json

import torch
import tyro

from ddmi_core.metrics.distributions import Moments
from ddmi_core.support.memory import peak_memory

_AT_ONCE = 50


def main(width: int = 2048, counts: tuple[int, ...] = (1_000, 10_000)) -> None:
    """Measure.

    Args:
        width: of the features; Inception-v3's have 2,048.
        counts: of samples.
    """
    Moments.of(torch.randn(2, _AT_ONCE, width))  # libraries take their room first
    grown = {}
    for count in counts:
        generator = torch.Generator().manual_seed(count)
        with peak_memory(torch.device("cpu")) as peak:
            before = peak()
            Moments.of(torch.randn(_AT_ONCE, width, generator=generator) for _ in range(count // _AT_ONCE))
        grown[str(count)] = round((peak() - before) / 2**20)
    print(json.dumps({"benchmark": "frechet_memory", "width": width, "grew_mib": grown}))


if __name__ == "__main__":
    tyro.cli(main)
