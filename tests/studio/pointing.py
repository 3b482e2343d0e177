"""The mouse pointer, as a widget hears of it."""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget


def point_at(widget: QWidget, place: QPoint) -> None:
    """Tell a widget at once that the pointer is over it; a real one would come there some time later, or be there."""
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        QPointF(widget.mapToGlobal(place)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, event)


def turn_wheel(widget: QWidget, notches: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Turn the wheel over the middle of a widget, away from the person if `notches` is positive.

    As it comes from the system, so that who leaves the wheel alone leaves it to the widget around it.
    """
    place = widget.mapTo(widget.window(), widget.rect().center())
    QTest.wheelEvent(widget.window().windowHandle(), QPointF(place), QPoint(0, 120 * notches), QPoint(), modifiers)
    QApplication.processEvents()
