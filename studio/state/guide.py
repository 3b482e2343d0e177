"""The pages of the guide, and what is found in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_EXCERPT = 96  # characters
_MARKUP = (
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),  # pictures
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),  # links
    (re.compile(r"^\s*\|[-:| ]+\|\s*$", re.MULTILINE), ""),  # the line under the head of a table
    (re.compile(r"^#+ ", re.MULTILINE), ""),
    (re.compile(r"^```\w*$", re.MULTILINE), ""),
    (re.compile(r"[*`]"), ""),
    (re.compile(r"[ \t]*\|[ \t]*"), "  "),
)


@dataclass(frozen=True)
class GuidePage:
    """One page: its file, its title, and its text as a reader sees it, without markup.

    Of a page that the app makes there is no file; it lies where one would be, so that its links lead to the others.
    """

    path: Path
    title: str
    text: str


@dataclass(frozen=True)
class Hit:
    """A page in which something was found, and the words around the first place."""

    page: GuidePage
    excerpt: str


def read_guide(folder: Path) -> list[GuidePage]:
    """Read the pages of a folder, Markdown, in the order of their names. The first line of each is its title."""
    return [_page(path) for path in sorted(folder.absolute().glob("*.md"))]


def find(pages: Sequence[GuidePage], wanted: str) -> list[Hit]:
    """Return the pages that hold all of the words, letters alike large and small, those with a word in the title first.

    Nothing wanted finds all pages, without excerpts.
    """
    words = wanted.lower().split()
    if not words:
        return [Hit(page, "") for page in pages]
    hits = [Hit(page, _excerpt(page.text, words)) for page in pages if all(word in page.text.lower() for word in words)]
    return sorted(hits, key=lambda hit: not any(word in hit.page.title.lower() for word in words))


def _page(path: Path) -> GuidePage:
    text = path.read_text(encoding="utf-8")
    for markup, plain in _MARKUP:
        text = markup.sub(plain, text)
    title = text.partition("\n")[0]
    return GuidePage(path, title, text)


def _excerpt(text: str, words: Sequence[str]) -> str:
    """The words around the first place behind the title where one of them stands, else those around it in the title."""
    flat = " ".join(text.split())
    body = len(text.partition("\n")[0])
    lower = flat.lower()
    places = [place for word in words if (place := lower.find(word, body)) >= 0] or [0]
    start = max(0, min(places) - _EXCERPT // 3)
    start = lower.find(" ", start) + 1 if start else 0
    end = flat.rfind(" ", start, start + _EXCERPT) if start + _EXCERPT < len(flat) else len(flat)
    return f"{'… ' if start else ''}{flat[start:end]}{' …' if end < len(flat) else ''}"
