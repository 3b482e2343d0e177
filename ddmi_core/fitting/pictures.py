"""A picture as basis fields: each scale is the linear spline that comes nearest to what the coarser ones leave.

The read-out adds the scales, so the fit is a linear problem, solved exactly and without iteration; see `splines`.
"""

import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from ddmi_core.coordinates import in_the_middle
from ddmi_core.data.full_pictures import WholePicture, read_whole_picture
from ddmi_core.fidelity import Fidelity
from ddmi_core.fields.splines import fitted, sampling
from ddmi_core.fitting.fit import Fit, ReadOutSizes
from ddmi_core.fitting.sizes import FINEST_CELL, basis_sizes
from ddmi_core.likeness import spread_ssim
from ddmi_core.planes import SINGLE_PLANE
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress, report

_STEP = 0.98 / 255
"""Less than a level of 8 bits: what a basis field's values are rounded to lets such pixels come back as they were."""


def fit_picture(path: Path, fidelity: Fidelity, progress: Progress | None = None) -> Fit:
    """Fit basis fields to a picture of any size: one cell a pixel if `faithful`, one for 4 x 4 pixels if `balanced`.

    Values are premultiplied sRGB, with a fourth channel where the picture is not opaque. What has 16 bits a channel
    keeps them, in a file twice as large.

    Raises:
        DataError: the file cannot be used; the message names it and says why.
        Cancelled: from inside `progress`, between the channels.
    """
    if fidelity not in FINEST_CELL:
        raise DataError(f"A picture's fit is balanced or faithful, not {fidelity}.")
    report(progress, 0.0, f"reading {path.name}")
    try:
        return _fit(read_whole_picture(path), fidelity, progress)
    except MemoryError as error:
        raise DataError(f"{path.name} is too large to be fitted in this machine's memory. Make it smaller.") from error


def _fit(picture: WholePicture, fidelity: Fidelity, progress: Progress | None) -> Fit:
    pixels, bits = picture
    channels, height, width = pixels.shape
    step = _STEP if bits == 8 else None
    sizes = basis_sizes(width, height, fidelity)
    fields = [np.empty((channels, *size), np.float32) for size in sizes]
    error = likeness = 0.0
    for channel in range(channels):
        left = pixels[channel]
        for scale, (rows, columns) in enumerate(sizes):
            report(progress, 0.1 + 0.9 * (channel + scale / len(sizes)) / channels, "fitting")
            found = fitted(fitted(left, rows).T, columns).T
            # As the file will have it, so that finer scales make up for what the rounding takes from the coarser ones
            if step is None:
                found = found.astype(np.float16).astype(np.float32)
            else:
                found = np.rint(found / step).astype(np.float32) * np.float32(step)
            fields[scale][channel] = found
            left = left - _drawn(found, height, width)
        drawn = np.clip(pixels[channel] - left, 0, 1)
        if step is not None:
            drawn = np.rint(255 * drawn) / 255
        error += float(np.mean((drawn - pixels[channel]) ** 2, dtype=np.float64)) / channels
        likeness += spread_ssim(drawn, pixels[channel]) / channels
    sizes_of_readout = ReadOutSizes(
        axes=SINGLE_PLANE.axes,
        combine="sum",
        basis_channels=channels,
        scales=len(sizes),
        value_channels=4,
        width=2 * channels,
    )
    readout = sizes_of_readout.build().make_adding().requires_grad_(False).eval()
    basis = tuple((torch.from_numpy(field)[None].contiguous(memory_format=torch.channels_last),) for field in fields)
    figures = {"psnr": min(-10 * math.log10(max(error, 1e-12)), 99.0), "ssim": likeness}
    return Fit(
        "image",
        sizes_of_readout,
        readout,
        basis,
        fidelity,
        extent=in_the_middle(width, height),
        step=step,
        pixels=(width, height),
        bits=bits,
        figures=figures,
    )


def _drawn(field: Float[np.ndarray, "rows columns"], height: int, width: int) -> Float[np.ndarray, "h w"]:
    """Return the pixels of a field."""
    tall = sampling(len(field), height) @ field
    return np.ascontiguousarray((sampling(field.shape[1], width) @ tall.T).T, dtype=np.float32)
