"""The studio's own SVG icons, tinted to the theme and sharp at any pixel ratio."""

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ddmi_core.paths import assets


@lru_cache(maxsize=256)
def svg_source(name: str, colour: str) -> bytes:
    """The icon's SVG with its stroke in `colour` (`#rrggbb`). Raises `FileNotFoundError` for an unknown name."""
    path: Path = assets() / "icons" / f"{name}.svg"
    return path.read_text(encoding="utf-8").replace("currentColor", colour).encode()


class _TintedSvg(QIconEngine):
    """Paints one SVG in one colour per mode; Qt asks for the size and ratio that it needs."""

    def __init__(self, name: str, normal: str, checked: str, disabled: str) -> None:
        super().__init__()
        self._arguments = (name, normal, checked, disabled)

    def paint(self, painter: QPainter, rect, mode: QIcon.Mode, state: QIcon.State) -> None:  # type: ignore[no-untyped-def]
        name, normal, checked, disabled = self._arguments
        colour = disabled if mode == QIcon.Mode.Disabled else checked if state == QIcon.State.On else normal
        side = min(rect.width(), rect.height())
        target = QRectF(
            rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2, float(side), float(side)
        )
        QSvgRenderer(QByteArray(svg_source(name, colour))).render(painter, target)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _TintedSvg(*self._arguments)


def tinted_icon(name: str, normal: str, *, checked: str | None = None, disabled: str | None = None) -> QIcon:
    """The named icon in the colours given (`#rrggbb`); `checked` and `disabled` default to `normal`."""
    return QIcon(_TintedSvg(name, normal, checked or normal, disabled or normal))
