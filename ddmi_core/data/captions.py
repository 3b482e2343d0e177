"""Kinds and captions of catalogue furniture, from its name, its tags and what can be measured."""

import re

from ddmi_core.metrics.geometry import Geometry

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
    captions += [f"{plain}, {tag}" for tag in kept[:2] if tag not in plain]
    if kind == _NO_KIND:
        return list(dict.fromkeys(captions))
    subjects = [kind]
    if kind == "armchair" and geometry.armrests:
        subjects.append("chair")
    variant = _variant(name, kind, size)
    if variant:
        captions.append(_with_article(variant))
    adjectives, parts = _facts(kind, geometry)
    for subject in subjects:
        captions.append(_with_article(subject))
        captions += [_with_article(f"{adjective} {subject}") for adjective in adjectives]
        captions += [_with_article(f"{subject} with{part}") for part in parts]
        if adjectives and parts:
            captions.append(_with_article(f"{adjectives[0]} {subject} with{parts[0]}"))
        if len(parts) > 1 and not parts[0].startswith("out"):
            captions.append(_with_article(f"{subject} with{parts[0]} and with{parts[1]}"))
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


def _facts(kind: str, geometry: Geometry) -> tuple[list[str], list[str]]:
    """Return what was measured and is worth saying: adjectives, and parts to stand after "with"."""
    root = _ROOT_KINDS.get(kind, kind)
    adjectives: list[str] = []
    parts: list[str] = []
    if root in ("table", "stool") and geometry.top_shape is not None:
        adjectives.append(geometry.top_shape)
    adjectives += geometry.proportions
    if root in ("table", "chair", "stool") and geometry.n_legs in (1, 3, 4):
        parts.append({1: " one leg", 3: " three legs", 4: " four legs"}[geometry.n_legs])
    if root == "chair" and geometry.armrests:
        parts.append(" armrests")
    elif kind == "chair" and geometry.back:  # an armchair whose arms were not found is not said to lack them
        parts.append("out armrests")
    return adjectives, parts


def _with_article(text: str) -> str:
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"
