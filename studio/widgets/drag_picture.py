"""What hangs at the pointer while items are dragged."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPixmap

from studio.theme.tokens import FONT_SMALL, GRID, RADIUS, THUMBNAIL, Colours

_BADGE = 22  # px
_OPACITY = 0.85


def drag_picture(thumbnail: QPixmap, count: int, colours: Colours) -> QPixmap:
    """A thumbnail, with how many items there are if they are several."""
    picture = QPixmap(THUMBNAIL, THUMBNAIL)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(picture.rect()), RADIUS, RADIUS)
    painter.setClipPath(outline)
    painter.setOpacity(_OPACITY)
    painter.fillRect(picture.rect(), QColor(colours.stage))
    if not thumbnail.isNull():
        painter.drawPixmap(picture.rect(), thumbnail)
    painter.setOpacity(1)
    if count > 1:
        text = f"{count:,}"
        font = painter.font()
        font.setPixelSize(FONT_SMALL)
        painter.setFont(font)
        width = max(_BADGE, painter.fontMetrics().horizontalAdvance(text) + 2 * GRID)
        badge = QRect(THUMBNAIL - width - 4, 4, width, _BADGE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.accent))
        painter.drawRoundedRect(badge, _BADGE // 2, _BADGE // 2)
        painter.setPen(QColor(colours.on_accent))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return picture
