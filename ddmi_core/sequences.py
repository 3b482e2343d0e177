"""Clips one after the other, with transitions that lead through the latents between them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ddmi_core.sequence_layout import lay_out
from ddmi_core.support.errors import DataError


@dataclass(frozen=True)
class Shot:
    """A piece of a clip.

    Attributes:
        latent: the clip's, on the CPU.
        seconds: how long the whole clip lasts.
        start: where the piece begins, in seconds of the clip.
        stop: where it ends.
    """

    latent: Float[Tensor, "c h w"]
    seconds: float
    start: float
    stop: float

    @property
    def length(self) -> float:
        """How long the piece lasts."""
        return self.stop - self.start

    def moment(self, second: float) -> float:
        """Return the time coordinate of a second of the piece."""
        return 2 * (self.start + second) / self.seconds - 1


class ClipSequence:
    """Shots as one clip: `at(t)` is the picture at a moment in [-1, 1], so it is exported as any clip is.

    In a transition two shots overlap, and what is shown is decoded from the latent between theirs, its share and its
    moment going smoothly from the one to the other. Long clips, whose latents have several parts, are cut hard.

    Args:
        shots: in order.
        decode: makes a field of a latent, such as `Pipeline.decode`.
        between: the latent at a share of the way between two, such as `Pipeline.between`.
        transition: seconds that neighbours overlap; half of the shorter shot at most.

    Raises:
        DataError: there are no shots, or one that does not last.
    """

    def __init__(
        self,
        shots: list[Shot],
        *,
        decode: Callable[[Tensor], Any],
        between: Callable[[Tensor, Tensor, float], Tensor],
        transition: float = 0.5,
    ) -> None:
        if not shots or any(not 0 <= shot.start < shot.stop <= shot.seconds + 1e-6 for shot in shots):
            raise DataError("A sequence needs clips, and of each a range that lies in it and is not empty.")
        self.shots = shots
        self._decode, self._between = decode, between
        self._kept: tuple[int, Any] = (-1, None)
        self.layout = lay_out([shot.length for shot in shots], [tuple(shot.latent.shape) for shot in shots], transition)

    @property
    def seconds(self) -> float:
        """How long all of it lasts."""
        return self.layout.seconds

    @property
    def nbytes(self) -> int:
        """Memory that the latents take, and the field that is kept."""
        field = self._kept[1]
        return sum(shot.latent.nbytes for shot in self.shots) + (field.nbytes if field is not None else 0)

    def at(self, t: float) -> Any:
        """Return the picture at a moment in [-1, 1]."""
        second = (t + 1) / 2 * self.seconds
        place, starts = self.layout.place_at(second), self.layout.starts
        shot, local = self.shots[place], second - starts[place]
        if place and local < (overlap := self.layout.overlaps[place - 1]):
            share = local / overlap
            share = share * share * (3 - 2 * share)
            before = self.shots[place - 1]
            moment = (1 - share) * before.moment(second - starts[place - 1]) + share * shot.moment(local)
            return self._decode(self._between(before.latent, shot.latent, share)).at(moment)
        return self._field(place).at(shot.moment(local))

    def _field(self, place: int) -> Any:
        """Return the field of a shot; one is kept, since shots are shown in order. Threads may share the sequence."""
        kept, field = self._kept
        if kept != place:
            field = self._decode(self.shots[place].latent)
            self._kept = place, field
        return field
