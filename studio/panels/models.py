"""The Models room: what is installed, what each model knows, and where it lies."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ddmi_core.model_folder import ModelInfo
from studio.state.app_state import AppState
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import label, styled

_WIDTH = 720


class ModelsRoom(QWidget):
    """A card per model. `used` carries the one to generate with, `opened` a folder to show."""

    used = Signal(object)
    opened = Signal(object)
    refreshed = Signal()

    def __init__(self, state: AppState, folder: Path, theme: Theme) -> None:
        super().__init__()
        self._state = state
        self._theme = theme
        styled(self, "stage")
        content = QWidget()
        content.setMaximumWidth(_WIDTH)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 4 * GRID, 0, 4 * GRID)
        column.setSpacing(GRID * 2)
        heading = QHBoxLayout()
        heading.addWidget(label("Models", "title"))
        heading.addStretch(1)
        refresh = QPushButton("Look again")
        refresh.setToolTip("Read the list of installed models anew")
        refresh.clicked.connect(self.refreshed)
        heading.addWidget(refresh)
        show = QPushButton("Open the models folder")
        show.setToolTip(str(folder))
        show.clicked.connect(lambda: self.opened.emit(folder))
        heading.addWidget(show)
        column.addLayout(heading)
        column.addWidget(
            label(
                "A model turns prompts into signals of one kind. Folders put into the models folder, or written there "
                "by training, appear here.",
                "muted",
                wrap=True,
            )
        )
        self._cards = QVBoxLayout()
        self._cards.setSpacing(GRID * 2)
        column.addLayout(self._cards)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(4 * GRID, 0, 4 * GRID, 0)
        row.addStretch(1)
        row.addWidget(content, 100)
        row.addStretch(1)
        area.setWidget(middle)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        state.models_changed.connect(self._on_models)
        state.form_changed.connect(lambda _form: self._mark())
        self._buttons: dict[ModelInfo, QPushButton] = {}
        self._on_models(state.models)

    def _on_models(self, models: list[ModelInfo]) -> None:
        while (entry := self._cards.takeAt(0)) is not None:
            if (widget := entry.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._buttons = {}
        for model in models:
            self._cards.addWidget(self._card(model))
        if not models:
            self._cards.addWidget(label("No model is installed.", "muted"))
        self._mark()

    def _card(self, model: ModelInfo) -> QWidget:
        card = QWidget()
        styled(card, "card")
        rows = QVBoxLayout(card)
        rows.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        rows.setSpacing(GRID // 2)
        top = QHBoxLayout()
        top.addWidget(label(model.name, "heading"))
        top.addStretch(1)
        use = QPushButton("Use")
        use.clicked.connect(lambda: self.used.emit(model))
        self._buttons[model] = use
        folder = QPushButton("Show folder")
        folder.clicked.connect(lambda: self.opened.emit(model.folder))
        top.addWidget(folder)
        top.addWidget(use)
        rows.addLayout(top)
        size = f"{model.size_bytes / 1e6:.1f} MB"
        facts = f"{model.domain.capitalize()} model  ·  {size}  ·  text encoder {model.text_encoder}"
        rows.addWidget(label(facts, "small", wrap=True, selectable=True))
        where = label(str(model.folder), "small", wrap=True, selectable=True)
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        rows.addWidget(where)
        return card

    def _mark(self) -> None:
        for model, button in self._buttons.items():
            in_use = self._state.is_in_use(model)
            button.setText("In use" if in_use else "Use")
            button.setEnabled(not in_use)
