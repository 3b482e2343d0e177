"""Kinds and captions of catalogue furniture, from its name, its tags and what can be measured."""

import re

from ddmi_core.data.furniture.geometry import Geometry

_KIND_WORDS = {
    # The first kind one of whose words stands in the name wins; tags are asked only if the name says nothing.
    "lamp": ("lamp", "light", "lights", "lantern", "chandelier", "spotlight", "lamppost"),
    "desk": ("desk",),
    "stool": ("stool", "ottoman", "puff"),
    "table": ("table", "nightstand", "workbench"),
    "armchair": ("armchair",),
    "chair": ("chair",),
    "bench": ("bench",),
    "sofa": ("sofa", "couch"),
    "bed": ("bed", "crib", "futon", "bunk"),
    "bookcase": ("bookcase", "shelves", "shelf", "bookshelf"),
    "wardrobe": ("wardrobe", "closet"),
    "cabinet": ("cabinet", "cupboard", "dresser", "chest", "drawers", "sideboard", "buffet", "vanity", "locker"),
    "door": ("door",),
    "window": ("window",),
    "plant": ("plant", "tree", "flowers", "hedge", "tulips", "palm", "bush", "cactus", "bonsai"),
}
_NO_KIND = "other"
_NOISE_TAGS = {"Blend Swap", "SCPTS", "Adjustable", "Haussmann", "Double"}
_ROOT_KINDS = {"desk": "table", "armchair": "chair"}
_NOT_THE_KIND = {
    # Names and tags that mention furniture without being it.
    "abdominal bench", "air mattress", "chest freezer", "contemporary living room", "diving board", "elevator door",
    "fluorescent light", "hammock", "island", "puzzle", "sink", "sleeping bag", "spray bottle", "table fan",
    "table tennis bat", "vase", "window blind", "window shutter",
}  # fmt: skip
_NOUNS = {
    # How else each kind is called; only where the catalogue's tags call it so too.
    "lamp": ("lantern", "chandelier", "spotlight"),
    "desk": ("writing desk",),
    "stool": ("ottoman",),
    "table": ("nightstand", "workbench"),
    "armchair": (),
    "chair": ("armchair",),
    "bench": (),
    "sofa": ("couch",),
    "bed": ("crib", "futon", "bunk bed"),
    "bookcase": ("bookshelf", "shelves"),
    "wardrobe": ("closet",),
    "cabinet": ("cupboard", "dresser", "sideboard"),
}
_SEATS = ("chair", "armchair", "stool", "bench", "sofa")
_NUMBERS = {1: "one", 3: "three", 4: "four"}
_PLURAL = ("shelves", "drawers", "lights")
_HANGING = {"wall", "ceiling", "hanging", "pendant", "chandelier", "street", "park", "porch", "track", "lamppost"}


def kind_of(name: str, category: str, tags: str) -> str:
    """Return the kind that a catalogue entry belongs to, or `other`."""
    if category in ("Vehicles", "Characters") or name.lower() in _NOT_THE_KIND:
        return _NO_KIND
    for text in (name, tags):
        words = set(re.findall(r"[a-z]+", text.lower()))
        for kind, signs in _KIND_WORDS.items():
            if any(sign in words for sign in signs):
                return kind
    return _NO_KIND


def captions_of(name: str, tags: str, kind: str, geometry: Geometry, size: tuple[float, float, float]) -> list[str]:
    """Return several true captions, the plain name first.

    Args:
        name: the catalogue's name.
        tags: the catalogue's tags, separated by commas.
        kind: the kind, as `kind_of` gives it.
        geometry: what was measured on the solid.
        size: width, height and depth in centimetres.
    """
    plain = re.sub(r"\s*\d[\d:°€%\"']*(\s+seats)?\s*", " ", name).strip().lower() or kind
    kept = [tag.strip().lower() for tag in tags.split(",") if tag.strip() and tag.strip() not in _NOISE_TAGS]
    captions = [plain, _with_article(plain)]
    if kind == _NO_KIND:
        return list(dict.fromkeys(captions + [f"{plain}, {tag}" for tag in kept[:2] if tag not in plain]))
    subjects = [plain, kind, *(noun for noun in _NOUNS.get(kind, ()) if noun in kept)]
    if variant := _variant(name, kind, size):
        subjects.append(variant)
    if kind in ("chair", "armchair") and geometry.armrests:
        subjects += ["chair", "armchair"]
    if kind in _SEATS:
        captions.append("something to sit on")
    adjectives, legs, arms = _facts(kind, geometry)
    for subject in dict.fromkeys(subjects):
        shown = [adjective for adjective in adjectives if adjective not in subject.split()]
        phrases = [subject, *(f"{adjective} {subject}" for adjective in shown)]
        if geometry.n_legs and legs:
            phrases.append(f"{_NUMBERS[geometry.n_legs]}-legged {subject}")
        phrases += [f"{subject} with{part}" for part in legs + arms]
        phrases += [f"{shown[0]} {subject} with{part}" for part in (legs + arms)[:1] if shown]
        captions += [_with_article(phrase) for phrase in phrases] + [subject, phrases[-1]]
        if legs and arms:
            captions.append(_with_article(f"{subject} with{legs[0]} and with{arms[-1]}"))
    return list(dict.fromkeys(captions))


def _variant(name: str, kind: str, size: tuple[float, float, float]) -> str | None:
    """Return the more exact kind that the size in centimetres implies."""
    width, height, depth = size
    if kind == "bed" and max(width, depth) > 180:
        return "double bed" if min(width, depth) >= 120 else "single bed"
    if kind == "lamp" and not _HANGING & set(name.lower().split()):
        if 110 <= height <= 220:
            return "floor lamp"
        if height < 80:
            return "table lamp"
    return None


def _facts(kind: str, geometry: Geometry) -> tuple[list[str], list[str], list[str]]:
    """Return what was measured and is worth saying: adjectives, and legs and arms as words to stand after "with"."""
    root = _ROOT_KINDS.get(kind, kind)
    adjectives: list[str] = []
    legs: list[str] = []
    arms: list[str] = []
    if root in ("table", "stool") and geometry.top_shape is not None:
        adjectives.append(geometry.top_shape)
    adjectives += geometry.proportions
    if root in ("table", "chair", "stool") and geometry.n_legs in _NUMBERS:
        count = geometry.n_legs
        legs = [" one leg", " a single leg"] if count == 1 else [f" {_NUMBERS[count]} legs", f" {count} legs"]
    if root == "chair" and geometry.armrests:
        arms = [" arms", " armrests"]
    elif kind == "chair" and geometry.back:  # an armchair whose arms were not found is not said to lack them
        arms = ["out armrests"]
    return adjectives, legs, arms


def _with_article(text: str) -> str:
    if text.split(" with")[0].endswith(_PLURAL):
        return text
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"
