"""Ten clips made by rule, of which every moment is known: what fits of clips are measured on. Three are difficult."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import gaussian_filter, map_coordinates

WIDTH, HEIGHT, FRAMES = 160, 96, 24

Picture = Float[np.ndarray, "h w 3"]
Draw = Callable[[float], Picture]

_ROWS, _COLUMNS = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
_ORANGE, _BLUE, _SKY = np.array([0.95, 0.5, 0.1]), np.array([0.15, 0.3, 0.85]), np.array([0.6, 0.75, 0.9])
BALL = 24
"""Diameter of the ball, in pixels."""


def ball_place(t: float) -> tuple[float, float]:
    """Return where the middle of the ball that crosses the frame is, in pixels, at a moment in [0, 1]."""
    return 16 + (WIDTH - 32) * t, HEIGHT / 2 + 14 * float(np.sin(2 * np.pi * t))


def _texture(seed: int, size: int = 512) -> Picture:
    """A picture with detail of all sizes, that goes on at its edges where it began."""
    rng = np.random.default_rng(seed)
    layers = [gaussian_filter(rng.standard_normal((size, size, 3)), (s, s, 0), mode="wrap") * s for s in (1, 3, 9, 27)]
    total = sum(layers, np.zeros((size, size, 3)))
    return np.clip(0.5 + 0.18 * total / total.std(), 0, 1)


_MEADOW, _STONE = _texture(1), _texture(2)


def _seen(texture: Picture, x: np.ndarray, y: np.ndarray) -> Picture:
    return np.stack([map_coordinates(texture[..., c], [y, x], order=3, mode="grid-wrap") for c in range(3)], axis=-1)


def _laid(picture: Picture, colour: np.ndarray, x: float, y: float, diameter: float = BALL) -> Picture:
    """A ball, lighter at its upper left, on a picture; its edge is a pixel soft."""
    distance = np.hypot(_COLUMNS + 0.5 - x, _ROWS + 0.5 - y)
    cover = np.clip(diameter / 2 + 0.5 - distance, 0, 1)[..., None]
    light = np.exp(-((_COLUMNS - x + 4) ** 2 + (_ROWS - y + 4) ** 2) / 50)[..., None]
    return picture * (1 - cover) + np.clip(colour + 0.5 * light, 0, 1) * cover


def _ball(t: float) -> Picture:
    return _laid(np.broadcast_to(_SKY, (HEIGHT, WIDTH, 3)), _ORANGE, *ball_place(t))


def _ball_in_the_meadow(t: float) -> Picture:
    return _laid(_seen(_MEADOW, _COLUMNS, _ROWS), _ORANGE, *ball_place(t))


def _pan(t: float) -> Picture:
    return _seen(_MEADOW, _COLUMNS + 60 * t, _ROWS + 20 * t)


def _zoom(t: float) -> Picture:
    scale = 1.5 ** (-t)
    return _seen(_MEADOW, 200 + (_COLUMNS - 80) * scale, 200 + (_ROWS - 48) * scale)


def _turn(t: float) -> Picture:
    cos, sin = np.cos(0.8 * t), np.sin(0.8 * t)
    x, y = _COLUMNS - 80, _ROWS - 48
    return _seen(_STONE, 250 + cos * x - sin * y, 250 + sin * x + cos * y)


def _two_balls(t: float) -> Picture:
    under = _laid(_seen(_STONE, _COLUMNS + 24 * t, _ROWS), _ORANGE, *ball_place(t))
    return _laid(under, _BLUE, WIDTH - 20 - 120 * t, 34 + 20 * t, 30)


def _waves(t: float) -> Picture:
    shift = 5 * np.sin(2 * np.pi * (_ROWS / 60 + 1.5 * t))
    return _seen(_STONE, _COLUMNS + shift, _ROWS + 0.4 * shift)


def _fast_ball(t: float) -> Picture:
    """Three times across; from a frame to the next it is further away than it is wide."""
    x = WIDTH / 2 + (WIDTH / 2 - 16) * float(np.sin(6 * np.pi * t))
    return _laid(_seen(_MEADOW, _COLUMNS, _ROWS), _BLUE, x, 20 + 56 * t)


_RNG = np.random.default_rng(5)
_CONFETTI = [
    (_RNG.uniform(0, WIDTH), _RNG.uniform(-HEIGHT, HEIGHT), _RNG.uniform(60, 120), _RNG.uniform(0, 1, 3))
    for _ in range(160)
]


def _confetti(t: float) -> Picture:
    picture: Picture = np.full((HEIGHT, WIDTH, 3), 0.9)
    for x, y, speed, colour in _CONFETTI:
        place = (y + speed * t) % (2 * HEIGHT) - HEIGHT / 2
        picture = _laid(picture, colour, x + 6 * float(np.sin(9 * t + x)), place, 4)
    return picture


def _cut(t: float) -> Picture:
    return _pan(t) if t < 0.5 else _seen(_STONE, _COLUMNS - 50 * t, _ROWS)


EASY: dict[str, Draw] = {
    "ball": _ball,
    "ball in the meadow": _ball_in_the_meadow,
    "pan": _pan,
    "zoom": _zoom,
    "turn": _turn,
    "two balls": _two_balls,
    "waves": _waves,
}
DIFFICULT: dict[str, Draw] = {"fast ball": _fast_ball, "confetti": _confetti, "cut": _cut}
CLIPS = EASY | DIFFICULT


def drawn(draw: Draw, frames: int = FRAMES) -> UInt8[np.ndarray, "n h w 3"]:
    """Return the frames of a clip, each at the middle of what it stands for."""
    pictures = [draw((i + 0.5) / frames).clip(0, 1) for i in range(frames)]
    return np.stack([np.rint(255 * picture).astype(np.uint8) for picture in pictures])
