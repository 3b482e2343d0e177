"""What can be seen of a portrait, in words, from the parts that it was put together from.

The tables below were written by looking at every part. Where a part says nothing that everybody would see, such as most
eyes, it is left out. In phrases, `{}` stands for a colour.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ddmi_core.data.portraits.colours import CLOTHES, HAIR, nearest, skin_tone

Parts = Mapping[str, str]
"""DiceBear's names of the parts, such as ``{"hair": "pixie", "hairColor": "#724830", "glasses": "square"}``."""

BACKGROUNDS = {
    "#ffffff": "white",
    "#e6e9ed": "light grey",
    "#cbe5fb": "light blue",
    "#dcd3fa": "lavender",
    "#cdf1db": "mint green",
    "#fbd5e5": "light pink",
    "#fdf0bd": "light yellow",
}


@dataclass(frozen=True)
class Facts:
    """What can be seen of a portrait; None where nothing can be said for sure.

    Attributes:
        style: DiceBear's name of the drawing style.
        person: `man`, `woman` or `person`; the first two only where the drawing shows a beard, or hair, that most
            people would take for it.
        hair: phrases for the hair that are all true, the most exact first; empty for bald heads and hidden hair.
        hair_colour: the hair's colour, where there is enough of it to see.
        bald: whether there is no hair at all.
        hat: a hat, cap, turban or hijab.
        skin: `light`, `tan`, `brown` or `dark`.
        glasses: `glasses` or `sunglasses`.
        glasses_form: a closer word for them.
        beard: a beard or moustache.
        beard_colour: its colour.
        mood: such as `smiling`; what somebody is or does.
        eyes: what is special about them.
        clothing: what is worn, and
        clothing_colour: its colour.
        extras: what else can be seen.
        background: the background's colour.
    """

    style: str
    person: str
    hair: tuple[str, ...]
    hair_colour: str | None
    bald: bool
    hat: str | None
    skin: str
    glasses: str | None
    glasses_form: str | None
    beard: str | None
    beard_colour: str | None
    mood: str | None
    eyes: str | None
    clothing: str | None
    clothing_colour: str | None
    extras: tuple[str, ...]
    background: str


_BALD = ("bald",)
_SHORT = ("short {} hair",)
_CURLY = ("short curly {} hair", "curly {} hair")
_QUIFF = ("a {} quiff", "short {} hair")
_BOB = ("a {} bob", "chin-length {} hair")
_SHOULDERS = ("shoulder-length {} hair",)
_LONG = ("long {} hair",)
_STRAIGHT = ("long straight {} hair", "long {} hair")
_WAVY = ("long wavy {} hair", "long {} hair", "wavy {} hair")
_BANGS = ("long {} hair with bangs", "long {} hair")
_BUN = ("{} hair in a bun", "a {} bun")
_CURLY_BUN = ("curly {} hair in a bun", "a {} bun")
_BUNS = ("{} hair in two buns", "two {} buns")
_PIGTAILS = ("{} pigtails", "{} hair in pigtails")
_PONYTAIL = ("a {} ponytail", "{} hair in a ponytail")
_MOHAWK = ("a {} mohawk",)
_SPIKY = ("spiky {} hair", "short spiky {} hair")
_BALDING = ("{} hair and a bald top", "a receding hairline")
_AFRO = ("a {} afro", "big curly {} hair")
_FRINGE = ("short {} hair with a fringe", "short {} hair")
_SHAVED = ("a buzz cut", "very short hair")
_NEARLY_BALD = ("hardly any hair",)

