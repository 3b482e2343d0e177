"""A field for a seed, of all whole numbers that a recipe may have: Qt's own spin box ends at 2^31."""

from __future__ import annotations

from PySide6.QtCore import QRegularExpression, QSize, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QAbstractSpinBox

from ddmi_core.recipe import MAX_SEED
from studio.widgets.basics import inset

_DIGITS = len(str(MAX_SEED))
_USUAL_DIGITS = 5


class SeedBox(QAbstractSpinBox):
    """Digits to type, arrows to step. What is typed counts at once."""

    changed = Signal(object)
    """The new seed, an int that Qt's would be too small for."""

    def __init__(self) -> None:
        super().__init__()
        self._value = 0
        inset(self)
        self.setAccessibleName("Seed")
        self.lineEdit().setValidator(QRegularExpressionValidator(QRegularExpression(rf"\d{{0,{_DIGITS}}}"), self))
        self.lineEdit().setText("0")
        self.lineEdit().textEdited.connect(self._on_typed)
        self.editingFinished.connect(self._show)

    def value(self) -> int:
        """The seed."""
        return self._value

    def set_value(self, value: int) -> None:
        """Show another seed, the nearest that there is."""
        value = min(max(value, 0), MAX_SEED)
        changed, self._value = value != self._value, value
        self._show()
        if changed:
            self.changed.emit(value)

    def stepBy(self, steps: int) -> None:
        """Go up or down."""
        self.set_value(self._value + steps)
        self.selectAll()

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Say which arrows lead anywhere."""
        flags = QAbstractSpinBox.StepEnabledFlag
        down = flags.StepDownEnabled if self._value > 0 else flags.StepNone
        return down | (flags.StepUpEnabled if self._value < MAX_SEED else flags.StepNone)

    def sizeHint(self) -> QSize:
        """Wide enough for the seeds that the dice rolls."""
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        """As high as Qt's own boxes."""
        hint = super().minimumSizeHint()
        return hint.expandedTo(QSize(self.fontMetrics().horizontalAdvance("0" * _USUAL_DIGITS) + 40, 0))

    def _on_typed(self, text: str) -> None:
        value = min(int(text or 0), MAX_SEED)
        if value != self._value:
            self._value = value
            self.changed.emit(value)

    def _show(self) -> None:
        text = str(self._value)
        if text != self.lineEdit().text():
            self.lineEdit().setText(text)
            if not self.hasFocus():
                self.lineEdit().setCursorPosition(0)  # of a long one, the beginning is seen
