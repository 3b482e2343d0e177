"""The tags of some items: which they have, and new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from studio.state.tags import as_tags
from studio.theme.tokens import GRID
from studio.widgets.basics import decision, label
from studio.widgets.dialog import Dialog

_WIDTH, _LIST_HEIGHT, _ROW_HEIGHT = 400, 240, 28  # px
_Check = Qt.CheckState


class TagsDialog(Dialog):
    """Every tag that there is, with a tick if all of the items have it and a dash if some do, which then stays so.

    What is typed narrows the list. Enter ticks it, as a new tag where there is none of that name.

    Args:
        of: what the tags are of, in words.
        tags: those of each item.
        known: those that other items have.
        parent: the window.
    """

    def __init__(
        self, of: str, tags: Sequence[tuple[str, ...]], known: Iterable[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Tags")
        self.setMinimumWidth(_WIDTH)
        having = [{name.casefold() for name in names} for names in tags]
        self.typed = QLineEdit()
        self.typed.setPlaceholderText("Find a tag, or type new ones: attic, for Anna")
        self.typed.setAccessibleName("Tags to add")
        self.typed.setClearButtonEnabled(True)
        self.typed.textChanged.connect(self._narrow)
        self.typed.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("Tags")
        self.list.setMinimumHeight(_LIST_HEIGHT)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._toggle)
        self.list.installEventFilter(self)
        self._before: dict[str, _Check] = {}
        for name in as_tags([*known, *(name for names in tags for name in names)]):
            count = sum(name.casefold() in one for one in having)
            state = _Check.Checked if count == len(tags) else _Check.PartiallyChecked if count else _Check.Unchecked
            self._before[name] = state
            self.list.addItem(_row(name, state))
        done = QPushButton("Done")
        done.clicked.connect(self._finish)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(GRID)
        layout.addWidget(label(f"Tags of {of}", "heading", wrap=True))
        layout.addWidget(self.typed)
        layout.addWidget(self.list, 1)
        layout.addSpacing(GRID)
        layout.addLayout(decision(self, done))
        self.typed.setFocus()

    def added(self) -> list[str]:
        """The tags that all of the items get."""
        return [name for name, state in self._states().items() if state == _Check.Checked != self._before.get(name)]

    def removed(self) -> list[str]:
        """The tags that none of the items keeps."""
        before = self._before
        return [name for name, state in self._states().items() if state == _Check.Unchecked != before.get(name, state)]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let Enter take what is typed, the arrow down lead into the list, and Space tick there."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if watched is self.list:
                if event.key() == Qt.Key.Key_Space and (row := self.list.currentItem()) is not None:
                    self._toggle(row)
                    return True
            elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.typed.text().strip():
                self._take_typed()
                return True
            elif event.key() == Qt.Key.Key_Down:
                self.list.setFocus(Qt.FocusReason.TabFocusReason)
                if listed := [row for row in self._rows() if not row.isHidden()]:
                    self.list.setCurrentItem(listed[0])
                return True
        return super().eventFilter(watched, event)

    def _finish(self) -> None:
        """What is still typed counts too."""
        self._take_typed()
        self.accept()

    def _take_typed(self) -> None:
        """Tick what is typed, and make a tag of what is none yet."""
        rows = {row.text().casefold(): row for row in self._rows()}
        for name in as_tags(self.typed.text().split(",")):
            row = rows.get(name.casefold())
            if row is None:
                row = _row(name, _Check.Checked)
                self.list.insertItem(0, row)
            row.setCheckState(_Check.Checked)
            self.list.scrollToItem(row)
        self.typed.clear()

    def _narrow(self, typed: str) -> None:
        """List what the name that is being typed is in."""
        wanted = "".join(as_tags([typed.rpartition(",")[2]])).casefold()
        for row in self._rows():
            row.setHidden(wanted not in row.text().casefold())

    @staticmethod
    def _toggle(row: QListWidgetItem) -> None:
        row.setCheckState(_Check.Unchecked if row.checkState() == _Check.Checked else _Check.Checked)

    def _rows(self) -> list[QListWidgetItem]:
        return [self.list.item(place) for place in range(self.list.count())]

    def _states(self) -> dict[str, _Check]:
        return {row.text(): row.checkState() for row in self._rows()}


def _row(name: str, state: Qt.CheckState) -> QListWidgetItem:
    row = QListWidgetItem(name)
    row.setFlags(
        Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
    )  # a click anywhere in it ticks, not on the box
    row.setSizeHint(QSize(0, _ROW_HEIGHT))
    row.setCheckState(state)
    return row
