"""The benchmark of fits prints what it measured."""

import json
from pathlib import Path

import pytest
import trimesh

from benchmarks import fit_quality
from benchmarks.drawn_solids import SOLIDS
from ddmi_core.fitting import shapes
from tests.core.fitting.test_pictures import drawing


@pytest.mark.slow
def test_pictures_and_meshes_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for fidelity in ("balanced", "faithful"):
        monkeypatch.setitem(shapes._EFFORTS, fidelity, shapes._Effort(16, 4, 8, 40))
    monkeypatch.setattr(shapes, "_PLACES", 6_000)
    monkeypatch.setattr(fit_quality, "_MESHED", 32)
    drawing(96, 64).save(tmp_path / "picture.png")
    trimesh.creation.icosphere(2, 3.0).export(tmp_path / "ball.stl")
    fit_quality.main((tmp_path / "picture.png", tmp_path / "ball.stl"), siren=0.2)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == ["picture.png"] * 3 + ["ball.stl"] * 4
    balanced, faithful, siren, _, _, ball, grid = lines
    assert (
        faithful["psnr"] > 50 > balanced["psnr"] and faithful["ssim"] > 0.99 and faithful["bytes"] > balanced["bytes"]
    )
    assert siren["peer"] == "siren" and siren["psnr"] < balanced["psnr"]
    assert ball["iou"] > 0.9 and ball["chamfer_percent"] < 2
    assert grid["peer"] == "grid" and 0.5 < grid["iou"] <= 1


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_made_by_rule_have_an_inside(name: str) -> None:
    mesh = SOLIDS[name]()
    assert mesh.is_watertight and mesh.volume > 0 and mesh.extents.max() < 3
