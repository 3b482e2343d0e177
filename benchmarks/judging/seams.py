"""The grid that cells of basis fields leave in areas that should be flat."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

WINDOWS = 8
"""A picture is looked at in so many windows along each side; a window holds whole periods of every grid looked for."""
_FLAT = 1.5 / 255  # how far the true drawing's window may stray from its mean


def grid_amplitudes(
    drawn: Float[Tensor, "c s s"], wanted: Float[Tensor, "c s s"], cells: Sequence[int]
) -> dict[str, float]:
    """Return amplitudes in levels of 255 of the strongest grid in windows that are flat in the true drawing.

    Args:
        drawn: a picture, values in [0, 1].
        wanted: its true drawing.
        cells: along a side, of each basis field: at so many periods a picture, across and down, seams show.

    Returns:
        `cells`: the root mean square over windows and channels, of that one of the grids for which it is largest;
        `beside`: the same of the frequencies next to it, which noise and slopes have too; `drawing`: what is at the
        cells' own in the true drawing; `windows`: how many are flat. Without any, the amplitudes are 0.
    """
    tiles, true = _windows(drawn), _windows(wanted)
    flat = (true - true.mean((2, 3), keepdim=True)).abs().amax((1, 2, 3)) <= _FLAT
    if not flat.any():
        return {"cells": 0.0, "beside": 0.0, "drawing": 0.0, "windows": 0}
    found, reference = (_spectrum(part[flat]) for part in (tiles, true))
    # What no window or half a period can hold is left out.
    periods = [count // WINDOWS for count in cells if count % WINDOWS == 0 and 1 < count // WINDOWS < len(found) - 1]
    worst = max(periods, key=lambda period: float(found[period]))
    return {
        "cells": float(found[worst]),
        "beside": float((found[worst - 1] + found[worst + 1]) / 2),
        "drawing": float(reference[worst]),
        "windows": int(flat.sum()),
    }


def _windows(picture: Float[Tensor, "c s s"]) -> Float[Tensor, "n c w w"]:
    side = picture.shape[-1] // WINDOWS
    tiles = picture.unfold(1, side, side).unfold(2, side, side)
    return tiles.permute(1, 2, 0, 3, 4).flatten(0, 1)


def _spectrum(tiles: Float[Tensor, "n c w w"]) -> Float[Tensor, " f"]:
    """Amplitudes in levels of 255 of waves across and down, by periods in a window."""
    side = tiles.shape[-1]
    waves = [torch.fft.rfft(tiles.mean(axis), dim=-1).abs() * 2 / side for axis in (2, 3)]
    power = torch.stack([wave.square().mean((0, 1)) for wave in waves]).mean(0)
    return 255 * power.sqrt()
