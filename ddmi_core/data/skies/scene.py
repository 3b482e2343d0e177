"""A sky drawn by rule: time of day, weather and foreground of one clip, and the facts that captions tell."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

TimeOfDay = Literal["dawn", "noon", "sunset", "night"]
Clouds = Literal["clear", "cumulus", "streaks", "overcast", "storm"]
Foreground = Literal["none", "hills", "mountains", "sea", "city", "trees", "lake"]

_CLOUD_SHARES: dict[str, tuple[float, ...]] = {
    "dawn": (0.14, 0.3, 0.34, 0.14, 0.08),
    "noon": (0.08, 0.42, 0.2, 0.14, 0.16),
    "sunset": (0.12, 0.3, 0.34, 0.1, 0.14),
    "night": (0.4, 0.26, 0.2, 0.08, 0.06),
}


_HORIZONS = {"none": (-1.25, -1.05), "trees": (-0.8, -0.6), "city": (-0.85, -0.65)}


@dataclass(frozen=True)
class Scene:
    """What is to be seen; lengths are those of a canvas of [-1, 1]^2, moments of [-1, 1].

    Attributes:
        seed: of the noises.
        time, clouds, foreground: what they are.
        fog, rain, aurora, moon: whether there is any.
        elevation: of the sun in degrees at the middle moment, and how much it changes by the last.
        sun: where it stands from left to right, and how far it goes until the last moment.
        horizon: its height.
        wind: speed of the clouds to the right, in the sizes of clouds.
        change: how fast clouds grow and dissolve.
        cover: share of the sky that clouds take, roughly.
        scale: of clouds, 1 as usual.
        turn: of streaks, in radians.
    """

    seed: int
    time: TimeOfDay
    clouds: Clouds
    foreground: Foreground
    fog: bool
    rain: bool
    aurora: bool
    moon: bool
    elevation: tuple[float, float]
    sun: tuple[float, float]
    horizon: float
    wind: float
    change: float
    cover: float
    scale: float
    turn: float

    @property
    def is_rising(self) -> bool:
        """Whether the sun rises."""
        return self.elevation[1] > 0


def draw_scene(seed: int, index: int) -> Scene:
    """Draw scene `index` of a seed; it depends on the two alone."""
    rng = np.random.default_rng((seed, index))

    def pick(options: tuple[str, ...], shares: tuple[float, ...] | None = None) -> str:
        return options[int(rng.choice(len(options), p=shares))]

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    time = pick(get_args(TimeOfDay), (0.2, 0.25, 0.33, 0.22))
    clouds = pick(get_args(Clouds), _CLOUD_SHARES[time])
    foreground = pick(get_args(Foreground), (0.12, 0.13, 0.18, 0.17, 0.15, 0.11, 0.14))
    elevation, change = {
        "dawn": (between(-3, 4), between(3, 7)),
        "noon": (between(25, 60), between(-4, 4)),
        "sunset": (between(-2, 5), between(-7, -3)),
        "night": (between(-24, -16), between(-1, 1)),
    }[time]
    is_low = time in ("dawn", "sunset")
    return Scene(
        seed=int(rng.integers(2**31)),
        time=time,  # type: ignore[arg-type]
        clouds=clouds,  # type: ignore[arg-type]
        foreground=foreground,  # type: ignore[arg-type]
        fog=foreground not in ("none", "sea") and rng.random() < (0.25 if time == "dawn" else 0.08),
        rain=clouds == "storm" and rng.random() < 0.5,
        aurora=time == "night" and clouds in ("clear", "streaks") and rng.random() < 0.35,
        moon=time == "night" and rng.random() < 0.4,
        elevation=(elevation, change),
        sun=(between(-0.6, 0.6), between(-0.12, 0.12)),
        horizon=between(*_HORIZONS.get(foreground, (-0.55, -0.25))),
        wind=float(rng.choice((-1, 1))) * between(0.2, 0.55) * (1.3 if clouds == "storm" else 1.0),
        change=between(0.15, 0.45),
        cover={"clear": 0.0, "cumulus": between(0.35, 0.55), "streaks": between(0.4, 0.6)}.get(clouds, 1.0),
        scale=between(0.8, 1.4),
        turn=between(-0.35, 0.35) if not is_low else between(-0.2, 0.2),
    )
