"""Variations at a glance: many sketches in the place of the stage, to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.actions import Actions
from studio.panels.variations_view import VariationsView
from studio.state.form import COUNTS
from studio.state.jobs import Job
from studio.theme.theme import Theme
from studio.theme.tokens import CONTROL_HEIGHT, GRID, STRIP_HEIGHT
from studio.widgets.basics import ElidedLabel, action_button, icon_button, line, styled

_LARGEST = 512  # px, of a picture
_STEPS = 1000  # of the bar


class VariationsGrid(QWidget):
    """A grid of sketches, and above it what they are of, how far they are, and what can be done with them."""

    kept = Signal(object)
    """A tuple of seeds, to be made in full."""
    renewed = Signal()
    """Others are wanted."""
    counted = Signal(int)
    """So many are wanted."""
    left = Signal()
    """The stage is wanted back."""

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._actions = actions
        styled(self, "stage")
        self.view = VariationsView(theme)
        self.view.kept.connect(lambda: self.kept.emit(self.to_keep()))
        self.view.chosen_kept.connect(lambda: self.kept.emit((self.chosen,)))
        self.view.left.connect(self.left)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.cells.dataChanged.connect(self._on_cells)
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the variations")
        keeps_its_place = self.bar.sizePolicy()
        keeps_its_place.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(keeps_its_place)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._strip(theme))
        layout.addWidget(line())
        layout.addWidget(self.bar)
        middle = QHBoxLayout()
        middle.setContentsMargins(GRID, GRID // 2, GRID, GRID)
        middle.addWidget(self.view)
        layout.addLayout(middle, 1)

    def _strip(self, theme: Theme) -> QWidget:
        self._title, self._state = ElidedLabel(), ElidedLabel(look="small")
        self._state.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.counts = QButtonGroup(self)
        self.renew = icon_button(theme, "dice", "Others", look="")
        self.renew.clicked.connect(self.renewed)
        self.keep = QPushButton("Keep it")
        self.keep.setFixedHeight(CONTROL_HEIGHT)
        self.keep.clicked.connect(lambda: self.kept.emit(self.to_keep()))
        self.close_ = icon_button(theme, "close", "Back to the stage  (Esc)", look="")
        self.close_.clicked.connect(self.left)
        self._actions.keys_changed.connect(self._show_keys)
        self._show_keys()
        strip = QWidget()
        styled(strip, "panel")
        strip.setFixedHeight(STRIP_HEIGHT - 1)
        row = QHBoxLayout(strip)
        row.setContentsMargins(2 * GRID, 0, GRID, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(self._title, 5)
        row.addWidget(self._state, 3)
        row.addSpacing(GRID)
        for count in COUNTS:
            row.addWidget(self._count_button(count))
        row.addSpacing(GRID)
        row.addWidget(self.renew)
        row.addWidget(action_button(self._actions["more_like_this"]))
        row.addSpacing(GRID)
        row.addWidget(self.keep)
        row.addSpacing(GRID)
        row.addWidget(self.close_)
        return strip

    def _count_button(self, count: int) -> QToolButton:
        button = QToolButton()
        button.setText(str(count))
        button.setCheckable(True)
        button.setAccessibleName(f"{count} variations")
        button.setToolTip(f"Show {count} variations")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.counted.emit(count))
        self.counts.addButton(button, count)
        return button

    def _show_keys(self) -> None:
        self.renew.setToolTip(self._actions.hint("Others, with new seeds", "variations"))

    # What is shown

    @property
    def chosen(self) -> int:
        """The seed of the chosen one."""
        return next(cell.seed for row, cell in enumerate(self.view.cells) if row == self.view.currentIndex().row())

    def to_keep(self) -> tuple[int, ...]:
        """The seeds of those that are marked; of the chosen one where none is."""
        return tuple(cell.seed for cell in self.view.cells if cell.marked) or (self.chosen,)

    def picture_size(self) -> int:
        """How large the picture of each should be, in px."""
        return min(self.view.picture_side(), _LARGEST)

    def begin(self, title: str, seeds: Sequence[int], count: int) -> None:
        """Have an empty place for each seed; ``count`` is what was chosen of `COUNTS`."""
        self._title.setText(title)
        self.counts.button(count).setChecked(True)
        self.view.begin(seeds)
        self._on_cells()

    def put(self, index: int, picture: QImage) -> None:
        """Show the sketch of one."""
        self.view.cells.put(index, QPixmap.fromImage(picture))

    def show_job(self, job: Job) -> None:
        """Say how far the sketches are."""
        self.bar.setVisible(job.is_active)
        self.bar.setValue(round(job.fraction * _STEPS))
        if job.status == "failed":
            text = job.error
        elif job.loading:
            text = f"Loading the model {job.loading}…"
        else:
            text = "" if job.status == "done" else job.text[:1].upper() + job.text[1:]
        self._state.setText(text)

    def _on_cells(self) -> None:
        """Say what would be kept."""
        marked = sum(cell.marked for cell in self.view.cells)
        self.keep.setText(f"Keep {marked}" if marked else "Keep it")
        what = f"the {marked} that are marked" if marked > 1 else f"the {'marked' if marked else 'chosen'} one"
        self.keep.setToolTip(f"Make {what} in full, and keep {'them' if marked > 1 else 'it'}  (Enter)")

    def _open_menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        if not index.isValid():
            return
        self.view.setCurrentIndex(index)
        menu = QMenu(self)
        keep = menu.addAction("Make it in full and keep it", self.view.chosen_kept.emit)
        menu.setDefaultAction(keep)
        menu.addAction("Mark it, or not", lambda: self.view.cells.toggle(index.row()))
        menu.addAction(self._actions["more_like_this"])
        menu.exec(self.view.viewport().mapToGlobal(place))
        menu.deleteLater()
