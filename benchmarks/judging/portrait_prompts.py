"""Prompts for portraits, as people write them, each with what has to be seen in a picture that obeys it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PortraitPrompt:
    """A prompt; None stands for what it does not ask for. The rest are values of `portrait_attributes.ATTRIBUTES`."""

    text: str
    style: str | None = None
    hair_colour: str | None = None
    glasses: str | None = None
    beard: str | None = None
    clothing_colour: str | None = None


PROMPTS: tuple[PortraitPrompt, ...] = (
    PortraitPrompt("a woman with long red hair and glasses", hair_colour="red", glasses="glasses"),
    PortraitPrompt("a man with a full beard", beard="beard"),
    PortraitPrompt("a man with a beard and black hair", hair_colour="black", beard="beard"),
    PortraitPrompt("a woman with a blond bob", hair_colour="blond"),
    PortraitPrompt("a person with short black hair and sunglasses", hair_colour="black", glasses="sunglasses"),
    PortraitPrompt("a man with a moustache and a blue shirt", beard="beard", clothing_colour="blue"),
    PortraitPrompt("a woman with a pink ponytail", hair_colour="pink"),
    PortraitPrompt("a person with green hair", hair_colour="green"),
    PortraitPrompt("a man with grey hair and glasses", hair_colour="grey", glasses="glasses"),
    PortraitPrompt("a woman with purple hair", hair_colour="purple"),
    PortraitPrompt("short brown hair, green shirt", hair_colour="brown", clothing_colour="green"),
    PortraitPrompt("a person with long blue hair", hair_colour="blue"),
    PortraitPrompt("a person with turquoise hair", hair_colour="turquoise"),
    PortraitPrompt("a person with white hair", hair_colour="white"),
    PortraitPrompt("a woman with dark brown hair in a red shirt", hair_colour="dark brown", clothing_colour="red"),
    PortraitPrompt("a smiling man with blond hair", hair_colour="blond"),
    PortraitPrompt("a person in a red shirt", clothing_colour="red"),
    PortraitPrompt("a person in a yellow shirt", clothing_colour="yellow"),
    PortraitPrompt("a man in a black shirt", clothing_colour="black"),
    PortraitPrompt("a woman in a pink shirt", clothing_colour="pink"),
    PortraitPrompt("a person in a green T-shirt", clothing_colour="green"),
    PortraitPrompt("a woman in a purple sweater", clothing_colour="purple"),
    PortraitPrompt("a man in a white shirt with a collar", clothing_colour="white"),
    PortraitPrompt("a person in an orange shirt", clothing_colour="orange"),
    PortraitPrompt("a man with glasses", glasses="glasses"),
    PortraitPrompt("a smiling woman with glasses", glasses="glasses"),
    PortraitPrompt("a person with round glasses", glasses="glasses"),
    PortraitPrompt("a man with sunglasses", glasses="sunglasses"),
    PortraitPrompt("a woman with sunglasses", glasses="sunglasses"),
    PortraitPrompt("bald man, glasses", glasses="glasses"),
    PortraitPrompt("a bald man with a long beard", beard="beard"),
    PortraitPrompt("a man with a goatee", beard="beard"),
    PortraitPrompt("a man with a moustache", beard="beard"),
    PortraitPrompt("happy man with a full beard and glasses", glasses="glasses", beard="beard"),
    PortraitPrompt("a person, flat icon style", style="personas"),
    PortraitPrompt("a smiling man, flat style", style="personas"),
    PortraitPrompt("a woman with long black hair, flat icon style", style="personas", hair_colour="black"),
    PortraitPrompt("a person, soft cartoon style", style="toonHead"),
    PortraitPrompt("an angry man, soft cartoon style", style="toonHead"),
    PortraitPrompt("a woman with red hair, soft shaded style", style="toonHead", hair_colour="red"),
    PortraitPrompt("a person, big smile style", style="bigSmile"),
    PortraitPrompt("a laughing woman, big smile style", style="bigSmile"),
    PortraitPrompt("a person with sunglasses, big head cartoon style", style="bigSmile", glasses="sunglasses"),
    PortraitPrompt("a person, outlined cartoon style", style="micah"),
    PortraitPrompt("a man with a beard, outlined cartoon style", style="micah", beard="beard"),
    PortraitPrompt("a surprised person in a blue shirt, line art style", style="micah", clothing_colour="blue"),
    PortraitPrompt("a person, comic style", style="adventurer"),
    PortraitPrompt("a woman with long blond hair, comic book style", style="adventurer", hair_colour="blond"),
    PortraitPrompt("a grinning person with glasses, comic style", style="adventurer", glasses="glasses"),
    PortraitPrompt("a person, minimal style", style="miniavs"),
    PortraitPrompt("a man with a moustache, minimalist style", style="miniavs", beard="beard"),
    PortraitPrompt("a person in a yellow T-shirt, minimal style", style="miniavs", clothing_colour="yellow"),
    PortraitPrompt("a person, ink drawing style", style="openPeeps"),
    PortraitPrompt("a man with a full beard, hand-drawn ink style", style="openPeeps", beard="beard"),
    PortraitPrompt("a woman with sunglasses, ink drawing style", style="openPeeps", glasses="sunglasses"),
)
"""55 prompts."""

SHEET: tuple[str, ...] = (
    "a woman with long red hair and glasses",
    "smiling bald man",
    "a man with a full beard",
    "a woman with a blond bob",
    "a person with short black hair and sunglasses",
    "laughing woman with curly brown hair",
    "a man with a moustache and a blue shirt",
    "a woman with a pink ponytail",
    "angry man with short brown hair",
    "a person with green hair",
    "a surprised woman with long black hair",
    "a man with grey hair and glasses",
    "a person with a purple mohawk",
    "a person in a red shirt",
    "a woman with pigtails and freckles",
    "a bald man with a long beard, ink drawing style",
    "a woman with a bun and earrings",
    "a man with a turban",
    "a person with an orange cap",
    "a person with dark skin and an afro",
    "a sad man in a yellow T-shirt, minimal style",
    "a woman with long wavy blond hair, comic style",
    "a man with a goatee, outlined cartoon style",
    "a portrait",
)
"""24 prompts whose samples are looked at."""
