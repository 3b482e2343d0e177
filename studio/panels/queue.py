"""The queue: what is being worked on, how far it is, and a way to stop it. Shown only while there is work."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal, SignalInstance
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from studio.engine.work.sampling import GenerateRequest
from studio.state.jobs import Job, JobQueue
from studio.state.paused import PausedQueue, PausedWork
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import ElidedLabel, icon_button, label, styled

_WIDTH = 304  # px
_STEPS = 1000
_REPEAT_TIP = "Repeat with new seeds, or the next ones while the seed is kept"


def duration(seconds: float) -> str:
    """A time to go in words, rounded up: `8 s`, `2 min 05 s`, `1 h 10 min`."""
    whole = max(1, round(seconds + 0.4))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class JobRow(QWidget):
    """One job: title, progress, what is being done, time to go, cancel, and a way to the front while it waits.

    What is generated can be asked for again.
    """

    cancelled = Signal(str)
    hurried = Signal(str)
    repeated = Signal(str)

    def __init__(self, job: Job, theme: Theme) -> None:
        super().__init__()
        self._title = ElidedLabel(job.title)
        self._text = ElidedLabel(look="small")
        self._eta = label(look="small")
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(job.title)
        self.cancel = icon_button(theme, "close", "Cancel", look="tiny", role="muted", side=16)
        self.cancel.clicked.connect(lambda: self.cancelled.emit(job.id))
        self.hurry = icon_button(theme, "chevron-up", "Do this next", look="tiny", role="muted", side=16)
        self.hurry.clicked.connect(lambda: self.hurried.emit(job.id))
        self.repeat = icon_button(theme, "repeat", _REPEAT_TIP, look="tiny", role="muted", side=16)
        self.repeat.clicked.connect(lambda: self.repeated.emit(job.id))
        self.repeat.setVisible(isinstance(job.request, GenerateRequest) and job.request.differs_by_seed)
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self._title, 1)
        top.addWidget(self.hurry)
        top.addWidget(self.repeat)
        top.addWidget(self.cancel)
        bottom = QHBoxLayout()
        bottom.setSpacing(GRID)
        bottom.addWidget(self._text, 1)
        bottom.addWidget(self._eta)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addWidget(self.bar)
        layout.addLayout(bottom)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)  # many rows scroll; none is squeezed
        self.show_job(job)

    def show_job(self, job: Job, *, held: bool = False, can_hurry: bool = False) -> None:
        """Show how far the job is, or that it waits because the queue is `held`."""
        text = "paused" if held and job.status == "queued" else job.text
        self.bar.setValue(round(job.fraction * _STEPS))
        self.hurry.setVisible(can_hurry)
        self._text.setText(text[:1].upper() + text[1:])
        self._eta.setText(f"{duration(job.eta)} left" if job.eta is not None else "")
        self.cancel.setEnabled(not job.cancelling)


class PausedRow(QWidget):
    """A piece of paused work: a button to go on with it, title, and one to give it up.

    The first stands where the row of the job, which takes its place, has nothing to be clicked by mistake.
    """

    def __init__(self, work: PausedWork, theme: Theme) -> None:
        super().__init__()
        self.work = work
        self.resume = icon_button(theme, "play", f"Generate {work.title}", look="tiny", side=16)
        self.drop = icon_button(theme, "close", f"Remove {work.title}", look="tiny", role="muted", side=16)
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self.resume)
        top.addWidget(ElidedLabel(work.title), 1)
        top.addWidget(self.drop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addWidget(ElidedLabel("Paused when the studio ended", "small"))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)


class QueuePanel(QWidget):
    """The active jobs, the running one first, and below them what was paused."""

    cancelled = Signal(str)
    resumed = Signal(object)
    """PausedWork that is wanted after all."""
    dropped = Signal(object)
    """PausedWork that is not wanted any more."""
    hurried = Signal(str)
    repeated = Signal(str)
    """The id of a job, to be done again with new seeds."""
    held = Signal(bool)
    """Whether what waits is to go on waiting."""

    def __init__(self, jobs: JobQueue, paused: PausedQueue, theme: Theme) -> None:
        super().__init__()
        self._jobs, self._paused = jobs, paused
        self._paused_rows: list[PausedRow] = []
        self._settling = QTimer(self, singleShot=True, interval=QApplication.doubleClickInterval())
        """Runs while a second click may be one of a double click, and meant for the row that has moved away."""
        self._theme = theme
        self._rows: dict[str, JobRow] = {}
        styled(self, "panel")
        self.setMaximumWidth(_WIDTH)
        self._count = label(look="small")
        heading = QHBoxLayout()
        heading.setSpacing(GRID)
        heading.addWidget(label("Queue", "heading"))
        heading.addWidget(self._count)
        tip = "Generate all that was paused when the studio ended"
        self.resume_all = icon_button(theme, "play", tip, look="tiny", side=16)
        self.resume_all.setText("Go on with all")
        self.resume_all.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.resume_all.clicked.connect(self._resume_all)
        heading.addWidget(self.resume_all)  # not where the one to pause appears
        heading.addStretch(1)
        self.hold = icon_button(theme, "pause", "Pause", look="tiny", side=16)
        self.hold.setCheckable(True)
        self.hold.clicked.connect(self.held)
        heading.addWidget(self.hold)
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, GRID, 0)
        self._list.setSpacing(GRID)
        self._list.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, GRID, GRID, GRID // 2)
        layout.setSpacing(GRID // 2)
        layout.addLayout(heading)
        layout.addWidget(area, 1)
        jobs.added.connect(self._on_job)
        jobs.changed.connect(self._on_job)
        jobs.held_changed.connect(self._on_held)
        for job in jobs.active():
            self._on_job(job)
        paused.changed.connect(self._on_paused)
        self._on_held(jobs.is_held)
        self._on_paused()

    def sizeHint(self) -> QSize:
        """As wide as it may be, where there is room."""
        return QSize(_WIDTH, super().sizeHint().height())

    def rows(self) -> list[JobRow]:
        """The rows, top to bottom."""
        return list(self._rows.values())

    def _on_job(self, job: Job) -> None:
        if job.quiet:
            return
        row = self._rows.get(job.id)
        if not job.is_active:
            self._take_away(job)
        elif row is None:
            row = self._rows[job.id] = JobRow(job, self._theme)
            row.cancelled.connect(self.cancelled)
            row.hurried.connect(self.hurried)
            row.repeated.connect(self.repeated)
            self._list.insertWidget(len(self._rows) - 1, row)
            self._show()
        self._order()

    def _order(self) -> None:
        """Put the rows into the order of the jobs."""
        jobs = [job for job in self._jobs.active() if job.id in self._rows]
        if [job.id for job in jobs] != list(self._rows):
            self._rows = {job.id: self._rows[job.id] for job in jobs}
            for place, row in enumerate(self._rows.values()):
                self._list.removeWidget(row)
                self._list.insertWidget(place, row)
        waiting = [job for job in jobs if job.status == "queued"]
        for job in jobs:
            can_hurry = job in waiting[1:]
            self._rows[job.id].show_job(job, held=self._jobs.is_held, can_hurry=can_hurry)

    def _on_held(self, on: bool) -> None:
        self.hold.setChecked(on)
        self._theme.bind_icon(self.hold, "play" if on else "pause")
        tip = "Go on with what waits" if on else "Pause: finish what is under way, and begin nothing else"
        self.hold.setToolTip(tip)
        self.hold.setAccessibleName(tip)
        self._order()

    def _take_away(self, job: Job) -> None:
        row = self._rows.pop(job.id, None)
        if row is not None:
            row.hide()
            self._list.removeWidget(row)
            row.deleteLater()
            self._show()

    def _on_paused(self) -> None:
        for row in self._paused_rows:
            row.hide()
            self._list.removeWidget(row)
            row.deleteLater()
        self._paused_rows = [PausedRow(work, self._theme) for work in self._paused.list()]
        for row in self._paused_rows:
            row.resume.clicked.connect(lambda _=False, work=row.work: self._ask(self.resumed, work))
            row.drop.clicked.connect(lambda _=False, work=row.work: self._ask(self.dropped, work))
            self._list.insertWidget(self._list.count() - 1, row)
        self._show()

    def _ask(self, signal: SignalInstance, work: PausedWork) -> None:
        if not self._settling.isActive():
            self._settling.start()
            signal.emit(work)

    def _resume_all(self) -> None:
        for work in self._paused.list():
            self.resumed.emit(work)

    def paused_rows(self) -> list[PausedRow]:
        """The rows of what is paused, top to bottom."""
        return list(self._paused_rows)

    def _show(self) -> None:
        count = len(self._rows) + len(self._paused_rows)
        self._count.setText(f"{count}" if count > 1 else "")
        self.hold.setVisible(bool(self._rows))
        self.resume_all.setVisible(len(self._paused_rows) > 1)
        self.setVisible(count > 0)
