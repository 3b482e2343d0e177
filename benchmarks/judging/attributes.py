"""A small network that tells attributes of pictures: what a sample is judged by, trained on what its model learned."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache

Attributes = Mapping[str, tuple[str, ...]]
"""Of each attribute, what it may be."""
Labels = dict[str, Int[Tensor, " n"]]
"""Of each attribute, the number of what is true of each picture."""
Truth = Mapping[str, str | None]
"""What is true of a picture; None where nobody could say."""

_UNTOLD = -100  # of a label: nothing is learned from it
_STEPS, _BATCH = 900, 48


class AttributeClassifier(nn.Module):
    """A convolutional network with a head for each attribute.

    Args:
        attributes: what it tells.
        side: of the pictures that it sees, a multiple of 16.
        channels: of them: 3, or more for several pictures of one thing.
    """

    def __init__(self, attributes: Attributes, side: int, channels: int = 3) -> None:
        super().__init__()
        self.attributes, self.side = attributes, side
        self.trunk = nn.Sequential(
            *_stage(channels, 24), *_stage(24, 48), *_stage(48, 96), *_stage(96, 128), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(128 * (side // 16) ** 2, 192), nn.ReLU(),
        )  # fmt: skip
        self.heads = nn.ModuleDict({name: nn.Linear(192, len(values)) for name, values in attributes.items()})

    def forward(self, pictures: Float[Tensor, "b c h w"]) -> dict[str, Float[Tensor, "b k"]]:
        """Return the logits of each attribute, of pictures of `side` pixels in [0, 1]."""
        found = self.trunk(pictures - 0.5)
        return {name: head(found) for name, head in self.heads.items()}

    @torch.no_grad()
    def predict(self, pictures: Float[Tensor, "b c h w"]) -> list[dict[str, str]]:
        """Return what is seen of pictures of any size, values in [0, 1]."""
        self.eval()
        found: list[dict[str, str]] = []
        for part in pictures.split(_BATCH):
            logits = self(F.interpolate(part, (self.side, self.side), mode="bilinear", antialias=True))
            best = {name: values.argmax(1).tolist() for name, values in logits.items()}
            found += [
                {name: values[best[name][i]] for name, values in self.attributes.items()} for i in range(len(part))
            ]
        return found

    def tally(self, pictures: UInt8[Tensor, "n c h w"], labels: Labels) -> dict[str, tuple[int, int]]:
        """Return of each attribute how many pictures are told rightly, and of how many."""
        found = self.predict(pictures.float() / 255)
        right = {}
        for name, values in self.attributes.items():
            pairs = [(truth, one[name]) for truth, one in zip(labels[name].tolist(), found, strict=True) if truth >= 0]
            right[name] = (sum(values[truth] == guess for truth, guess in pairs), len(pairs))
        return right


def _stage(channels: int, width: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]


def labels_of(truths: Sequence[Truth], attributes: Attributes) -> Labels:
    """Return the numbers of what is true of some pictures."""
    return {
        name: torch.tensor([_UNTOLD if truth[name] is None else values.index(str(truth[name])) for truth in truths])
        for name, values in attributes.items()
    }


def trained(
    name: str,
    make: Callable[[], AttributeClassifier],
    examples: Callable[[], tuple[UInt8[Tensor, "n c h w"], Labels]],
) -> AttributeClassifier:
    """Return a classifier from the cache, or trained now on pictures and their labels (some minutes): always the same.

    Args:
        name: of its file.
        make: makes one that knows nothing.
        examples: what it learns from.
    """
    path = cache() / f"{name}.safetensors"
    if path.exists():
        model = make()
        model.load_state_dict(load_file(path))
        return model.eval()
    model = train(make, *examples())
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        save_file(model.state_dict(), temporary)
    return model


def train(
    make: Callable[[], AttributeClassifier], pictures: UInt8[Tensor, "n c h w"], labels: Labels, *, seed: int = 0
) -> AttributeClassifier:
    """Make a classifier and train it on pictures moved a little and made softer: a model's are never as crisp."""
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = make().train()
        optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=_STEPS)
        for _ in range(_STEPS):
            which = torch.from_numpy(rng.choice(len(pictures), min(_BATCH, len(pictures)), replace=False))
            logits = model(_disturbed(pictures[which].float() / 255, rng))
            losses = [
                F.cross_entropy(values, labels[name][which], ignore_index=_UNTOLD) for name, values in logits.items()
            ]
            optimiser.zero_grad()
            torch.stack(losses).sum().backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def _disturbed(pictures: Float[Tensor, "b c h w"], rng: np.random.Generator) -> Float[Tensor, "b c h w"]:
    """Move by up to 4 pixels, mirror half of them, blur and roughen a little."""
    side = pictures.shape[-1]
    left, top = rng.integers(0, 9, 2).tolist()
    padded = F.pad(pictures, (4, 4, 4, 4), mode="replicate")
    moved = padded[..., top : top + side, left : left + side]
    mirrored = torch.from_numpy(rng.random(len(moved)) < 0.5).view(-1, 1, 1, 1)
    moved = torch.where(mirrored, moved.flip(-1), moved)
    if rng.random() < 0.5:
        smaller = int(rng.integers(side // 2, side))
        small = F.interpolate(moved, (smaller, smaller), mode="bilinear", antialias=True)
        moved = F.interpolate(small, (side, side), mode="bilinear")
    noise = torch.from_numpy(rng.standard_normal(moved.shape, dtype=np.float32))
    return (moved + 0.03 * rng.random() * noise).clamp(0, 1)
