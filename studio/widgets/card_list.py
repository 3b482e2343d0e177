"""A list of choices, each a card: a picture if there is one, a title and a line or two that say more."""

from __future__ import annotations

from typing import TypeAlias

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from studio.theme.tokens import GRID

_PICTURE = QSize(16 * GRID, 8 * GRID)
_Index: TypeAlias = QModelIndex | QPersistentModelIndex
_LINES = 3  # of a card: its title and two of text
_TEXT_ROLE = Qt.ItemDataRole.UserRole
_VALUE_ROLE = Qt.ItemDataRole.UserRole + 1
_PICTURE_ROLE = Qt.ItemDataRole.UserRole + 2


class CardList(QListWidget):
    """Cards, one of which is chosen."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSpacing(GRID // 2)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(_Delegate(self))

    def add(self, title: str, text: str, value: object, picture: QPixmap | None = None) -> None:
        """Add a card that stands for a value; of the picture its left upper part, as far as it fits."""
        item = QListWidgetItem(title)
        item.setData(_TEXT_ROLE, text)
        item.setData(_VALUE_ROLE, value)
        item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, text)
        if picture is not None:
            ratio = self.devicePixelRatioF()
            cut = picture.scaled(
                _PICTURE * ratio,
                Qt.AspectRatioMode.KeepAspectRatioByExpanding,
                Qt.TransformationMode.SmoothTransformation,
            ).copy(QRect(0, 0, round(_PICTURE.width() * ratio), round(_PICTURE.height() * ratio)))
            cut.setDevicePixelRatio(ratio)
            item.setData(_PICTURE_ROLE, cut)
        self.addItem(item)

    def value(self, item: QListWidgetItem | None = None) -> object:
        """Return what a card, by default the chosen one, stands for; None without any."""
        chosen = item or self.currentItem()
        return chosen.data(_VALUE_ROLE) if chosen is not None else None


class _Delegate(QStyledItemDelegate):
    """Paints a card on the ground that the style gives every item."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """As high as the picture or the lines of text, with a margin."""
        height = max(_PICTURE.height() if index.data(_PICTURE_ROLE) else 0, _LINES * option.fontMetrics.lineSpacing())
        return QSize(0, height + 2 * GRID)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one card."""
        ground = QStyleOptionViewItem(option)
        self.initStyleOption(ground, index)
        ground.text = ""
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, ground, painter, option.widget)
        inside = option.rect.adjusted(GRID, GRID, -GRID, -GRID)
        picture: QPixmap | None = index.data(_PICTURE_ROLE)
        painter.save()
        if picture is not None:
            place = QRect(inside.topLeft(), _PICTURE)
            place.moveTop(inside.top() + (inside.height() - _PICTURE.height()) // 2)
            painter.drawPixmap(place, picture)
            inside.setLeft(place.right() + 2 * GRID)
        bold = QFont(option.font)
        bold.setBold(True)
        title, text = str(index.data(Qt.ItemDataRole.DisplayRole)), str(index.data(_TEXT_ROLE))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        line = option.fontMetrics.lineSpacing()
        wrapped = option.fontMetrics.boundingRect(QRect(0, 0, inside.width(), 2 * line), int(flags), text)
        inside.setTop(inside.top() + max(0, (inside.height() - line - wrapped.height()) // 2))
        painter.setFont(bold)
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        painter.drawText(inside, int(flags), title)
        painter.setFont(option.font)
        # The style sheet fades the one in the widget's own palette
        painter.setPen(QApplication.palette().color(QPalette.ColorRole.PlaceholderText))
        painter.drawText(inside.adjusted(0, line, 0, 0), int(flags), text)
        painter.restore()
