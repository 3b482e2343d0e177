"""The guide's pages as they are shipped, and the search in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ddmi_core.support.paths import assets
from studio.state.guide import find, read_guide

FOLDER = assets() / "guide"
PAGES = read_guide(FOLDER)
_TARGET = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def test_the_guide_has_pages_of_different_titles():
    assert len(PAGES) >= 15
    assert len({page.title for page in PAGES}) == len(PAGES)
    assert all(page.title and not page.title.startswith("#") for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.stem)
def test_what_a_page_links_to_is_there(page):
    for is_picture, words, target in _TARGET.findall(page.path.read_text()):
        if not target.startswith("https://"):
            assert (FOLDER / target).is_file(), target
        if is_picture:
            assert len(words) > 20, f"{target} says too little to those who cannot see it"


def test_every_picture_is_used_and_they_are_small():
    used = {target for page in PAGES for _, _, target in _TARGET.findall(page.path.read_text())}
    pictures = sorted((FOLDER / "pictures").glob("*"))
    assert [picture.name for picture in pictures if f"pictures/{picture.name}" not in used] == []
    assert sum(picture.stat().st_size for picture in pictures) < 2_000_000


def test_commands_and_library_in_the_guide_are_the_real_ones():
    text = "\n".join(page.path.read_text() for page in PAGES)
    for module in re.findall(r"^\s*from (ddmi_core[\w.]*) import (\w+)", text, re.MULTILINE):
        assert hasattr(__import__(module[0], fromlist=[module[1]]), module[1]), module
    programs = [assets().parent / name.replace(".", "/") for name in re.findall(r"python -m ([\w.]+)", text)]
    assert programs
    for path in programs:
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), path


@pytest.fixture
def pages(tmp_path: Path):
    (tmp_path / "02-b.md").write_text("# Zooming\n\nTurn the **wheel** over a [picture](01-a.md) with `Ctrl`.\n")
    (tmp_path / "01-a.md").write_text(
        "# Pictures\n\n![A cat](cat.png)\n\n| Key | Use |\n|---|---|\n| L | lifts the cap |\n"
    )
    (tmp_path / "notes.txt").write_text("no page")
    return read_guide(tmp_path)


def test_pages_are_in_the_order_of_their_names_and_without_markup(pages):
    assert [page.title for page in pages] == ["Pictures", "Zooming"]
    assert "cat" not in pages[0].text and "---" not in pages[0].text and "lifts the cap" in pages[0].text
    assert pages[1].text.split("\n")[2] == "Turn the wheel over a picture with Ctrl."


def test_nothing_wanted_finds_all_pages(pages):
    assert [hit.page for hit in find(pages, "  ")] == pages


def test_a_page_is_found_by_all_of_its_words_and_says_where(pages):
    (hit,) = find(pages, "ctrl WHEEL")
    assert hit.page.title == "Zooming" and "the wheel over" in hit.excerpt
    assert find(pages, "wheel barrow") == []


def test_titles_come_first(pages):
    assert [hit.page.title for hit in find(pages, "picture")] == ["Pictures", "Zooming"]
    assert [hit.page.title for hit in find(pages[::-1], "picture")] == ["Pictures", "Zooming"]


def test_excerpts_are_short_and_cut_between_words(tmp_path: Path):
    (tmp_path / "a.md").write_text("# Long\n\n" + "before " * 80 + "needle" + " behind" * 80)
    (hit,) = find(read_guide(tmp_path), "needle")
    assert len(hit.excerpt) < 110
    assert hit.excerpt.startswith("… before") and "needle behind" in hit.excerpt and hit.excerpt.endswith("behind …")
