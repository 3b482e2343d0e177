"""The one area where messages to the person appear: newest below, each dismissible, none over a control."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.theme.theme import IconRole, Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import breakable, icon_button, label, styled

_TRANSPARENT = Qt.WidgetAttribute.WA_TransparentForMouseEvents
_TOP = Qt.AlignmentFlag.AlignTop
_RIGHT = Qt.AlignmentFlag.AlignRight
_WIDTH = 376
_SHOWN = 4
_MILLISECONDS = {"info": 7000, "warning": 12000, "error": 20000}
_LOOK_MS = 250
_CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
)
_ICONS: dict[str, tuple[str, IconRole]] = {
    "info": ("info", "accent"),
    "warning": ("warning", "star"),
    "error": ("warning", "error"),
}


def level_sign(theme: Theme, level: str) -> QToolButton:
    """The sign of a message's level."""
    icon, role = _ICONS[level]
    sign = icon_button(theme, icon, level.capitalize(), look="tiny", role=role)
    sign.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    sign.setAttribute(_TRANSPARENT)
    return sign


def link(text: str) -> QPushButton:
    """A button that looks like a link."""
    button = QPushButton(text)
    button.setProperty("look", "link")
    return button


def copy_details(text: str, details: str) -> QPushButton:
    """A button that copies a message with its details."""
    button = link("Copy details")
    button.clicked.connect(lambda: QApplication.clipboard().setText(f"{text}\n\n{details}"))
    return button


class Toast(QWidget):
    """One message with an optional button. It goes after a while, an error last, but not under the pointer."""

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
        message = label(breakable(text), wrap=True)
        close = icon_button(theme, "close", "Dismiss", look="tiny", role="muted", side=16)
        close.clicked.connect(self.dismissed)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(level_sign(theme, level), 0, _TOP)
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
            button = link(action[0])
            run = action[1]
            button.clicked.connect(lambda: run())
            button.clicked.connect(self.dismissed)
            buttons.addWidget(button)
        if details:
            buttons.addWidget(copy_details(text, details))
        if buttons.count():
            buttons.addStretch(1)
            layout.addLayout(buttons)
        time = _MILLISECONDS[level] * (2 if action is not None else 1)  # to decide
        self._timer = QTimer(self, singleShot=True, interval=time)
        self._timer.timeout.connect(self._on_timeout)
        self._has_begun = False

    def begin(self) -> None:
        """Let its time run, if it does not yet."""
        if not self._has_begun:
            self._has_begun = True
            self._timer.start()

    def _on_timeout(self) -> None:
        if self.underMouse():
            self._timer.start(1500)
        else:
            self.dismissed.emit()


class ToastArea(QWidget):
    """Stacks toasts over its parent, in a place where they cover no control and nothing that was given to `avoid`, the
    lower right corner before any other.

    The oldest make room for new ones. Where there is no room for a single one, none is shown, and `crowded_out` has the
    text of each that is added.
    """

    crowded_out = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._toasts: list[Toast] = []
        self._avoided: list[QWidget] = []
        self._more = QLabel(self)
        self._more.setProperty("look", "small")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GRID)
        self._layout.addWidget(self._more, 0, _RIGHT)
        parent.installEventFilter(self)
        self._controls_timer = QTimer(self, interval=_LOOK_MS)  # controls come and go below
        self._controls_timer.timeout.connect(self._place)
        self._place()

    def avoid(self, widget: QWidget) -> None:
        """Leave a widget of the same window free while it is shown, which need not lie in the parent."""
        self._avoided.append(widget)

    def toasts(self) -> list[Toast]:
        """The messages, oldest first."""
        return list(self._toasts)

    def add(self, toast: Toast) -> None:
        """Show a message."""
        self._toasts.append(toast)
        toast.hide()
        self._layout.addWidget(toast)
        self._place()
        if toast.isHidden():
            self.crowded_out.emit(toast.text)

    def remove(self, toast: Toast) -> None:
        """Take a message away."""
        if toast in self._toasts:
            self._toasts.remove(toast)
            toast.hide()
            self._layout.removeWidget(toast)
            toast.deleteLater()
            self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay where there is room."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._place()
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        """As wide as a toast and as high as those shown."""
        return QSize(_WIDTH, self._layout.sizeHint().height())

    def _place(self) -> None:
        """Show as many of the newest toasts as there is room for, where there is room."""
        parent = self.parentWidget()
        if parent is None or not self._toasts:
            self._controls_timer.stop()
            self.hide()
            return
        self._controls_timer.start()
        if parent.isVisible():  # what is said before the window is there waits for it
            for toast in self._toasts:
                toast.begin()
        width = min(_WIDTH, parent.width() - 4 * GRID)
        for toast in self._toasts:
            toast.setFixedWidth(width)
        taken = [self._taken_by(widget) for widget in parent.findChildren(QWidget)]
        taken += [self._seen_of(widget) for widget in self._avoided if widget.isVisible()]
        controls = [rect for rect in taken if not rect.isEmpty()]
        for count in range(min(len(self._toasts), _SHOWN), 0, -1):
            place = _free_place(parent.size(), QSize(width, self._height(count, width)), controls)
            if place is not None:
                self._show_newest(count)
                self.setGeometry(place)
                self.show()
                self.raise_()
                return
        self._show_newest(0)
        self.hide()

    def _show_newest(self, count: int) -> None:
        hidden = len(self._toasts) - count
        for index, toast in enumerate(self._toasts):
            toast.setVisible(index >= hidden)
        self._more.setVisible(hidden > 0)
        self._more.setText(f"and {hidden} more")

    def _height(self, count: int, width: int) -> int:
        """How high the newest toasts are together, with a line that tells of the others."""
        parts = [toast.heightForWidth(width) for toast in self._toasts[-count:]]
        if count < len(self._toasts):
            parts.append(self._more.sizeHint().height())
        return sum(parts) + GRID * (len(parts) - 1)

    def _taken_by(self, widget: QWidget) -> QRect:
        """The visible part of a widget, if it is a control that must not be covered, in the parent's coordinates."""
        of_ours = type(widget).__module__.startswith("studio.") and "mousePressEvent" in vars(type(widget))
        if (
            not (of_ours or isinstance(widget, _CONTROLS))
            or not widget.isVisible()
            or widget.property("canvas")
            or self.isAncestorOf(widget)
        ):
            return QRect()
        return self._seen_of(widget)

    def _seen_of(self, widget: QWidget) -> QRect:
        """The visible part of a widget, in the parent's coordinates."""
        whole = self.parentWidget()
        assert whole is not None
        if not whole.isAncestorOf(widget):
            return QRect(whole.mapFromGlobal(widget.mapToGlobal(QPoint())), widget.size()) & whole.rect()
        rect = widget.rect()
        while widget is not whole and (parent := widget.parentWidget()) is not None:
            rect, widget = rect.translated(widget.pos()) & parent.rect(), parent
        return rect


def _free_place(room: QSize, size: QSize, controls: list[QRect]) -> QRect | None:
    """Where in a room a rectangle covers no control: at the right, the left or in the middle, as low as it can be."""
    left, right = 2 * GRID, room.width() - size.width() - 2 * GRID
    for x in (right, left, (left + right) // 2):
        place = QRect(QPoint(x, room.height() - size.height() - 2 * GRID), size)
        while place.top() >= 0:
            covered = [rect.top() for rect in controls if rect.intersects(place)]
            if not covered:
                return place
            place.moveBottom(min(covered) - GRID)
    return None
