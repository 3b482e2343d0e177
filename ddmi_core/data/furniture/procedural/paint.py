"""Colours of procedural furniture: a scheme gives every role one from a named palette, and says what it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

PALETTE: dict[str, tuple[tuple[int, int, int], ...]] = {
    "red": ((196, 40, 36), (170, 28, 40)),
    "orange": ((232, 126, 36), (214, 104, 40)),
    "yellow": ((240, 200, 60), (226, 184, 44)),
    "green": ((66, 138, 70), (92, 152, 84), (48, 104, 66)),
    "turquoise": ((62, 170, 168), (40, 148, 152)),
    "blue": ((48, 92, 176), (62, 116, 194), (34, 66, 134)),
    "purple": ((122, 70, 150), (100, 58, 132)),
    "pink": ((228, 130, 160), (236, 156, 178)),
    "brown": ((112, 70, 42), (92, 56, 36)),
    "beige": ((216, 196, 160), (206, 184, 148)),
    "grey": ((136, 138, 142), (112, 114, 118)),
    "black": ((50, 50, 54), (40, 40, 43)),
    "white": ((238, 238, 234), (246, 244, 240)),
}
"""Shades of each name that captions use, sRGB."""
_MATERIALS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "wooden": ((186, 140, 92), (160, 112, 70), (204, 166, 120)),
    "metal": ((176, 178, 182), (150, 152, 156)),
}
_JITTER, _POLISH = 0.035, 0.1

_PLAIN = ("black", "white", "grey", "wooden", "metal")
"""What is apart from the rest of a thing is one of these as often as of all colours."""
_UPHOLSTERED = ("sofa", "bed", "easy chair", "tub chair", "office chair")

_APART: dict[str, tuple[tuple[tuple[str, ...], float], ...]] = {
    "chair": ((("legs",), 0.6), (("seat",), 0.25)),
    "bench": ((("legs",), 0.5), (("seat",), 0.2)),
    "table": ((("legs",), 0.5), (("fronts",), 0.3)),
    "sofa": ((("legs",), 1.0), (("cushions",), 0.25)),
    "bed": ((("mattress",), 1.0), (("pillows",), 1.0), (("blanket",), 1.0), (("legs",), 0.4)),
    "lamp": ((("body", "legs"), 0.75),),
    "storage": ((("fronts",), 0.35), (("legs",), 0.5), (("handles",), 1.0)),
}
"""Of each kind, the roles that may have a colour of their own, and how often they have."""
_LINEN = {"mattress": ("white", "white", "beige", "grey"), "pillows": ("white", "white", "")}
_SAID = {"legs": "legs", "seat": "a seat", "cushions": "cushions", "blanket": "a blanket", "pillows": "pillows"}


@dataclass(frozen=True)
class Coat:
    """A colour: its name in captions, sRGB in [0, 1], and how rough it is, from 0 (polished) to 1 (cloth)."""

    name: str
    colour: Float[np.ndarray, " 3"]
    roughness: float


def paint(facts: Mapping[str, object], roles: Sequence[str], rng: np.random.Generator) -> dict[str, Coat]:
    """Give each role of a piece of furniture a coat; those that show the thing's own colour have the same one."""
    kind = str(facts["kind"])
    soft = kind in _UPHOLSTERED or str(facts["type"]) in _UPHOLSTERED or bool(facts.get("padded"))
    name = "wooden" if not soft and kind != "lamp" and rng.random() < 0.2 else _any(tuple(PALETTE), rng)
    own = _coat(name, 1.0 if soft else rng.uniform(0.3, 0.9), rng)
    coats = dict.fromkeys(roles, own)
    for group, share in _APART[kind]:
        if rng.random() >= share:
            continue
        name = _any(_LINEN[group[0]], rng) if group[0] in _LINEN else ""
        name = name or _any(_PLAIN if rng.random() < 0.5 else tuple(PALETTE), rng)
        cloth = group[0] in (*_LINEN, "blanket", "cushions")
        coat = _coat(name, 1.0 if cloth else rng.uniform(0.2, 0.8), rng)
        coats |= {role: coat for role in group if role in coats}
    return coats


def told(facts: Mapping[str, object], coats: Mapping[str, Coat]) -> tuple[str, dict[str, str]]:
    """Return the name of a thing's own colour, and of each role apart what can be said of it: "black legs"."""
    kind = str(facts["kind"])
    apart = {role for group, _ in _APART[kind] for role in group}
    own = next((coat.name for role, coat in coats.items() if role not in apart), next(iter(coats.values())).name)
    said = {}
    for role, coat in coats.items():
        noun = _SAID.get(role, "")
        if role == "body":
            noun = "a stand" if kind == "lamp" else ""
        elif role == "fronts" and bool(facts.get("doors")) != bool(facts.get("drawers")):
            noun = "doors" if facts.get("doors") else "drawers"
        if noun and coat.name != own:
            first, _, rest = noun.rpartition(" ")
            said[role] = f"{first} {coat.name} {rest}".strip()
    return own, said


def _any(names: Sequence[str], rng: np.random.Generator) -> str:
    return names[int(rng.integers(len(names)))]


def _coat(name: str, roughness: float, rng: np.random.Generator) -> Coat:
    """A coat near one of the name's shades: as light or as dark together, and each channel a little."""
    shades = {**PALETTE, **_MATERIALS}[name]
    shade = np.array(shades[int(rng.integers(len(shades)))], dtype=np.float32) / 255
    change = rng.normal(0, _JITTER) + rng.normal(0, _JITTER / 2, 3)
    roughness = _POLISH if name == "metal" else float(roughness)
    return Coat(name, np.clip(shade + change, 0.02, 0.98).astype(np.float32), roughness)
