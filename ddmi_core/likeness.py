"""How near one picture comes to another, in the two figures that the field states: PSNR and SSIM."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

_WINDOW, _SIGMA = 11, 1.5  # of Wang et al.
_SIDE, _MOST_PIXELS = 128, 2**19  # of the parts that stand for a large picture, and of all of them together


def psnr(picture: Float[np.ndarray, "..."], truth: Float[np.ndarray, "..."]) -> float:
    """Return the peak signal-to-noise ratio in dB of values in [0, 1]; identical pictures have an infinite one."""
    error = float(np.mean((picture.astype(np.float64) - truth) ** 2))
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(picture: Float[np.ndarray, "h w *c"], truth: Float[np.ndarray, "h w *c"]) -> float:
    """Return the structural similarity (Wang et al. 2004, Gaussian window of 11 pixels) of values in [0, 1].

    Of colours it is the mean over the channels. Where the window does not fit in, only what it reaches is left out.
    """
    from skimage.metrics import structural_similarity

    window = min(_WINDOW, min(truth.shape[:2]) - 1 | 1)
    channels = -1 if truth.ndim == 3 else None
    found = structural_similarity(
        picture,
        truth,
        win_size=window,
        gaussian_weights=True,
        sigma=_SIGMA,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=channels,
    )
    return float(found)


def spread_ssim(picture: Float[np.ndarray, "h w *c"], truth: Float[np.ndarray, "h w *c"]) -> float:
    """Return the SSIM of a picture of any size in about a third of a second at most.

    Of more than half a million pixels, parts of 128 x 128 that lie evenly over the picture stand for it, as they are: a
    reduced picture would be another one, and more alike.
    """
    return float(np.mean([ssim(picture[part], truth[part]) for part in _parts(*truth.shape[:2])]))


def _parts(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield the parts of a picture that stand for it."""
    if height * width <= _MOST_PIXELS:
        yield slice(None), slice(None)
        return
    tall, wide = min(_SIDE, height), min(_SIDE, width)
    count = _MOST_PIXELS // (tall * wide)
    columns = min(max(1, round(math.sqrt(count * width / height))), count, width // wide)
    rows = min(max(1, count // columns), height // tall)
    for top in _starts(height - tall, rows):
        for left in _starts(width - wide, columns):
            yield slice(top, top + tall), slice(left, left + wide)


def _starts(last: int, count: int) -> list[int]:
    """Return where so many parts begin; a single one lies in the middle."""
    return [last // 2] if count == 1 else [round(i * last / (count - 1)) for i in range(count)]
