"""Under which licence models stand, and whom to credit, in few words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from ddmi_core.model_card import licence_in
from ddmi_core.model_folder import ModelInfo, read_card
from studio.theme.tokens import GRID
from studio.widgets.basics import breakable, label, plain_tip

_LONGEST, _LONGEST_TIP = 240, 1200  # characters; the card has the rest


class Credit(QWidget):
    """A line or two for each of some models, and a link to its card. `asked` carries the model whose card is wanted."""

    asked = Signal(object)

    def __init__(self, models: Sequence[ModelInfo]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(0, 1)
        for row, model in enumerate(models):
            licence = licence_in(read_card(model)) or "Its card names none: ask whoever trained it."
            said = _cut(f"Licence of {model.name}  ·  {licence}", _LONGEST)
            words = label(breakable(said), "small", wrap=True, selectable=True)
            words.setToolTip(plain_tip(_cut(licence, _LONGEST_TIP)))
            card = QPushButton("Card")
            card.setProperty("look", "link")
            card.setToolTip("What the model was trained on, and its licence")
            card.setAccessibleName(f"Card, {model.name}")
            card.setAutoDefault(False)
            card.clicked.connect(lambda _checked=False, model=model: self.asked.emit(model))
            grid.addWidget(words, row, 0)
            grid.addWidget(card, row, 1)


def _cut(text: str, longest: int) -> str:
    """The text, without what is beyond some characters."""
    return text if len(text) <= longest else f"{text[: longest - 1].rsplit(' ', 1)[0]} …"
