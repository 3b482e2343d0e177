"""Kinds and captions of catalogue furniture, from its name, its tags and what can be measured."""

import re

from ddmi_core.metrics.geometry import Geometry

_KIND_WORDS = {
    # The first kind one of whose words stands in the name wins; tags are asked only if the name says nothing.
    "lamp": ("lamp", "light", "lantern", "chandelier", "spotlight", "sconce"),
    "desk": ("desk",),
    "table": ("table", "nightstand"),
    "stool": ("stool",),
    "armchair": ("armchair",),
    "chair": ("chair", "rocking chair"),
    "bench": ("bench",),
    "sofa": ("sofa", "couch", "futon couch", "ottoman"),
    "bed": ("bed", "crib", "futon", "bunk"),
    "bookcase": ("bookcase", "shelves", "shelf", "bookshelf"),
    "wardrobe": ("wardrobe", "closet"),
    "cabinet": ("cabinet", "cupboard", "dresser", "chest", "drawers", "sideboard", "buffet", "vanity"),
    "door": ("door",),
    "window": ("window",),
    "plant": ("plant", "tree", "flowers", "hedge", "tulips", "roses", "palm", "bush"),
}
_NO_KIND = "other"
_NOISE_TAGS = {"Blend Swap", "SCPTS", "Adjustable", "Haussmann"}
_ROOT_KINDS = {"desk": "table", "armchair": "chair", "stool": "chair"}
_NOT_FURNITURE = ("table fan", "football table", "table lamp", "lamp table", "changing table", "desk lamp", "bedside")


def kind_of(name: str, category: str, tags: str) -> str:
    """Return the kind that a catalogue entry belongs to, or `other`."""
    if category in ("Vehicles", "Characters"):
        return _NO_KIND
    for text in (name, tags):
        words = set(re.findall(r"[a-z]+", text.lower()))
        for kind, signs in _KIND_WORDS.items():
            if any(sign in words for sign in signs):
                return kind
    return _NO_KIND


def captions_of(name: str, tags: str, kind: str, geometry: Geometry) -> list[str]:
    """Return several true captions, the plain name first."""
    plain = re.sub(r"\s*[\d:°€%\"']+\s*", " ", name).strip().lower() or kind
    kept = [tag.strip().lower() for tag in tags.split(",") if tag.strip() and tag.strip() not in _NOISE_TAGS]
    captions = [plain, _with_article(plain)]
    captions += [f"{plain}, {tag}" for tag in kept[:3]]
    facts = _facts(kind, geometry)
    subject = kind if kind != _NO_KIND else plain
    if kind != _NO_KIND and kind not in plain:
        captions.append(_with_article(kind))
    for fact in facts:
        captions.append(_with_article(f"{subject} {fact}" if fact.startswith("with") else f"{fact} {subject}"))
    if len(facts) >= 2 and facts[-1].startswith("with") and not facts[0].startswith("with"):
        captions.append(_with_article(f"{facts[0]} {subject} {facts[-1]}"))
    return list(dict.fromkeys(captions))


def _facts(kind: str, geometry: Geometry) -> list[str]:
    """Return what was measured and is worth saying, adjectives first."""
    facts: list[str] = []
    root = _ROOT_KINDS.get(kind, kind)
    if root in ("table",) and geometry.top_shape is not None:
        facts.append(geometry.top_shape)
    facts += [word for word in geometry.proportions if root != "lamp" or word == "tall"]
    if root in ("table", "chair") and geometry.n_legs is not None and geometry.n_legs in (1, 3, 4):
        facts.append({1: "with one leg", 3: "with three legs", 4: "with four legs"}[geometry.n_legs])
    if root == "chair" and geometry.back:
        facts.append("with armrests" if geometry.armrests else "without armrests")
    return facts


def _with_article(text: str) -> str:
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"
