"""Clips that are put one after the other: their order, what is kept of each, and how long each leads into the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from ddmi_core.export.options import USUAL_SECONDS
from ddmi_core.sequence_layout import SequenceLayout, lay_out
from studio.state.library import Item

LEAST_SECONDS = 0.05
"""How long a piece lasts at least."""
USUAL_TRANSITION = 0.5  # s
_MOST_EDITS = 100


@dataclass(frozen=True)
class Piece:
    """A piece of an item that moves: from ``start`` to ``stop``, of ``seconds`` that all of it lasts.

    ``shape`` is that of the item's latent.
    """

    item: Item
    seconds: float
    start: float
    stop: float
    shape: tuple[int, ...]

    @property
    def length(self) -> float:
        """How many seconds it lasts."""
        return self.stop - self.start


@dataclass(frozen=True)
class Arrangement:
    """Pieces in order, one at least. Neighbours overlap for ``transition`` seconds, or as long as they can."""

    pieces: tuple[Piece, ...]
    transition: float = USUAL_TRANSITION

    @cached_property
    def layout(self) -> SequenceLayout:
        """Where the pieces lie in time."""
        pieces = self.pieces
        return lay_out([piece.length for piece in pieces], [piece.shape for piece in pieces], self.transition)

    @property
    def items(self) -> tuple[Item, ...]:
        """The item of each piece."""
        return tuple(piece.item for piece in self.pieces)

    @property
    def key(self) -> tuple[object, ...]:
        """Tells apart what looks different."""
        return self.transition, *((piece.item.id, piece.seconds, piece.start, piece.stop) for piece in self.pieces)

    def transitions_of(self, place: int) -> tuple[float, float]:
        """How many seconds the piece before leads into a piece, and this one into the next."""
        overlaps = self.layout.overlaps
        return (0.0, *overlaps)[place], (*overlaps, 0.0)[place]

    def place_of(self, item: Item) -> int | None:
        """The place of the first piece of an item, if there is one."""
        return next((place for place, piece in enumerate(self.pieces) if piece.item.id == item.id), None)

    def added(self, piece: Piece) -> Arrangement:
        """The same with a piece more at the end."""
        return replace(self, pieces=(*self.pieces, piece))

    def moved(self, place: int, to: int) -> Arrangement:
        """The same with a piece at another place; beyond the ends means at the end."""
        rest = [*self.pieces[:place], *self.pieces[place + 1 :]]
        rest.insert(max(0, to), self.pieces[place])
        return replace(self, pieces=tuple(rest))

    def trimmed(self, place: int, *, start: float | None = None, stop: float | None = None) -> Arrangement:
        """The same with a piece that begins or ends elsewhere, as far as the clip goes and the piece still lasts."""
        piece = self.pieces[place]
        if start is not None:
            piece = replace(piece, start=min(max(start, 0.0), piece.stop - LEAST_SECONDS))
        if stop is not None:
            piece = replace(piece, stop=max(min(stop, piece.seconds), piece.start + LEAST_SECONDS))
        return replace(self, pieces=(*self.pieces[:place], piece, *self.pieces[place + 1 :]))

    def removed(self, place: int) -> Arrangement:
        """The same without a piece; the last one stays."""
        if len(self.pieces) == 1:
            return self
        return replace(self, pieces=(*self.pieces[:place], *self.pieces[place + 1 :]))

    def with_transition(self, seconds: float) -> Arrangement:
        """The same with longer or shorter transitions."""
        return replace(self, transition=max(0.0, seconds))


class SequenceEdits:
    """The arrangement that a person works on, and how it was before."""

    def __init__(self) -> None:
        self._past: list[Arrangement] = []
        self.current: Arrangement | None = None
        """None before the first clip."""

    def change(self, arrangement: Arrangement) -> bool:
        """Go on with another arrangement; whether it is another one."""
        if arrangement == self.current:
            return False
        if self.current is not None:
            self._past = [*self._past[1 - _MOST_EDITS :], self.current]
        self.current = arrangement
        return True

    def undo(self) -> bool:
        """Go back to the arrangement before; whether there is one."""
        if not self._past:
            return False
        self.current = self._past.pop()
        return True


def piece_of(item: Item, shape: tuple[int, ...], span: tuple[float, float] | None = None) -> Piece:
    """Return the whole of an item as a piece, or a span of its seconds. ``shape``: that of its latent."""
    seconds = item.recipe.seconds or USUAL_SECONDS
    start, stop = span or (0.0, seconds)
    return Piece(item, seconds, start, max(stop, start + LEAST_SECONDS), shape)
