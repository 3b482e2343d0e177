"""What kind of furniture a point cloud is: a small network on where the points lie, trained on training splits only.

Among its kinds are those that people ask for; a bench without a back is told from a coffee table by chance only.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddmi_core.data.furniture.catalogue import INDEX_FILE, furniture
from ddmi_core.data.furniture.procedural import ProceduralShapes, procedural
from ddmi_core.data.shapes import GridShapes
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import assets, cache

KINDS = ("chair", "bench", "table", "sofa", "bed", "lamp", "storage", "other")
_BROADER = {
    "armchair": "chair",
    "stool": "chair",
    "desk": "table",
    "bookcase": "storage",
    "wardrobe": "storage",
    "cabinet": "storage",
}
Tally = dict[str, tuple[int, int]]
"""Of each kind how many were named rightly, and how many there are."""
CELLS = 16
_POINTS = 2048
DRAWN = 4096
"""Points of each shape, of which examples take different ones."""
_PROCEDURAL_COUNT, _PROCEDURAL_SEED = 3000, 424_242
_STEPS, _BATCH = 600, 96
_VERSION = 2


def broad_kind(kind: str) -> str:
    """One of `KINDS` for the kind that a data set gives."""
    kind = _BROADER.get(kind, kind)
    return kind if kind in KINDS else "other"


class ShapeClassifier(nn.Module):
    """A 3D convolutional network on the share of surface points in each cell of a grid.

    Args:
        kinds: what it tells apart.
    """

    def __init__(self, kinds: Sequence[str] = KINDS) -> None:
        super().__init__()
        self.kinds = tuple(kinds)
        self.layers = nn.Sequential(
            nn.Conv3d(1, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv3d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv3d(32, 48, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(48 * (CELLS // 4) ** 3, 96),
            nn.ReLU(),
            nn.Linear(96, len(self.kinds)),
        )

    def forward(self, features: Float[Tensor, "b x y z"]) -> Float[Tensor, "b k"]:
        """Return logits over the kinds of what `features` gives."""
        return self.layers(features.unsqueeze(1))

    @torch.no_grad()
    def predict(self, clouds: Sequence[Float[np.ndarray, "_ 3"]]) -> list[str]:
        """Kinds of surface point clouds, at any scale; y up."""
        self.eval()
        logits = self(torch.from_numpy(np.stack([features(c) for c in clouds])))
        return [self.kinds[i] for i in logits.argmax(1).tolist()]


def features(points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "x y z"]:
    """Network input of a cloud, which is centred and scaled first: the root of the share of points in each cell."""
    low, high = points.min(0), points.max(0)
    unit = (points - (low + high) / 2) / max(float((high - low).max()), 1e-9) + 0.5
    cells = np.clip((unit * CELLS).astype(np.int64), 0, CELLS - 1)
    counts = np.bincount(cells @ np.array([CELLS**2, CELLS, 1]), minlength=CELLS**3).reshape((CELLS,) * 3)
    # The root keeps a large flat panel from drowning thin legs.
    return (np.sqrt(counts / len(points)) * CELLS).astype(np.float32)


def shape_classifier() -> ShapeClassifier:
    """The trained classifier, from the cache or trained now (some minutes on one core); the same each time."""
    made = procedural(_PROCEDURAL_COUNT, _PROCEDURAL_SEED)
    data = (assets() / "datasets" / "furniture" / INDEX_FILE).read_bytes() + _fingerprint(made)
    path: Path = cache() / f"shape-classifier-{_VERSION}-{zlib.crc32(data):08x}.safetensors"
    model = ShapeClassifier()
    if path.exists():
        model.load_state_dict(load_file(path))
        return model
    model = train(furniture("train"), made)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        save_file(model.state_dict(), temporary)
    return model


def train(real: Any, made: Any, *, seed: int = 0) -> ShapeClassifier:
    """Train on two shape sets, half of each batch from either, every kind equally likely within its half."""
    rng = np.random.default_rng(seed)
    return learned([_clouds_by_kind(dataset, rng) for dataset in (real, made)], KINDS, rng, seed=seed)


def learned(
    pools: Sequence[Mapping[str, Sequence[Float[np.ndarray, "n 3"]]]],
    kinds: Sequence[str],
    rng: np.random.Generator,
    *,
    seed: int = 0,
) -> ShapeClassifier:
    """Return a classifier that has learned clouds by their kinds: of each pool as many, and of each of its kinds.

    Args:
        pools: clouds by kind.
        kinds: what the classifier is to tell apart, each in some pool.
        rng: chooses and changes the clouds.
        seed: of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ShapeClassifier(kinds)
        optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=_STEPS)
        for _ in range(_STEPS):
            inputs, labels = _batch(pools, kinds, rng)
            loss = nn.functional.cross_entropy(model(inputs), labels, label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def held_out_accuracy(model: ShapeClassifier, shapes: ProceduralShapes | GridShapes, count: int) -> tuple[float, Tally]:
    """Accuracy on the first real shapes of a held-out set, and (right, all) per kind; what is "other" counts not."""
    count = min(count, len(shapes))
    clouds = [np.asarray(shapes.sample(i, np.random.default_rng(i), _POINTS, 1)["points"]) for i in range(count)]
    guesses = [guess for start in range(0, len(clouds), _BATCH) for guess in model.predict(clouds[start:][:_BATCH])]
    return tally_of([broad_kind(shapes.kind(i)) for i in range(count)], guesses)


def _fingerprint(shapes: ProceduralShapes) -> bytes:
    """What changes when the making of shapes does."""
    return repr(
        [(shapes.attributes(i), shapes.shape(i).sides.round(4).tolist()) for i in range(min(40, len(shapes)))]
    ).encode()


def tally_of(truths: Sequence[str], guesses: Sequence[str], kinds: Sequence[str] = KINDS) -> tuple[float, Tally]:
    """Accuracy on the named kinds, and how many are right of how many per kind, "other" included."""
    tally = {kind: (0, 0) for kind in kinds}
    for truth, guess in zip(truths, guesses, strict=True):
        right, total = tally[truth]
        tally[truth] = (right + (truth == guess), total + 1)
    named = [tally[k] for k in kinds if k != "other"]
    return sum(r for r, _ in named) / max(sum(n for _, n in named), 1), tally


def _clouds_by_kind(dataset: Any, rng: np.random.Generator) -> dict[str, list[Float[np.ndarray, "n 3"]]]:
    pool: dict[str, list[Float[np.ndarray, "n 3"]]] = {}
    for i in range(len(dataset)):
        pool.setdefault(broad_kind(dataset.kind(i)), []).append(dataset.sample(i, rng, DRAWN, 1)["points"])
    return pool


def _batch(
    pools: Sequence[Mapping[str, Sequence[Float[np.ndarray, "n 3"]]]], kinds: Sequence[str], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    inputs, labels = [], []
    for number in range(_BATCH):
        pool = pools[number % len(pools)]
        names = sorted(pool)
        name = names[int(rng.integers(len(names)))]
        cloud = pool[name][int(rng.integers(len(pool[name])))]
        # Mirrored, stretched, thinned and roughened: a reconstruction is never as crisp as a catalogue mesh.
        stretch = rng.uniform(0.85, 1.2, 3) * (rng.choice((-1, 1)), 1, 1)
        chosen = cloud[rng.integers(len(cloud), size=rng.integers(_POINTS // 2, 3 * _POINTS // 2))]
        inputs.append(features(chosen * stretch + rng.normal(0, rng.uniform(0, 0.02), chosen.shape)))
        labels.append(kinds.index(name))
    return torch.from_numpy(np.stack(inputs)), torch.tensor(labels)
