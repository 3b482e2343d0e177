"""Which tiles a look needs, in which order, and the tiles in memory.

Tiles belong to a drawing of the whole canvas with ``side`` × ``side`` pixels, the very zoom of the screen: a tile on
the stage is never resampled. Only tiles that touch the viewport are asked for, so no more than what is visible and a
ring of less than a tile around it is ever evaluated, at any zoom.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol, TypeVar

from studio.state.byte_cache import ByteCache
from studio.widgets.deep_zoom.geometry import Look, Window

TILE = 256
"""Pixels along a tile's side."""
COARSE = 8
"""The first frame after a move has this many times fewer pixels along each axis."""

Source = Literal["function", "bicubic", "nearest"]


class Tile(NamedTuple):
    """A square of a drawing of the canvas with ``side`` pixels."""

    source: Source
    side: int
    column: int
    row: int

    @property
    def window(self) -> Window:
        """Its pixels of the drawing; less than a full tile at the right and lower edge."""
        left, top = self.column * TILE, self.row * TILE
        return left, top, min(TILE, self.side - left), min(TILE, self.side - top)


def tile_of(source: Source, side: int, window: Window) -> Tile:
    """The tile that a window is."""
    return Tile(source, side, window[0] // TILE, window[1] // TILE)


def visible_tiles(look: Look, source: Source = "function") -> list[Tile]:
    """The tiles that touch the viewport, row by row."""
    left, top, width, height = look.window
    if not width or not height:
        return []
    rows = range(top // TILE, (top + height - 1) // TILE + 1)
    columns = range(left // TILE, (left + width - 1) // TILE + 1)
    return [Tile(source, look.side, column, row) for row in rows for column in columns]


def nearest_first(tiles: list[Tile], look: Look, x: float, y: float) -> list[Tile]:
    """The tiles in the order of their distance from a place in the viewport."""

    def distance(tile: Tile) -> float:
        left, top, width, height = tile.window
        dx = left + width / 2 - look.left - x
        dy = top + height / 2 - look.top - y
        return dx * dx + dy * dy

    return sorted(tiles, key=distance)


def coarse_window(look: Look) -> tuple[int, Window]:
    """The side of the drawing for the first frame, and the window of it that covers what is seen."""
    side = max(1, look.side // COARSE)
    left, top, width, height = look.window
    scale = side / look.side
    first_column, first_row = int(left * scale), int(top * scale)
    last_column = min(side, int((left + width) * scale) + 1)
    last_row = min(side, int((top + height) * scale) + 1)
    return side, (first_column, first_row, last_column - first_column, last_row - first_row)


class Picture(Protocol):
    """What a tile looks like."""

    def sizeInBytes(self) -> int:
        """The memory it takes."""


_P = TypeVar("_P", bound=Picture)


class TileCache(ByteCache[Tile, _P]):
    """The tiles seen last, as many as fit into a budget of bytes."""

    def __init__(self, budget: int) -> None:
        super().__init__(budget, lambda picture: picture.sizeInBytes())

    def around(self, look: Look, source: Source, reach: int = 2) -> Iterator[tuple[Tile, _P]]:
        """The tiles of other zooms that lie in the viewport: of the ``reach`` zooms seen last, the latest last.

        They stand in for those of this zoom that are not there yet.
        """
        sides: dict[int, None] = {}
        for tile in reversed(self):
            if tile.source == source and tile.side != look.side and tile.side > look.side // COARSE:
                sides.setdefault(tile.side)
        for side in reversed(list(sides)[:reach]):
            scale = side / look.side
            left, top, width, height = look.window
            for tile, picture in self.items():
                if tile.source != source or tile.side != side:
                    continue
                x, y, columns, rows = tile.window
                if (
                    x < (left + width) * scale
                    and x + columns > left * scale
                    and y < (top + height) * scale
                    and y + rows > top * scale
                ):
                    yield tile, picture
