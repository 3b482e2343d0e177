"""A classifier of a data set's own classes: taught on its training part, tested on the held-out one, kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ddmi_core.data.shape_folders import kind_of
from ddmi_core.domains import get_domain
from ddmi_core.evaluation.plan import make_plan
from ddmi_core.evaluation.run import evaluate
from ddmi_core.fields import shape
from ddmi_core.metrics import classifier, judge
from ddmi_core.metrics.judge import judge_of
from ddmi_core.pipeline import Pipeline
from tests.tiny_model import save_tiny_model

_STRETCHES = {"ball": (1.0, 1.0, 1.0), "stick": (0.15, 1.0, 0.15)}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "_STEPS", 25)
    monkeypatch.setattr(classifier, "_BATCH", 12)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = tmp_path / "cache"
    monkeypatch.setattr(judge, "cache", lambda: place)
    yield place


def model_of(folder: Path, stretch: tuple[float, float, float], seed: int) -> None:
    """An ellipsoid as the Occupancy Networks' files give it."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    radii = 0.5 * np.array(stretch) * rng.uniform(0.8, 1.0, 3)
    points = rng.uniform(-0.55, 0.55, (400, 3)).astype(np.float32)
    inside = np.linalg.norm(points / radii, axis=1) < 1
    np.savez(folder / "points.npz", points=points, occupancies=np.packbits(inside))
    directions = rng.normal(size=(1000, 3))
    surface = directions / np.linalg.norm(directions, axis=1, keepdims=True) * radii
    np.savez(folder / "pointcloud.npz", points=surface.astype(np.float32))


def shapenet(root: Path, *classes: str) -> Path:
    for name in classes:
        for part, count in (("train", 5), ("val", 3)):
            for number in range(count):
                model_of(root / name / f"{part}{number}", _STRETCHES[name], number + (50 if part == "val" else 0))
            (root / name / f"{part}.lst").write_text("".join(f"{part}{number}\n" for number in range(count)))
    return root


def test_classes_are_learned_tested_and_kept(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = shapenet(tmp_path / "set", "ball", "stick")
    found = judge_of(get_domain("shape"), str(root))
    assert found is not None and found.classifier.kinds == ("ball", "stick") and found.kind("ball") == "ball"
    assert found.held_out is not None and found.held_out[1] == 6 and found.held_out[0] >= 5

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("it was learned again")

    clouds = [np.random.default_rng(0).normal(size=(500, 3)) * stretch for stretch in _STRETCHES.values()]
    with monkeypatch.context() as patched:
        patched.setattr(judge, "learned", never)
        again = judge_of(get_domain("shape"), str(root))
        assert again is not None and again.held_out == found.held_out
        assert again.classifier.predict(clouds) == found.classifier.predict(clouds)
        model_of(root / "ball" / "train9", _STRETCHES["stick"], 9)
        (root / "ball" / "train.lst").write_text("train9\n")
        with pytest.raises(AssertionError, match="learned again"):  # the set has changed
            judge_of(get_domain("shape"), str(root))


def test_a_set_of_one_class_has_no_judge(tmp_path: Path, cache: Path) -> None:
    assert judge_of(get_domain("shape"), str(shapenet(tmp_path / "set", "ball"))) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("chair/17.off", "chair"),
        ("chair/train/17.off", "chair"),
        ("test/chair/17.off", "chair"),
        ("train/17.off", "other"),
        ("17.off", "other"),
    ],
)
def test_the_class_of_a_mesh_is_its_subfolder(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_an_evaluation_tells_by_the_classes_of_the_data(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape, "_MEASURED_RESOLUTION", 24)
    domain = get_domain("shape")
    pipeline = Pipeline.from_pretrained(save_tiny_model(tmp_path / "model"), device="cpu")  # of balls

    def accuracy(data: Path) -> dict[str, Any]:
        settings = {"data": str(data), "samples": 6, "steps": 2}
        plan = make_plan(domain, ["accuracy"], None, 1, model="m", model_hash=pipeline.hash, **settings)
        (figure,) = evaluate(plan, pipeline, tmp_path / f"of-{data.name}", device="cpu")["figures"]
        return figure

    figure = accuracy(shapenet(tmp_path / "two", "ball", "stick"))
    taught, told = figure["details"]["classifier"], figure["details"]["samples"]
    assert taught["of"] == 6 and f"right about {taught['right']} of 6 held-out" in figure["definition"]
    assert sum(one["of"] for one in told.values()) == figure["counts"]["samples"] == 6
    assert figure["value"] == pytest.approx(sum(one["right"] for one in told.values()) / 6)
    assert told["ball"]["right"] == told["ball"]["of"] and told["stick"]["right"] == 0

    figure = accuracy(shapenet(tmp_path / "one", "ball"))
    assert figure["value"] is None and "subfolder" in figure["reason"]