_HAIR: dict[str, dict[str, tuple[str, ...]]] = {
    "personas": {
        "long": _LONG, "extraLong": _STRAIGHT, "sideShave": ("{} hair on one side", "half-shaved {} hair"),
        "shortCombover": _SHORT, "shortComboverChops": ("short {} hair and sideburns", "short {} hair"),
        "curlyHighTop": _CURLY, "bobCut": _BOB, "bobBangs": _BOB, "curly": _AFRO, "pigtails": _PIGTAILS,
        "curlyBun": _CURLY_BUN, "straightBun": _BUN, "buzzcut": _SHAVED, "bald": _BALD, "balding": _BALDING,
        "bunUndercut": ("a {} top knot", "{} hair in a top knot"), "fade": _SHORT, "mohawk": _MOHAWK,
    },
    "toonHead": {
        "sideComed": ("short {} hair combed to the side", "short {} hair"), "undercut": _SHORT, "spiky": _SPIKY,
        "bun": _BUN, "longStraight": _STRAIGHT, "longWavy": _WAVY,
        "shoulderHigh": ("wavy shoulder-length {} hair", "shoulder-length {} hair"),
        "neckHigh": ("neck-length {} hair",),
    },
    "bigSmile": {
        "shortHair": _SHORT, "mohawk": _MOHAWK, "wavyBob": ("wavy shoulder-length {} hair", "wavy {} hair"),
        "bowlCutHair": ("a {} bowl cut", "short {} hair"), "curlyBob": ("a curly {} bob", "curly {} hair"),
        "straightHair": _STRAIGHT, "shavedHead": ("very short {} hair", "short {} hair"), "bunHair": _BUN,
        "froBun": _CURLY_BUN, "bangs": _STRAIGHT, "halfShavedHead": ("half-shaved {} hair",), "curlyShortHair": _CURLY,
    },
    "micah": {
        "fonze": _QUIFF, "mrT": _MOHAWK, "dougFunny": _NEARLY_BALD, "mrClean": _BALD, "dannyPhantom": _FRINGE,
        "full": _WAVY, "pixie": _BOB,
    },
    "adventurer": {
        "short01": _FRINGE, "short02": _FRINGE, "short03": _CURLY, "short04": _SHORT,
        "short05": ("short {} hair with a small bun", "short {} hair"), "short06": _FRINGE,
        "short07": ("short wavy {} hair", "wavy {} hair"), "short08": _CURLY, "short09": _FRINGE, "short10": _SHORT,
        "short11": _QUIFF, "short12": ("a tuft of {} hair",), "short13": ("thin {} hair",), "short14": _SHORT,
        "short15": ("a spiky {} mohawk", "a {} mohawk"), "short16": _SPIKY, "short17": _CURLY, "short18": _CURLY,
        "short19": _BALD, "long01": _BOB, "long02": _BOB, "long03": ("{} hair with flowers", "short {} hair"),
        "long04": _STRAIGHT, "long05": _STRAIGHT, "long06": ("very long wavy {} hair", *_WAVY), "long07": _BANGS,
        "long08": ("long {} hair with a wreath of flowers", "long {} hair"), "long09": _WAVY, "long10": _BUN,
        "long11": _BUN, "long12": ("{} hair half up in a bun", "shoulder-length {} hair"), "long13": _BUNS,
        "long14": _PIGTAILS, "long15": _PIGTAILS, "long16": ("a {} braid", "long {} hair in a braid"), "long17": _WAVY,
        "long18": ("wavy {} hair with a flower", "long {} hair"), "long19": _PONYTAIL,
        "long20": ("long {} hair over one eye", "long {} hair"), "long21": ("a {} bob with bangs", "a {} bob"),
        "long22": ("big wavy {} hair", "wavy {} hair"), "long23": _BUNS,
        "long24": ("wavy shoulder-length {} hair", "wavy {} hair"), "long25": ("a {} pixie cut", "short {} hair"),
        "long26": ("messy {} hair", "chin-length {} hair"),
    },
    "miniavs": {
        "balndess": _BALD, "slaughter": _BALDING, "ponyTail": _PONYTAIL, "long": _LONG, "curly": _CURLY,
        "stylish": _QUIFF, "elvis": _QUIFF, "classic01": _SHORT, "classic02": _SHORT,
    },
    "openPeeps": {
        "afro": _AFRO, "bangs": ("shoulder-length {} hair with bangs", "shoulder-length {} hair"),
        "bangs2": ("a {} bob with bangs", "a {} bob"), "bantuKnots": ("{} bantu knots",),
        "bun": ("curly {} hair and a headband", "{} hair in a bun"), "bun2": _CURLY_BUN, "buns": ("{} hair in buns",),
        "cornrows": ("{} cornrows", "{} braids"), "cornrows2": ("{} cornrows", "{} braids"),
        "dreads1": ("{} dreadlocks",), "dreads2": ("short {} dreadlocks", "{} dreadlocks"),
        "flatTop": ("a {} flat top", "short {} hair"), "flatTopLong": ("a high {} flat top", "a {} flat top"),
        "grayBun": _BUN, "grayMedium": ("a {} bob", "chin-length {} hair"), "grayShort": _SHORT, "long": _WAVY,
        "longAfro": ("a huge {} afro", *_AFRO), "longBangs": _BANGS,
        "longCurly": ("long curly {} hair", "curly {} hair"), "medium1": _BOB, "medium2": _SHOULDERS,
        "medium3": _SHOULDERS, "mediumBangs": _SHOULDERS,
        "mediumBangs2": ("curly {} hair with bangs", "curly {} hair"), "mediumBangs3": _BANGS,
        "mediumStraight": _STRAIGHT, "mohawk": _MOHAWK, "mohawk2": ("a spiky {} mohawk", "a {} mohawk"),
        "noHair1": _BALD, "noHair2": _NEARLY_BALD, "noHair3": _BALDING, "pomp": _QUIFF, "shaved1": _SHORT,
        "shaved2": _SHORT, "shaved3": ("tousled {} hair", "short {} hair"), "short1": _SHORT, "short2": _SHORT,
        "short3": _SHORT, "short4": ("short wavy {} hair", "short {} hair"), "short5": _SHORT,
        "twists": ("short twisted {} hair", "short {} hair"), "twists2": ("short twisted {} hair", "short {} hair"),
    },
}  # fmt: skip
_COLOURED_PEEPS = {
    "bangs", "cornrows", "grayBun", "grayMedium", "grayShort", "mediumBangs2", "mohawk", "mohawk2", "noHair3", "short4",
}  # fmt: skip
"""Heads of open-peeps whose hair has a colour; that of all others is black."""
_HATS = {
    "personas": {"cap": "an orange cap", "beanie": "a red beanie"},
    "openPeeps": {
        "hatBeanie": "a {} beanie", "hatHip": "a black hat", "hijab": "a black hijab", "turban": "a {} turban",
    },
}  # fmt: skip
_OF_WOMEN = {
    "personas": "long extraLong bobCut bobBangs pigtails curlyBun straightBun",
    "toonHead": "longStraight longWavy shoulderHigh bun",
    "bigSmile": "wavyBob straightHair bunHair froBun bangs curlyBob",
    "micah": "full pixie",
    "adventurer": "long01 long02 long03 long05 long06 long07 long08 long09 long10 long11 long12 long13 long14 long15 "
    "long16 long17 long18 long19 long21 long23 long24",
    "miniavs": "ponyTail long",
    "openPeeps": "bangs bangs2 bun bun2 buns grayBun grayMedium hijab long longBangs longCurly medium2 medium3 "
    "mediumBangs mediumBangs2 mediumBangs3 mediumStraight",
}
_OF_MEN = {
    "personas": "shortCombover shortComboverChops fade balding",
    "toonHead": "",
    "bigSmile": "",
    "micah": "fonze",
    "adventurer": "short13",
    "miniavs": "slaughter elvis stylish",
    "openPeeps": "pomp flatTop noHair3",
}
_BEARDS = {
    "beardMustache": "full beard", "pyramid": "moustache", "walrus": "moustache", "goatee": "goatee",
    "shadow": "stubble", "soulPatch": "small goatee", "moustacheTwirl": "moustache", "fullBeard": "full beard",
    "chin": "chin beard", "chinMoustache": "goatee", "longBeard": "long beard", "beard": "full beard",
    "mustache": "moustache", "pencilThinBeard": "thin moustache and goatee", "pencilThin": "thin moustache",
    "horshoe": "horseshoe moustache", "freddy": "moustache", "full": "full beard", "full2": "full beard",
    "full3": "full beard", "full4": "full beard", "goatee1": "goatee", "goatee2": "goatee",
    "moustache2": "long moustache", "moustache3": "long moustache", "moustache5": "moustache",
    "moustache6": "moustache", "moustache7": "moustache", "moustache9": "moustache",
}  # fmt: skip
_MOODS = {
    "personas": {
        "smile": "smiling", "bigSmile": "smiling", "smirk": "smirking", "frown": "frowning", "surprise": "surprised",
    },
    "toonHead": {
        "laugh": "laughing", "angry": "angry", "agape": "surprised", "smile": "smiling", "sad": "sad",
    },
    "bigSmile": {
        "openedSmile": "laughing", "gapSmile": "laughing", "teethSmile": "grinning", "awkwardSmile": "grinning",
        "braces": "smiling", "kawaii": "smiling", "unimpressed": "serious", "openSad": "shouting",
    },
    "micah": {
        "surprised": "surprised", "laughing": "laughing", "nervous": "nervous", "smile": "smiling", "sad": "sad",
        "frown": "frowning", "smirk": "smiling", "pucker": "kissing",
    },
    "adventurer": {
        **dict.fromkeys(("variant01", "variant02", "variant05", "variant29", "variant30"), "smiling"),
        **dict.fromkeys(("variant15", "variant24", "variant25", "variant26", "variant27", "variant28"), "laughing"),
        **dict.fromkeys(("variant11", "variant22", "variant23"), "grinning"),
        **dict.fromkeys(("variant12", "variant16"), "cheeky"),
        **dict.fromkeys(("variant03", "variant18"), "surprised"),
        **dict.fromkeys(("variant09", "variant10", "variant19"), "serious"),
        "variant17": "kissing",
    },
    "miniavs": {"default": "smiling", "missingTooth": "smiling"},
    "openPeeps": {
        "smile": "smiling", "calm": "smiling", "cute": "smiling", "smileBig": "grinning", "smileTeethGap": "grinning",
        "smileLOL": "laughing", "lovingGrin1": "grinning", "lovingGrin2": "grinning", "eatingHappy": "smiling",
        "angryWithFang": "angry", "rage": "angry", "veryAngry": "angry", "driven": "angry", "concerned": "worried",
        "concernedFear": "worried", "fear": "scared", "solemn": "sad", "tired": "tired", "serious": "serious",
        "suspicious": "suspicious", "awe": "amazed", "cheeky": "cheeky",
    },
}  # fmt: skip
_EYES = {
    "personas": {"sleep": "closed eyes", "happy": "closed eyes", "wink": "one eye closed"},
    "toonHead": {"bow": "closed eyes", "humble": "closed eyes", "wink": "one eye closed", "wide": "wide eyes"},
    "bigSmile": {"starstruck": "starry eyes", "sleepy": "closed eyes", "winking": "one eye closed"},
    "micah": {"smiling": "closed eyes", "smilingShadow": "closed eyes"},
    "adventurer": {
        "variant19": "closed eyes", "variant20": "closed eyes", "variant21": "one eye closed",
        "variant22": "one eye closed", "variant23": "sparkling eyes", "variant16": "tired eyes",
        "variant17": "tired eyes", "variant18": "tired eyes",
    },
    "openPeeps": {"eyesClosed": "closed eyes", "lovingGrin1": "hearts for eyes", "lovingGrin2": "hearts for eyes"},
}  # fmt: skip
_CLOTHING_COLOURS = ("clothingColor", "clothesColor", "shirtColor", "bodyColor")
_CLOTHING = {
    "personas": {"checkered": "{} checkered shirt"},
    "toonHead": {
        "turtleNeck": "{} turtleneck", "openJacket": "{} jacket", "dress": "{} sleeveless dress",
        "shirt": "{} sweater", "tShirt": "{} T-shirt",
    },
    "micah": {"collared": "{} shirt with a collar"},
    "miniavs": {"tShirt": "{} T-shirt", "golf": "{} turtleneck"},
}  # fmt: skip
_FACE_LIGHT = {"personas": 0.36}
"""Opacity of the light on a face."""
_EXTRAS = {
    "catEars": "cat ears",
    "sailormoonCrown": "a golden tiara",
    "clownNose": "a red clown nose",
    "eyepatch": "an eyepatch",
    "freckles": "freckles",
    "blush": "rosy cheeks",
}


