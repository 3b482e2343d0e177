"""The wizard: what to train, on which data, which model, with which options; then the whole of it, to be started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from ddmi_core.model_folder import ModelInfo
from ddmi_core.support.errors import DDMIError
from studio.engine.recipes import Recipes
from studio.settings import Settings
from studio.theme.tokens import GRID
from studio.widgets.basics import label, line, styled
from studio.widgets.dialog import Dialog
from studio.wizard.draft import Draft
from studio.wizard.pages import DataPage, ModelPage, OptionsPage, Page, ReviewPage, WhatPage

_SIZE = (760, 620)


class TrainingWizard(Dialog):
    """Goes through the pages of a :class:`Draft`. `started` carries the folder of a run that was made.

    Args:
        settings: of the studio.
        models: those that are there, to go on from.
        parent: the window.
    """

    started = Signal(object)

    def __init__(self, settings: Settings, models: Sequence[ModelInfo] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("New training run")
        self.resize(*_SIZE)
        self.recipes = Recipes()
        self.draft = Draft(self.recipes, models)
        self.pages: tuple[Page, ...] = (
            WhatPage(self.draft),
            DataPage(self.draft, settings),
            ModelPage(self.draft),
            OptionsPage(self.draft),
            ReviewPage(self.draft),
        )
        self._steps = [label(page.title, "muted") for page in self.pages]
        self._stack = QStackedWidget()
        self.back = QPushButton("Back")
        self.next = QPushButton("Next")
        self.next.setDefault(True)
        self.next.setProperty("look", "primary")
        cancel = QPushButton("Cancel")
        cancel.setAutoDefault(False)
        self.problem = label("", "error", wrap=True)
        for page in self.pages:
            self._stack.addWidget(page)
            page.changed.connect(self._show_state)
        self.back.clicked.connect(lambda: self.go_to(self.page - 1))
        self.next.clicked.connect(self.go_on)
        cancel.clicked.connect(self.reject)
        steps = QHBoxLayout()
        steps.setSpacing(3 * GRID)
        for step in self._steps:
            steps.addWidget(step)
        steps.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(self.problem, 1)
        for button in (cancel, self.back, self.next):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addLayout(steps)
        layout.addWidget(line())
        layout.addWidget(self._stack, 1)
        layout.addWidget(line())
        layout.addLayout(buttons)
        self.go_to(0)

    @property
    def page(self) -> int:
        """Which page is shown."""
        return self._stack.currentIndex()

    def go_to(self, place: int) -> None:
        """Show a page as the draft stands now."""
        self._stack.setCurrentIndex(place)
        self.pages[place].enter()
        for index, step in enumerate(self._steps):
            styled(step, "heading" if index == place else "muted")
        self._show_state()

    def go_on(self) -> None:
        """Go to the next page, or start after the last one."""
        if self.page + 1 < len(self.pages):
            self.go_to(self.page + 1)
            return
        try:
            folder: Path = self.recipes.create_run(self.draft.text)
        except DDMIError as error:
            self.problem.setText(str(error))
            return
        self.started.emit(folder)
        self.accept()

    def done(self, result: int) -> None:
        """End what still goes on in the background."""
        self.recipes.shutdown()
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing is cancelling."""
        self.reject()
        super().closeEvent(event)

    def _show_state(self) -> None:
        page, last = self.pages[self.page], self.page + 1 == len(self.pages)
        problem = page.problem()
        self.problem.setText(problem)
        self.back.setEnabled(self.page > 0)
        self.next.setText("Start training" if last else "Next")
        self.next.setEnabled(not problem and page.is_complete())
