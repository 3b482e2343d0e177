"""What a room is: a stage for the signals of one domain, with what all stages have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.fidelity import Fidelity, FitFacts
from ddmi_core.model_folder import ModelInfo, read_card
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import DDMIError
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.work.base import Request
from studio.engine.work.exporting import ExportRequest
from studio.engine.work.items import View
from studio.engine.work.tiles import TilesRequest
from studio.facts import RoomFacts
from studio.panels.export_dialog import ExportDialog, Order, Place
from studio.panels.fidelity_menu import show_fidelities
from studio.panels.loading_note import LoadingNote
from studio.panels.missing_model import MissingModel
from studio.panels.model_card import ModelCard
from studio.panels.variations import VariationsGrid
from studio.settings import Settings
from studio.state.amounts import formatted_bytes
from studio.state.app_state import AppState
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.theme.tokens import GRID, STRIP_HEIGHT
from studio.widgets.basics import SidewaysArea, action_button, label, line, styled
from studio.widgets.canvas import Canvas
from studio.widgets.part_frame import PartFrame

_V = TypeVar("_V", bound=Canvas)


class Stage(QWidget, Generic[_V]):
    """Shows one signal of a domain on its `viewer`, with a tool strip above.

    Owns what is the same in each room: strip, empty room, export. A room builds what else it needs,
    calls `_lay_out`, and shows the empty room. `example_chosen` carries the example prompt clicked.
    """

    example_chosen = Signal(str)
    refit_asked = Signal(object, str)
    """A file, and the fidelity with which it shall be fitted."""
    refine_asked = Signal(Item)
    """An item whose fit shall go on."""
    model_asked = Signal()
    """A model that the item needs is to be imported."""
    covered = Signal(bool)
    """Variations lie over the signal now, or no longer."""
    room: ClassVar[RoomFacts]
    canvas: type[_V]
    """What the viewer is."""
    strip: ClassVar[tuple[tuple[str, ...], ...]]
    """The actions that have buttons, in groups."""
    fidelity: ClassVar[str]
    """The action that shows the fidelities, where files can be fitted."""

    def __init__(self, state: AppState, engine: Engine, actions: Actions, theme: Theme, settings: Settings) -> None:
        super().__init__()
        self._state, self._engine, self._actions, self._theme = state, engine, actions, theme
        self._settings = settings
        self.viewer = self.canvas(theme.colours)
        self.variations = VariationsGrid(actions, theme)
        self._item: Item | None = None
        styled(self, "stage")
        actions.give_scope("stage", self.viewer, self.room.words.domain)
        theme.changed.connect(self._on_theme)

    def _lay_out(
        self,
        figures: QWidget,
        *,
        passing: QWidget | None = None,
        beside: Sequence[QWidget] = (),
        below: Sequence[QWidget] = (),
    ) -> None:
        """Put the strip above the viewer, parts beside and below it, and over it what an empty room says."""
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.viewer, 1)
        for part in beside:
            middle.addWidget(part)
        signal = QWidget()
        self._pages = QStackedLayout(self)
        self._pages.addWidget(signal)
        self._pages.addWidget(self.variations)
        layout = QVBoxLayout(signal)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(tool_strip(self._actions, self.strip, figures, passing=passing))
        layout.addWidget(line())
        layout.addLayout(middle, 1)
        for part in below:
            layout.addWidget(part)
        self.empty = EmptyState(self.room, self.viewer)
        self.empty.example_chosen.connect(self.example_chosen)
        self.missing = MissingModel(self.room.words, self.viewer)
        self.missing.model_asked.connect(self.model_asked)
        self.missing.recipe_asked.connect(self._actions["recipe"].trigger)
        self._part_frame = PartFrame(self.viewer, self._theme)
        self._state.form_changed.connect(lambda _form: self._outline_part())
        self.loading = LoadingNote(self._state.jobs, self.room.words.domain, self.viewer)

    def _outline_part(self) -> None:
        """Outline what the form draws anew of something, unless that is all that one sees at a time."""
        form = self._state.forms().get(self.room.words.domain)
        part = form.inpaint.region if form is not None and form.inpaint is not None else ()
        is_seen = any(span != (-1.0, 1.0) for span in part[: self.viewer.seen_axes])
        self._part_frame.outline(part if is_seen and self.empty.isHidden() else None)

    @abstractmethod
    def show_view(self, item: Item | None, view: View | None, resolution: int = 0) -> None:
        """Show a view of an item, or the empty room."""

    def show_sketch(self, view: View, resolution: int) -> None:
        """Show what no item is: a first look at what the form says."""
        self.show_view(None, view, resolution)

    @property
    def shows_variations(self) -> bool:
        """Whether variations lie over the signal."""
        return self._pages.currentWidget() is self.variations

    def show_variations(self, on: bool) -> None:
        """Let variations lie over the signal, or bring it back."""
        if on != self.shows_variations:
            self._pages.setCurrentIndex(int(on))
            self._pages.setGeometry(self.rect())  # at once: how large they are drawn follows from it
            self.covered.emit(on)

    def show_without_model(self, item: Item) -> None:
        """Show of an item whose model is not installed what there is, and say what it needs."""
        self.show_view(None, None)
        self.empty.hide()
        self.missing.show_item(item)

    def _set_empty(self, empty: bool) -> None:
        """Show what an empty room says, or take away all that stands in the place of a signal."""
        self.empty.setVisible(empty)
        self.missing.show_item(None)
        self._outline_part()

    @abstractmethod
    def export_dialog(self, item: Item, place: Place, parent: QWidget) -> ExportDialog[Any]:
        """What asks how and where to export what is on the stage, an item."""

    def set_can_generate(self, possible: bool) -> None:
        """Say in the empty room whether there is a model to generate with."""
        self.empty.set_can_generate(possible)

    def screenshot(self) -> QImage:
        """The view as it stands.

        Raises:
            DDMIError: it cannot be drawn on this system.
        """
        return self.viewer.screenshot()

    def ask_screenshot(self, parent: QWidget) -> QImage | None:
        """The view to be saved, as a person wants it where that can be chosen; None if they think better of it.

        Raises:
            DDMIError: it cannot be drawn on this system.
        """
        return self.screenshot()

    def ask_export(self, item: Item, place: Place, parent: QWidget) -> Order | None:
        """Ask how and where to export what is on the stage, an item; None if the person thinks better of it."""
        dialog = self.export_dialog(item, place, parent)
        dialog.card_asked.connect(partial(self._show_card, dialog))
        if (order := dialog.ask()) is not None:
            self._settings.keep_export_choice(dialog.choice())
        return order

    def exported(self, item: Item) -> Sequence[Item]:
        """What an export of the stage with an item is made of."""
        return (item,)

    def _show_card(self, dialog: QWidget, model: ModelInfo) -> None:
        ModelCard(model, read_card(model), self._theme, self._state.notifications, dialog).open_at_licence()

    def export(self, item: Item, order: Order) -> None:
        """Have what is on the stage with an item written to a file.

        Raises:
            ModelError: the model that it needs is not installed.
        """
        self._engine.ask(ExportRequest(item=item, path=order.path, options=order.options, replace=order.replace))

    def limit_tiles(self, budget: int) -> None:
        """Keep at most so many bytes of tiles, where the stage draws tiles."""

    def recipe_in(self, path: Path) -> Recipe | None:
        """Return the recipe that a file of the room carries, if its exports carry one and this file does.

        Raises:
            DataError: the file cannot be read.
        """
        return None

    def show_fidelities(self) -> None:
        """Let the person choose how closely the item's file is represented, and have it fitted so."""
        if (item := self._item) is not None:
            sizes, said = partial(self._expected_size, item), self._state.notifications
            go_on = self.refine_asked.emit if self.room.fits_by_steps else None
            show_fidelities(item, sizes, self.refit_asked.emit, go_on, said, self._actions[self.fidelity], self)

    def _expected_size(self, item: Item, fidelity: Fidelity) -> str:
        """What an item of a fidelity takes, or would take, in words; empty where nobody knows."""
        facts = item.recipe.fit
        if facts is None:
            return ""
        if facts.fidelity == fidelity:
            return formatted_bytes(facts.size_bytes)
        return "some kB" if fidelity == "small" else self._fit_size(facts, fidelity)

    def _fit_size(self, facts: FitFacts, fidelity: Fidelity) -> str:
        """What a fit would take of the file that there are facts about, in words; empty where nobody knows."""
        return ""

    def _ask_for(self, request: Request) -> bool:
        """Have something done; a failure becomes a message. Whether it went well."""
        return self._try(lambda: self._engine.ask(request))

    def _ask_for_tiles(self, request: TilesRequest) -> None:
        """Have windows drawn, of which there may be none, instead of those asked for before."""
        if request.windows:
            self._ask_for(request)
        else:
            self._engine.stop(type(request))

    def _try(self, work: Callable[[], object]) -> bool:
        """Do it; a failure becomes a message. Whether it went well."""
        try:
            work()
        except DDMIError as error:
            self._state.notifications.error(str(error))
            return False
        return True

    def _on_theme(self) -> None:
        self.viewer.set_colours(self._theme.colours)


