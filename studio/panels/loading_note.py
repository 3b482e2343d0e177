"""What a stage says while a model is being loaded for it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.state.jobs import Job, JobQueue
from studio.theme.tokens import GRID
from studio.widgets.basics import ElidedLabel, styled

_AFTER_MS = 200  # what is loaded sooner needs no words


class LoadingNote(QWidget):
    """Names the model that work for a room waits for, at the top of the room's canvas. The mouse goes through it."""

    def __init__(self, jobs: JobQueue, room: str, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._jobs, self._room = jobs, room
        styled(self, "toast")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text = ElidedLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        row.addWidget(self.text)
        self._delay = QTimer(self, singleShot=True, interval=_AFTER_MS)
        self._delay.timeout.connect(self._show)
        self.hide()
        canvas.installEventFilter(self)
        jobs.changed.connect(self._on_job)

    def _model(self) -> str:
        """The model that the newest work waits for; empty if none does."""
        waiting = [job.loading for job in self._jobs.active(quiet=True) if job.room == self._room and job.loading]
        return waiting[-1] if waiting else ""

    def _on_job(self, job: Job) -> None:
        if job.room != self._room:
            return
        if not self._model():
            self._delay.stop()
            self.hide()
        elif not self.isHidden():
            self._show()
        elif not self._delay.isActive():
            self._delay.start()

    def _show(self) -> None:
        self.text.setText(f"Loading the model {self._model()}…")
        self._place()
        self.show()
        self.raise_()

    def _place(self) -> None:
        canvas = self.parentWidget()
        assert canvas is not None
        margins = self.layout().contentsMargins()
        whole = self.text.fontMetrics().horizontalAdvance(self.text.text()) + 1 + margins.left() + margins.right()
        width = min(whole, canvas.width() - 2 * GRID)
        height = self.text.sizeHint().height() + margins.top() + margins.bottom()
        self.setGeometry((canvas.width() - width) // 2, 2 * GRID, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle."""
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)
