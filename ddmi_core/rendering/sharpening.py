"""Pictures that sharpen in place: few rays at first, then more where the picture is not yet what they would show.

Rays go through every so many pixels, and what lies between is interpolated. Each pass halves their distance, and traces
a ray only where the picture bends: where it is straight, the value in between is known (adaptive sampling, Whitted
1980, "An improved illumination model for shaded display"). In the end, pixels that differ much from those beside them
are looked at through several rays each. No ray is traced twice, and all are traced alike, so nothing changes from pass
to pass but what becomes sharper.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ddmi_core.support.progress import Progress, sub_progress

Trace = Callable[[Float[Tensor, "n 2"], Progress | None], Float[Tensor, "n c"]]
"""Maps places in a picture to what is seen there, which has to be such that it may be averaged: premultiplied colours.
Places are (column, row) in pixels from the centre of the top left one, and may lie beside the picture."""

_STRAIGHT = 8 / 255
"""Difference of a value from the mean of its neighbours, twice, up to which what lies between is interpolated. That is
off by a fourth of it at most (Taylor, for both axes); of pictures of furniture 99.9 % of the values were seen to be
within one step of 8-bit colour."""
_STEEP = 0.2
"""Difference to a pixel beside it from which on one is an edge, that needs several rays."""
_WITHIN_PIXEL = ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125))
"""Where those go through it: a rotated grid, so that edges of every direction have four steps."""


def sharpened(
    trace: Trace,
    width: int,
    height: int,
    *,
    stride: int,
    whole: int,
    smooth_edges: bool = True,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> Iterator[Float[Tensor, "h w c"]]:
    """Yield a picture again and again, each time with half the stride, the last one with all its pixels.

    Args:
        trace: what there is to be seen, in values for which 1 is much.
        width: pixels.
        height: pixels.
        stride: pixels from one ray to the next in the first pass, a power of two.
        whole: how near to each other rays have to be, in pixels, so that nothing lies unseen between them; up to there
            all are traced.
        smooth_edges: whether pixels at edges are looked at through several rays in the end.
        device: where the picture is kept.
        progress: may raise `Cancelled`.
    """
    columns, rows = (-(-(side - 1) // stride) + 1 for side in (width, height))
    share = 1 / stride**2 if stride > 1 else 0.8  # of all that is to be done, before it is known
    every = torch.ones(rows, columns, dtype=torch.bool, device=device)
    seen = trace(_places(every, stride), sub_progress(progress, 0.0, share)).unflatten(0, (rows, columns))
    if stride > 1 or not smooth_edges:
        yield _between(seen, stride)[:height, :width]
    while stride > 1:
        unseen = _unseen(seen) if stride <= whole else _new(seen)
        seen, stride = _between(seen, 2), stride // 2
        before, share = share, share + (0.8 - share) / stride
        seen[unseen] = trace(_places(unseen, stride), sub_progress(progress, before, share))
        if stride > 1 or not smooth_edges:
            yield _between(seen, stride)[:height, :width]
    if smooth_edges:
        picture = seen[:height, :width].contiguous()
        edges = _edges(picture)
        places = _places(edges, 1)[:, None] + picture.new_tensor(_WITHIN_PIXEL)
        several = trace(places.reshape(-1, 2), sub_progress(progress, share, 1.0))
        picture[edges] = several.view(-1, len(_WITHIN_PIXEL), several.shape[-1]).mean(1)
        yield picture


def _places(chosen: Bool[Tensor, "h w"], stride: int) -> Float[Tensor, "n 2"]:
    return torch.nonzero(chosen).flip(-1).float() * stride


def _between(seen: Float[Tensor, "h w c"], times: int) -> Float[Tensor, "high wide c"]:
    """So many times as many values along each axis, the ones there are where they were."""
    rows, columns, _ = seen.shape
    size = [(rows - 1) * times + 1, (columns - 1) * times + 1]
    finer = F.interpolate(seen.movedim(-1, 0)[None], size, mode="bilinear", align_corners=True)
    return finer[0].movedim(0, -1)


def _new(seen: Float[Tensor, "h w c"]) -> Bool[Tensor, "high wide"]:
    """All that is between the values, twice as finely."""
    rows, columns, _ = seen.shape
    between = torch.ones(2 * rows - 1, 2 * columns - 1, dtype=torch.bool, device=seen.device)
    between[::2, ::2] = False
    return between


def _unseen(seen: Float[Tensor, "h w c"]) -> Bool[Tensor, "high wide"]:
    """What of it is beside a value that is not about the mean of those around it."""
    padded = F.pad(seen.movedim(-1, 0)[None], (1, 1, 1, 1), mode="replicate")[0]
    middle = 2 * padded[:, 1:-1, 1:-1]
    bends = [
        (padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:] - middle),
        (padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] - middle),
        (padded[:, :-2, :-2] + padded[:, 2:, 2:] - middle) / 2,
        (padded[:, :-2, 2:] + padded[:, 2:, :-2] - middle) / 2,
    ]
    bent = torch.stack([bend.abs().amax(0) for bend in bends]).amax(0) > _STRAIGHT
    between = _new(seen)
    near = torch.zeros(between.shape, device=seen.device)
    near[::2, ::2] = bent.float()
    return between & (F.max_pool2d(near[None], 3, stride=1, padding=1)[0] > 0)


def _edges(picture: Float[Tensor, "h w c"]) -> Bool[Tensor, "h w"]:
    """Pixels that differ much from one beside them."""
    planes = picture.movedim(-1, 0)[None]
    padded = F.pad(planes, (1, 1, 1, 1), mode="replicate")
    highest, lowest = F.max_pool2d(padded, 3, stride=1), -F.max_pool2d(-padded, 3, stride=1)
    return torch.maximum(highest - planes, planes - lowest)[0].amax(0) > _STEEP
