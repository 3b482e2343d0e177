"""What moves where between two frames of a clip, and what of it is seen in one of them alone.

Blocks are matched from coarse to fine, in both directions, each place trying what its neighbours have found. Where both
directions agree, a place's motion carries it to where it is half-way, and what moves otherwise than most lies in front
there. What is left has been uncovered or covered in between: one frame alone shows it, which is known by its being
alike in that frame and in the one beyond (Baker et al. 2011, "A Database and Evaluation Methodology for Optical Flow",
section 3.3, interpolate frames so).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import median_filter, uniform_filter

_COARSEST = 12  # cells along the shorter side, at least, where all motions are tried
_REACH = 6  # cells, of the motions that are tried there
_WINDOW = 7  # cells a side, of what is compared
_NEIGHBOURS = (1, 4)  # cells from a place, of those whose motion it tries
_BEYOND = (4, 12)  # the same, of those whose motion a place may have that one frame alone shows
_STILL = 0.003  # what another motion than the ground's has to be better by, in levels of a colour from 0 to 1
_SMOOTH = 0.02  # what a motion unlike its neighbours' has to be better by
_ALONE = 0.01  # what "one frame alone shows it" has to be better by
_UNTOLD = 0.03  # the same, where there is no frame beyond
_AGREED = 1.5  # cells, by which the two directions may disagree
_SAME = 0.02  # below which a colour has not changed
_CUT, _CUT_FACTOR = 0.03, 2.5  # of the mismatch: at least, and times that of the gaps beside
_AROUND = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1))

Frame = Float32[np.ndarray, "c h w"]
Way = Float32[np.ndarray, "2 h w"]
"""How far each place goes to the right and downwards, in cells."""


class Motion(NamedTuple):
    """What lies between two frames, at the moment half-way."""

    way: Way
    """From frame to frame."""
    seen: Float32[np.ndarray, "2 h w"]
    """How much of it the frame before and the one after show, in [0, 1]."""
    mismatch: float
    """How unlike the frames are along the motion, in the mean."""


def motion_between(before: Frame, first: Frame, second: Frame, after: Frame) -> Motion:
    """Return the motion between the two frames in the middle of four, colours in [0, 1].

    Where there is no frame before the first, or after the second, those are given twice, the same array.
    """
    _, height, width = first.shape
    if np.abs(first - second).max() < _SAME:
        return Motion(np.zeros((2, height, width), np.float32), np.ones((2, height, width), np.float32), 0.0)
    forward, backward = _matched(first, second), _matched(second, first)
    ahead, back = _agreeing(forward, backward), _agreeing(backward, forward)
    ground = np.median(forward[:, ahead], axis=1) if ahead.any() else np.zeros(2)
    cells = _cells(height, width)
    ways = np.concatenate([forward[:, ahead], -backward[:, back]], axis=1)
    places = np.concatenate([(cells + forward / 2)[:, ahead], (cells + backward / 2)[:, back]], axis=1)
    order = np.argsort(np.abs(ways - ground[:, None]).sum(axis=0), kind="stable")
    columns, rows = np.rint(places[:, order]).astype(np.int64)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    way = np.empty((2, height, width), np.float32)
    way[:] = ground[:, None, None]
    known = np.zeros((height, width), bool)
    way[:, rows[inside], columns[inside]] = ways[:, order][:, inside]  # of several the last, which moves most
    known[rows[inside], columns[inside]] = True
    mismatch = float(np.abs(first - _at(second, cells + forward)).mean())
    return Motion(*_completed((before, first, second, after), way, known), mismatch)


def is_cut(mismatches: list[float], gap: int) -> bool:
    """Whether a gap between two frames has nothing in common with its neighbours: another shot begins there."""
    beside = [mismatches[i] for i in (gap - 2, gap - 1, gap + 1, gap + 2) if 0 <= i < len(mismatches)]
    return mismatches[gap] > _CUT and bool(beside) and mismatches[gap] > _CUT_FACTOR * max(beside)


def _matched(frame: Frame, other: Frame) -> Way:
    """Return how far each place of a frame has gone in another one."""
    levels = [(frame, other)]
    while min(levels[-1][0].shape[1:]) >= 2 * _COARSEST:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])))
    way = _of_all(*levels[-1])
    for level, (one, two) in reversed(list(enumerate(levels))):
        if level < len(levels) - 1:
            height, width = one.shape[1:]
            way = (2 * way).repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width]
        search = _Search(one, two, way)
        search.try_ways(_of_neighbours(search.way, _NEIGHBOURS))
        search.try_ways(search.way + np.array(step)[:, None, None] for step in _AROUND)
        search.try_ways(_of_neighbours(search.way, _NEIGHBOURS[:1]))
        search.smooth()
        way = search.way
    return search.refined()


def _of_all(frame: Frame, other: Frame) -> Int[np.ndarray, "2 h w"]:
    """Return the best of all ways up to `_REACH`; of equal ones the shortest."""
    side = 2 * _REACH + 1
    padded = np.pad(other, ((0, 0), (_REACH, _REACH), (_REACH, _REACH)), mode="edge")
    shifted = sliding_window_view(padded, (side, side), axis=(1, 2))
    error = np.abs(shifted - frame[..., None, None]).mean(axis=0)
    cost = uniform_filter(error, (_WINDOW, _WINDOW, 1, 1), mode="nearest").reshape(*error.shape[:2], -1)
    steps = np.stack(np.meshgrid(*[np.arange(-_REACH, _REACH + 1)] * 2)).reshape(2, -1)
    cost += 1e-4 * np.abs(steps).sum(axis=0)
    return steps[:, cost.argmin(axis=2)]


class _Search:
    """The best way found so far of each place, in whole cells."""

    def __init__(self, frame: Frame, other: Frame, way: Int[np.ndarray, "2 h w"]) -> None:
        self._frame, self._other = frame, other
        self._cells = _cells(*frame.shape[1:]).astype(np.int64)
        self._ground = np.median(way.reshape(2, -1), axis=1)[:, None, None]
        self.way = way.copy()
        self._least = self._cost(way)

    def try_ways(self, candidates: Iterable[Int[np.ndarray, "2 h w"]], more: float = 0.0) -> None:
        """Take each where it is better, or not worse by more than so much."""
        for tried in candidates:
            cost = self._cost(tried)
            better = cost < self._least + more
            self._least[better] = cost[better]
            self.way[:, better] = tried[:, better]

    def smooth(self) -> None:
        """Take what the neighbours have where it is hardly worse: a smooth surface moves as its outline does."""
        for window in (5, 3):
            self.try_ways([median_filter(self.way, (1, window, window), mode="nearest")], _SMOOTH)

    def refined(self) -> Way:
        """Return the ways to a part of a cell: where the parabola through three costs is least."""
        found = self.way.astype(np.float32)
        middle = self._cost(self.way)
        for axis in (0, 1):
            step = np.eye(2, dtype=np.int64)[axis][:, None, None]
            less, more = self._cost(self.way - step), self._cost(self.way + step)
            bend = less + more - 2 * middle
            sure = (bend > 1e-3) & (less >= middle) & (more >= middle)
            found[axis] += np.where(sure, 0.5 * (less - more) / np.maximum(bend, 1e-3), 0)
        return found

    def _cost(self, way: Int[np.ndarray, "2 h w"]) -> Float32[np.ndarray, "h w"]:
        error = _difference(self._frame, _nearest(self._other, self._cells + way))
        moves = (np.abs(way - self._ground).max(axis=0) > 0.5).astype(np.float32)
        return _about(error) + np.float32(_STILL) * moves


def _difference(one: Frame, other: Frame) -> Float32[np.ndarray, "h w"]:
    error = np.abs(one - other)
    return sum(error[1:], error[0]) / np.float32(len(error))


def _about(error: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """What the surroundings of each place say."""
    return uniform_filter(error, _WINDOW, mode="nearest")


def _agreeing(way: Way, back: Way) -> Bool[np.ndarray, "h w"]:
    """Whether what has gone somewhere comes from there."""
    _, height, width = way.shape
    place = _cells(height, width) + way
    inside = ((place >= -0.5) & (place <= np.array([width, height])[:, None, None] - 0.5)).all(axis=0)
    return inside & (np.abs(way + _nearest(back, np.rint(place).astype(np.int64))).max(axis=0) <= _AGREED)


def _completed(
    frames: tuple[Frame, Frame, Frame, Frame], way: Way, known: Bool[np.ndarray, "h w"]
) -> tuple[Way, Float32[np.ndarray, "2 h w"]]:
    """Return the motion also of what is not `known`, and which frame shows it."""
    cells = _cells(*known.shape)
    least = np.full(known.shape, np.inf, np.float32)
    labels = np.zeros(known.shape, np.int64)
    found = way.copy()
    for tried in (way, *_of_neighbours(way, _BEYOND)):
        shown = [
            _nearest(frame, np.rint(cells + (number - 1.5) * tried).astype(np.int64))
            for number, frame in enumerate(frames)
        ]
        for label, (one, two) in enumerate(((1, 2), (0, 1), (2, 3))):
            if frames[one] is frames[two]:  # alike in any case, which says nothing
                cost = np.full(known.shape, _UNTOLD, np.float32)
            else:
                cost = _about(_difference(shown[one], shown[two])) + np.float32(_ALONE if label else 0)
            better = ~known & (cost < least)
            least[better] = cost[better]
            labels[better] = label
            found[:, better] = tried[:, better]
    seen = np.stack([labels != 2, labels != 1]).astype(np.float32)
    return found, uniform_filter(seen, (1, 3, 3), mode="nearest")


def _of_neighbours(way: np.ndarray, distances: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield no motion, the commonest, and what lies so many cells to every side."""
    way = way.copy()
    yield np.zeros_like(way)
    yield np.broadcast_to(np.median(way.reshape(2, -1), axis=1).astype(way.dtype)[:, None, None], way.shape)
    _, height, width = way.shape
    for distance in distances:
        padded = np.pad(way, ((0, 0), (distance, distance), (distance, distance)), mode="edge")
        for x, y in _AROUND:
            top, left = distance * (1 + y), distance * (1 + x)
            yield padded[:, top : top + height, left : left + width]


