"""What kind of furniture a point cloud is: a small network on where the points lie, trained on training splits only."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddmi_core.data.furniture import INDEX_FILE, furniture
from ddmi_core.data.procedural import procedural
from ddmi_core.files import atomic_write
from ddmi_core.paths import assets, cache

KINDS = ("chair", "table", "sofa", "bed", "lamp", "storage", "other")
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
_CELLS = 10
_POINTS = 2048
_PROCEDURAL_COUNT, _PROCEDURAL_SEED = 1500, 424_242
_STEPS, _BATCH = 600, 96
_VERSION = 1


def broad_kind(kind: str) -> str:
    """One of `KINDS` for the kind that a data set gives."""
    kind = _BROADER.get(kind, kind)
    return kind if kind in KINDS else "other"


class ShapeClassifier(nn.Module):
    """Two-layer network on the share of surface points in each cell of a 10^3 grid and on the extents."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(_CELLS**3 + 3, 192),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(192, 64),
            nn.ReLU(),
            nn.Linear(64, len(KINDS)),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features (b, 1003) -> logits (b, 7) over `KINDS`."""
        return self.layers(features)

    @torch.no_grad()
    def predict(self, clouds: list[NDArray[np.floating]]) -> list[str]:
        """Kinds of surface point clouds (n, 3), at any scale; y up."""
        self.eval()
        logits = self(torch.from_numpy(np.stack([features(c) for c in clouds])))
        return [KINDS[i] for i in logits.argmax(1).tolist()]


def features(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Network input (1003,) of a cloud (n, 3), which is centred and scaled first."""
    low, high = points.min(0), points.max(0)
    sides = high - low
    unit = (points - (low + high) / 2) / max(float(sides.max()), 1e-9) + 0.5
    cells = np.clip((unit * _CELLS).astype(np.int64), 0, _CELLS - 1)
    counts = np.bincount(cells @ np.array([_CELLS**2, _CELLS, 1]), minlength=_CELLS**3)
    # The square root keeps a large flat panel from drowning thin legs.
    spread = np.sqrt(counts / len(points)) * 10
    return np.concatenate([spread, 3 * sides / max(float(sides.max()), 1e-9)]).astype(np.float32)


def shape_classifier() -> ShapeClassifier:
    """The trained classifier, from the cache or trained now (under a minute on one core); the same each time."""
    index = (assets() / "datasets" / "furniture" / INDEX_FILE).read_bytes()
    path: Path = cache() / f"shape-classifier-{_VERSION}-{zlib.crc32(index):08x}.safetensors"
    model = ShapeClassifier()
    if path.exists():
        model.load_state_dict(load_file(path))
        return model
    model = train(furniture("train"), procedural(_PROCEDURAL_COUNT, _PROCEDURAL_SEED))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        save_file(model.state_dict(), temporary)
    return model


def train(real: Any, made: Any, *, seed: int = 0) -> ShapeClassifier:
    """Train on two shape sets, half of each batch from either, every kind equally likely within its half."""
    rng = np.random.default_rng(seed)
    pools = [_clouds_by_kind(dataset, rng) for dataset in (real, made)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ShapeClassifier()
        optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=_STEPS)
        for _ in range(_STEPS):
            inputs, labels = _batch(pools, rng)
            loss = nn.functional.cross_entropy(model(inputs), labels, label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def held_out_accuracy(model: ShapeClassifier) -> tuple[float, Tally]:
    """Accuracy on real held-out furniture of the six named kinds, and (right, all) per kind, "other" included."""
    dataset = furniture("held_out")
    guesses = model.predict([dataset.points(i) for i in range(len(dataset))])
    return tally_of([broad_kind(dataset.kind(i)) for i in range(len(dataset))], guesses)


def tally_of(truths: Sequence[str], guesses: Sequence[str]) -> tuple[float, Tally]:
    """Accuracy on the six named kinds, and how many are right of how many per kind, "other" included."""
    tally = {kind: (0, 0) for kind in KINDS}
    for truth, guess in zip(truths, guesses, strict=True):
        right, total = tally[truth]
        tally[truth] = (right + (truth == guess), total + 1)
    named = [tally[k] for k in KINDS if k != "other"]
    return sum(r for r, _ in named) / max(sum(n for _, n in named), 1), tally


def _clouds_by_kind(dataset: Any, rng: np.random.Generator) -> dict[str, list[NDArray[np.floating]]]:
    pool: dict[str, list[NDArray[np.floating]]] = {}
    for i in range(len(dataset)):
        pool.setdefault(broad_kind(dataset.kind(i)), []).append(dataset.sample(i, rng, _POINTS, 2)["points"])
    return pool


def _batch(pools: list[dict[str, list[NDArray[np.floating]]]], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    inputs, labels = [], []
    for number in range(_BATCH):
        pool = pools[number % len(pools)]
        names = sorted(pool)
        name = names[int(rng.integers(len(names)))]
        cloud = pool[name][int(rng.integers(len(pool[name])))]
        # Mirrored, stretched, thinned and roughened: a reconstruction is never as crisp as a catalogue mesh.
        stretch = rng.uniform(0.8, 1.25, 3) * (rng.choice((-1, 1)), 1, 1)
        chosen = cloud[rng.random(len(cloud)) < rng.uniform(0.5, 1)]
        inputs.append(features(chosen * stretch + rng.normal(0, rng.uniform(0, 0.02), chosen.shape)))
        labels.append(KINDS.index(name))
    return torch.from_numpy(np.stack(inputs)), torch.tensor(labels)
