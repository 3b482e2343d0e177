"""What can be seen of a portrait, and the network that tells it."""

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from benchmarks.judging.attributes import AttributeClassifier, Attributes, Labels, labels_of, trained
from ddmi_core.data.portraits.captions import STYLES
from ddmi_core.data.portraits.colours import CLOTHES, HAIR
from ddmi_core.data.portraits.facts import Facts, facts_of
from ddmi_core.data.portraits.pictures import PortraitPictures, portraits
from ddmi_core.data.vector_pictures import draw

ATTRIBUTES: Attributes = {
    "style": tuple(STYLES),
    "hair_colour": ("none", *HAIR),
    "glasses": ("none", "glasses", "sunglasses"),
    "beard": ("none", "beard"),
    "clothing_colour": ("none", *CLOTHES),
}
"""Of each attribute, what it may be."""
SIDE = 96
"""Of the pictures that the network sees, which are brought to it."""

_COUNT = 6000
_VERSION = 1


def attributes_of(facts: Facts) -> dict[str, str | None]:
    """Return what is true of a portrait; None where nobody could say.

    Stubble is no beard to everybody. The colour of clothes that hardly show is nothing to ask for.
    """
    return {
        "style": facts.style,
        "hair_colour": facts.hair_colour or "none",
        "glasses": facts.glasses or "none",
        "beard": {None: "none", "stubble": None}.get(facts.beard, "beard"),
        "clothing_colour": facts.clothing_colour or "none",
    }


def portrait_classifier() -> AttributeClassifier:
    """Return what tells the attributes of a portrait, trained on the first ones of the training part of the set."""
    known = portraits("train")
    stamp = zlib.crc32(repr([known.facts(i) for i in range(0, _COUNT, _COUNT // 50)]).encode())
    return trained(f"portrait-classifier-{_VERSION}-{stamp:08x}", untaught, lambda: drawn(known, range(_COUNT)))


def untaught() -> AttributeClassifier:
    """Return one that knows nothing yet."""
    return AttributeClassifier(ATTRIBUTES, SIDE)


def drawn(pictures: PortraitPictures, which: Sequence[int]) -> tuple[UInt8[Tensor, "n 3 h w"], Labels]:
    """Return portraits as the network sees them, and what is true of them."""
    pixels, truths = [], []
    for index in which:
        portrait = pictures.portrait(index)
        pixels.append(np.asarray(draw(portrait.svg, SIDE).convert("RGB")))
        truths.append(attributes_of(facts_of(portrait.style, portrait.parts)))
    return torch.from_numpy(np.stack(pixels)).movedim(-1, 1), labels_of(truths, ATTRIBUTES)