def _cells(height: int, width: int) -> Float32[np.ndarray, "2 h w"]:
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([columns, rows])


def _nearest(frame: Float32[np.ndarray, "c h w"], place: Int[np.ndarray, "2 h w"]) -> Float32[np.ndarray, "c h w"]:
    """Return a frame's values at cells; beyond its edge, what is there."""
    channels, height, width = frame.shape
    index = place[1].clip(0, height - 1) * width + place[0].clip(0, width - 1)
    return frame.reshape(channels, -1).take(index, axis=1)


def _at(frame: Float32[np.ndarray, "c h w"], place: Float32[np.ndarray, "2 h w"]) -> Float32[np.ndarray, "c h w"]:
    """Return a frame's values, interpolated linearly."""
    corner = np.floor(place).astype(np.int64)
    right, down = place - corner
    found: np.ndarray = np.zeros_like(frame)
    for x, across in ((0, 1 - right), (1, right)):
        for y, along in ((0, 1 - down), (1, down)):
            found += _nearest(frame, corner + np.array([x, y])[:, None, None]) * (across * along)
    return found


def _halved(frame: Frame) -> Float32[np.ndarray, "c _h _w"]:
    channels, height, width = frame.shape
    padded = np.pad(frame, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    return padded.reshape(channels, (height + 1) // 2, 2, (width + 1) // 2, 2).mean(axis=(2, 4))
