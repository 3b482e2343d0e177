"""Small parts used everywhere: labels, separators, icon buttons, folds, and a slider with a figure."""

from __future__ import annotations

import re
from html import escape

from PySide6 import QtGui
from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFontMetrics, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.theme.theme import IconRole, Theme
from studio.theme.tokens import CONTROL_HEIGHT, GRID, ICON
from studio.widgets.number_boxes import DecimalBox, WholeBox

ANY_SIZE = 2**24 - 1
"""The largest that a widget may be: what `QWIDGETSIZE_MAX` is in Qt. px."""
_ELLIPSIS = "\u2026"
_ZERO_WIDTH_SPACE = "\u200b"
_LONG_WORD = re.compile(r"\S{25,}")
_BREAK = re.compile(r"[/\\]|[^/\\]{20}")


def styled(widget: QWidget, look: str) -> None:
    """Give a widget one of the stylesheet's looks, now or later."""
    widget.setProperty("look", look)
    widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def label(text: str = "", look: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """A label of plain text with one of the stylesheet's looks."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setWordWrap(wrap)
    if look:
        result.setProperty("look", look)
    if selectable:
        result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return result


def plain_tip(text: str) -> str:
    """What a tool tip has to be given to show a text as it stands: Qt takes what looks like HTML for HTML."""
    if not QtGui.Qt.mightBeRichText(text):
        return text
    return f"<p style='white-space: pre-wrap'>{escape(text)}</p>"


def breakable(text: str) -> str:
    """The text with places to wrap in words too long for a line: after each slash, else after 20 characters."""
    return _LONG_WORD.sub(lambda word: _BREAK.sub(rf"\g<0>{_ZERO_WIDTH_SPACE}", word[0]), text)


def line(*, vertical: bool = False, length: int | None = None) -> QFrame:
    """A separator, one pixel thin."""
    result = QFrame()
    result.setProperty("look", "line")
    if vertical:
        result.setFixedWidth(1)
        if length is not None:
            result.setFixedHeight(length)
    else:
        result.setFixedHeight(1)
    return result


def action_button(action: QAction) -> QToolButton:
    """A button for the tool strip that shows an action's icon."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(ICON, ICON))
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def icon_button(
    theme: Theme, icon: str, tip: str, *, look: str = "control", role: IconRole = "icon", side: int = ICON
) -> QToolButton:
    """A button with an icon alone; `tip` is its tool tip and its name for screen readers."""
    button = QToolButton()
    theme.bind_icon(button, icon, role)
    button.setIconSize(QSize(side, side))
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    if look:
        button.setProperty("look", look)
    return button


def decision(dialog: QDialog, accept: QPushButton) -> QHBoxLayout:
    """The last row of a dialog: a button that cancels it, and the one, made default, that does what was asked."""
    accept.setProperty("look", "primary")
    accept.setDefault(True)
    cancel = QPushButton("Cancel")
    cancel.setFixedHeight(CONTROL_HEIGHT + GRID)
    cancel.clicked.connect(dialog.reject)
    row = QHBoxLayout()
    row.setSpacing(GRID)
    row.addStretch(1)
    row.addWidget(cancel)
    row.addWidget(accept)
    return row


def inset(box: QAbstractSpinBox) -> None:
    """Give a spin box's figure room on the left; Qt ignores the stylesheet's padding there."""
    box.lineEdit().setTextMargins(GRID - 2, 0, 0, 0)


def figure_box(name: str, low: int, high: int, value: int, suffix: str = "") -> WholeBox:
    """A spin box for a whole number, with a unit after it."""
    box = WholeBox()
    inset(box)
    box.setRange(low, high)
    box.setGroupSeparatorShown(True)
    box.setSuffix(suffix)
    box.setAccessibleName(name)
    box.setValue(value)
    return box


def decimal_box(name: str, low: float, high: float, value: float, suffix: str = "", *, decimals: int = 2) -> DecimalBox:
    """A spin box for a number with decimals, stepping by tenths, with a unit after it."""
    box = DecimalBox()
    inset(box)
    box.setDecimals(decimals)
    box.setSingleStep(0.1)
    box.setRange(low, high)
    box.setSuffix(suffix)
    box.setAccessibleName(name)
    box.setValue(value)
    return box


class _WheelGuard(QObject):
    """Lets a field hear of the wheel only while it has the focus, which the wheel does not give it."""

    def eventFilter(self, field: QObject, event: QEvent) -> bool:
        """Leave the wheel to what is around a field without the focus."""
        if event.type() == QEvent.Type.Wheel and isinstance(field, QWidget) and not field.hasFocus():
            event.ignore()
            return True
        return False


def leave_wheel_to_page(page: QWidget) -> None:
    """Let the wheel scroll a page even over its choices and figures, which it would change unseen."""
    guard = _WheelGuard(page)
    for kind in (QComboBox, QAbstractSpinBox):
        for field in page.findChildren(kind):
            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            field.installEventFilter(guard)


class ElidedLabel(QLabel):
    """One line of text, cut off with … where it does not fit, and left out where no letter of it does.

    The whole text is its tool tip.

    It takes what room it is given; with `asks` as much as the text needs, where there is that.
    """

    def __init__(
        self,
        text: str = "",
        look: str = "",
        *,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        asks: bool = False,
    ) -> None:
        super().__init__(text)
        self._elide = elide
        self.setTextFormat(Qt.TextFormat.PlainText)
        policy = QSizePolicy.Policy.Preferred if asks else QSizePolicy.Policy.Ignored
        self.setSizePolicy(policy, QSizePolicy.Policy.Fixed)
        if look:
            self.setProperty("look", look)

    def setText(self, text: str) -> None:
        """Show another text."""
        super().setText(text)
        self.setToolTip(plain_tip(text))

    def minimumSizeHint(self) -> QSize:
        """None is too narrow."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much as fits."""
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = " ".join(self.text().split())
        shown = QFontMetrics(self.font()).elidedText(text, self._elide, self.contentsRect().width())
        if shown != _ELLIPSIS:
            painter.drawText(self.contentsRect(), self.alignment() | Qt.AlignmentFlag.AlignVCenter, shown)


class SidewaysArea(QScrollArea):
    """A row that the wheel scrolls sideways where it is too long, without a bar. Tab brings a part into view."""

    def __init__(self, row: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(CONTROL_HEIGHT)
        self.setWidget(row)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll along the row whichever way the wheel turns."""
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - (event.angleDelta().x() or event.angleDelta().y()))
        event.accept()


class Fold(QWidget):
    """A heading that opens and closes what is below it."""

    toggled = Signal(bool)

    def __init__(self, theme: Theme, title: str, content: QWidget) -> None:
        super().__init__()
        self._theme = theme
        self._content = content
        self._heading = QPushButton(title)
        self._heading.setProperty("look", "fold")
        self._heading.setIconSize(QSize(16, 16))
        self._heading.clicked.connect(lambda: self.set_open(not self.is_open))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self._heading)
        layout.addWidget(content)
        self.set_open(False)

    @property
    def is_open(self) -> bool:
        """Whether the content is shown."""
        return not self._content.isHidden()

    def set_open(self, is_open: bool) -> None:
        """Show or hide the content."""
        self._content.setVisible(is_open)
        self._theme.bind_icon(self._heading, "chevron-down" if is_open else "chevron-right", "muted")
        self._heading.setAccessibleName(f"{self._heading.text()}, {'open' if is_open else 'closed'}")
        self.toggled.emit(is_open)


class SliderField(QWidget):
    """A slider and the same value as a figure. `decimals` 0 makes it whole numbers."""

    changed = Signal(float)

    def __init__(
        self,
        name: str,
        low: float,
        high: float,
        *,
        decimals: int = 0,
        step: float = 1.0,
        slider_high: float | None = None,
    ) -> None:
        super().__init__()
        self._scale = 10**decimals
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(round(low * self._scale), round((slider_high or high) * self._scale))
        self.slider.setSingleStep(max(1, round(step * self._scale)))
        self.slider.setPageStep(max(1, round(4 * step * self._scale)))
        self.slider.setAccessibleName(name)
        self.box: WholeBox | DecimalBox
        if decimals:
            self.box = DecimalBox()
            self.box.setDecimals(decimals)
            self.box.setRange(low, high)
            self.box.setSingleStep(step)
        else:
            self.box = WholeBox()
            self.box.setRange(round(low), round(high))
            self.box.setSingleStep(round(step))
        self.box.setAccessibleName(name)
        self.box.setKeyboardTracking(False)
        inset(self.box)
        self.box.setFixedWidth(80)
        self.slider.valueChanged.connect(self._on_slider)
        self.box.valueChanged.connect(self._on_box)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID + GRID // 2)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.box)
        self.setFixedHeight(CONTROL_HEIGHT)

    def value(self) -> float:
        """The value; a whole number where there are no decimals."""
        return self.box.value()

    def set_value(self, value: float) -> None:
        """Show another value, within the range."""
        self.box.setValue(int(value) if isinstance(self.box, WholeBox) else value)  # type: ignore[arg-type]

    def _on_slider(self, position: int) -> None:
        if position != round(self.value() * self._scale):
            self.set_value(position / self._scale)

    def _on_box(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(value * self._scale))
        self.slider.blockSignals(False)
        self.changed.emit(float(value))
