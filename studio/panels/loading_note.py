"""What a stage says while one waits for what it shall show."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.engine.work.viewing import ViewRequest
from studio.panels.inspector import item_title
from studio.state.jobs import Job, JobQueue
from studio.theme.tokens import GRID
from studio.widgets.basics import ElidedLabel, styled

_SIDES = 2 * GRID
_AFTER_MS = 400  # what comes sooner needs no words


class LoadingNote(QWidget):
    """Says at the top of a room's canvas which model is being loaded, or which item is being opened.

    The mouse goes through it.
    """

    def __init__(self, jobs: JobQueue, room: str, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._jobs, self._room = jobs, room
        styled(self, "toast")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text = ElidedLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(_SIDES, GRID, _SIDES, GRID)
        row.addWidget(self.text)
        self._delay = QTimer(self, singleShot=True, interval=_AFTER_MS)
        self._delay.timeout.connect(self._show)
        self.hide()
        canvas.installEventFilter(self)
        for signal in (jobs.added, jobs.changed):
            signal.connect(self._on_job)

    def _words(self) -> str:
        """What one waits for; empty if nothing."""
        jobs = [job for job in self._jobs.active(quiet=True) if job.room == self._room]
        if loading := [job.loading for job in jobs if job.loading]:
            return f"Loading the model {loading[-1]}…"
        opening = [job.request.item for job in jobs if isinstance(job.request, ViewRequest) and not job.cancelling]
        return f"Opening {item_title(opening[-1])}…" if opening else ""

    def _on_job(self, job: Job) -> None:
        if job.room != self._room:
            return
        if not (words := self._words()):
            self._delay.stop()
            self.hide()
        elif self.isHidden():
            if not self._delay.isActive():
                self._delay.start()
        elif words != self.text.text():
            self._show()

    def _show(self) -> None:
        self.text.setText(self._words())
        self._place()
        self.show()
        self.raise_()

    def _place(self) -> None:
        canvas = self.parentWidget()
        assert canvas is not None
        whole = self.text.fontMetrics().horizontalAdvance(self.text.text()) + 1 + 2 * _SIDES
        width = min(whole, canvas.width() - 2 * GRID)
        height = self.text.sizeHint().height() + 2 * GRID
        self.setGeometry((canvas.width() - width) // 2, 2 * GRID, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle."""
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)