_EMPTY_WIDTH = 480  # px


class EmptyState(QScrollArea):
    """What the room is for, and a row of prompts to begin with. Lies over the viewport, centred; scrolls if it must."""

    example_chosen = Signal(str)

    def __init__(self, facts: RoomFacts, parent: QWidget) -> None:
        super().__init__(parent)
        self._facts = facts
        self._title = label("", "title")
        self._text = label("", "muted", wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._examples = QWidget()
        self._grid = QGridLayout(self._examples)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GRID)
        self._columns = 0
        self._buttons: list[QPushButton] = []
        for example in facts.examples:
            button = QPushButton(example)
            button.setProperty("look", "chip")
            button.setToolTip("Generate this")
            button.clicked.connect(lambda _checked=False, text=example: self.example_chosen.emit(text))
            self._buttons.append(button)
        self._arrange(2)
        content = QWidget()
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GRID)
        self._layout.addWidget(self._title, 0, Qt.AlignmentFlag.AlignHCenter)
        self._layout.addWidget(self._text)
        self._layout.addSpacing(GRID)
        self._layout.addWidget(self._examples, 0, Qt.AlignmentFlag.AlignHCenter)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)
        self.set_can_generate(True)
        parent.installEventFilter(self)

    def set_can_generate(self, possible: bool) -> None:
        """Say whether there is a model to generate with."""
        self._title.setText(self._facts.empty_title if possible else "No model is installed")
        self._text.setText(
            self._facts.empty_text
            if possible
            else "Open Models to put one into the models folder, or train one:\n"
            f"ddmi train --preset {self._facts.preset} --out RUN"
        )
        self._examples.setVisible(possible)
        self._place()

    def _arrange(self, columns: int) -> None:
        """Lay the examples out."""
        if columns != self._columns:
            self._columns = columns
            for index, button in enumerate(self._buttons):
                self._grid.addWidget(button, index // columns, index % columns)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        room = parent.width() - GRID
        beside_each_other = 2 * max(button.sizeHint().width() for button in self._buttons) + GRID
        width = max(_EMPTY_WIDTH, beside_each_other)
        self._arrange(2 if width <= room else 1)
        width = width if width <= room else min(_EMPTY_WIDTH, room)
        bar = self.verticalScrollBar().sizeHint().width()
        height = max(self._layout.heightForWidth(width - bar), self._layout.sizeHint().height())
        height = min(height, parent.height() - 2 * GRID)
        self.setGeometry(
            (parent.width() - width) // 2, max(GRID, round((parent.height() - height) * 0.42)), width, height
        )
        self.raise_()


def tool_strip(
    actions: Actions, groups: tuple[tuple[str, ...], ...], figures: QWidget, *, passing: QWidget | None = None
) -> QWidget:
    """The strip above a stage: buttons in groups, figures at the right, and what every room has there.

    Where it is too long for the window, all but the last part scrolls. `passing` takes the room that is left between
    them.
    """
    own = QWidget()
    styled(own, "panel")
    row = QHBoxLayout(own)
    row.setContentsMargins(GRID, 0, 0, 0)
    row.setSpacing(2)
    for index, group in enumerate(groups):
        if index:
            row.addSpacing(GRID // 2)
            row.addWidget(line(vertical=True, length=20))
            row.addSpacing(GRID // 2)
        for name in group:
            row.addWidget(action_button(actions[name]))
    row.addSpacing(GRID)
    if passing is None:
        row.addWidget(figures, 1)
    else:
        row.addWidget(passing, 1)
        row.addSpacing(GRID)
        row.addWidget(figures)
    strip = QWidget()
    styled(strip, "panel")
    strip.setFixedHeight(STRIP_HEIGHT - 1)
    whole = QHBoxLayout(strip)
    whole.setContentsMargins(0, 0, GRID, 0)
    whole.setSpacing(2)
    whole.addWidget(SidewaysArea(own), 1)
    whole.addSpacing(GRID - 2)
    for name in ("screenshot", "export", "inspector"):
        whole.addWidget(action_button(actions[name]))
    return strip
