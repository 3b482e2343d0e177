"""What stands over the history: how much it lists, and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QToolButton, QWidget

from studio.actions import Actions
from studio.panels.history_model import HistoryModel
from studio.state.tags import as_tags
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import action_button, icon_button, label, plain_tip

_SEARCH_WIDTH = 64, 240  # px
_SIDE = 16  # px


_KEYS_OUT = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down)


class HistoryBar(QWidget):
    """The heading, the search, the filter's menu, and the star that lists the starred ones alone.

    Esc empties the search. Enter, the arrow down, and Esc where it is empty lead out of it.
    """

    left = Signal()
    """The search was left by a key, for what was found."""
    tag_renamed = Signal(str)
    """The tag of that name is to have another one."""
    tag_removed = Signal(str)
    """No item is to have that tag any longer."""

    def __init__(self, model: HistoryModel, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._model, self._actions, self._theme = model, actions, theme
        self._count = label(look="small")
        self._selected = 0
        self.search = QLineEdit()
        self.search.setProperty("look", "slim")
        self.search.setAccessibleName("Search the history")
        self.search.setPlaceholderText("Search")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(_SEARCH_WIDTH[0])
        self.search.setMaximumWidth(_SEARCH_WIDTH[1])
        self.search.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.search.installEventFilter(self)
        self.search.textChanged.connect(lambda text: model.set_filter(typed=text))
        self.filter = QToolButton()
        self.filter.setProperty("look", "tiny")
        self.filter.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.filter.setAccessibleName("Filter the history")
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.filter.setMenu(self.menu)
        self.starred = icon_button(theme, "star", "Show the starred ones only", look="tiny", side=_SIDE)
        self.starred.setCheckable(True)
        self.starred.toggled.connect(lambda on: model.set_filter(starred=on))
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID // 2, 0, GRID, 0)
        row.setSpacing(GRID)
        row.addWidget(label("History", "heading"))
        row.addWidget(self._count)
        row.addStretch(1)
        row.addWidget(self.search, 4)
        row.addWidget(self.filter)
        row.addWidget(self.starred)
        grid = action_button(actions["history_grid"])
        grid.setProperty("look", "tiny")
        grid.setIconSize(QSize(_SIDE, _SIDE))
        row.addWidget(grid)
        actions.keys_changed.connect(self._show_keys)
        model.counted.connect(self._show)
        self._show_keys()
        self._show()

    def focus_search(self) -> None:
        """Put the cursor into the search."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def show_all(self) -> None:
        """Ask nothing of the items any longer."""
        self.search.clear()
        self.starred.setChecked(False)
        self._model.set_filter(model="", tag="")

    def show_selected(self, count: int) -> None:
        """Say how many items are selected, if several are."""
        self._selected = count if count > 1 else 0
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let keys lead out of the search, and keep Esc from the window, where it cancels work."""
        if not isinstance(event, QKeyEvent) or event.modifiers() or event.key() not in _KEYS_OUT:
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
        elif event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
            else:
                self.left.emit()
        return True

    def _show_keys(self) -> None:
        tip = "Words of the prompt, a file's name, a tag (#chairs), a seed, a model, or the month it was made in"
        self.search.setToolTip(self._actions.hint(tip, "find"))

    def _show(self) -> None:
        """Say how much is listed of how much, and whether something narrows the list."""
        listed, total = self._model.rowCount(), self._model.total()
        counted = f"{listed:,}" if listed == total else f"{listed:,} of {total:,}"
        selected = f"  ·  {self._selected:,} selected" if self._selected else ""
        self._count.setText(f"{counted}{selected}" if total else "")
        by_model, tag, all_rooms = self._model.filter.model, self._model.filter.tag, self._model.all_rooms
        narrowed = [f"made by {by_model}"] if by_model else []
        narrowed += [f"tagged “{tag}”"] if tag else []
        narrowed += ["of all rooms"] if all_rooms else []
        self._theme.bind_icon(self.filter, "filter", "accent" if narrowed else "icon")
        asked = ", ".join(narrowed) or "by model, by tag, or of all rooms"
        self.filter.setToolTip(plain_tip(f"Filter the history: {asked}"))

    def _fill_menu(self) -> None:
        """Offer what there is to choose from now."""
        self.menu.clear()
        rooms = self.menu.addAction("Of all rooms")
        rooms.setCheckable(True)
        rooms.setChecked(self._model.all_rooms)
        rooms.toggled.connect(self._model.show_all_rooms)
        self.menu.addSection("Made by")
        _add_choices(self.menu, "Any model", self._model.models(), self._model.filter.model, self._ask_for_model)
        tag, tags = self._model.filter.tag, self._model.tags()
        if tag or tags:
            self.menu.addSeparator()
            menu = self.menu.addMenu(_entry(f"Tagged “{tag}”" if tag else "Any tag"))
            _add_choices(menu, "Any tag", as_tags([*tags, tag]), tag, self._ask_for_tag)
        if tag:
            self.menu.addAction("Rename this tag…", partial(self.tag_renamed.emit, tag))
            self.menu.addAction("Remove this tag from all items", partial(self.tag_removed.emit, tag))

    def _ask_for_model(self, name: str) -> None:
        self._model.set_filter(model=name)

    def _ask_for_tag(self, name: str) -> None:
        self._model.set_filter(tag=name)


def _add_choices(menu: QMenu, nothing: str, names: Iterable[str], chosen: str, ask: Callable[[str], None]) -> None:
    """Add what one can ask for, with a tick beside what is asked for; the first is to ask for nothing."""
    for name in ("", *names):
        choice = menu.addAction(_entry(name or nothing))
        choice.setCheckable(True)
        choice.setChecked(name == chosen)
        choice.triggered.connect(partial(ask, name))


def _entry(name: str) -> str:
    """A name as a menu shows it as it stands."""
    return name.replace("&", "&&")
