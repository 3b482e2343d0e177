"""The Shapes room's stage: the 3D viewport, the tool strip above it, and what an empty room says.

All that the window knows about shapes in particular is in this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.actions import Actions
from studio.theme.theme import Theme
from studio.theme.tokens import GRID, STRIP_HEIGHT
from studio.widgets.basics import action_button, label, line, styled
from studio.widgets.viewport import MeshData, Viewport

DOMAIN = "shape"
EXPORT_FORMATS = {
    ".glb": "GLB, glTF binary",
    ".obj": "OBJ, Wavefront",
    ".ply": "PLY, Stanford",
    ".stl": "STL, for printing",
}
IMPORT_FORMATS = (".obj", ".ply", ".stl", ".glb", ".off")

EXAMPLES = (
    "a round table with one leg",
    "a chair with armrests",
    "a wide sofa with armrests",
    "a tall bookcase with five shelves",
    "a low bed with a headboard",
    "a desk lamp",
)

_STRIP = (
    ("view_home", "view_front", "view_side", "view_top"),
    ("fit", "reset"),
    ("wireframe", "grid", "axes"),
)
_ORBIT_STEP, _PAN_STEP, _ZOOM_STEP = 7.5, 0.04, 0.88


class ShapeStage(QWidget):
    """Shows one shape, and the actions on how it is seen. `example_chosen` carries the example prompt clicked."""

    example_chosen = Signal(str)

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        styled(self, "stage")
        self.viewport = Viewport(theme.colours)
        theme.changed.connect(self._on_theme)
        self.facts = label(look="small")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._build_strip(actions))
        layout.addWidget(line())
        layout.addWidget(self.viewport, 1)
        self.empty = _EmptyState(self.viewport)
        self.empty.example_chosen.connect(self.example_chosen)
        self._wire(actions)
        self.show_view(None)

    def show_view(self, view: Mapping[str, np.ndarray] | None, resolution: int = 0, *, finer: bool = False) -> None:
        """Show a shape's mesh (arrays `vertices`, `faces`, `normals`), or the empty room.

        `finer`: it is the shape on the stage at a higher resolution, seen from where the camera is.
        """
        self.empty.setVisible(view is None)
        if view is None:
            self.viewport.show_mesh(None)
            self.facts.setText("")
            return
        mesh = MeshData(view["vertices"], view["faces"], view["normals"])
        self.viewport.show_mesh(mesh, finer=finer)
        self.facts.setText(f"{len(mesh.vertices):,} vertices   {len(mesh.faces):,} faces   at {resolution}³")

    def set_can_generate(self, possible: bool) -> None:
        """Say in the empty room whether there is a model to generate with."""
        self.empty.set_can_generate(possible)

    def screenshot(self) -> QImage:
        """The view as it stands."""
        return self.viewport.screenshot()

    def _build_strip(self, actions: Actions) -> QWidget:
        strip = QWidget()
        styled(strip, "panel")
        strip.setFixedHeight(STRIP_HEIGHT - 1)
        row = QHBoxLayout(strip)
        row.setContentsMargins(GRID, 0, GRID, 0)
        row.setSpacing(2)
        for index, group in enumerate(_STRIP):
            if index:
                row.addSpacing(GRID - 2)
                row.addWidget(line(vertical=True, length=20))
                row.addSpacing(GRID - 2)
            for name in group:
                row.addWidget(action_button(actions[name]))
        row.addStretch(1)
        row.addWidget(self.facts)
        row.addSpacing(GRID)
        for name in ("screenshot", "export", "inspector"):
            row.addWidget(action_button(actions[name]))
        return strip

    def _wire(self, actions: Actions) -> None:
        viewport = self.viewport
        actions.give_scope("viewport", viewport)
        for name in ("home", "front", "side", "top"):
            actions.on(f"view_{name}", partial(viewport.turn_to, name))
        actions.on("fit", viewport.fit)
        actions.on("reset", viewport.reset)
        for name in ("wireframe", "grid", "axes"):
            actions.on_toggled(name, partial(setattr, viewport, name))
        for name in ("grid", "axes"):
            actions[name].setChecked(True)
        for name, x, y in (("left", -1, 0), ("right", 1, 0), ("up", 0, 1), ("down", 0, -1)):
            actions.on(f"orbit_{name}", partial(viewport.orbit, _ORBIT_STEP * x, _ORBIT_STEP * y))
            actions.on(f"pan_{name}", partial(viewport.pan, _PAN_STEP * x, _PAN_STEP * y))
        actions.on("zoom_in", lambda: viewport.zoom(_ZOOM_STEP))
        actions.on("zoom_out", lambda: viewport.zoom(1 / _ZOOM_STEP))

    def _on_theme(self) -> None:
        self.viewport.set_colours(self._theme.colours)


class _EmptyState(QWidget):
    """What the room is for, and a row of prompts to begin with. Lies over the viewport, centred."""

    example_chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title = label("Describe a shape", "title")
        self._text = label("", "muted", wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._examples = QWidget()
        grid = QGridLayout(self._examples)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID)
        for index, example in enumerate(EXAMPLES):
            button = QPushButton(example)
            button.setProperty("look", "chip")
            button.setToolTip("Generate this")
            button.clicked.connect(lambda _checked=False, text=example: self.example_chosen.emit(text))
            grid.addWidget(button, index // 2, index % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self._title, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._text)
        layout.addSpacing(GRID)
        layout.addWidget(self._examples, 0, Qt.AlignmentFlag.AlignHCenter)
        self.set_can_generate(True)
        parent.installEventFilter(self)

    def set_can_generate(self, possible: bool) -> None:
        self._title.setText("Describe a shape" if possible else "No model is installed")
        self._text.setText(
            "Type a prompt and press Generate. The result is a continuous shape: orbit it here, export it as fine "
            "as you like. Or start from an example:"
            if possible
            else "Open Models to put one into the models folder, or train one with the ddmi command."
        )
        self._examples.setVisible(possible)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        parent = self.parentWidget()
        layout = self.layout()
        if parent is None or layout is None:
            return
        width = min(480, parent.width() - 4 * GRID)
        height = max(layout.heightForWidth(width), layout.sizeHint().height())
        self.setGeometry(
            (parent.width() - width) // 2, max(GRID, round((parent.height() - height) * 0.42)), width, height
        )
        self.raise_()
