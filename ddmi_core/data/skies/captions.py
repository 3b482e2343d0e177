"""Captions of skies as a person would type them, with a random part of what is true of a scene."""

from collections.abc import Callable, Sequence

import numpy as np

from ddmi_core.data.skies.scene import Scene

_TIMES = {
    "dawn": (("a sunrise", "sunrise", "dawn", "a sunrise"), ("at dawn", "at sunrise", "in the early morning")),
    "noon": (("a day sky", "daylight", "a sunny day"), ("at noon", "by day", "in daylight")),
    "sunset": (("a sunset", "sunset", "a sunset", "dusk"), ("at sunset", "at dusk", "in the evening")),
    "night": (("a night sky", "night", "a starry night"), ("at night", "by night")),
}
"""Of each time of day, what a picture of it is called, and when it is."""
_CLOUDS = {
    "clear": ("a clear sky", "a cloudless sky", "a clear sky"),
    "cumulus": ("drifting clouds", "fluffy clouds", "clouds", "passing clouds"),
    "streaks": ("wispy clouds", "streaks of cloud", "high thin clouds", "thin clouds"),
    "overcast": ("an overcast sky", "a cloudy sky", "an overcast sky"),
    "storm": ("storm clouds", "dark clouds", "heavy storm clouds", "a stormy sky"),
}
_PLACES = {
    "hills": ("hills", "green hills", "rolling hills", "a hilly landscape"),
    "mountains": ("mountains", "mountain peaks", "a mountain range", "the mountains"),
    "sea": ("the sea", "the ocean", "the sea", "open water"),
    "city": ("a city", "a city skyline", "the city", "a skyline", "houses"),
    "trees": ("trees", "a meadow with trees", "trees on a meadow"),
    "lake": ("a lake", "a still lake", "a mountain lake", "a lake that mirrors the sky"),
}
_FOG, _RAIN, _MOON = (
    ("fog", "mist", "morning mist"),
    ("rain", "veils of rain", "a rain shower"),
    ("the moon", "a full moon"),
)
_AURORA = ("northern lights", "an aurora", "polar lights")


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """One caption; each is true, and none says all."""

    def any_of(texts: Sequence[str]) -> str:
        return texts[int(rng.integers(len(texts)))]

    called, when = (any_of(texts) for texts in _TIMES[scene.time])
    if scene.time == "night" and scene.clouds in ("overcast", "storm"):
        called = "night"
    weather = any_of(_CLOUDS[scene.clouds])
    place = _place(scene, any_of)
    extra = [
        *([any_of(_FOG[:2] if scene.time != "dawn" else _FOG)] if scene.fog else []),
        *([any_of(_RAIN)] if scene.rain else []),
        *([any_of(_MOON)] if scene.moon and scene.clouds != "overcast" else []),
    ]
    subject = called
    if scene.aurora and rng.random() < 0.8:
        subject = any_of(_AURORA)
    elif scene.time == "night" and scene.clouds in ("clear", "streaks", "cumulus") and rng.random() < 0.4:
        subject = any_of(("stars", "a sky full of stars", "stars"))
    above = any_of(("over", "over", "above")) if scene.foreground != "trees" else any_of(("behind", "over"))
    where = f" {above} {place}" if place else ""
    kind = rng.random()
    if kind < 0.12:
        return subject
    if kind < 0.2 and place:
        return f"{place} {when}"
    if kind < 0.42:
        return f"{subject}{where}"
    if kind < 0.66:
        details = [weather, *extra][: 1 + int(rng.random() < 0.5)]
        return f"{subject}{where} with {' and '.join(details)}"
    if kind < 0.86:
        tail = f" {when}" if rng.random() < 0.65 else ""
        return f"{weather}{where}{tail}"
    if extra:
        return f"{any_of(extra)}{where} {when}" if place else f"{subject} with {any_of(extra)}"
    return f"{place}, {weather}, {when}" if place else f"{weather} {when}"


def _place(scene: Scene, any_of: Callable[[Sequence[str]], str]) -> str:
    if scene.foreground == "none":
        return ""
    texts = _PLACES[scene.foreground]
    if scene.foreground == "hills" and scene.time != "noon":
        texts = tuple(text for text in texts if "green" not in text)
    if scene.foreground == "lake" and scene.seed % 2:
        texts = tuple(text for text in texts if "mountain" not in text)
    return any_of(texts)
