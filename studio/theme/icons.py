"""The studio's own SVG icons, tinted."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ddmi_core.support.paths import assets

_SIDES = (16, 20, 24, 32, 40, 48)  # px, so that every use finds its own size at pixel ratios 1 and 2


@lru_cache(maxsize=256)
def svg_source(name: str, colour: str) -> bytes:
    """The icon's SVG with its stroke in `colour` (`#rrggbb`). Raises `FileNotFoundError` for an unknown name."""
    path = assets() / "icons" / f"{name}.svg"
    return path.read_text(encoding="utf-8").replace("currentColor", colour).encode()


def icon_pixmap(name: str, colour: str, side: int) -> QPixmap:
    """The icon as a square picture of `side` pixels."""
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg_source(name, colour))).render(painter, QRectF(0, 0, side, side))
    painter.end()
    return pixmap


@lru_cache(maxsize=256)
def tinted_icon(name: str, normal: str, checked: str, disabled: str) -> QIcon:
    """The named icon in the colours given (`#rrggbb`)."""
    icon = QIcon()
    for side in _SIDES:
        icon.addPixmap(icon_pixmap(name, normal, side), QIcon.Mode.Normal, QIcon.State.Off)
        icon.addPixmap(icon_pixmap(name, disabled, side), QIcon.Mode.Disabled, QIcon.State.Off)
        if checked != normal:
            icon.addPixmap(icon_pixmap(name, checked, side), QIcon.Mode.Normal, QIcon.State.On)
    return icon
