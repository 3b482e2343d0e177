from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QColor, QImage, QMovie, QTextCursor, QTextDocument, QTextFrame, QTextTable

from ddmi_core.support.paths import assets
from studio.panels.gallery_page import GalleryPage
from studio.panels.guide import GuideWindow
from studio.panels.models import ModelsRoom
from studio.panels.training import TrainingRoom
from studio.rooms import ROOMS
from studio.state.guide import read_guide
from studio.theme.theme import Theme
from studio.theme.tokens import DARK, FONT_TITLE, LIGHT

FIRST = """# First steps

Press `Ctrl+Enter`, then go to the [second page](02-second.md) or to [the web](https://example.org/).

    ddmi generate shape
    ddmi models

![A picture of the window](window.png)

What follows it.
"""
SECOND = (
    "# Second\n\n| Key | Use |\n|---|---|\n| L | lifts the cap |\n\nA shape and another shape.\n\nOne more shape.\n"
)


@pytest.fixture
def guide(qtbot, theme: Theme, tmp_path: Path) -> GuideWindow:
    (tmp_path / "01-first.md").write_text(FIRST)
    (tmp_path / "02-second.md").write_text(SECOND)
    picture = QImage(1600, 200, QImage.Format.Format_RGB32)
    picture.fill(QColor("red"))
    picture.save(str(tmp_path / "window.png"))
    window = GuideWindow(read_guide(tmp_path), GalleryPage(tmp_path, {}, theme), theme)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def titles(guide: GuideWindow) -> list[str]:
    return [guide.list.item(row).data(Qt.ItemDataRole.UserRole).title for row in range(guide.list.count())]


def text(guide: GuideWindow) -> str:
    return guide.page.toPlainText()


def frames(guide: GuideWindow) -> list[QTextFrame]:
    return guide.page.document().rootFrame().childFrames()


def test_the_list_turns_pages_and_links_do_too(guide, qtbot):
    assert titles(guide) == ["First steps", "Second", "Gallery"] and text(guide).startswith("First steps")
    assert not guide.back.isEnabled()
    guide.list.setCurrentRow(1)
    assert text(guide).startswith("Second") and guide.back.isEnabled()
    guide.back.click()
    assert text(guide).startswith("First steps") and guide.list.currentRow() == 0
    guide.page.setSource(guide.page.current.resolved("02-second.md"))
    assert guide.list.currentRow() == 1


def test_a_link_is_clicked(guide, qtbot):
    opened = []
    guide.link_asked.connect(lambda link: opened.append(link.toString()))

    def click(words: str) -> None:
        cursor = guide.page.document().find(words)
        cursor.setPosition(cursor.selectionStart() + 3)
        guide.page.setTextCursor(cursor)
        place = guide.page.cursorRect(cursor).center()
        qtbot.mouseClick(guide.page.viewport(), Qt.MouseButton.LeftButton, pos=place)

    assert guide.page.document().find("second page").charFormat().anchorHref() == "02-second.md"
    click("second page")
    assert text(guide).startswith("Second") and opened == []
    guide.back.click()
    click("the web")
    notebook = guide.page.current.resolved("../first.ipynb")
    guide.page.anchorClicked.emit(notebook)
    assert text(guide).startswith("First steps") and opened == ["https://example.org/", notebook.toString()]


def test_every_room_has_a_page_of_its_own():
    rooms = [*(room.room.guide for room in ROOMS), TrainingRoom.guide, ModelsRoom.guide]
    pages = {page.path.name for page in read_guide(assets() / "guide")}
    assert len(set(rooms)) == len(rooms) and set(rooms) <= pages


