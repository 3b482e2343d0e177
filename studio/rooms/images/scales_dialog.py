"""A picture scale by scale: look at it while finer basis fields come in, play that, and save it as a film."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QElapsedTimer, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from ddmi_core.export.exposure import Loop
from ddmi_core.export.options import VideoExport
from ddmi_core.support.errors import DDMIError
from studio.engine.engine import Engine
from studio.engine.work.scales import ScaleFilmRequest, ScaleFrameReady, ScaleFrameRequest
from studio.panels.export_dialog import file_stem
from studio.panels.export_fields import loop_box
from studio.panels.inspector import item_title
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import decimal_box, figure_box, icon_button, label, line
from studio.widgets.deep_zoom.images import PictureBox, to_image
from studio.widgets.dialog import Dialog
from studio.widgets.saving import ask_where

_PREVIEW = 320  # px
_STEPS = 600
_TICK = 33  # ms
_FORMATS = {".mp4": "MP4 video", ".gif": "GIF"}
_RATES = {".mp4": 30, ".gif": 25}
_NAMES = ("Coarse", "Middle", "Fine")
_WIDTH = 480


class ScalesDialog(Dialog):
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
        self.setWindowTitle("Scale by scale")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(_WIDTH)
        self._item, self._state, self._engine, self._theme, self._settings = item, state, engine, theme, settings

        self.preview = PictureBox(theme, _PREVIEW)
        self.preview.setAccessibleName("The picture, as far as its scales have come in")
        self.weights = label("", "small")
        self.weights.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.play = icon_button(theme, "play", "Play")
        self.play.setCheckable(True)
        self.play.toggled.connect(self._on_play)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(_STEPS // 10)
        self.slider.setAccessibleName("Moment of the film")
        self.slider.valueChanged.connect(self._ask)
        self.slider.sliderPressed.connect(lambda: self.play.setChecked(False))
        self.seconds = decimal_box("Length", 1, 60, 6, " s", decimals=1)
        self.resolution = figure_box("Size", 32, 4096, 512, " px")
        self.at_end = loop_box()
        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        for suffix, name in _FORMATS.items():
            self.format.addItem(name, suffix)
        self.save = QPushButton("Save the film…")
        self.save.setProperty("look", "primary")
        self.save.clicked.connect(self._choose)

        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        rows = (
            ("Length", self.seconds),
            ("Size", self.resolution),
            ("At the end", self.at_end),
            ("Format", self.format),
        )
        for row, (name, field) in enumerate(rows):
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(field, row, 1)
        way = QHBoxLayout()
        way.setSpacing(GRID)
        way.addWidget(self.play)
        way.addWidget(self.slider, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(GRID + GRID // 2)
        layout.addWidget(label(item_title(item), "heading", wrap=True))
        layout.addWidget(self.preview, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.weights)
        layout.addLayout(way)
        layout.addLayout(grid)
        layout.addWidget(line())
        layout.addWidget(self.save)

        self._waits = False
        self._begun, self._from = QElapsedTimer(), 0
        self._ticks = QTimer(self, interval=_TICK)
        self._ticks.timeout.connect(self._on_tick)
        engine.answers(ScaleFrameReady).connect(self._on_frame)
        self._ask()

    def options(self) -> VideoExport:
        """How the film is written."""
        loop: Loop = self.at_end.currentData()
        return VideoExport.checked(
            {
                "resolution": self.resolution.value(),
                "fps": _RATES[self.format.currentData()],
                "seconds": self.seconds.value(),
                "loop": loop,
            }
        )

    def write(self, path: Path, *, replace: bool = False) -> None:
        """Save the film in the background, in place of a file of that name only if that may be replaced."""
        try:
            self._engine.ask(ScaleFilmRequest(item=self._item, path=path, options=self.options(), replace=replace))
        except DDMIError as error:
            self._state.notifications.error(str(error))

    def _ask(self) -> None:
        t = 2 * self.slider.value() / _STEPS - 1
        self._waits = True
        self._engine.ask(ScaleFrameRequest(item=self._item, t=t, resolution=_PREVIEW))

    def _on_frame(self, result: ScaleFrameReady) -> None:
        if result.request.item.id != self._item.id:
            return
        self._waits = False
        self.preview.show_image(to_image(result.pixels))
        names = _NAMES if len(result.weights) == len(_NAMES) else [f"Scale {n + 1}" for n in range(len(result.weights))]
        shares = (f"{name} {weight:.0%}" for name, weight in zip(names, result.weights, strict=True))
        self.weights.setText("   ·   ".join(shares))

    def _on_play(self, on: bool) -> None:
        self._theme.bind_icon(self.play, "pause" if on else "play")
        self.play.setToolTip("Pause" if on else "Play")
        self.play.setAccessibleName(self.play.toolTip())
        if not on:
            self._ticks.stop()
            return
        self._from = 0 if self.slider.value() == _STEPS else self.slider.value()
        self._begun.start()
        self._ticks.start()

    def _on_tick(self) -> None:
        """Go on to the moment that it is by now, once the last one is seen."""
        now = self._from + round(_STEPS * self._begun.elapsed() / 1000 / self.seconds.value())
        if not self._waits:
            self.slider.setValue(min(now, _STEPS))
        if self.slider.value() == _STEPS:
            self.play.setChecked(False)

    def _choose(self) -> None:
        suffix = self.format.currentData()
        proposal = self._settings.folder("exports") / f"{file_stem(item_title(self._item))}-scales{suffix}"
        chosen = ask_where(self, "Save the film", proposal, self.format.currentText())
        if chosen is not None:
            self.write(chosen, replace=chosen.is_file())
