"""Which part of a long film to encode."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTime
from PySide6.QtWidgets import QGridLayout, QPushButton, QTimeEdit, QVBoxLayout, QWidget

from studio.theme.tokens import GRID
from studio.widgets.basics import decimal_box, decision, inset, label
from studio.widgets.dialog import Dialog

_WIDTH = 420
_USUAL_SECONDS = 10.0
_LEAST_SECONDS = 0.2


class SpanDialog(Dialog):
    """Asks from where on, and how many seconds.

    Args:
        path: the film.
        seconds: how long it lasts.
        longest: how much of it can be encoded at once.
        parent: the window.
    """

    def __init__(self, path: Path, seconds: float, longest: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Choose a part")
        self.setFixedWidth(_WIDTH)
        self._seconds = seconds
        self.start = QTimeEdit(QTime(0, 0))
        inset(self.start)
        self.start.setDisplayFormat("h:mm:ss.zzz")
        self.start.setMaximumTime(_clock(seconds - _LEAST_SECONDS))
        self.start.setAccessibleName("From")
        self.start.timeChanged.connect(self._keep_inside)
        self.lasts = decimal_box("Seconds", _LEAST_SECONDS, longest, min(_USUAL_SECONDS, longest), " s")
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        for row, (name, field) in enumerate((("From", self.start), ("Seconds", self.lasts))):
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(field, row, 1)
        encode = QPushButton("Encode")
        encode.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(label(path.name, "heading", wrap=True))
        length = _clock(seconds).toString("h:mm:ss")
        layout.addWidget(
            label(f"Lasts {length}; up to {longest:g} seconds become continuous at once.", "muted", wrap=True)
        )
        layout.addLayout(grid)
        layout.addLayout(decision(self, encode))
        self._longest = longest
        self._keep_inside()

    def span(self) -> tuple[float, float]:
        """From .. to, in seconds."""
        start = self._start()
        return start, min(start + self.lasts.value(), self._seconds)

    def _start(self) -> float:
        return self.start.time().msecsSinceStartOfDay() / 1000

    def _keep_inside(self) -> None:
        self.lasts.setMaximum(min(self._longest, self._seconds - self._start()))


def _clock(seconds: float) -> QTime:
    """A time of day so many seconds after midnight, at the most the day's last."""
    return QTime.fromMSecsSinceStartOfDay(min(max(0, int(1000 * seconds)), 24 * 3600 * 1000 - 1))
