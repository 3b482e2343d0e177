"""Keyboards: which key sequences Qt tries when a key of a layout is pressed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

_LETTERS = {letter: (letter, letter) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_OTHERS = {
    name: (name, name)
    for name in (
        *("Left", "Right", "Up", "Down", "Home", "End", "PgUp", "PgDown", "Ins", "Del", "Backspace", "Tab", "Esc"),
        *("Space", "Return", "Enter", "Menu", *(f"F{number}" for number in range(1, 13))),
    )
}


def _row(plain: str, shifted: str) -> dict[str, tuple[str, str]]:
    """Keys by what is on them, with and without Shift."""
    return dict(zip(plain, zip(plain, shifted, strict=True), strict=True))


LAYOUTS: dict[str, dict[str, tuple[str, str]]] = {
    "US": _LETTERS | _OTHERS | _row("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?'),
    "German": _LETTERS | _OTHERS | _row("1234567890ß+#-.,<üöä", "!\"§$%&/()=?*'_:;>ÜÖÄ"),
}
ALT_GR: dict[str, str] = {"US": "", "German": "@{[]}\\~|"}
"""What AltGr and a key give."""
_HELD = ("Ctrl", "Alt")


@dataclass(frozen=True)
class Press:
    """A key pressed: what is written on it, and which modifiers are held."""

    plain: str
    given: str
    """What it gives with the Shift that is held, or not."""
    held: tuple[str, ...]

    def __str__(self) -> str:
        return "+".join((*self.held, self.plain))

    @property
    def sequences(self) -> set[str]:
        """What Qt tries on X11 (its qxkbcommon.cpp): the key without Shift and all that is held, and the key that Shift
        makes of it with the rest."""
        with_all = "+".join((*self.held, self.plain))
        with_rest = "+".join((*(one for one in self.held if one != "Shift"), self.given))
        return {normal(with_all)} | ({normal(with_rest)} if self.given != self.plain else set())

    @property
    def key(self) -> Qt.Key:
        """The key as a widget gets it."""
        return QKeySequence(self.given)[0].key()

    @property
    def modifiers(self) -> Qt.KeyboardModifier:
        """What is held, as a widget gets it."""
        names = {"Shift": "ShiftModifier", "Ctrl": "ControlModifier", "Alt": "AltModifier"}
        result = Qt.KeyboardModifier.NoModifier
        for one in self.held:
            result |= Qt.KeyboardModifier[names[one]]
        return result


def presses(layout: str) -> Iterator[Press]:
    """Every key of a layout with every combination of Ctrl, Alt and Shift, and what AltGr gives."""
    for plain, shifted in LAYOUTS[layout].values():
        for count in range(len(_HELD) + 1):
            for held in itertools.combinations(_HELD, count):
                yield Press(plain, plain, held)
                yield Press(plain, shifted, (*held, "Shift"))
    for given in ALT_GR[layout]:
        yield Press(given, given, ())


def normal(sequence: str) -> str:
    """A sequence as Qt writes it on every system."""
    text = QKeySequence(sequence).toString(QKeySequence.SequenceFormat.PortableText)
    assert text, f"{sequence!r} is no key"
    return text