def test_search_lists_what_is_found_and_marks_it(guide, qtbot):
    qtbot.keyClick(guide, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    guide.search.setText("shape another")
    assert titles(guide) == ["Second"] and text(guide).startswith("Second")
    guide.search.setText("shape")
    assert titles(guide) == ["First steps", "Second"]
    assert guide.shown().title == "Second", "what is read and holds the words stays"
    marked = [text(guide)[s.cursor.selectionStart() : s.cursor.selectionEnd()] for s in guide.page.extraSelections()]
    assert marked == ["shape"] * 3
    places = []
    for _ in range(4):
        places.append(guide.page.textCursor().position())
        qtbot.keyClick(guide.search, Qt.Key.Key_Return)
    assert places[0] < places[1] < places[2] and places[3] == places[0]
    guide.search.setText("nowhere")
    assert titles(guide) == [] and guide.nothing.isVisible()
    qtbot.keyClick(guide.search, Qt.Key.Key_Escape)
    assert titles(guide) == ["First steps", "Second", "Gallery"] and guide.isVisible()
    assert not guide.page.extraSelections()
    qtbot.keyClick(guide.search, Qt.Key.Key_Escape)
    assert not guide.isVisible()


def test_a_picture_is_as_wide_as_the_page_and_alone_as_large_as_it_is(guide, qtbot, tmp_path):
    url = QUrl.fromLocalFile(str(tmp_path / "window.png"))

    def width() -> float:
        picture: QImage = guide.page.document().resource(QTextDocument.ResourceType.ImageResource.value, url)
        return picture.deviceIndependentSize().width()

    assert width() == guide.page.viewport().width() < 1600
    place = guide.page.document().documentLayout().blockBoundingRect
    last = guide.page.document().lastBlock()
    assert place(last).top() - place(last.previous()).top() < 1.3 * width() / 8, "no gap is below it"
    guide.resize(guide.width() - 200, guide.height())
    qtbot.waitUntil(lambda: width() == guide.page.viewport().width())
    guide.page.setSource(url)
    assert width() == 1600 and guide.shown() is None
    guide.back.click()
    assert text(guide).startswith("First steps") and width() == guide.page.viewport().width()


def test_lines_stay_short_in_a_large_window(guide):
    guide.resize(2400, 1200)
    assert guide.page.viewport().width() <= 760


def test_the_look_follows_the_theme(guide, theme):
    def plate() -> str:
        (frame,) = frames(guide)
        return frame.frameFormat().background().color().name()

    def link() -> str:
        return guide.page.document().find("second page").charFormat().foreground().color().name()

    before = text(guide)
    try:
        assert (plate(), link()) == (DARK.raised, DARK.accent)
        theme.choice = "light"
        assert (plate(), link()) == (LIGHT.raised, LIGHT.accent)
        assert text(guide) == before, "no frame is made twice"
    finally:
        theme.choice = "dark"
    title = QTextCursor(guide.page.document().firstBlock())
    title.movePosition(QTextCursor.MoveOperation.Right)
    assert title.charFormat().font().pixelSize() == FONT_TITLE
    guide.list.setCurrentRow(1)
    (table,) = frames(guide)
    assert isinstance(table, QTextTable) and table.cellAt(0, 0).format().fontWeight() >= 600


def test_an_animated_picture_moves_while_it_is_seen(guide, qtbot, tmp_path):
    colours = [Image.new("RGB", (320, 40), colour) for colour in ("red", "lime", "blue")]
    colours[0].save(
        tmp_path / "film.webp", save_all=True, append_images=colours[1:], duration=40, loop=0, lossless=True
    )
    (tmp_path / "02-second.md").write_text("# Second\n\n![A film](film.webp)\n")
    guide.list.setCurrentRow(1)
    url = guide.page.current.resolved(QUrl("film.webp"))

    def shown() -> str:
        image = guide.page.document().resource(QTextDocument.ResourceType.ImageResource.value, url)
        return image.pixelColor(image.width() // 2, image.height() // 2).name()

    for colour in ("#0000ff", "#ff0000", "#00ff00"):
        qtbot.waitUntil(lambda colour=colour: shown() == colour)
    guide.hide()
    assert [film.state() for film in guide.page.findChildren(QMovie)] == [QMovie.MovieState.Paused]
    guide.show()
    assert [film.state() for film in guide.page.findChildren(QMovie)] == [QMovie.MovieState.Running]
    guide.list.setCurrentRow(0)
    qtbot.waitUntil(lambda: not guide.page.findChildren(QMovie))
