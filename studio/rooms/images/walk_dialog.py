"""A walk from one picture to another: look at what lies between them, and save the way as pictures or a video."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.support.errors import DDMIError
from studio.engine.engine import Engine
from studio.engine.work.latents import BetweenReady, BetweenRequest, WalkRequest
from studio.panels.export_dialog import file_stem
from studio.panels.inspector import item_title
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import figure_box, label, line
from studio.widgets.deep_zoom.images import PictureBox, to_image
from studio.widgets.dialog import Dialog
from studio.widgets.saving import ask_where

_PREVIEW = 320  # px
_STEPS = 100
_RATE = 24
_FORMATS = {".mp4": "MP4 video", ".webp": "Animated WebP", "": "PNG pictures in a folder"}
_WIDTH = 480
_LISTED = 200


class WalkDialog(Dialog):
    """Stays beside the work until it is closed."""

    def __init__(
        self,
        item: Item,
        state: AppState,
        engine: Engine,
        theme: Theme,
        settings: Settings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Walk to another picture")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(_WIDTH)
        self._start, self._state, self._engine, self._settings = item, state, engine, settings

        self.preview = PictureBox(theme, _PREVIEW)
        self.preview.setAccessibleName("What lies between the two pictures")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(_STEPS // 10)
        self.slider.setAccessibleName("Share of the way")
        self.slider.valueChanged.connect(self._ask)
        self.share = label("", "small")
        self.share.setMinimumWidth(5 * GRID)
        self.share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.end = QComboBox()
        self.end.setAccessibleName("To")
        self.end.setIconSize(QSize(24, 24))
        self.end.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for other in state.akin(item)[:_LISTED]:
            self.end.addItem(QIcon(str(other.thumbnail)), f"{item_title(other)}, seed {other.recipe.seed}", other)
        self.end.currentIndexChanged.connect(self._ask)
        self.note = label("", "small", wrap=True)
        self.frames = figure_box("Frames", 2, 2000, 72)
        self.resolution = figure_box("Size", 32, 4096, 512, " px")
        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        for suffix, name in _FORMATS.items():
            self.format.addItem(name, suffix)
        self.back = QCheckBox("And back again")
        self.back.setToolTip("So that a film that is repeated never jumps")
        self.save = QPushButton("Save the walk…")
        self.save.setProperty("look", "primary")
        self.save.clicked.connect(self._choose)

        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        for row, (name, field) in enumerate(
            (("To", self.end), ("Frames", self.frames), ("Size", self.resolution), ("Format", self.format))
        ):
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(field, row, 1)
        grid.addWidget(self.back, grid.rowCount(), 1)
        way = QHBoxLayout()
        way.setSpacing(GRID)
        way.addWidget(self.slider, 1)
        way.addWidget(self.share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(label(f"From {item_title(item)}, seed {item.recipe.seed}", "heading", wrap=True))
        layout.addWidget(self.preview, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addLayout(way)
        layout.addWidget(self.note)
        layout.addLayout(grid)
        layout.addWidget(line())
        if not self.end.count():
            layout.addWidget(
                label("There is no other picture of this model yet. Generate one, then walk to it.", "muted", wrap=True)
            )
        layout.addWidget(self.save)
        for part in (self.slider, self.end, self.frames, self.resolution, self.format, self.back, self.save):
            part.setEnabled(self.end.count() > 0)
        engine.answers(BetweenReady).connect(self._on_between)
        self.slider.setValue(_STEPS // 2)
        self._ask()

    def goal(self) -> Item | None:
        """The item at the end of the walk."""
        item: Item | None = self.end.currentData()
        return item

    def write(self, path: Path, *, replace: bool = False) -> None:
        """Save the walk in the background, in place of a file of that name only if that may be replaced."""
        goal = self.goal()
        if goal is None:
            return
        try:
            self._engine.ask(
                WalkRequest(
                    start=self._start,
                    end=goal,
                    path=path,
                    frames=self.frames.value(),
                    resolution=self.resolution.value(),
                    rate=_RATE,
                    back=self.back.isChecked(),
                    replace=replace,
                )
            )
        except DDMIError as error:
            self._state.notifications.error(str(error))

    def _ask(self) -> None:
        goal, share = self.goal(), self.slider.value() / _STEPS
        self.share.setText(f"{share:.0%}")
        self._show_note(goal)
        if goal is not None:
            self._engine.ask(BetweenRequest(start=self._start, end=goal, share=share, resolution=_PREVIEW))

    def _show_note(self, goal: Item | None) -> None:
        """Say what is walked between where an item is a fit: there is nothing between two of those."""
        model = self._state.made_by(self._start.recipe)
        fits = [one for one in (self._start, goal) if one is not None and one.recipe.is_fitted]
        names = " and ".join(dict.fromkeys(item_title(one) for one in fits))
        self.note.setText(f"The walk goes by what {model} makes of {names}, not by the fit.")
        self.note.setVisible(bool(fits))

    def _on_between(self, result: BetweenReady) -> None:
        goal = self.goal()
        if goal is not None and (result.request.start.id, result.request.end.id) == (self._start.id, goal.id):
            self.preview.show_image(to_image(result.view["pixels"]))

    def _choose(self) -> None:
        stem, suffix = f"{file_stem(item_title(self._start))}-walk", self.format.currentData()
        proposal = self._settings.folder("exports") / f"{stem}{suffix}"
        chosen = ask_where(self, "Save the walk", proposal, self.format.currentText())
        if chosen is not None:
            self.write(chosen, replace=chosen.is_file())
