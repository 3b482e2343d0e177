"""FilmField: a clip as the pictures of its own frames, and between two of them along what moves there.

At a frame's moment the clip is that frame. Between two, a place looks up both frames where its motion comes from and
where it goes, so that what moves is seen once, on its way, and not twice, fading.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from ddmi_core.coordinates import Region
from ddmi_core.fields.image import FittedImageField, inside_of
from ddmi_core.fields.video import VideoField
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import ReadOut
from ddmi_core.planes import SINGLE_PLANE, look_up
from ddmi_core.support.progress import Progress, sub_progress

_KEPT = 4  # pictures of frames
_TURNS = 3  # that bring a place to where it is half-way


@runtime_checkable
class Film(Protocol):
    """The frames of a clip as basis fields, and what moves between them."""

    @property
    def moments(self) -> Sequence[float]:
        """When each frame is, in [-1, 1], rising."""

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""

    def frame(self, number: int) -> BasisFields:
        """Return the basis fields of a frame's picture, batch size one, which its read-out adds."""

    def motion(self, number: int) -> Float[Tensor, "1 4 h w"] | None:
        """Return what lies half-way between a frame and the next; None: another shot begins.

        The channels are how far what is there moves from frame to frame, to the right and downwards, in shares of the
        frame's half width and height, and how much of it either frame shows, in [0, 1].
        """


class FilmField(VideoField):
    """A clip that basis fields were fitted to.

    Args:
        readout: one that adds; see `ReadOut.make_adding`.
        film: the frames and their motion.
        extent: the part of the canvas that the clip covers.
    """

    def __init__(self, readout: ReadOut, film: Film, extent: Region) -> None:
        self.readout, self.film, self.extent = readout, film, extent
        self.basis = film.frame(0)
        self._moments = torch.tensor(film.moments)
        self._lock = threading.Lock()
        self._pictures: OrderedDict[int, FittedImageField] = OrderedDict()

    @property
    @override
    def nbytes(self) -> int:
        return self.film.nbytes + _KEPT * 2 * super().nbytes

    @property
    @override
    def marks(self) -> list[float]:
        """The moments of the frames."""
        return list(self.film.moments)

    @override
    def __call__(
        self, coords: Float[Tensor, "*shape 3"], progress: Progress | None = None, *, footprint: float | None = None
    ) -> Float[Tensor, "*shape 4"]:
        """Return the means over pixels; nothing outside of the extent. Without a footprint, the values at points."""
        flat = coords.reshape(-1, 3)
        inside, share = inside_of(self.extent, flat[:, :2], footprint)
        seen = share[:, 0] > 0
        last = len(self._moments) - 1
        gaps = (torch.searchsorted(self._moments.to(flat), flat[:, 2].contiguous(), right=True) - 1).clamp(0, last)
        values = flat.new_zeros(len(flat), 4)
        found = gaps[seen].unique().tolist()
        for done, gap in enumerate(found):
            here = seen & (gaps == gap)
            part = sub_progress(progress, done / len(found), (done + 1) / len(found))
            values[here] = self._between(gap, inside[here], flat[here, 2], part, footprint) * share[here]
        return values.reshape(*coords.shape[:-1], -1)

    def _between(
        self,
        gap: int,
        inside: Float[Tensor, "n 2"],
        t: Float[Tensor, " n"],
        progress: Progress | None,
        footprint: float | None,
    ) -> Float[Tensor, "n 4"]:
        """What is seen from a frame's moment to that of the next."""

        def shown(number: int, where: Float[Tensor, "m 2"], half: int) -> Float[Tensor, "m 4"]:
            part = sub_progress(progress, half / 2, (half + 1) / 2)
            return self._picture(number).inside(where, part, footprint=footprint)

        if gap == len(self._moments) - 1:
            return shown(gap, inside, 0)
        begin, end = self.film.moments[gap], self.film.moments[gap + 1]
        s = ((t - begin) / (end - begin)).clamp(0, 1)[:, None]
        if not bool((s > 0).any()):
            return shown(gap, inside, 0)
        motion = self.film.motion(gap)
        if motion is None:
            values = inside.new_empty(len(inside), 4)
            late = s[:, 0] >= 0.5
            for half, chosen in enumerate((~late, late)):
                if bool(chosen.any()):
                    values[chosen] = shown(gap + half, inside[chosen], half)
            return values
        halfway = inside
        for _ in range(_TURNS):
            halfway = inside - (s - 0.5) * _looked_up(motion, halfway)[:, :2]
        way, before, after = _looked_up(motion, halfway).split([2, 1, 1], dim=1)
        # Which frame shows it counts fully half-way, and not at all at the frames, each of which shows all of itself
        first = (1 - s) * (1 - (1 - before) * (2 * s).clamp(max=1))
        second = s * (1 - (1 - after) * (2 - 2 * s).clamp(max=1))
        weight = second / (first + second).clamp(min=1e-6)
        return torch.lerp(shown(gap, inside - s * way, 0), shown(gap + 1, inside + (1 - s) * way, 1), weight)

    def _picture(self, number: int) -> FittedImageField:
        with self._lock:
            if number in self._pictures:
                self._pictures.move_to_end(number)
                return self._pictures[number]
        picture = FittedImageField(self.readout, self.film.frame(number), self.extent)
        with self._lock:
            self._pictures[number] = picture
            while len(self._pictures) > _KEPT:
                self._pictures.popitem(last=False)
        return picture


def _looked_up(motion: Float[Tensor, "1 4 h w"], places: Float[Tensor, "n 2"]) -> Float[Tensor, "n 4"]:
    return look_up((motion,), places[None], SINGLE_PLANE)[0][0]
