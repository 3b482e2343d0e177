"""Two items of a room beside each other, and where their recipes differ."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from studio.engine.engine import Engine
from studio.engine.work.item_pictures import ItemPictureReady, ItemPictureRequest
from studio.panels.fidelity import figures
from studio.panels.inspector import item_title, origins
from studio.state.app_state import AppState
from studio.state.library import Item
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import breakable, label
from studio.widgets.deep_zoom.images import PictureBox, to_image
from studio.widgets.dialog import Dialog

_SIDE = 400  # px
_LONG = 300  # characters


class CompareDialog(Dialog):
    """Begins with the thumbnails, which are drawn anew as large as they are shown. Stays until it is closed."""

    chosen = Signal(object)
    """An item, to be shown on the stage."""

    def __init__(
        self, items: tuple[Item, Item], state: AppState, engine: Engine, theme: Theme, resolution: int, parent: QWidget
    ) -> None:
        """`resolution`: of a first view of an item of their room."""
        super().__init__(parent)
        self.setWindowTitle("Compare")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._items = items
        self.pictures = [PictureBox(theme, _SIDE) for _ in items]
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        for column, (item, picture) in enumerate(zip(items, self.pictures, strict=True), start=1):
            picture.setAccessibleName(item_title(item))
            picture.show_image(QImage(str(item.thumbnail)))
            grid.addWidget(picture, 0, column)
        grid.setRowMinimumHeight(1, GRID)
        facts = [_facts(item, state) for item in items]
        for row, name in enumerate(dict.fromkeys([*facts[0], *facts[1]]), start=2):
            grid.addWidget(label(name, "muted"), row, 0, Qt.AlignmentFlag.AlignTop)
            values = [of_one.get(name, "–") for of_one in facts]
            look = "muted" if values[0] == values[1] else "heading"
            for column, value in enumerate(values, start=1):
                text = label(breakable(value), look, wrap=True, selectable=True)
                text.setMaximumWidth(_SIDE)
                grid.addWidget(text, row, column, Qt.AlignmentFlag.AlignTop)
        row = grid.rowCount()
        for column, item in enumerate(items, start=1):
            show = QPushButton("Show on the stage")
            show.setAccessibleName(f"Show {item_title(item)} on the stage")
            show.clicked.connect(lambda _=False, item=item: self.chosen.emit(item))
            grid.addWidget(show, row, column, Qt.AlignmentFlag.AlignLeft)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.addLayout(grid)
        engine.answers(ItemPictureReady).connect(self._on_picture)
        for item in items:
            if not state.lacks_model(item.recipe):
                engine.ask(ItemPictureRequest(item=item, resolution=resolution, size=_SIDE))

    def _on_picture(self, result: ItemPictureReady) -> None:
        for item, picture in zip(self._items, self.pictures, strict=True):
            if item.id == result.request.item.id:
                picture.show_image(to_image(result.picture))


def _facts(item: Item, state: AppState) -> dict[str, str]:
    """What is known of an item, by name."""
    recipe, title = item.recipe, item_title(item)
    title = title if len(title) <= _LONG else title[: _LONG - 1] + "…"
    tags = {"Tags": ", ".join(item.tags)} if item.tags else {}
    made = {"Model": state.made_by(recipe), "Made": item.created.astimezone().strftime("%d %B %Y, %H:%M")} | tags
    if recipe.source is not None:
        fit = {"Fit": figures(recipe.fit)} if recipe.fit is not None else {}
        return {"File": title, "Folder": str(Path(recipe.source).parent)} | fit | made
    return {
        "Prompt": title,
        "Seed": str(recipe.seed),
        **({"Of": ", ".join(of)} if (of := origins(recipe)) else {}),
        **(
            {"Quality": "fast"}
            if recipe.quality == "fast"
            else {"Steps": str(recipe.steps), "Guidance": f"{recipe.guidance:g}", "Sampler": recipe.sampler}
        ),
    } | made
