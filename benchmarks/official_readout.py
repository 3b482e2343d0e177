"""What folding the style into the matrices of the authors' read-out gains, at the sizes of their models.

    python -m benchmarks.official_readout --side 256

Prints one JSON object a line for each way to draw the same picture: seconds of processors, the fewest of some repeats;
how many times that of the folded read-out it takes; the largest difference from it. `unfolded` styles every point, as
training does whose points have footprints of their own; `one_style` works the style out once, as the authors' code
does, and modulates every layer with it.
Weights are random: the cost does not depend on them.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable

import torch
import tyro
from torch import Tensor

from ddmi_core.coordinates import region_grid
from ddmi_core.fields.image import DecodedImageField
from ddmi_core.networks.official.styled_readout import StyledReadOut

BASIS_SIDES = (64, 128, 256)


def main(side: int = 256, width: int = 256, channels: int = 64, repeats: int = 1, threads: int = 1) -> None:
    """Measure it.

    Args:
        side: pixels along each side of the picture.
        width: of the read-out.
        channels: of the basis fields.
        repeats: how often each is measured.
        threads: that torch may use.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    readout = StyledReadOut(channels, len(BASIS_SIDES), 3, width=width, anchor=BASIS_SIDES[-1]).eval()
    layout = torch.channels_last
    basis = tuple((torch.randn(1, channels, one, one).contiguous(memory_format=layout),) for one in BASIS_SIDES)
    coords, footprint = region_grid(side, side).view(1, -1, 2), -math.log2(side)
    each = torch.full((1, side * side, 1), footprint)
    field = DecodedImageField(readout, basis)
    ways: dict[str, Callable[[], Tensor]] = {
        "folded": lambda: field(coords, footprint=footprint),
        "one_style": lambda: readout.evaluate(basis, coords, each[:, :1]),
        "unfolded": lambda: readout.evaluate(basis, coords, each),
    }
    with torch.no_grad():
        drawn = {name: way() for name, way in ways.items()}
        seconds = dict.fromkeys(ways, math.inf)
        for _ in range(repeats):  # by turns, so that what else the machine does meets all alike
            for name, way in ways.items():
                began = time.process_time()
                way()
                seconds[name] = min(seconds[name], time.process_time() - began)
    for name, took in seconds.items():
        line = {
            "measurement": name,
            "side": side,
            "width": width,
            "seconds": round(took, 4),
            "of_folded": round(took / seconds["folded"], 2),
            "difference": float((drawn[name] - drawn["folded"]).abs().max()),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    tyro.cli(main)
