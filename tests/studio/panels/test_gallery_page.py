from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QColor, QImage, QTextCursor, QTextTable

from ddmi_core.model_folder import ModelInfo
from ddmi_core.recipe import Recipe
from studio.engine.gallery import Exhibit, Exhibition
from studio.panels.gallery_page import SIDE, GalleryPage
from studio.panels.guide import GuideWindow
from studio.state.guide import read_guide
from studio.theme.theme import Theme
from studio.theme.tokens import DARK, GRID, LIGHT

CHAIRS = ModelInfo("chairs", "shape", Path("/models/chairs"), 1, "aa", "none", "Came along")
BARE = ModelInfo("bare", "shape", Path("/models/bare"), 1, "bb", "none", "Put into /models")
OLD = ModelInfo("old", "shape", Path("/models/old"), 1, "cc", "none", "Imported from /elsewhere")


def exhibit(prompt: str | None, seed: int, colour: str = "red") -> Exhibit:
    picture = QImage(160, 160, QImage.Format.Format_RGB888)
    picture.fill(QColor(colour))
    if prompt is None:
        return Exhibit(picture, None)
    return Exhibit(picture, Recipe(domain="shape", model="chairs", model_hash="aa", prompt=prompt, seed=seed))


SHOWN = [
    Exhibition(
        CHAIRS, tuple(exhibit(prompt, seed) for prompt in ("an oak chair", "a <b>bold</b> one") for seed in (3, 4))
    ),
    Exhibition(BARE, ()),
    Exhibition(OLD, (exhibit(None, 0, "lime"),)),
]


@pytest.fixture
def guide(qtbot, theme: Theme, tmp_path: Path) -> GuideWindow:
    (tmp_path / "01-first.md").write_text("# First steps\n\nSit down.\n")
    window = GuideWindow(read_guide(tmp_path), GalleryPage(tmp_path, {"shape": "shape"}, theme), theme)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def text(guide: GuideWindow) -> str:
    return guide.page.toPlainText()


def tables(guide: GuideWindow) -> list[QTextTable]:
    return [frame for frame in guide.page.document().rootFrame().childFrames() if isinstance(frame, QTextTable)]


def place_of_picture(guide: GuideWindow, row: int, column: int) -> QPoint:
    """A place on a picture of the first table; it is scrolled to."""
    cursor = tables(guide)[0].cellAt(row, column).firstCursorPosition()
    guide.page.setTextCursor(cursor)
    guide.page.ensureCursorVisible()
    return guide.page.cursorRect(cursor).bottomLeft() + QPoint(20, -20)


def test_pictures_come_with_prompts_and_seeds_and_a_click_asks_for_the_recipe(guide, qtbot):
    guide.fill_gallery(SHOWN)
    guide.show_gallery()
    assert guide.shown().title == "Gallery" and guide.list.currentRow() == 1
    assert text(guide).count("an oak chair") == 2 and "seed 3" in text(guide) and "seed 4" in text(guide)
    assert "a <b>bold</b> one" in text(guide), "a prompt is shown as it stands"
    asked = []
    guide.recipe_asked.connect(asked.append)
    qtbot.mouseClick(guide.page.viewport(), Qt.MouseButton.LeftButton, pos=place_of_picture(guide, 0, 1))
    assert asked == [SHOWN[0].exhibits[1].recipe] and guide.shown().title == "Gallery"


def test_a_model_of_which_nothing_is_to_be_seen_or_known_says_so(guide):
    guide.show_gallery()
    assert "being read" in text(guide)
    guide.fill_gallery(SHOWN)
    assert "bare" in text(guide) and "no preview" in text(guide)
    assert "does not say which prompts" in text(guide) and len(tables(guide)) == 2
    (cell,) = [tables(guide)[1].cellAt(0, 0)]
    assert not any(part.format.isAnchor() for part in cell.firstCursorPosition().block().textFormats())
    guide.fill_gallery([])
    assert "No model is installed" in text(guide) and not tables(guide)


def test_there_are_as_many_beside_each_other_as_fit_and_a_long_prompt_takes_no_more_room(guide, qtbot):
    words, letters = "a chair with a story to tell " * 60, "x" * 500
    guide.fill_gallery(
        [Exhibition(CHAIRS, (exhibit(words, 1), exhibit(letters, 2), *[exhibit("a chair", n) for n in range(30)]))]
    )
    guide.resize(1080, 720)
    guide.show_gallery()

    def columns() -> int:
        assert guide.page.horizontalScrollBar().maximum() == 0
        return tables(guide)[0].columns()

    wide = columns()
    assert SIDE * wide < guide.page.viewport().width() < (SIDE + 2 * GRID) * (wide + 1)
    assert words.strip() not in text(guide), "it is cut off"
    cursor = QTextCursor(tables(guide)[0].cellAt(0, 0).firstCursorPosition())
    cursor.movePosition(QTextCursor.MoveOperation.NextCharacter)
    assert words.strip() in cursor.charFormat().toolTip()
    guide.page.verticalScrollBar().setValue(40)
    guide.resize(760, 720)
    qtbot.waitUntil(lambda: 0 < columns() < wide)
    assert guide.page.verticalScrollBar().value() == 40


def test_the_search_finds_prompts_of_the_gallery(guide):
    guide.search.setText("oak")
    assert guide.list.count() == 0
    guide.fill_gallery(SHOWN)
    assert guide.list.count() == 1
    guide.search.setText("oak chair")
    assert guide.shown().title == "Gallery" and guide.page.extraSelections()


def test_what_is_read_stays_where_it_is_unless_there_is_something_else_to_be_seen(guide, theme):
    guide.fill_gallery(SHOWN)
    guide.show_gallery()
    guide.page.verticalScrollBar().setValue(30)
    sources = []
    guide.page.sourceChanged.connect(sources.append)
    guide.fill_gallery(list(SHOWN))
    assert sources == []
    guide.fill_gallery(SHOWN[:1])
    assert len(sources) == 1 and "bare" not in text(guide)
    guide.back.click()
    assert text(guide).startswith("First steps"), "it is one page, however often it was made"


def test_the_look_follows_the_theme(guide, theme):
    def colour_of_seeds() -> str:
        return guide.page.document().find("seed 3").charFormat().foreground().color().name()

    guide.fill_gallery(SHOWN)
    guide.show_gallery()
    try:
        assert colour_of_seeds() == DARK.muted
        theme.choice = "light"
        assert colour_of_seeds() == LIGHT.muted and text(guide).count("an oak chair") == 2
    finally:
        theme.choice = "dark"


def test_a_link_that_is_none_of_the_gallery_stands_for_no_recipe(theme, tmp_path):
    page = GalleryPage(tmp_path, {}, theme)
    page.fill(SHOWN)
    for query in ("exhibit=99", "exhibit=-1", "exhibit=x", "seed=1", ""):
        url = QUrl(page.url)
        url.setQuery(query)
        assert page.recipe(url) is None and page.picture(url) is None
