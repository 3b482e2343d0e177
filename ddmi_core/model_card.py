"""What the card of a model, Markdown, says of its licence."""

import re

_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)[\s#]*")
_LICENCE = ("licence", "license")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[*`]+|^\s*(?:[-+>]|\d+\.)\s+|^[\s|:-]+$", re.MULTILINE)


def is_licence(heading: str) -> bool:
    """Whether a heading of a card, without its marks, is that of the licence."""
    return heading.strip().lower() in _LICENCE


def licence_in(card: str) -> str:
    """Return what stands below the headings *Licence* of a card, as plain text in one line; empty where nothing does.

    A model that went on from another one has the card of that one in its own, with another such heading, deeper.
    """
    found: list[str] = []
    level = 0  # of the heading that the lines are below, if that is one of a licence
    for line in card.splitlines():
        heading = _HEADING.fullmatch(line)
        if heading is None:
            if level:
                found.append(line)
        elif is_licence(heading[2]):
            level = len(heading[1])
        elif len(heading[1]) <= level:
            level = 0
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", "\n".join(found))).split())
