"""A clip as basis fields of its frames and the motion between them, read one after another in bounded memory.

Each frame is the sum of a still, which it shares with its neighbours, and of a coarse and a fine basis field of its
own; like those of pictures they are linear splines, solved without iteration. What is between frames is looked up along
the motion; see `motion` and `FilmField`.
"""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float32, UInt8
from PIL import Image

from ddmi_core.coordinates import in_the_middle
from ddmi_core.data.clip_files import FullClip, Span, frame_moments, open_full_clip
from ddmi_core.fidelity import Fidelity
from ddmi_core.fields.splines import fitted, sampling
from ddmi_core.fitting import coding
from ddmi_core.fitting.film import STILL_FRAMES, CodedFilm, CodedFrame, coded_motion
from ddmi_core.fitting.fit import Fit, ReadOutSizes
from ddmi_core.fitting.motion import Motion, is_cut, motion_between
from ddmi_core.fitting.sizes import film_size
from ddmi_core.likeness import spread_ssim
from ddmi_core.planes import SINGLE_PLANE
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress, report

_STEPS: dict[Fidelity, float] = {"balanced": 1 / 42, "faithful": 1 / 128}
"""What basis fields are rounded to: half of it is the error that no place exceeds, at the basis fields' own size.

What is wholly covered, or white, is a multiple."""
_COARSE_CELL = 4
_MOTION_SIDE = 192  # cells along the longer side, at most, of what motion is looked for in
_MEASURED_EVERY = 4  # frames: errors where they take drawing at another size, and likeness always


class _Frame(NamedTuple):
    """A frame at the size of its finest basis field, and at its own where it is to be measured there."""

    pixels: UInt8[np.ndarray, "rows columns c"]
    own: UInt8[np.ndarray, "h w c"] | None


def fit_clip(path: Path, fidelity: Fidelity, progress: Progress | None = None, *, span: Span | None = None) -> Fit:
    """Fit basis fields to a clip: one cell a pixel and frame if `faithful`, one for 2 x 2 pixels if `balanced`.

    Clips of very many pixels get larger cells. Values are premultiplied, with a fourth channel where files of the kind
    can be transparent.

    Args:
        path: a video, an animation, or a folder of numbered pictures.
        fidelity: balanced or faithful.
        progress: called for each frame; may raise `Cancelled`.
        span: only the part from .. to, in seconds.

    Raises:
        TooLongError: it is too long to be read at once.
        DataError: the file cannot be used; the message names it and says why.
    """
    if fidelity not in _STEPS:
        raise DataError(f"A clip's fit is balanced or faithful, not {fidelity}.")
    report(progress, 0.0, f"reading {path.name}")
    try:
        return _Fitting(open_full_clip(path, span), fidelity).run(progress)
    except MemoryError as error:
        raise DataError(f"{path.name} is too large to be fitted in this machine's memory. Make it smaller.") from error


