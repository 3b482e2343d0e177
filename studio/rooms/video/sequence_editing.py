"""Putting a sequence of clips together: what its panel asks for becomes an edit that can be undone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from ddmi_core.support.errors import DDMIError, ModelError
from studio.panels.inspector import item_title
from studio.state.app_state import AppState
from studio.state.library import Item
from studio.state.sequence import Arrangement, Piece, SequenceEdits, piece_of
from studio.theme.theme import Theme
from studio.widgets.video.sequence_track import SequencePanel
from studio.widgets.video.timeline import Timeline

_OFFERED = 60  # clips of the history


class SequenceEditing(QObject):
    """The arrangement that a person works on, and the panel in which that is done."""

    edited = Signal()
    """The arrangement has become another one."""

    def __init__(self, state: AppState, timeline: Timeline, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._state = state
        self.edits = SequenceEdits()
        self.panel = SequencePanel(timeline, theme, item_title, self._to_add)
        self.panel.changed.connect(self._rearrange)
        self.panel.add_asked.connect(self.add)
        self.panel.track.undo_asked.connect(self._undo)
        self.panel.hide()

    @property
    def current(self) -> Arrangement | None:
        """The arrangement, or None before the first clip."""
        return self.edits.current

    def begin_with(self, item: Item, span: tuple[float, float]) -> None:
        """Begin anew with some seconds of a clip, unless there is a sequence already that it is to be added to."""
        current = self.current
        if current is None or (len(current.pieces) == 1 and current.place_of(item) is None):
            self._try(lambda: Arrangement((self._piece(item, span),)))

    def add(self, item: Item) -> None:
        """Put a clip at the end."""

        def added() -> Arrangement:
            current = self.current
            if current is None:
                return Arrangement((self._piece(item),))
            model = self._state.model_for(item.recipe)
            if self._state.model_for(current.pieces[0].item.recipe) != model:
                raise ModelError(
                    "This clip was made by another model than those of the sequence, so there is no way between them."
                )
            return current.added(self._piece(item))

        if self._try(added):
            self.edited.emit()
            self.panel.track.choose(len(self.current.pieces) - 1 if self.current is not None else 0)

    def _piece(self, item: Item, span: tuple[float, float] | None = None) -> Piece:
        if item.recipe.is_fitted:
            self._state.notifications.info(
                f"The sequence goes by what {item.recipe.model} makes of {item_title(item)}, not by the fit."
            )
        return piece_of(item, self._state.library.latent_shape(item), span)

    def _rearrange(self, arrangement: Arrangement) -> None:
        if self.edits.change(arrangement):
            self.edited.emit()
        else:
            self.panel.show_arrangement(arrangement)

    def _undo(self) -> None:
        if self.edits.undo():
            self.edited.emit()

    def _try(self, edit: Callable[[], Arrangement]) -> bool:
        try:
            return self.edits.change(edit())
        except DDMIError as error:
            self._state.notifications.error(str(error))
            return False

    def _to_add(self) -> list[Item]:
        """The clips that can be put into the sequence: the one that it begins with, then the newest."""
        if self.current is None:
            return []
        first = self.current.pieces[0].item
        return [first, *self._state.akin(first)][:_OFFERED]
