"""What can be seen of a portrait, told by a small network that is trained on the training part of the set."""

import zlib
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddmi_core.data.portraits.captions import STYLES
from ddmi_core.data.portraits.colours import CLOTHES, HAIR
from ddmi_core.data.portraits.facts import Facts, facts_of
from ddmi_core.data.portraits.pictures import PortraitPictures, portraits
from ddmi_core.data.vector_pictures import draw
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "style": tuple(STYLES),
    "hair_colour": ("none", *HAIR),
    "glasses": ("none", "glasses", "sunglasses"),
    "beard": ("none", "beard"),
    "clothing_colour": ("none", *CLOTHES),
}
"""Of each attribute, what it may be."""
SIDE = 96
"""Of the pictures that the network sees, which are brought to it."""

_UNTOLD = -100  # of a label: nothing is learned from it
_COUNT = 6000
_STEPS, _BATCH = 900, 48
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


class PortraitClassifier(nn.Module):
    """A convolutional network with a head for each attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            *_stage(3, 24), *_stage(24, 48), *_stage(48, 96), *_stage(96, 128), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(128 * (SIDE // 16) ** 2, 192), nn.ReLU(),
        )  # fmt: skip
        self.heads = nn.ModuleDict({name: nn.Linear(192, len(values)) for name, values in ATTRIBUTES.items()})

    def forward(self, pictures: Float[Tensor, "b 3 h w"]) -> dict[str, Float[Tensor, "b k"]]:
        """Return the logits of each attribute, of pictures of SIDE pixels in [0, 1]."""
        found = self.trunk(pictures - 0.5)
        return {name: head(found) for name, head in self.heads.items()}

    @torch.no_grad()
    def predict(self, pictures: Float[Tensor, "b 3 h w"]) -> list[dict[str, str]]:
        """Return what is seen of pictures of any size, values in [0, 1]."""
        self.eval()
        found: list[dict[str, str]] = []
        for part in pictures.split(_BATCH):
            logits = self(F.interpolate(part, (SIDE, SIDE), mode="bilinear", antialias=True))
            best = {name: values.argmax(1).tolist() for name, values in logits.items()}
            found += [{name: ATTRIBUTES[name][best[name][i]] for name in ATTRIBUTES} for i in range(len(part))]
        return found


def _stage(channels: int, width: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]


def portrait_classifier() -> PortraitClassifier:
    """Return the trained classifier, from the cache or trained now (some minutes); the same each time."""
    known = portraits("train")
    stamp = zlib.crc32(repr([known.facts(i) for i in range(0, _COUNT, _COUNT // 50)]).encode())
    path = cache() / f"portrait-classifier-{_VERSION}-{stamp:08x}.safetensors"
    model = PortraitClassifier()
    if path.exists():
        model.load_state_dict(load_file(path))
        return model.eval()
    model = train(known, _COUNT)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        save_file(model.state_dict(), temporary)
    return model


def train(known: PortraitPictures, count: int, *, seed: int = 0) -> PortraitClassifier:
    """Train on the first portraits of a set, moved a little and made softer: a model's are never as crisp."""
    pictures, labels = drawn(known, range(count))
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PortraitClassifier().train()
        optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=_STEPS)
        for _ in range(_STEPS):
            which = torch.from_numpy(rng.choice(count, min(_BATCH, count), replace=False))
            logits = model(_disturbed(pictures[which].float() / 255, rng))
            losses = [F.cross_entropy(logits[name], labels[name][which], ignore_index=_UNTOLD) for name in ATTRIBUTES]
            optimiser.zero_grad()
            torch.stack(losses).sum().backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def drawn(pictures: PortraitPictures, which: Sequence[int]) -> tuple[Tensor, dict[str, Int[Tensor, " n"]]]:
    """Return portraits as the network sees them, uint8 (n, 3, SIDE, SIDE), and the numbers of what is true of them."""
    pixels, truths = [], []
    for index in which:
        portrait = pictures.portrait(index)
        pixels.append(np.asarray(draw(portrait.svg, SIDE).convert("RGB")))
        truths.append(attributes_of(facts_of(portrait.style, portrait.parts)))
    labels = {
        name: torch.tensor([_UNTOLD if truth[name] is None else values.index(str(truth[name])) for truth in truths])
        for name, values in ATTRIBUTES.items()
    }
    return torch.from_numpy(np.stack(pixels)).movedim(-1, 1), labels


def accuracies(model: PortraitClassifier, pictures: PortraitPictures, count: int) -> dict[str, tuple[int, int]]:
    """Return of each attribute how many of the first portraits of a set are told rightly, and of how many."""
    seen, labels = drawn(pictures, range(min(count, len(pictures))))
    found = model.predict(seen.float() / 255)
    tally = {}
    for name, values in ATTRIBUTES.items():
        pairs = [(truth, one[name]) for truth, one in zip(labels[name].tolist(), found, strict=True) if truth >= 0]
        tally[name] = (sum(values[truth] == guess for truth, guess in pairs), len(pairs))
    return tally


def _disturbed(pictures: Float[Tensor, "b 3 h w"], rng: np.random.Generator) -> Float[Tensor, "b 3 h w"]:
    """Move by up to 4 pixels, mirror half of them, blur and roughen a little."""
    left, top = rng.integers(0, 9, 2).tolist()
    padded = F.pad(pictures, (4, 4, 4, 4), mode="replicate")
    moved = padded[..., top : top + SIDE, left : left + SIDE]
    mirrored = torch.from_numpy(rng.random(len(moved)) < 0.5).view(-1, 1, 1, 1)
    moved = torch.where(mirrored, moved.flip(-1), moved)
    if rng.random() < 0.5:
        side = int(rng.integers(SIDE // 2, SIDE))
        small = F.interpolate(moved, (side, side), mode="bilinear", antialias=True)
        moved = F.interpolate(small, (SIDE, SIDE), mode="bilinear")
    noise = torch.from_numpy(rng.standard_normal(moved.shape, dtype=np.float32))
    return (moved + 0.03 * rng.random() * noise).clamp(0, 1)
