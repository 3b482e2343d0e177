"""What can be seen of a sky, and the network that tells it from three moments of a clip."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from benchmarks.judging.attributes import AttributeClassifier, Attributes, Labels, Truth, labels_of, trained
from ddmi_core.data.skies import Skies
from ddmi_core.data.skies.scene import Scene
from ddmi_core.data.skies.sources import pictures

ATTRIBUTES: Attributes = {
    "time": ("dawn", "noon", "sunset", "night"),
    "foreground": ("none", "hills", "mountains", "sea", "city", "trees", "lake"),
    "weather": ("clear", "cumulus", "streaks", "overcast", "storm"),
}
"""Of each attribute, what it may be."""
SIDE = 64
"""Of the pictures that the network sees, which are brought to it."""
MOMENTS = (-0.8, 0.0, 0.8)
"""That it sees: a dawn and a sunset differ in what comes next."""

_COUNT = 4000
_VERSION = 1


def attributes_of(scene: Scene) -> Truth:
    """Return what is true of a sky."""
    return {"time": scene.time, "foreground": scene.foreground, "weather": scene.clouds}


def sky_classifier(known: Skies) -> AttributeClassifier:
    """Return what tells the attributes of a sky, trained on the first ones of a set."""
    name = f"sky-classifier-{_VERSION}-{known.seed}"
    return trained(name, untaught, lambda: drawn(known, range(min(_COUNT, len(known)))))


def untaught() -> AttributeClassifier:
    """Return one that knows nothing yet."""
    return AttributeClassifier(ATTRIBUTES, SIDE, channels=3 * len(MOMENTS))


def drawn(skies: Skies, which: Sequence[int]) -> tuple[UInt8[Tensor, "n 9 h w"], Labels]:
    """Return skies as the network sees them, moment after moment, and what is true of them."""
    scenes = [skies.scene(index) for index in which]
    seen = np.stack([pictures(scene, np.float32(MOMENTS), SIDE) for scene in scenes])
    frames = torch.from_numpy(np.rint(255 * seen).astype(np.uint8)).movedim(-1, 2).flatten(1, 2)
    return frames, labels_of([attributes_of(scene) for scene in scenes], ATTRIBUTES)
