"""Questions that stand before what cannot be taken back."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget


def question(parent: QWidget, title: str, text: str, more: str) -> QMessageBox:
    """Return a question that only lacks its buttons."""
    asked = QMessageBox(parent)
    asked.setWindowTitle(title)
    asked.setTextFormat(Qt.TextFormat.PlainText)  # names of runs and models may be anything
    asked.setText(text)
    asked.setInformativeText(more)
    return asked


def answer(asked: QMessageBox) -> QAbstractButton:
    """Ask, and return the button that was clicked; the question goes, which its parent would keep."""
    asked.exec()
    clicked = asked.clickedButton()
    asked.deleteLater()
    return clicked


def agrees(parent: QWidget, title: str, text: str, more: str, *, do: str, keep: str) -> bool:
    """Ask whether to `do` something that cannot be taken back, or `keep` things as they are, as Enter and Esc do."""
    asked = question(parent, title, text, more)
    done = asked.addButton(do, QMessageBox.ButtonRole.DestructiveRole)
    kept = asked.addButton(keep, QMessageBox.ButtonRole.RejectRole)
    asked.setDefaultButton(kept)
    asked.setEscapeButton(kept)
    return answer(asked) is done
