from __future__ import annotations

from dataclasses import dataclass

import pytest

from studio.widgets.deep_zoom.geometry import LARGEST_SIDE, Look, fitted
from studio.widgets.deep_zoom.split import Split
from studio.widgets.deep_zoom.tiles import TILE, Tile, TileCache, coarse_window, nearest_first, visible_tiles


@dataclass
class Picture:
    size: int

    def sizeInBytes(self) -> int:
        return self.size


LOOKS = [
    fitted(1280, 800),
    Look(1280, 800, 1500, -40, 350),
    Look(1280, 800, 16384, 7001, 5003),
    Look(2560, 1600, LARGEST_SIDE, 2_000_001, 1_999_999),
]


@pytest.mark.parametrize("look", LOOKS)
def test_tiles_cover_what_is_visible_and_no_more_than_a_ring_around_it(look: Look) -> None:
    left, top, width, height = look.window
    tiles = visible_tiles(look)
    windows = [tile.window for tile in tiles]
    assert min(x for x, *_ in windows) <= left and max(x + w for x, _, w, _ in windows) >= left + width
    assert min(y for _, y, *_ in windows) <= top and max(y + h for _, y, _, h in windows) >= top + height
    assert all(x < left + width and x + w > left and y < top + height and y + h > top for x, y, w, h in windows)
    assert all(x + w <= look.side and y + h <= look.side for x, y, w, h in windows)
    assert sum(w * h for *_, w, h in windows) < (width + 2 * TILE) * (height + 2 * TILE)


def test_the_number_of_evaluations_does_not_depend_on_the_zoom() -> None:
    counts = [
        sum(tile.window[2] * tile.window[3] for tile in visible_tiles(Look(1280, 800, side, side // 3, side // 3)))
        for side in (2**k for k in range(13, 23))
    ]
    assert max(counts) <= 1.25 * min(counts)


@pytest.mark.parametrize("look", LOOKS)
def test_the_coarse_frame_covers_what_is_visible_with_few_pixels(look: Look) -> None:
    side, (left, top, width, height) = coarse_window(look)
    x0, y0, x1, y1 = look.region
    assert 2 * left / side - 1 <= x0 and 2 * top / side - 1 <= y0
    assert 2 * (left + width) / side - 1 >= x1 and 2 * (top + height) / side - 1 >= y1
    assert width * height <= look.width * look.height / 40


def test_the_nearest_come_first() -> None:
    look = Look(1024, 1024, 4096, 1024, 1024)
    tiles = nearest_first(visible_tiles(look), look, 900, 100)
    assert tiles[0] == Tile("function", 4096, 7, 4)
    assert tiles[-1] == Tile("function", 4096, 4, 7)
    assert len(tiles) == 16


def test_the_cache_keeps_to_its_budget_and_to_what_was_seen_last() -> None:
    cache: TileCache[Picture] = TileCache(1000)
    tiles = [Tile("function", 4096, column, 0) for column in range(20)]
    for tile in tiles[:10]:
        cache.put(tile, Picture(100))
    assert cache.size == 1000 and len(cache) == 10
    assert cache.get(tiles[0]) is not None
    cache.put(tiles[10], Picture(100))
    assert tiles[0] in cache and tiles[1] not in cache and cache.size == 1000
    cache.put(tiles[0], Picture(50))
    assert cache.size == 950
    cache.put(tiles[11], Picture(900))
    assert cache.size <= 1000 and tiles[11] in cache
    cache.clear()
    assert cache.size == len(cache) == 0


def test_tiles_of_the_zooms_before_stand_in_the_latest_on_top() -> None:
    cache: TileCache[Picture] = TileCache(10**6)
    for side in (2048, 3000, 4096):
        for tile in visible_tiles(Look(512, 512, side, side // 2, side // 2)):
            cache.put(tile, Picture(1))
    look = Look(512, 512, 5000, 2500, 2500)
    found = [tile.side for tile, _ in cache.around(look, "function")]
    assert set(found) == {3000, 4096} and found == sorted(found)
    assert not list(cache.around(look, "bicubic"))
    assert not list(cache.around(Look(512, 512, 5000, 0, 0), "function"))


def test_the_bar_parts_the_viewport_and_stays_in_it() -> None:
    look = Look(1000, 500, 4096, 100, 100)
    assert Split().parts(look)[0] == look and Split().parts(look)[1].width == 0
    split = Split("nearest").at(0.3)
    left, right = split.parts(look)
    assert (left.width, right.left, right.width) == (300, 400, 700)
    assert split.moved(-5).share > 0 and split.moved(5).share < 1
    assert split.holds(303, 1000) and not split.holds(320, 1000) and not Split().holds(1000, 1000)
