"""How close two sets of clips are, in what they show and in how they move.

The distances stand on features of single pictures (see `pictures`), since no network for videos is at hand, and are not
to be compared with the Fréchet video distance of the literature. The mean of a clip's features says what it shows; the
absolute differences between one frame and the next say how it moves.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.metrics.distributions import kernel_distance
from ddmi_core.metrics.pictures import features


def clip_features(
    frames: Float[Tensor, "t 3 h w"], extract: Callable[[Tensor], Tensor] | None = None
) -> tuple[Float[Tensor, " f"], Float[Tensor, " f"]]:
    """Return the mean of the features of a clip's frames in [0, 1], and that of their differences in time.

    Differences are absolute, or those of a clip that comes back to where it began would cancel.
    """
    found = (extract or features)(frames)
    return found.mean(0), found.diff(dim=0).abs().mean(0)


def motion_distance(
    a: tuple[Float[Tensor, "n f"], Float[Tensor, "n f"]], b: tuple[Float[Tensor, "m f"], Float[Tensor, "m f"]]
) -> dict[str, float]:
    """Return the kernel distances of two sets of clips, given their `clip_features`, times 1,000.

    `appearance` compares the means over time, `motion` the differences in time.
    """
    return {"appearance": kernel_distance(a[0], b[0]), "motion": kernel_distance(a[1], b[1])}


def blended(frames: Float[Tensor, "t c h w"], times: Float[Tensor, " t"], at: Float[Tensor, " n"]) -> Tensor:
    """Return what linear blending of the two neighbours in time shows at some moments: (n, c, h, w).

    Before the first frame and after the last one, that frame.
    """
    after = torch.searchsorted(times.contiguous(), at).clamp(1, len(times) - 1)
    before = after - 1
    share = ((at - times[before]) / (times[after] - times[before])).clamp(0, 1).view(-1, 1, 1, 1)
    return frames[before] * (1 - share) + frames[after] * share
