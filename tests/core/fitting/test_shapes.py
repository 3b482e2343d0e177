"""Fits of meshes: what they learn from, how near they come, and where they lie."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh

from ddmi_core import cli
from ddmi_core.domains import get_domain
from ddmi_core.fields.shape import ShapeField
from ddmi_core.fitting import shapes
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.plan import FitPlan
from ddmi_core.fitting.solids import Places, measured_places
from ddmi_core.placement import Placement
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Cancelled


@pytest.fixture(autouse=True)
def little_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shapes._EFFORTS, "balanced", shapes._Effort(24, 6, 16, 80))
    monkeypatch.setattr(shapes, "_PLACES", 20_000)
    monkeypatch.setattr(shapes, "_HELD_OUT", 4_000)
    monkeypatch.setattr(shapes, "_BATCH", 2048)


def mug() -> trimesh.Trimesh:
    """A thick cup: hollow, closed, and not where the origin is."""
    cup = trimesh.creation.annulus(0.7, 1.0, 2.0).apply_translation((5, 1, -3))
    floor = trimesh.creation.cylinder(1.0, 0.5).apply_translation((5, 1, -3.8))
    return trimesh.util.concatenate([cup, floor])


def normalised(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(Placement.of(mesh.vertices).brought_in(mesh.vertices), mesh.faces, process=False)


def test_distances_are_signed() -> None:
    ball = trimesh.creation.icosphere(4, 0.8)
    places, held_out = measured_places(ball, 8000, held_out=1000)
    assert len(places.points) == 8000 and len(held_out.points) == 1000
    for found in (places, held_out):
        truth = 0.8 - np.linalg.norm(found.points, axis=1)
        assert np.abs(found.distances - truth).max() < 0.01
    assert (np.abs(places.distances) < 0.05).mean() > 0.5


@pytest.mark.parametrize("turned", [False, True])
def test_overlapping_parts_and_turned_faces_have_an_inside(turned: bool) -> None:
    mesh = normalised(mug())
    if turned:
        mesh.invert()
    places, _ = measured_places(mesh, 4000, held_out=0)
    radius = np.hypot(places.points[:, 0], places.points[:, 1])
    hollow = (radius < 0.5) & (places.points[:, 2] > 0)
    assert hollow.any() and (places.distances[hollow] < 0).all()
    wall = (np.abs(radius - 0.76) < 0.03) & (np.abs(places.points[:, 2]) < 0.5)
    assert wall.any() and (places.distances[wall] > 0).all()


def test_a_mesh_with_holes_is_a_solid_all_the_same() -> None:
    box = trimesh.creation.box((1.6, 1.6, 1.6))
    box.update_faces(np.arange(len(box.faces)) > 0)  # a triangle is missing
    places, _ = measured_places(box, 4000, held_out=0)
    deep = np.abs(places.points).max(axis=1) < 0.5
    assert (places.distances[~deep & (np.abs(places.points).max(axis=1) > 0.9)] < 0).all()
    assert deep.any()


def test_a_fit_comes_near_and_leaves_in_the_files_own_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, kept, made = tmp_path / "mug.stl", tmp_path / "mug.fit", tmp_path / "made.stl"
    mug().export(file)
    assert cli.main(f"fit {file} --fidelity balanced --out {kept} --json".split()) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["figures"]["iou"] > 0.8 and facts["size_bytes"] < 100_000
    assert cli.main(f"fit {kept} --out {made} --resolution 48".split()) == 0
    mesh = trimesh.load(made, force="mesh")
    assert mesh.is_watertight and np.abs(mesh.bounds - mug().bounds).max() < 0.15
    field = get_domain("shape").fitted(Fit.load(kept))
    assert isinstance(field, ShapeField)
    assert field.logits(torch.tensor([[0.0, 0.0, 0.3], [0.76, 0.0, 0.0]])).sign().tolist() == [-1, 1]


@pytest.mark.slow
def test_the_same_mesh_gives_the_same_fit(tmp_path: Path) -> None:
    mug().export(tmp_path / "mug.stl")
    first, second = (get_domain("shape").fit(tmp_path / "mug.stl", FitPlan("balanced")) for _ in range(2))
    assert all(
        torch.equal(a, b) for x, y in zip(first.basis, second.basis, strict=True) for a, b in zip(x, y, strict=True)
    )


@pytest.mark.slow
def test_it_is_seen_on_the_way_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shapes._EFFORTS, "balanced", shapes._Effort(32, 4, 16, 60))
    mug().export(tmp_path / "mug.stl")
    domain = get_domain("shape")
    first, *more, last = domain.fit_gradually(tmp_path / "mug.stl", FitPlan("balanced"))
    done = [fit.done for fit in (first, *more, last)]
    assert done[0] == 0.1 and done[-1] == 1 and np.diff(done).max() < 0.2  # so much is lost where it is stopped
    assert first.figures["iou"] < last.figures["iou"] and Fit.from_bytes(first.to_bytes(), "it").done == 0.1
    stopped = more[0]
    *on_the_way, end = domain.fit_gradually(tmp_path / "mug.stl", FitPlan("balanced", start=stopped))
    assert all(stopped.done < fit.done < 1 for fit in on_the_way) and on_the_way and end.done == 1
    *better, further = domain.fit_gradually(tmp_path / "mug.stl", FitPlan("balanced", start=last))
    assert all(fit.figures["iou"] >= last.figures["iou"] for fit in better)  # what is whole is not given up for less
    assert further.done == 1 and further.figures["iou"] > stopped.figures["iou"]
    other = Fit("shape", last.sizes.model_copy(update={"width": 8}), last.readout, last.basis, "balanced")
    with pytest.raises(DataError, match="another kind"):
        domain.fit(tmp_path / "mug.stl", FitPlan("balanced", start=other))


def test_it_is_gone_on_with_by_the_command_and_takes_the_time_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(shapes._EFFORTS, "balanced", shapes._Effort(16, 4, 16, 10**6))
    mug().export(tmp_path / "mug.stl")
    file, kept, again = (tmp_path / name for name in ("mug.stl", "mug.fit", "again.fit"))
    assert cli.main(f"fit {file} --fidelity balanced --time 1 --out {kept}".split()) == 0  # else for hours
    assert cli.main(f"fit {file} --fidelity balanced --time 1 --start {kept} --out {again} --json".split()) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["done"] == 1
    assert cli.main(f"fit {kept} --time 1 --out {again} --force".split()) == 2
    assert "--start" in capsys.readouterr().err
    assert cli.main(f"fit {file} --start {kept} --out {again} --force".split()) == 1
    assert "balanced, not faithful" in capsys.readouterr().err


def test_of_little_time_little_is_spent_on_measuring_the_mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def measured(mesh: trimesh.Trimesh, count: int, **options: Any) -> tuple[Places, Places]:
        asked.append(count)
        return measured_places(mesh, count, **options)

    monkeypatch.setattr(shapes, "measured_places", measured)
    monkeypatch.setitem(shapes._EFFORTS, "balanced", shapes._Effort(16, 4, 16, 2))
    mug().export(tmp_path / "mug.stl")
    for seconds in (None, 1, 2, 3):
        get_domain("shape").fit(tmp_path / "mug.stl", FitPlan("balanced", seconds=seconds))
    usual, *short = asked
    assert 1000 <= short[0] <= short[1] <= short[2] < usual / 4


def test_it_can_be_cancelled_and_says_what_cannot_be_fitted(tmp_path: Path) -> None:
    mug().export(tmp_path / "mug.stl")

    def stop(share: float, message: str) -> None:
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        get_domain("shape").fit(tmp_path / "mug.stl", FitPlan("balanced"), stop)
    trimesh.PointCloud(np.random.default_rng(0).random((500, 3))).export(tmp_path / "cloud.ply")
    with pytest.raises(DataError, match="no faces"):
        get_domain("shape").fit(tmp_path / "cloud.ply", FitPlan("balanced"))
    with pytest.raises(DataError, match="balanced or faithful"):
        get_domain("shape").fit(tmp_path / "mug.stl", FitPlan("small"))


def test_what_a_model_makes_of_a_mesh_is_compared_with_its_solid(tmp_path: Path) -> None:
    mug().export(tmp_path / "mug.stl")
    trimesh.PointCloud(mug().vertices).export(tmp_path / "cloud.ply")
    domain, latent = get_domain("shape"), torch.zeros(3, 4, 4)
    fit = domain.fit(tmp_path / "mug.stl", FitPlan("balanced"))
    source = domain.read(tmp_path / "mug.stl", queries=1)
    facts = domain.latent_facts(tmp_path / "mug.stl", source, latent, domain.fitted(fit))
    assert facts is not None and (facts.fidelity, facts.size_bytes) == ("small", 192)
    assert 0.8 < facts.figures["iou"] <= 1
    cloud = domain.read(tmp_path / "cloud.ply", queries=1)
    assert domain.latent_facts(tmp_path / "cloud.ply", cloud, latent, domain.fitted(fit)) is None
