"""Clips one after the other: choose, reorder and trim them, say how long each leads into the next, and export."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.errors import DDMIError
from ddmi_core.export_options import USUAL_SECONDS, VideoExport
from studio.engine.engine import Engine
from studio.engine.requests import Piece
from studio.panels.export_dialog import file_stem
from studio.panels.inspector import item_title
from studio.panels.walk_dialog import others
from studio.state.app_state import AppState
from studio.state.library import Item
from studio.theme.tokens import GRID
from studio.widgets.basics import decimal_box, figure_box, label, line

_FORMATS = {
    ".mp4": "MP4 video",
    ".webm": "WebM video",
    ".webp": "WebP animation",
    ".gif": "GIF",
    ".png": "PNG pictures",
}
_RATES = ("12", "24", "25", "30", "50", "60")
_WIDTH = 520
_LEAST = 0.05  # seconds that a piece lasts
_PIECE = Qt.ItemDataRole.UserRole


class SequenceDialog(QDialog):
    """Stays beside the work until it is closed. Rows are dragged, or moved with Alt+Up and Alt+Down; Del removes."""

    def __init__(
        self,
        item: Item,
        span: tuple[float, float],
        state: AppState,
        engine: Engine,
        parent: QWidget | None = None,
    ) -> None:
        """`span`: the range of the first clip."""
        super().__init__(parent)
        self.setWindowTitle("Sequence clips")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(_WIDTH)
        self._state, self._engine = state, engine

        self.rows = QListWidget()
        self.rows.setAccessibleName("Clips, in order")
        self.rows.setIconSize(QSize(40, 40))
        self.rows.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.rows.currentRowChanged.connect(self._on_row)
        self.rows.model().rowsMoved.connect(self._say_length)
        for keys, handler in (
            ("Alt+Up", lambda: self.move_row(-1)),
            ("Alt+Down", lambda: self.move_row(1)),
            ("Del", self.remove_row),
        ):
            shortcut = QShortcut(QKeySequence(keys), self.rows, context=Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(handler)
        self.choices = QComboBox()
        self.choices.setAccessibleName("Another clip")
        self.choices.setIconSize(QSize(24, 24))
        for other in (item, *others(item, state)):
            self.choices.addItem(QIcon(str(other.thumbnail)), f"{item_title(other)}, seed {other.recipe.seed}", other)
        self.choices.setCurrentIndex(min(1, self.choices.count() - 1))
        add = QPushButton("Add")
        add.clicked.connect(lambda: self.add(self.choices.currentData()))
        remove = QPushButton("Remove")
        remove.clicked.connect(self.remove_row)
        self.start, self.stop = (decimal_box(name, 0, 0, 0, " s") for name in ("From", "To"))
        self.start.valueChanged.connect(self._on_trim)
        self.stop.valueChanged.connect(self._on_trim)
        self.transition = decimal_box("Transition", 0, 60, 0.5, " s")
        self.transition.setToolTip("How long a clip leads into the next, through the latents between them; 0 cuts")
        self.transition.valueChanged.connect(self._say_length)
        self.resolution = figure_box("Size", 16, 4096, 512, " px")
        self.fps = QComboBox()
        self.fps.setEditable(True)
        self.fps.setAccessibleName("Frames a second")
        self.fps.addItems(_RATES)
        self.fps.setCurrentText("30")
        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        for suffix, name in _FORMATS.items():
            self.format.addItem(name, suffix)
        self.length = label(look="muted")
        self.save = QPushButton("Save the sequence…")
        self.save.setProperty("look", "primary")
        self.save.clicked.connect(self._choose)

        adding = QHBoxLayout()
        adding.setSpacing(GRID)
        adding.addWidget(self.choices, 1)
        adding.addWidget(add)
        adding.addWidget(remove)
        trim = QHBoxLayout()
        trim.setSpacing(GRID)
        trim.addWidget(self.start)
        trim.addWidget(label("to", "muted"))
        trim.addWidget(self.stop)
        trim.addStretch(1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        grid.addWidget(label("Trim", "muted"), 0, 0)
        grid.addLayout(trim, 0, 1)
        fields: tuple[tuple[str, QWidget], ...] = (
            ("Transition", self.transition),
            ("Size", self.resolution),
            ("Frames a second", self.fps),
            ("Format", self.format),
        )
        for row, (name, field) in enumerate(fields, start=1):
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(field, row, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(self.rows)
        layout.addLayout(adding)
        layout.addLayout(grid)
        layout.addWidget(line())
        layout.addWidget(self.length)
        layout.addWidget(self.save)
        self.add(item, span)

    def pieces(self) -> list[Piece]:
        """The pieces in order."""
        return [self.rows.item(row).data(_PIECE) for row in range(self.rows.count())]

    def add(self, item: Item, span: tuple[float, float] | None = None) -> None:
        """Put a clip, or a span of it, at the end."""
        seconds = item.recipe.seconds or USUAL_SECONDS
        start, stop = span or (0.0, seconds)
        row = QListWidgetItem(QIcon(str(item.thumbnail)), "")
        self.rows.addItem(row)
        self._put(row, Piece(item, seconds, start, stop))
        self.rows.setCurrentItem(row)
        self._say_length()

    def move_row(self, by: int) -> None:
        """Move the chosen clip up or down."""
        row = self.rows.currentRow()
        if row >= 0 and 0 <= row + by < self.rows.count():
            self.rows.insertItem(row + by, self.rows.takeItem(row))
            self.rows.setCurrentRow(row + by)

    def remove_row(self) -> None:
        """Take the chosen clip out; one stays."""
        if self.rows.count() > 1:
            self.rows.takeItem(self.rows.currentRow())
            self._say_length()

    def write(self, path: Path) -> None:
        """Save the sequence in the background."""
        try:
            options = VideoExport.checked({"resolution": self.resolution.value(), "fps": self.fps.currentText()})
            self._engine.sequence(self.pieces(), self.transition.value(), path, options)
        except DDMIError as error:
            self._state.notifications.error(str(error))

    def _put(self, row: QListWidgetItem, piece: Piece) -> None:
        row.setData(_PIECE, piece)
        row.setText(f"{item_title(piece.item)}   {piece.start:.2f} to {piece.stop:.2f} s")

    def _on_row(self, number: int) -> None:
        """Show the trim of another row."""
        row = self.rows.item(number)
        if row is None or row.data(_PIECE) is None:
            return
        piece: Piece = row.data(_PIECE)
        for box, low, high, value in (
            (self.start, 0.0, piece.seconds - _LEAST, piece.start),
            (self.stop, _LEAST, piece.seconds, piece.stop),
        ):
            box.blockSignals(True)
            box.setRange(low, high)
            box.setValue(value)
            box.blockSignals(False)

    def _on_trim(self) -> None:
        if self.rows.currentRow() < 0:
            return
        row = self.rows.currentItem()
        piece: Piece = row.data(_PIECE)
        start = self.start.value()
        self._put(row, Piece(piece.item, piece.seconds, start, max(self.stop.value(), start + _LEAST)))
        self._say_length()

    def _say_length(self) -> None:
        pieces = self.pieces()
        lengths = [piece.stop - piece.start for piece in pieces]
        overlaps = [min(self.transition.value(), before / 2, after / 2) for before, after in pairwise(lengths)]
        self.length.setText(f"{len(pieces)} clips, about {sum(lengths) - sum(overlaps):.2f} s")

    def _choose(self) -> None:
        suffix: str = self.format.currentData()
        proposal = Path.home() / f"{file_stem(item_title(self.pieces()[0].item))}-sequence{suffix}"
        kind = f"{self.format.currentText()} (*{suffix})"
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the sequence", str(proposal), kind)
        if chosen:
            self.write(Path(chosen).with_suffix(suffix))
