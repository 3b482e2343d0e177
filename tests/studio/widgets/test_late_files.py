"""Files that are asked for only where they are dropped, and what hangs at the pointer meanwhile."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QColor, QDrag, QPixmap
from PySide6.QtWidgets import QWidget

from studio.theme.tokens import DARK
from studio.widgets.drag_picture import drag_picture
from studio.widgets.late_files import LateFiles


def test_what_there_is_can_be_asked_without_anything_being_written(qtbot):
    asked: list[int] = []
    paths = [Path("/tmp/a cat.png"), Path("/tmp/ein Stück.glb")]
    data = LateFiles(lambda: asked.append(1) or paths)
    assert data.hasUrls() and data.formats() == ["text/uri-list"] and not data.hasImage() and not asked
    assert [Path(url.toLocalFile()) for url in data.urls()] == paths and len(asked) == 1
    sent = bytes(data.data("text/uri-list").data()).decode()
    assert sent == "file:///tmp/a%20cat.png\r\nfile:///tmp/ein%20St%C3%BCck.glb\r\n"


def test_a_drag_carries_it(qtbot):
    source = QWidget()
    qtbot.addWidget(source)
    drag = QDrag(source)
    drag.setMimeData(LateFiles(lambda: [Path("/tmp/cat.png")]))
    assert drag.mimeData().urls() == [QUrl.fromLocalFile("/tmp/cat.png")]
    drag.deleteLater()


def test_several_are_counted_at_the_pointer(qtbot):
    thumbnail = QPixmap(8, 8)
    thumbnail.fill(QColor("#406080"))
    one, many = (drag_picture(thumbnail, count, DARK).toImage() for count in (1, 12))
    assert one.pixelColor(0, 0).alpha() == 0, "corners are round"
    middle, corner = one.rect().center(), (one.width() - 8, 14)
    assert one.pixelColor(middle) == many.pixelColor(middle)
    assert many.pixelColor(*corner) == QColor(DARK.accent) != one.pixelColor(*corner)
