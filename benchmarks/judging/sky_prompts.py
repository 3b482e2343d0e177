"""Prompts for skies, as people write them, each with what has to be seen in a clip that obeys it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SkyPrompt:
    """A prompt; None stands for what it does not ask for. The rest are values of `sky_attributes.ATTRIBUTES`."""

    text: str
    time: str | None = None
    foreground: str | None = None
    weather: str | None = None


PROMPTS: tuple[SkyPrompt, ...] = (
    SkyPrompt("a sunset over mountains with drifting clouds", "sunset", "mountains", "cumulus"),
    SkyPrompt("stars over a city", "night", "city"),
    SkyPrompt("storm clouds above the sea", None, "sea", "storm"),
    SkyPrompt("a clear sky at noon above green hills", "noon", "hills", "clear"),
    SkyPrompt("sunrise over a lake", "dawn", "lake"),
    SkyPrompt("a night sky with trees", "night", "trees"),
    SkyPrompt("wispy clouds over the ocean at sunset", "sunset", "sea", "streaks"),
    SkyPrompt("an overcast sky over a city skyline", None, "city", "overcast"),
    SkyPrompt("fluffy clouds over hills by day", "noon", "hills", "cumulus"),
    SkyPrompt("dawn behind trees with thin clouds", "dawn", "trees", "streaks"),
    SkyPrompt("northern lights over mountains", "night", "mountains"),
    SkyPrompt("a stormy sky over mountains at dusk", "sunset", "mountains", "storm"),
    SkyPrompt("a still lake in the evening", "sunset", "lake"),
    SkyPrompt("the sea at noon with passing clouds", "noon", "sea", "cumulus"),
    SkyPrompt("a city at night", "night", "city"),
    SkyPrompt("a city at sunset with streaks of cloud", "sunset", "city", "streaks"),
    SkyPrompt("rolling hills at dawn", "dawn", "hills"),
    SkyPrompt("mountain peaks in daylight", "noon", "mountains"),
    SkyPrompt("a meadow with trees on a sunny day", "noon", "trees"),
    SkyPrompt("a cloudless sky at dusk", "sunset", None, "clear"),
    SkyPrompt("dark clouds over a lake", None, "lake", "storm"),
    SkyPrompt("a cloudy sky over the sea", None, "sea", "overcast"),
    SkyPrompt("sunset over the ocean", "sunset", "sea"),
    SkyPrompt("a sunrise over a city with drifting clouds", "dawn", "city", "cumulus"),
    SkyPrompt("a starry night over hills", "night", "hills"),
    SkyPrompt("an overcast sky above mountains by day", "noon", "mountains", "overcast"),
    SkyPrompt("high thin clouds at noon", "noon", None, "streaks"),
    SkyPrompt("heavy storm clouds behind trees", None, "trees", "storm"),
    SkyPrompt("a clear sky over a lake at sunrise", "dawn", "lake", "clear"),
    SkyPrompt("dusk, a mountain range, clouds", "sunset", "mountains", "cumulus"),
)

SHEET = tuple(prompt.text for prompt in PROMPTS[:24])
"""Prompts of the sheet that is looked at."""