class _Fitting:
    def __init__(self, clip: FullClip, fidelity: Fidelity) -> None:
        self._clip, self._fidelity = clip, fidelity
        self._channels = 3 if clip.is_opaque else 4
        self._step = _STEPS[fidelity]
        self._rows, self._columns = film_size(clip.width, clip.height, clip.frame_count, fidelity)
        self._is_reduced = (self._rows, self._columns) != (clip.height, clip.width)
        self._appears: list[float] = []
        self._stays = 0.0
        self._stills: list[coding.Coded] = []
        self._frames: list[CodedFrame] = []
        self._small: list[Float32[np.ndarray, "c h w"]] = []  # the last four, to see motion between
        self._motions: list[Motion] = []
        self._errors: list[float] = []
        self._likeness: list[float] = []

    def run(self, progress: Progress | None) -> Fit:
        frames = self._read()
        while window := list(islice(frames, STILL_FRAMES)):
            still = self._still(window)
            for frame in window:
                done = min(len(self._frames) / self._clip.frame_count, 0.99)
                report(progress, done, f"fitting frame {len(self._frames) + 1:,} of about {self._clip.frame_count:,}")
                self._fit(frame, still)
                self._follow(frame)
        self._follow(None)
        return self._fit_of_all()

    def _read(self) -> Iterator[_Frame]:
        for number, shown in enumerate(self._clip.frames):
            own = np.ascontiguousarray(shown.pixels[..., : self._channels])
            if own.shape[:2] != (self._clip.height, self._clip.width):
                raise DataError(f"The frames of the clip are not of one size: frame {number + 1} has another.")
            self._appears.append(shown.second)
            self._stays = shown.stays
            if not self._is_reduced:
                yield _Frame(own, own)
                continue
            whole = Image.fromarray(shown.pixels, "CMYK")  # four channels that Pillow leaves alone
            reduced = np.asarray(whole.resize((self._columns, self._rows), Image.Resampling.BOX))
            yield _Frame(reduced[..., : self._channels], own if number % _MEASURED_EVERY == 0 else None)

    def _still(self, window: list[_Frame]) -> Float32[np.ndarray, "rows columns c"]:
        """Fit what the frames of a window have in common, and return how it is drawn."""
        pixels = np.stack([frame.pixels for frame in window])
        middle = len(window) // 2
        common = np.partition(pixels, middle, axis=0)[middle].astype(np.float32) / 255
        found, drawn = self._solved(common, self._rows, self._columns)
        self._stills.append(found)
        return drawn

    def _fit(self, frame: _Frame, still: Float32[np.ndarray, "rows columns c"]) -> None:
        truth = frame.pixels.astype(np.float32) / 255
        coarse, drawn = self._solved(truth - still, -(-self._rows // _COARSE_CELL), -(-self._columns // _COARSE_CELL))
        drawn += still
        fine, more = self._solved(truth - drawn, self._rows, self._columns)
        self._frames.append(CodedFrame(coarse, fine))
        if not self._is_reduced:
            self._measure(drawn + more, frame.pixels)
        elif frame.own is not None:
            self._measure(self._enlarged(), frame.own)

    def _measure(self, drawn: Float32[np.ndarray, "h w c"], truth: UInt8[np.ndarray, "h w c"]) -> None:
        """Compare a frame that is written with 8 bits, on white, with what it was."""
        seen, wanted = _on_white(np.rint(255 * drawn.clip(0, 1)) / 255), _on_white(truth / np.float32(255))
        self._errors.append(float(np.mean((seen - wanted) ** 2, dtype=np.float64)))
        if (len(self._frames) - 1) % _MEASURED_EVERY == 0:
            self._likeness.append(spread_ssim(seen, wanted))

    def _solved(
        self, values: Float32[np.ndarray, "rows columns c"], rows: int, columns: int
    ) -> tuple[coding.Coded, Float32[np.ndarray, "rows columns c"]]:
        """Return the basis field that comes nearest to values, rounded, and what is drawn of it."""
        field = _along_both(values, lambda part, axis: fitted(part, (rows, columns)[axis]))
        field = np.rint(field / self._step).astype(np.float32) * np.float32(self._step)
        return coding.coded(field.transpose(2, 0, 1), self._step), _drawn(field, self._rows, self._columns)

    def _enlarged(self) -> Float32[np.ndarray, "h w c"]:
        """The last frame at the clip's own size, as its basis fields give it."""
        parts = (self._stills[-1], *self._frames[-1])
        drawn = np.zeros((self._clip.height, self._clip.width, self._channels), np.float32)
        for part in parts:
            field = coding.decoded(part, self._step, self._channels).transpose(1, 2, 0)
            drawn += _drawn(field, self._clip.height, self._clip.width)
        return drawn

    def _follow(self, frame: _Frame | None) -> None:
        """Look for the motion between the two frames before this one; None: there is none after the last."""
        last = _small(frame.pixels) if frame is not None else self._small[-1]
        if not self._small:
            self._small = [last]  # there is none before the first
        self._small = [*self._small[-3:], last]
        if len(self._small) == 4:
            self._motions.append(motion_between(*self._small))

    def _fit_of_all(self) -> Fit:
        moments, seconds = frame_moments(self._appears, self._stays)
        mismatches = [motion.mismatch for motion in self._motions]
        motions = [
            None if is_cut(mismatches, gap) else coded_motion(motion) for gap, motion in enumerate(self._motions)
        ]
        sizes = ReadOutSizes(
            axes=SINGLE_PLANE.axes,
            combine="sum",
            basis_channels=self._channels,
            scales=3,
            value_channels=4,
            width=2 * self._channels,
        )
        error = sum(self._errors) / len(self._errors)
        return Fit(
            "video",
            sizes,
            sizes.build().make_adding().requires_grad_(False).eval(),
            (),
            self._fidelity,
            film=CodedFilm(moments.tolist(), seconds, self._step, self._channels, self._stills, self._frames, motions),
            extent=in_the_middle(self._clip.width, self._clip.height),
            pixels=(self._clip.width, self._clip.height),
            figures={
                "psnr": min(-10 * math.log10(max(error, 1e-12)), 99.0),
                "ssim": sum(self._likeness) / len(self._likeness),
            },
        )


def _along_both(
    values: Float32[np.ndarray, "h w c"], solve: Callable[[Float32[np.ndarray, "n m"], int], Float32[np.ndarray, "k m"]]
) -> Float32[np.ndarray, "rows columns c"]:
    """Apply what works along the first axis along the height, then the width."""
    height, width, channels = values.shape
    tall = solve(values.reshape(height, width * channels), 0).reshape(-1, width, channels)
    turned = np.ascontiguousarray(tall.transpose(1, 0, 2)).reshape(width, -1)
    return np.ascontiguousarray(solve(turned, 1).reshape(-1, len(tall), channels).transpose(1, 0, 2), dtype=np.float32)


def _drawn(field: Float32[np.ndarray, "rows columns c"], height: int, width: int) -> Float32[np.ndarray, "h w c"]:
    """Return the pixels of a field."""
    rows, columns, _ = field.shape
    matrices = sampling(rows, height), sampling(columns, width)
    return _along_both(field, lambda part, axis: matrices[axis] @ part)


def _on_white(premultiplied: Float32[np.ndarray, "h w c"]) -> Float32[np.ndarray, "h w 3"]:
    """How a frame looks on white, which an opaque one hides."""
    if premultiplied.shape[2] == 3:
        return premultiplied
    return premultiplied[..., :3] + 1 - premultiplied[..., 3:]


def _small(pixels: UInt8[np.ndarray, "h w c"]) -> Float32[np.ndarray, "c _h _w"]:
    """A frame as motion is looked for in it."""
    height, width, _ = pixels.shape
    scale = min(1.0, _MOTION_SIDE / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    frame = torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)
    return F.adaptive_avg_pool2d(frame, size).numpy()