def facts_of(style: str, parts: Parts) -> Facts:
    """Return what can be seen of a portrait."""
    top = parts["head"] if style == "openPeeps" else parts["hair"]
    if style == "toonHead" and top != "bun":
        top = parts.get("rearHair", top)
    hat = _HATS.get(style, {}).get(top)
    hair = _HAIR[style].get(top, ())
    bald = hair == _BALD
    hair_colour = _hair_colour(style, top, parts) if any("{}" in phrase for phrase in hair) else None
    clothing_colour = next((nearest(parts[name], CLOTHES) for name in _CLOTHING_COLOURS if name in parts), None)
    if hat is not None:
        hat = hat.format(clothing_colour)
    beard = _BEARDS.get(parts.get("facialHair") or parts.get("beard") or parts.get("mustache") or "")
    if "mustache" in (parts.get("accessories"), parts.get("features")):
        beard = "moustache"
    worn, form = _glasses(style, parts)
    mouth = parts.get("face" if style == "openPeeps" else "mouth", "")
    hidden = style == "personas" and parts.get("facialHair") == "beardMustache"  # it comes with a mouth of its own
    eyes = parts.get("face" if style == "openPeeps" else "eyes", "")
    hides_eyes = worn == "sunglasses" or parts.get("accessories") == "eyepatch"
    return Facts(
        style=style,
        person=_person(style, top, beard),
        hair=() if bald else tuple(phrase.replace("{}", hair_colour or "").replace("  ", " ") for phrase in hair),
        hair_colour=hair_colour,
        bald=bald,
        hat=hat,
        skin=skin_tone(parts.get("skinColor") or parts["baseColor"], _FACE_LIGHT.get(style, 0.0)),
        glasses=worn,
        glasses_form=form,
        beard=beard,
        beard_colour=_beard_colour(style, parts) if beard not in (None, "stubble") else None,
        mood=None if hidden else _MOODS[style].get(mouth),
        eyes=None if hides_eyes else _EYES.get(style, {}).get(eyes),
        clothing=_clothing(style, parts),
        clothing_colour=clothing_colour,
        extras=_extras(style, top, parts),
        background=BACKGROUNDS[parts["primaryBackgroundColor"]],
    )


