"""Captions of portraits: what can be seen of one, in many wordings and lengths."""

from collections.abc import Sequence

import numpy as np

from ddmi_core.data.portraits.facts import Facts

STYLES = {
    "personas": ("flat icon", "flat"),
    "toonHead": ("soft cartoon", "soft shaded"),
    "bigSmile": ("big smile", "big head cartoon"),
    "micah": ("outlined cartoon", "line art"),
    "adventurer": ("comic", "comic book"),
    "miniavs": ("minimal", "minimalist"),
    "openPeeps": ("ink drawing", "hand-drawn ink"),
}
"""What each drawing style is called, the usual name first."""

_NOUNS = {
    "man": ("man", "man", "man", "guy", "person"),
    "woman": ("woman", "woman", "woman", "lady", "person"),
    "person": ("person", "person", "person", "face", "character"),
}
_SKINS = {
    "light": ("light skin", "fair skin", "pale skin"),
    "tan": ("tan skin", "tanned skin"),
    "brown": ("brown skin",),
    "dark": ("dark skin", "dark brown skin"),
}
_MOODS = {
    "smiling": ("smiling", "happy"),
    "laughing": ("laughing", "happy"),
    "grinning": ("grinning", "happy"),
    "smirking": ("smirking",),
    "frowning": ("frowning", "sad"),
    "shouting": ("shouting", "open-mouthed"),
}
_BALD = ("bald", "a bald head", "a shaved head", "no hair")
_ARTICLE = 0.85
"""How often a caption is a phrase such as "a man with a beard" and not a list such as "man, beard"."""


def caption(facts: Facts, rng: np.random.Generator) -> str:
    """Word a true caption: between one and most of the facts, now a phrase, now a list of words.

    Args:
        facts: of a portrait.
        rng: decides the choice of facts, words and order; the same generator gives the same caption.
    """
    noun = _one(rng, _NOUNS[facts.person])
    features = _features(facts, rng)
    order = rng.permutation(len(features))
    # The likelihoods are how often people ask for something; one fact more often than four.
    weights = np.array([features[i][1] for i in order])
    count = min(len(features), int(rng.choice(6, p=(0.06, 0.22, 0.28, 0.22, 0.14, 0.08))))
    chosen = rng.choice(len(features), count, replace=False, p=weights / weights.sum())
    said = {features[order[i]][0]: features[order[i]][2] for i in chosen}
    style = rng.random() < 0.45
    if rng.random() < _ARTICLE:
        return _phrase(noun, said, STYLES[facts.style] if style else None, rng)
    return _list(noun, said, STYLES[facts.style] if style else None, rng)


def _features(facts: Facts, rng: np.random.Generator) -> list[tuple[str, float, str]]:
    """Return what could be said: of each fact its kind, how often it is wanted, and words for it."""
    found: list[tuple[str, float, str]] = [("skin", 0.5, _one(rng, _SKINS[facts.skin]))]
    if facts.mood is not None:
        found.append(("mood", 1.0, _one(rng, _MOODS.get(facts.mood, (facts.mood,)))))
    if facts.bald:
        found.append(("bald", 2.0, _one(rng, _BALD)))
    if facts.hair:
        phrases = [*facts.hair]
        if facts.hair_colour is not None:
            phrases.append(f"{facts.hair_colour} hair")
        # The most exact phrase as often as all others together
        found.append(("hair", 3.0, phrases[0] if rng.random() < 0.5 else _one(rng, phrases)))
    if facts.hat is not None:
        found.append(("hat", 2.5, facts.hat))
    if facts.glasses is not None:
        exact = facts.glasses_form is not None and rng.random() < 0.5
        found.append(("glasses", 2.5, str(facts.glasses_form) if exact else facts.glasses))
    if facts.beard is not None:
        beard = facts.beard if rng.random() < 0.5 else _plain(facts.beard)
        if facts.beard_colour is not None and rng.random() < 0.4:
            beard = f"{facts.beard_colour} {beard}"
        found.append(("beard", 2.5, beard if beard == "stubble" else _with_article(beard)))
    if facts.clothing is not None:
        colour = facts.clothing_colour or ""
        plain = f"{colour} shirt" if "shirt" in facts.clothing else f"{colour} clothes"
        exact = rng.random() < 0.6
        found.append(("clothing", 2.0, facts.clothing.format(colour) if exact else plain))
    if facts.eyes is not None:
        found.append(("eyes", 0.7, facts.eyes))
    found += [(f"extra {i}", 1.0, extra) for i, extra in enumerate(facts.extras)]
    found.append(("background", 0.8, facts.background))
    return found


def _phrase(noun: str, said: dict[str, str], style: Sequence[str] | None, rng: np.random.Generator) -> str:
    """Word a phrase such as "a smiling woman with long red hair in a blue shirt, comic style"."""
    said = dict(said)
    before = [said.pop("mood")] if "mood" in said else []
    if said.get("bald") == "bald":
        before.append(said.pop("bald"))
    clothing, background = said.pop("clothing", None), said.pop("background", None)
    hat = said.pop("hat", None)
    text = " ".join([*before, noun])
    ending = ""
    if style is not None:
        form = rng.integers(3)
        name = _one(rng, style)
        if form == 0:
            text = f"{name} portrait of {_with_article(text)}"
        elif form == 1:
            text = f"{name} style {text}"
        else:
            ending = f", {name} style"
    text = _with_article(text)
    if said:
        text += f" with {_joined(list(said.values()))}"
    worn = []
    if clothing is not None:
        worn.append(clothing if clothing.endswith("clothes") else _with_article(clothing))
    if hat is not None:
        worn.append(hat)
    if worn:
        text += f" {_one(rng, ('in', 'wearing'))} {_joined(worn)}"
    if background is not None:
        text += f" on {_with_article(background)} background"
    return text + ending


def _list(noun: str, said: dict[str, str], style: Sequence[str] | None, rng: np.random.Generator) -> str:
    """Word a list such as "woman, red hair, glasses, comic"."""
    words = [f"{text} background" if kind == "background" else _bare(text) for kind, text in said.items()]
    if style is not None:
        words.append(_one(rng, (style[0], f"{style[0]} style")))
    return ", ".join([noun, *words])


def _plain(beard: str) -> str:
    """Return the common word for a beard or moustache."""
    if beard == "stubble" or "and" in beard.split():
        return beard
    return "moustache" if "moustache" in beard else "beard"


def _joined(items: list[str]) -> str:
    if len(items) < 3:
        return " and ".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _with_article(text: str) -> str:
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def _bare(text: str) -> str:
    return text.removeprefix("a ").removeprefix("an ")


def _one(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]
