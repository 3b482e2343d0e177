"""What kind of furniture is seen in pictures from around it: a linear layer on the named backbone's features.

Trained on pictures of the radiance starter set's training split only.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddmi_core.data.furniture.renders import INDEX_FILE, SIDE, FurnitureViews, cameras_of
from ddmi_core.metrics.classifier import KINDS, Tally, broad_kind, tally_of
from ddmi_core.metrics.pictures import FEATURES, features
from ddmi_core.rendering.cameras import Camera
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import assets, cache

LOOKS = (10, 13, 15, 18)
"""Which of the starter set's views are looked at: from 6 to 38 degrees above the horizon, all around."""

_OTHERS = 4  # of the things that are no named kind, which are most of the set, every so many-th is learned from
_BLURRED = SIDE // 2
_STEPS, _DECAY = 200, 10.0
_VERSION = 2


class ViewClassifier(nn.Module):
    """A linear layer on the features of an object's pictures, averaged over them."""

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("spread", torch.ones(FEATURES))
        self.layer = nn.Linear(FEATURES, len(KINDS))

    def forward(self, found: Float[Tensor, "n f"]) -> Float[Tensor, "n k"]:
        """Return logits over `KINDS` of averaged features."""
        return self.layer((found - self.mean) / self.spread)

    @torch.no_grad()
    def predict(self, pictures: Float[Tensor, "n v 3 h w"]) -> list[str]:
        """Return the kinds of objects, each seen from the cameras of `looks`, on white, values in [0, 1]."""
        return [KINDS[i] for i in self(averaged(pictures)).argmax(1).tolist()]


def looks() -> list[Camera]:
    """Return the cameras that an object is to be seen from."""
    cameras = cameras_of(0.0)
    return [cameras[i] for i in LOOKS]


def averaged(pictures: Float[Tensor, "n v 3 h w"]) -> Float[Tensor, "n f"]:
    """Return the mean features of the pictures of each object."""
    return features(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2]).mean(1)


def view_classifier() -> ViewClassifier:
    """Return the trained classifier, from the cache or trained now (some minutes); the same each time."""
    index = (assets() / "datasets" / "furniture-nerf" / INDEX_FILE).read_bytes()
    path: Path = cache() / f"view-classifier-{_VERSION}-{zlib.crc32(index):08x}.safetensors"
    model = ViewClassifier()
    if path.exists():
        model.load_state_dict(load_file(path))
        return model
    objects = FurnitureViews("train")
    kinds = [broad_kind(objects.kind(i)) for i in range(len(objects))]
    others = [i for i, kind in enumerate(kinds) if kind == "other"]
    chosen = [i for i, kind in enumerate(kinds) if kind != "other"] + others[::_OTHERS]
    # Half of the pictures lose their detail: those of a radiance field are never as crisp.
    sharp = torch.stack([seen(objects, i) for i in chosen])
    blurred = torch.stack([_blurred(part) if i % 2 else part for i, part in enumerate(sharp)])
    model = fit(averaged(blurred), [kinds[i] for i in chosen])
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        save_file(model.state_dict(), temporary)
    return model


def fit(found: Float[Tensor, "n f"], kinds: Sequence[str], *, seed: int = 0) -> ViewClassifier:
    """Fit a classifier to averaged features; every kind that occurs weighs the same."""
    labels = torch.tensor([KINDS.index(kind) for kind in kinds])
    counts = torch.bincount(labels, minlength=len(KINDS)).float()
    weights = torch.where(counts > 0, 1 / counts.clamp(min=1), 0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ViewClassifier()
    model.mean.copy_(found.mean(0))
    model.spread.copy_(found.std(0).clamp(min=1e-3))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=_DECAY)
    for _ in range(_STEPS):
        loss = F.cross_entropy(model(found), labels, weights, label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def held_out_accuracy(model: ViewClassifier) -> tuple[float, Tally]:
    """Return the accuracy on real held-out furniture of the named kinds, and (right, all) per kind."""
    objects = FurnitureViews("held_out")
    guesses = model.predict(torch.stack([seen(objects, i) for i in range(len(objects))]))
    return tally_of([broad_kind(objects.kind(i)) for i in range(len(objects))], guesses)


def seen(objects: FurnitureViews, index: int) -> Float[Tensor, "v 3 h w"]:
    """Return the pictures of an object in which its kind is to be told, on white."""
    pixels = torch.from_numpy(objects.views(index).pixels[list(LOOKS)].astype(np.float32) / 255)
    return (pixels[..., :3] * pixels[..., 3:] + 1 - pixels[..., 3:]).movedim(-1, 1)


def _blurred(pictures: Float[Tensor, "v 3 h w"]) -> Float[Tensor, "v 3 h w"]:
    small = F.interpolate(pictures, (_BLURRED, _BLURRED), mode="bilinear", antialias=True)
    return F.interpolate(small, pictures.shape[-2:], mode="bilinear")
