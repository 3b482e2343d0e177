"""What is said of the pictures of a run's sheet, kept inside of the PNG itself."""

import json
from typing import NamedTuple

from ddmi_core.support.parsing import parse_json

SHEET_KEY = "ddmi-sheet"
"""Keyword of the PNG text that holds it."""


class SheetTexts(NamedTuple):
    """What is said of a sheet of pictures.

    Attributes:
        captions: of each picture, such as its prompt; fewer than there are pictures where they are not known.
        pairs: what the pictures of each pair are, such as "true | drawn"; empty where there are no pairs.
    """

    captions: tuple[str, ...] = ()
    pairs: str = ""

    def to_json(self) -> str:
        """Return it as ASCII JSON."""
        return json.dumps(self._asdict())

    @classmethod
    def read(cls, text: str) -> "SheetTexts":
        """Read that again; nothing is said where the text is something else, or empty."""
        try:
            found = parse_json(text)
            captions, pairs = found["captions"], found["pairs"]
        except (ValueError, KeyError, TypeError):
            return cls()
        known = isinstance(captions, list) and all(isinstance(one, str) for one in (*captions, pairs))
        return cls(tuple(captions), pairs) if known else cls()
