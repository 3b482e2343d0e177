"""Who tells of what class a shape is: the classifier of furniture, or one that has learned a set's own classes."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import save_file

from ddmi_core.data.items import EncoderInput, ItemSource, SurfacePoints
from ddmi_core.data.shard_places import are_shards
from ddmi_core.domains import Domain
from ddmi_core.metrics.classifier import DRAWN, KINDS, ShapeClassifier, broad_kind, learned, shape_classifier
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache

TAUGHT, TESTED = 200, 50
"""Shapes of each class, at most, that a classifier learns, and that it is tested on."""
_LOOKED_AT = 20  # shapes by which a set is known again
_VERSION = 1

Cloud = Float[np.ndarray, "n 3"]


class Judge(NamedTuple):
    """A classifier of surface points.

    `held_out` says how many held-out shapes of a data set one of its own tells rightly, and of how many; None of the
    classifier of furniture, which `ddmi evaluate` does not test.
    """

    classifier: ShapeClassifier
    held_out: tuple[int, int] | None = None

    def kind(self, told: str) -> str:
        """Return the classifier's word for the kind that the data set gives."""
        return broad_kind(told) if self.classifier.kinds == KINDS else told


def judge_of(domain: Domain[Any, Any], data: str) -> Judge | None:
    """Return who tells classes of the shapes of a data set, from the cache or taught now (some minutes on one core).

    Args:
        domain: of the shapes.
        data: a starter set's name, or a folder whose training part has two classes at least.

    Returns:
        None: the folder has no classes.
    """
    if not (are_shards(data) or Path(data).is_dir()):
        return Judge(shape_classifier())
    given = EncoderInput(surface=SurfacePoints(DRAWN))
    train, held_out = (domain.items(data, split, seed=0, queries=1, given=given) for split in ("train", "held_out"))
    taught = _chosen(domain, train, TAUGHT)
    kinds = sorted(taught)
    if len(kinds) < 2:
        return None
    tested = {kind: some for kind, some in _chosen(domain, held_out, TESTED).items() if kind in taught}
    path = cache() / f"shape-classifier-own-{_VERSION}-{_fingerprint(taught, tested, train):08x}.safetensors"
    known = _stored(path, kinds)
    if known is not None:
        return known
    rng = np.random.default_rng(0)
    model = learned([{kind: [_cloud(train, i) for i in some] for kind, some in taught.items()}], kinds, rng)
    told = [(kind, model.predict([_cloud(held_out, i)])[0]) for kind, some in tested.items() for i in some]
    right = sum(kind == guess for kind, guess in told)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        save_file(model.state_dict(), temporary, {"right": str(right), "of": str(len(told))})
    return Judge(model, (right, len(told)))


def _chosen(domain: Domain[Any, Any], source: ItemSource, most: int) -> dict[str, list[int]]:
    """Return some shapes of each class, the same each time."""
    found: dict[str, list[int]] = {}
    for index in np.random.default_rng(0).permutation(len(source)).tolist():
        kind = domain.kind_of(source, index)
        if kind is not None and len(found.setdefault(kind, [])) < most:
            found[kind].append(index)
    return found


def _cloud(source: ItemSource, index: int) -> Cloud:
    return source.sample(index, np.random.default_rng((0, index)), augment="none")["points"]


def _fingerprint(taught: Mapping[str, list[int]], tested: Mapping[str, list[int]], train: ItemSource) -> int:
    """What changes when the set does: which shapes are chosen of which class, and how some of them look."""
    found = zlib.crc32(repr([sorted(taught.items()), sorted(tested.items())]).encode())
    every = [index for some in taught.values() for index in some]
    for index in every[:: max(1, len(every) // _LOOKED_AT)]:
        found = zlib.crc32(_cloud(train, index).tobytes(), found)
    return found


def _stored(path: Path, kinds: list[str]) -> Judge | None:
    if not path.exists():
        return None
    model = ShapeClassifier(kinds)
    with safe_open(path, framework="pt") as file:
        model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 - no mapping
        about = file.metadata()
    return Judge(model.eval(), (int(about["right"]), int(about["of"])))
