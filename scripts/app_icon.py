"""The app's icon as the systems take it: in the accent colour, as a drawing and as pictures."""

from __future__ import annotations

from pathlib import Path

import resvg_py

from studio.theme.tokens import DARK

_DRAWING = Path(__file__).parent.parent / "assets" / "icons" / "app.svg"


def drawing() -> str:
    """Return the icon as an SVG that needs no colour from outside."""
    return _DRAWING.read_text(encoding="utf-8").replace("currentColor", DARK.accent)


def picture(side: int) -> bytes:
    """Return the icon as a square PNG of `side` pixels."""
    return bytes(resvg_py.svg_to_bytes(drawing(), width=side, height=side))
