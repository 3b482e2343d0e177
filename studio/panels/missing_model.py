"""What a stage shows of an item whose model is not installed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.facts import Words
from studio.state.library import Item
from studio.theme.tokens import GRID
from studio.widgets.basics import breakable, label

_WIDTH = 480  # px
_LEAST_PICTURE = 64  # px; a smaller one is left out
_PICTURE = 256  # px


class MissingModel(QWidget):
    """The item's thumbnail, which model it needs, and what can be done. Lies over a room's canvas, in the middle."""

    model_asked = Signal()
    """The person has the model's folder, and wants to import it."""
    recipe_asked = Signal()
    """The recipe of the item is wanted in the form, for another model."""

    def __init__(self, words: Words, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._words = words
        self.item: Item | None = None
        """What waits for its model; None while the stage shows something else."""
        self._thumbnail = QPixmap()
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = label("", "title", wrap=True)
        self.text = label("", "muted", wrap=True)
        for part in (self.title, self.text):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.bring = QPushButton("Import its model…")
        self.bring.setToolTip("Copy the model's folder among your models")
        self.bring.clicked.connect(self.model_asked)
        self.recipe = QPushButton("Use its recipe")
        self.recipe.setToolTip("Bring the prompt and the seed into the form, for another model")
        self.recipe.clicked.connect(self.recipe_asked)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch(1)
        buttons.addWidget(self.bring)
        buttons.addWidget(self.recipe)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self.picture)
        layout.addWidget(self.title)
        layout.addWidget(self.text)
        layout.addSpacing(GRID)
        layout.addLayout(buttons)
        self.hide()
        canvas.installEventFilter(self)

    def show_item(self, item: Item | None) -> None:
        """Show an item, or nothing."""
        self.item = item
        self.setVisible(item is not None)
        if item is None:
            return
        recipe, noun = item.recipe, self._words.noun
        self._thumbnail = QPixmap(str(item.thumbnail))
        self.picture.setAccessibleName(f"Thumbnail of the {noun}")
        self.title.setText(breakable(f"This {noun} needs the model {recipe.model}"))
        again = "" if recipe.source is not None else " By its recipe another model makes something of its own."
        self.text.setText(
            f"That model is not installed, so only the thumbnail can be shown. The {noun} itself is kept: import the "
            f"model's folder, and it is back.{again}"
        )
        self.recipe.setVisible(recipe.source is None)
        self._place()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show) and self.item is not None:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        """Lie in the middle; the thumbnail takes what the words leave."""
        canvas, layout = self.parentWidget(), self.layout()
        assert canvas is not None and layout is not None
        width = min(_WIDTH, canvas.width() - 2 * GRID)
        self.picture.hide()
        layout.activate()
        words = layout.heightForWidth(width)
        side = min(_PICTURE, width, canvas.height() - words - 4 * GRID)
        self.picture.setVisible(side >= _LEAST_PICTURE and not self._thumbnail.isNull())
        if not self.picture.isHidden():
            ratio = self.devicePixelRatioF()
            drawn = self._thumbnail.scaled(
                round(side * ratio),
                round(side * ratio),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            drawn.setDevicePixelRatio(ratio)
            self.picture.setPixmap(drawn)
            layout.activate()
        height = min(layout.heightForWidth(width), canvas.height())
        self.setGeometry((canvas.width() - width) // 2, (canvas.height() - height) // 2, width, height)
