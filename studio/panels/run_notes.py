"""What a person notes on a training run."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.engine.training import Training
from studio.state.runs import RunSummary
from studio.theme.tokens import GRID
from studio.widgets.basics import label
from studio.widgets.text_edit import TextEdit

PAUSE_MS = 800
"""After the last key, before notes are written."""

_EMPTY = "What is this run for? What did you change, and what came of it?"
_CLOSED = "No notes can be kept here: the run's folder cannot be written, or its notes.txt is no short text."


class RunNotes(QWidget):
    """The notes on the run that is looked at, kept in its folder whenever typing pauses.

    What could not be written yet is remembered for each run, and tried again when that run is looked at.
    """

    def __init__(self, training: Training) -> None:
        super().__init__()
        self._training = training
        self._run = RunSummary(Path(), "", "", "done")  # until one is shown
        self._unkept: dict[Path, str] = {}
        self.edit = TextEdit("Notes", _EMPTY)
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addWidget(label("Notes", "small"))
        layout.addWidget(self.edit, 1)
        layout.addWidget(self.problem)
        self._pause.timeout.connect(self._keep)
        self.edit.textChanged.connect(self._on_text)
        training.noted.connect(self._on_noted)

    def show_run(self, run: RunSummary) -> None:
        """Show the notes on another run, or those on the same one if they were changed elsewhere."""
        before, self._run = self._run, run
        is_other = before.folder != run.folder
        if is_other:
            self._keep()
            self._tell("")
            if run.folder in self._unkept:
                self._pause.start()
        # What was read before the last key was pressed is no news
        elif (before.notes, before.takes_notes) == (run.notes, run.takes_notes):
            return
        self.edit.setReadOnly(not run.takes_notes)
        self.edit.describe(_EMPTY if run.takes_notes else _CLOSED)
        text = self._unkept.get(run.folder, run.notes)
        if is_other or text != self.edit.toPlainText():
            with QSignalBlocker(self.edit):
                self.edit.setPlainText(text)

    def forget_all_but(self, folders: Collection[Path]) -> None:
        """Let go of what was to be noted on runs that are not there any more."""
        self._unkept = {folder: text for folder, text in self._unkept.items() if folder in folders}

    def keep_at_once(self) -> None:
        """Write what is not written yet, for when the window closes.

        Raises:
            DDMIError: that is not possible.
        """
        for folder, text in list(self._unkept.items()):
            self._training.note_at_once(folder, text)
            del self._unkept[folder]

    def _on_text(self) -> None:
        self._unkept[self._run.folder] = self.edit.toPlainText()
        self._pause.start()

    def _keep(self) -> None:
        self._pause.stop()
        for folder, text in self._unkept.items():
            self._training.note(folder, text)

    def _on_noted(self, folder: Path, text: str, problem: str) -> None:
        if not problem and self._unkept.get(folder) == text:
            del self._unkept[folder]
        if folder == self._run.folder:
            self._tell(problem)

    def _tell(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
