"""The page of the guide that the app makes: what each model made, with prompt and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import QUrl, QUrlQuery
from PySide6.QtGui import QImage

from ddmi_core.recipe import Recipe
from studio.engine.gallery import Exhibit, Exhibition
from studio.state.guide import GuidePage
from studio.theme.theme import Theme
from studio.theme.tokens import FONT_SMALL, GRID
from studio.widgets.basics import breakable

TITLE = "Gallery"
_FILE = "gallery.html"
SIDE = 160  # px of a picture, as many as in the sheets that runs make
_GAP = 2 * GRID
_LONGEST = 110  # characters of a prompt; all of it is in the tool tip
_INTRODUCTION = (
    "What the installed models make. A click on a picture puts its prompt and seed into the form of its room, where "
    "<b>Generate</b> makes the same again. To begin with one and go on from there, change a word or roll the seed."
)
_READING = "The installed models are being read. Their pictures follow in a moment."
_NO_MODEL = "No model is installed. The Models room imports them, and the Training room makes them."
_NO_PICTURE = "There is nothing to be seen of this model yet: its folder has no preview. Ask it for something."
_NO_RECIPE = "This model's folder does not say which prompts and seeds these were made of."


class GalleryPage:
    """Makes the page of the exhibitions that it is given.

    Args:
        folder: that of the guide, in which it would lie.
        nouns: what a signal of each domain is called.
        theme: whose colours it has.
    """

    def __init__(self, folder: Path, nouns: Mapping[str, str], theme: Theme) -> None:
        self._path, self._nouns, self._theme = folder.absolute() / _FILE, nouns, theme
        self.url = QUrl.fromLocalFile(str(self._path))
        self._exhibitions: Sequence[Exhibition] | None = None
        self._exhibits: list[Exhibit] = []

    @property
    def page(self) -> GuidePage:
        """The page as the list and the search know it."""
        lines = [TITLE]
        for exhibition in self._exhibitions or ():
            prompts = dict.fromkeys(one.recipe.prompt for one in exhibition.exhibits if one.recipe is not None)
            lines.append(f"{exhibition.model.name}: {', '.join(filter(None, prompts))}")
        return GuidePage(self._path, TITLE, "\n".join(lines))

    def fill(self, exhibitions: Sequence[Exhibition]) -> bool:
        """Take what there is to be seen; whether that is anything else than before."""
        if exhibitions == self._exhibitions:
            return False
        self._exhibitions = exhibitions
        self._exhibits = [exhibit for exhibition in exhibitions for exhibit in exhibition.exhibits]
        return True

    def html(self, width: int) -> str:
        """The page, so many pixels wide."""
        parts = [f"<h1>{TITLE}</h1>"]
        if self._exhibitions is None:
            parts.append(f"<p>{_READING}</p>")
        elif not self._exhibitions:
            parts.append(f"<p>{_NO_MODEL}</p>")
        else:
            parts.append(f"<p>{_INTRODUCTION}</p>")
        number = 0
        for exhibition in self._exhibitions or ():
            parts.append(self._section(exhibition, number, max(1, (width + _GAP) // (SIDE + _GAP))))
            number += len(exhibition.exhibits)
        return "\n".join(parts)

    def picture(self, url: QUrl) -> QImage | None:
        """The picture that stands in the page by this name, if it is one of the page's."""
        exhibit = self._named(url)
        return None if exhibit is None else exhibit.picture

    def recipe(self, url: QUrl) -> Recipe | None:
        """The recipe that a link of the page stands for, if it is one of the page's."""
        exhibit = self._named(url)
        return None if exhibit is None else exhibit.recipe

    def _named(self, url: QUrl) -> Exhibit | None:
        number = QUrlQuery(url).queryItemValue("exhibit")
        return self._exhibits[int(number)] if number.isdecimal() and int(number) < len(self._exhibits) else None

    def _section(self, exhibition: Exhibition, first: int, columns: int) -> str:
        model, exhibits = exhibition.model, exhibition.exhibits
        noun = self._nouns.get(model.domain, model.domain)
        about = breakable(f"Makes {noun}s. {model.origin}.")
        parts = [f"<h2>{escape(breakable(model.name))}</h2>", f"<p>{self._quiet(about)}</p>"]
        if not exhibits:
            parts.append(f"<p>{_NO_PICTURE}</p>")
            return "".join(parts)
        cells = [self._cell(exhibit, first + place) for place, exhibit in enumerate(exhibits)]
        cells += ["<td></td>"] * (-len(cells) % columns)
        rows = ("".join(cells[start : start + columns]) for start in range(0, len(cells), columns))
        table = f'<table cellspacing="0" cellpadding="0" style="margin-top: {GRID}px">'
        parts += [table, *(f"<tr>{row}</tr>" for row in rows), "</table>"]
        if all(exhibit.recipe is None for exhibit in exhibits):
            parts.append(f"<p>{_NO_RECIPE}</p>")
        return "".join(parts)

    def _cell(self, exhibit: Exhibit, number: int) -> str:
        recipe, name = exhibit.recipe, f"{_FILE}?exhibit={number}"
        picture = f'<img src="{name}">'
        if recipe is not None:
            prompt = recipe.prompt or "without a prompt"
            tip = escape(f"{prompt}, seed {recipe.seed}", quote=True)
            shown = prompt if len(prompt) <= _LONGEST else f"{_beginning(prompt)} …"
            picture = f'<a href="{name}" title="{tip}">{picture}</a>'
            picture += f"<br>{escape(breakable(shown))}<br>{self._quiet(f'seed {recipe.seed}')}"
        look = f"padding-right: {_GAP}px; padding-bottom: {_GAP}px"
        return f'<td width="{SIDE + _GAP}" valign="top" style="{look}">{picture}</td>'

    def _quiet(self, text: str) -> str:
        return f'<span style="color: {self._theme.colours.muted}; font-size: {FONT_SMALL}px">{escape(text)}</span>'


def _beginning(prompt: str) -> str:
    """As many words as there is room for; of one that is longer the letters."""
    letters = prompt[:_LONGEST]
    return letters.rpartition(" ")[0] or letters
