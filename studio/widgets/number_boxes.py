"""Fields for numbers that let one finish: what is typed beyond the range becomes the nearest number within it.

Qt's own boxes refuse the digit that leads out of the range, so that of 5000, typed where 4096 is the most, 500 is left.
"""

from __future__ import annotations

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

_MOST_DIGITS = 12


class WholeBox(QSpinBox):
    """Whole numbers."""

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Let numbers out of range be typed; they are corrected in the end."""
        state, text, position = super().validate(text, position)
        return _may_be_typed(self, text, state), text, position

    def fixup(self, text: str) -> str:
        """What stands in the box in the end."""
        number = _typed(self, text)
        return super().fixup(text) if number is None else self.textFromValue(round(_nearest(self, number)))


class DecimalBox(QDoubleSpinBox):
    """Numbers with decimals."""

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Let numbers out of range be typed; they are corrected in the end."""
        state, text, position = super().validate(text, position)
        return _may_be_typed(self, text, state), text, position

    def fixup(self, text: str) -> str:
        """What stands in the box in the end."""
        number = _typed(self, text)
        return super().fixup(text) if number is None else self.textFromValue(_nearest(self, number))


def _may_be_typed(box: QSpinBox | QDoubleSpinBox, text: str, state: QValidator.State) -> QValidator.State:
    """What Qt thinks of a text, but for a number that is too large."""
    number = _typed(box, text)
    beyond = state == QValidator.State.Invalid and number is not None and number > box.maximum()
    return QValidator.State.Intermediate if beyond else state


def _typed(box: QSpinBox | QDoubleSpinBox, text: str) -> float | None:
    """The number that stands in a box, whether or not it is in its range; None if it is none."""
    bare = text.strip().removeprefix(box.prefix()).removesuffix(box.suffix()).strip()
    bare = bare.replace(box.locale().groupSeparator(), "")
    number, is_number = box.locale().toDouble(bare)
    return number if is_number and len(bare) <= _MOST_DIGITS else None


def _nearest(box: QSpinBox | QDoubleSpinBox, number: float) -> float:
    return min(max(number, box.minimum()), box.maximum())
