"""The one area where messages to the person appear: bottom right, newest below, each dismissible."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.theme.theme import IconRole, Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import breakable, icon_button, label, styled

_TRANSPARENT = Qt.WidgetAttribute.WA_TransparentForMouseEvents
_TOP = Qt.AlignmentFlag.AlignTop
_RIGHT = Qt.AlignmentFlag.AlignRight
_WIDTH = 376
_SHOWN = 4
_MILLISECONDS = {"info": 7000, "warning": 12000}
_ICONS: dict[str, tuple[str, IconRole]] = {
    "info": ("info", "accent"),
    "warning": ("warning", "star"),
    "error": ("warning", "error"),
}


class Toast(QWidget):
    """One message with an optional button. Errors stay until dismissed; others go, but not under the pointer."""

    dismissed = Signal()

    def __init__(
        self,
        theme: Theme,
        level: str,
        text: str,
        *,
        details: str = "",
        action: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        super().__init__()
        self.level, self.text = level, text
        styled(self, "toast-error" if level == "error" else "toast")
        icon, role = _ICONS[level]
        sign = icon_button(theme, icon, level.capitalize(), look="tiny", role=role)
        sign.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        sign.setAttribute(_TRANSPARENT)
        message = label(breakable(text), wrap=True)
        close = icon_button(theme, "close", "Dismiss", look="tiny", role="muted", side=16)
        close.clicked.connect(self.dismissed)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(sign, 0, _TOP)
        row.addWidget(message, 1)
        row.addWidget(close, 0, _TOP)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID + 4, GRID, GRID, GRID)
        layout.setSpacing(0)
        layout.addLayout(row)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(3 * GRID + 6, 0, 0, 0)
        buttons.setSpacing(GRID)
        if action is not None:
            button = self._link(action[0])
            run = action[1]
            button.clicked.connect(lambda: run())
            button.clicked.connect(self.dismissed)
            buttons.addWidget(button)
        if details:
            copy = self._link("Copy details")
            copy.clicked.connect(lambda: QApplication.clipboard().setText(f"{text}\n\n{details}"))
            buttons.addWidget(copy)
        if buttons.count():
            buttons.addStretch(1)
            layout.addLayout(buttons)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._on_timeout)
        if level in _MILLISECONDS:
            self._timer.start(_MILLISECONDS[level] * (2 if action is not None else 1))  # time to decide

    @staticmethod
    def _link(text: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("look", "link")
        return button

    def _on_timeout(self) -> None:
        if self.underMouse():
            self._timer.start(1500)
        else:
            self.dismissed.emit()


class ToastArea(QWidget):
    """Stacks toasts in the lower right corner of its parent; the oldest make room for new ones, errors last."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._toasts: list[Toast] = []
        self._more = QLabel(self)
        self._more.setProperty("look", "small")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GRID)
        self._layout.addWidget(self._more, 0, _RIGHT)
        parent.installEventFilter(self)
        self._place()

    def toasts(self) -> list[Toast]:
        """The messages, oldest first."""
        return list(self._toasts)

    def add(self, toast: Toast) -> None:
        """Show a message."""
        self._toasts.append(toast)
        self._layout.addWidget(toast)
        self._place()

    def remove(self, toast: Toast) -> None:
        """Take a message away."""
        if toast in self._toasts:
            self._toasts.remove(toast)
            toast.hide()
            self._layout.removeWidget(toast)
            toast.deleteLater()
            self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._place()
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        """As wide as a toast and as high as those shown."""
        return QSize(_WIDTH, self._layout.sizeHint().height())

    def _place(self) -> None:
        hidden = max(0, len(self._toasts) - _SHOWN)
        for index, toast in enumerate(self._toasts):
            toast.setVisible(index >= hidden)
        self._more.setVisible(hidden > 0)
        self._more.setText(f"and {hidden} more")
        self.setVisible(bool(self._toasts))
        parent = self.parentWidget()
        if parent is None or not self._toasts:
            return
        width = min(_WIDTH, parent.width() - 4 * GRID)
        for toast in self._toasts:
            toast.setFixedWidth(width)
        self._layout.activate()
        height = self._layout.heightForWidth(width)
        if height < 0:
            height = self._layout.sizeHint().height()
        self.setGeometry(parent.width() - width - 2 * GRID, parent.height() - height - 2 * GRID, width, height)
        self.raise_()