def _hair_colour(style: str, top: str, parts: Parts) -> str:
    if style == "openPeeps":
        return nearest(parts["headContrastColor"], HAIR) if top in _COLOURED_PEEPS else "black"
    return nearest(parts["hairColor"], HAIR)


def _beard_colour(style: str, parts: Parts) -> str | None:
    if style == "openPeeps":
        coloured = parts["facialHair"] in ("full4", "moustache9")
        return nearest(parts["headContrastColor"], HAIR) if coloured else "black"
    if style == "adventurer":
        return "black"
    return None if style == "bigSmile" else nearest(parts["hairColor"], HAIR)


def _person(style: str, top: str, beard: str | None) -> str:
    if beard is not None or top in _OF_MEN[style].split():
        return "man"
    return "woman" if top in _OF_WOMEN[style].split() else "person"


def _glasses(style: str, parts: Parts) -> tuple[str | None, str | None]:
    worn = {
        "personas": parts.get("eyes", ""),
        "bigSmile": parts.get("accessories", ""),
        "openPeeps": parts.get("accessories", ""),
    }.get(style, "glasses" if "glasses" in parts else "")
    kind = re.match("glasses|sunglasses", worn)
    if kind is None:
        return None, None
    if style == "adventurer":
        forms = {"variant02": "square glasses", "variant03": "small round glasses", "variant04": "round glasses"}
        variant = parts["glasses"]
        return ("sunglasses", None) if variant == "variant01" else ("glasses", forms.get(variant))
    if style == "micah":
        return "glasses", f"{parts['glasses']} glasses"
    return kind[0], "golden glasses" if style == "bigSmile" and kind[0] == "glasses" else None


def _clothing(style: str, parts: Parts) -> str | None:
    if style in ("bigSmile", "adventurer"):
        return None
    worn = parts.get("clothes") or parts.get("shirt") or parts.get("body") or ""
    return _CLOTHING.get(style, {}).get(worn, "{} shirt")


def _extras(style: str, top: str, parts: Parts) -> tuple[str, ...]:
    found = [_EXTRAS[part] for part in (parts.get("accessories"), parts.get("features")) if part in _EXTRAS]
    if "earrings" in parts:
        found.append("earrings")
    if style == "miniavs" and "blushes" in parts:
        found.append("rosy cheeks")
    if style == "miniavs" and parts["mouth"] == "missingTooth":
        found.append("a missing tooth")
    return tuple(found)
