"""What is asked when a shape is exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from ddmi_core.export.options import ShapeExport
from ddmi_core.placement import Placement
from studio.panels.export_dialog import ExportDialog, Place
from studio.panels.export_fields import (
    add_rows,
    faces_box,
    longest_box,
    recipe_box,
    resolution_field,
    units_box,
)
from studio.state.export_choice import Choice
from studio.widgets.basics import label


@dataclass(frozen=True)
class ShapeChoice(Choice):
    """What the dialog for shapes remembers. `faces` counts only if `simplify`."""

    KEPT_AS: ClassVar[str] = "export"
    FINENESS: ClassVar[tuple[str, ...]] = ("resolution", "simplify", "faces", "unit_cube", "longest")

    suffix: str = ".glb"
    resolution: int = 256
    simplify: bool = False
    faces: int = 20_000
    unit_cube: bool = False
    longest: float = 0.0
    embed_recipe: bool = True


class ShapeExportDialog(ExportDialog[ShapeChoice]):
    """For shapes."""

    formats = ShapeExport.formats

    def __init__(
        self,
        title: str,
        choice: ShapeChoice,
        place: Place,
        placement: Placement | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`placement`: where the shape lay in the file that it was made from."""
        self._placement = placement
        super().__init__(title, choice, place, parent)

    def options(self) -> ShapeExport:
        """What to export with."""
        faces = self.faces.value() if self.simplify.isChecked() else None
        return ShapeExport(
            resolution=int(self.resolution.value()),
            faces=faces,
            unit_cube=self.units.currentData(),
            longest=self.longest.value() or None,
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def choice(self) -> ShapeChoice:
        """What to remember for the next time."""
        return ShapeChoice(
            suffix=self.suffix(),
            resolution=int(self.resolution.value()),
            simplify=self.simplify.isChecked(),
            faces=self.faces.value(),
            unit_cube=self.units.currentData(),
            longest=self.longest.value(),
            embed_recipe=self.embed_recipe.isChecked(),
        )

    def _add_options(self, grid: QGridLayout) -> None:
        self.resolution = resolution_field()
        self.simplify = QCheckBox("Simplify to")
        self.faces = faces_box()
        self.faces.setEnabled(False)
        self.simplify.toggled.connect(self.faces.setEnabled)
        self.units = units_box(self._placement)
        add_rows(grid, ("Resolution", self.resolution))
        grid.addWidget(self.simplify, 2, 0)
        grid.addWidget(self.faces, 2, 1)
        if self._placement is not None:
            grid.addWidget(label("Units", "muted"), 3, 0)
            grid.addWidget(self.units, 3, 1)
        self.longest = longest_box()
        grid.addWidget(label("Longest side", "muted"), 4, 0)
        grid.addWidget(self.longest, 4, 1)
        self.embed_recipe = recipe_box()
        grid.addWidget(self.embed_recipe, 5, 1)

    def _refresh(self) -> None:
        self.embed_recipe.setVisible(self.suffix() == ".glb")
        super()._refresh()

    def _show_choice(self, choice: ShapeChoice) -> None:
        self.resolution.set_value(choice.resolution)
        self.simplify.setChecked(choice.simplify)
        self.faces.setValue(choice.faces)
        self.units.setCurrentIndex(self.units.findData(choice.unit_cube))
        self.longest.setValue(choice.longest)
        self.embed_recipe.setChecked(choice.embed_recipe)
