"""The Sound room: a wave is drawn, and written as samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QGridLayout, QWidget

from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.work.items import View
from studio.facts import ActionSpec, HandedOver, RoomFacts, Words
from studio.panels.export_dialog import ExportDialog, Place
from studio.panels.export_fields import add_rows
from studio.panels.inspector import item_title
from studio.panels.room import Stage
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.export_choice import Choice
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.theme.tokens import Colours
from studio.widgets.basics import figure_box, label
from studio.widgets.canvas import Canvas
from tests.studio.sound.field import SoundExport

FACTS = RoomFacts(
    words=Words(
        domain="sound",
        noun="sound",
        source="recording",
        written_as="WAV",
        file="a sound file",
        handed_as="a WAV",
    ),
    title="Sounds",
    icon="function",
    tip="Generate sounds without a sampling rate",
    placeholder="Describe a sound, for example\na tone of 3 hertz",
    empty_title="Describe a sound",
    empty_text="Type a prompt and press Generate.",
    examples=("a tone of 2 hertz", "a tone of 5 hertz"),
    export=SoundExport,
    handed_over=HandedOver(".wav", SoundExport()),
    import_formats=(".wav",),
    import_kind="Recordings",
    preset="sound-tiny",
    guide="01-first-shape.md",
    switches=("middle_line",),
    actions=(
        ActionSpec(
            "middle_line", "Middle line", "Display", "View", ("M",), "axes", "Show where silence lies", checkable=True
        ),
        ActionSpec("louder", "Louder", "View", "", ("+",), scope="stage"),
    ),
    mouse=(("Louder", "Wheel"),),
)


class WaveCanvas(Canvas):
    """The wave as a line."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours)
        self.wave: np.ndarray | None = None
        self.loudness = 1.0

    def set_colours(self, colours: Colours) -> None:
        self._colours = colours
        self.update()

    def screenshot(self) -> QImage:
        return self.grab().toImage()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.wave is not None:
            across = np.linspace(0, self.width(), len(self.wave))
            down = (1 - self.loudness * self.wave) * self.height() / 2
            painter = QPainter(self)
            painter.setPen(QColor(self._colours.accent))
            painter.drawPolyline(QPolygonF([QPointF(*place) for place in zip(across, down, strict=True)]))


@dataclass(frozen=True)
class SoundChoice(Choice):
    """What the dialog for sounds remembers."""

    KEPT_AS: ClassVar[str] = "sound_export"

    suffix: str = ".wav"
    resolution: int = 8000


class SoundExportDialog(ExportDialog[SoundChoice]):
    """For sounds."""

    formats = SoundExport.formats

    def options(self) -> SoundExport:
        return SoundExport(resolution=self.resolution.value())

    def choice(self) -> SoundChoice:
        return SoundChoice(self.suffix(), self.resolution.value())

    def _add_options(self, grid: QGridLayout) -> None:
        self.resolution = figure_box("Samples", 8, 192_000, 8000)
        add_rows(grid, ("Samples", self.resolution))

    def _show_choice(self, choice: SoundChoice) -> None:
        self.resolution.setValue(choice.resolution)


class SoundStage(Stage[WaveCanvas]):
    """Shows one sound."""

    room = FACTS
    canvas = WaveCanvas
    strip = (("middle_line",),)

    def __init__(self, state: AppState, engine: Engine, actions: Actions, theme: Theme, settings: Settings) -> None:
        super().__init__(state, engine, actions, theme, settings)
        self.figures = label(look="small")
        self._lay_out(self.figures)
        actions.on("louder", self._make_louder)
        self.show_view(None, None)

    def show_view(self, item: Item | None, view: View | None, resolution: int = 0) -> None:
        self._item = item
        self._set_empty(view is None)
        self.viewer.wave = None if view is None else view["wave"]
        self.figures.setText("" if view is None else f"{resolution} samples")
        self.viewer.update()

    def export_dialog(self, item: Item, place: Place, parent: QWidget) -> ExportDialog[Any]:
        return SoundExportDialog(item_title(item), self._settings.export_choice(SoundChoice), place, parent)

    def _make_louder(self) -> None:
        self.viewer.loudness *= 1.25
        self.viewer.update()
