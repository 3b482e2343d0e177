"""Fits of posed photographs: how near they come at views held out, what is kept of them, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from ddmi_core import cli
from ddmi_core.data import visual_hull
from ddmi_core.data.scene_views import read_scene
from ddmi_core.domains import get_domain
from ddmi_core.fields.radiance import RadianceField
from ddmi_core.fitting import scenes
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.plan import FitPlan
from ddmi_core.fitting.ray_samples import KnownDensity
from ddmi_core.fitting.scenes import distortion
from ddmi_core.rendering.cameras import orbit_camera
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Cancelled
from tests.core.data.posed_scene import SIDE, on_busy_ground, write_transforms


@pytest.fixture(scope="module", autouse=True)
def little_effort() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(scenes._EFFORTS, "balanced", scenes._Effort(32, 4, 16, 40))
        little = {"_RAYS": 256, "_MET": 512, "_BEGINNING": 40, "_GRID": 32, "_STRATA": 48, "_EMPTY_PLACES": 256}
        for name, value in {**little, "_MEASURED_RAYS": 1000, "_REFRESH": 10, "_PRUNE": 20}.items():
            patch.setattr(scenes, name, value)
        patch.setattr(visual_hull, "_CELLS", 32)
        yield


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of posed pictures of a box, red before and green behind."""
    folder = tmp_path_factory.mktemp("scene") / "box"
    write_transforms(folder, 12)
    return folder


@pytest.fixture(scope="module")
def ways(box: Path) -> list[Fit]:
    """What a fit to it is on the way, and at last."""
    return list(get_domain("nerf").fit_gradually(box / "transforms.json", FitPlan("balanced")))


def edit(file: Path, change) -> None:
    """Change the frames of a transforms.json."""
    table = json.loads(file.read_text())
    change(table["frames"])
    file.write_text(json.dumps(table))


def test_a_box_is_seen_at_views_held_out(ways: list[Fit]) -> None:
    fit = ways[-1]
    assert fit.figures["held_out_views"] == 3
    assert fit.figures["psnr"] > 12 and fit.figures["seen_psnr"] > 14
    field = get_domain("nerf").fitted(fit)
    assert isinstance(field, RadianceField)
    assert field.density(torch.tensor([[0.0, 0.8, 0.0], [0.95, 0.9, 0.95], [-0.9, -0.9, 0.9]])).max() < 1
    front, back = (field.render(orbit_camera(turn, 0.0), 16, 16).colour[8, 8] for turn in (0.0, 180.0))
    assert front[0] > 2 * front[1] and back[1] > 2 * back[0]  # red before, green behind


def test_what_there_is_on_the_way_can_be_used_and_comes_nearer(ways: list[Fit]) -> None:
    assert len(ways) == len(scenes._STAGES) + 1
    assert ways[-1].figures["seen_psnr"] > ways[0].figures["seen_psnr"]
    assert Fit.from_bytes(ways[0].to_bytes(), "it").figures == ways[0].figures


def test_the_command_line_keeps_the_same_fit_and_makes_a_mesh_of_it(
    box: Path, ways: list[Fit], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, made = tmp_path / "box.fit", tmp_path / "made.ply"
    assert cli.main(f"fit {box} --fidelity balanced --out {kept} --json".split()) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["size_bytes"] < 100_000 and facts["figures"]["held_out_views"] == 3
    again = Fit.load(kept)
    assert again.figures == ways[-1].figures
    for planes, others in zip(again.basis, ways[-1].basis, strict=True):
        assert all(torch.equal(one, other.half().float()) for one, other in zip(planes, others, strict=True))
    assert cli.main(f"fit {kept} --out {made} --resolution 32 --unit-cube".split()) == 0
    assert 1.5 < np.ptp(trimesh.load(made, force="mesh").bounds[:, 0]) <= 2


def test_what_was_stopped_goes_on_where_it_stopped(box: Path, ways: list[Fit]) -> None:
    assert [round(fit.done, 2) for fit in ways] == [*scenes._STAGES, 1.0]
    stopped = Fit.from_bytes(ways[2].to_bytes(), "it")
    told: list[str] = []
    rest = list(
        get_domain("nerf").fit_gradually(box, FitPlan("balanced", start=stopped), lambda share, text: told.append(text))
    )
    assert stopped.done == 0.4 and [round(fit.done, 2) for fit in rest] == [0.55, 0.7, 0.85, 1.0]
    steps = [text for text in told if "step" in text]
    assert len(steps) == 24 and "step 16 of 40" in steps[0] and not any("silhouettes" in text for text in told)
    assert rest[-1].figures["seen_psnr"] > stopped.figures["seen_psnr"]


def test_a_whole_fit_that_is_gone_on_with_is_not_given_up_for_less(box: Path, ways: list[Fit]) -> None:
    *better, last = get_domain("nerf").fit_gradually(box, FitPlan("balanced", start=ways[-1]))
    assert all(fit.figures["psnr"] >= ways[-1].figures["psnr"] for fit in better) and last.done == 1


def test_pictures_that_are_left_out_are_told_before_and_with_the_fit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(scenes._EFFORTS, "balanced", scenes._Effort(16, 4, 16, 4))
    write_transforms(tmp_path / "box", 9)
    on_busy_ground(tmp_path / "box", 0, 5)
    kept = tmp_path / "box.fit"
    assert cli.main(f"fit {tmp_path / 'box'} --fidelity balanced --out {kept}".split()) == 0
    assert "2 of 9 pictures are left out. 0.png: it has neither" in capsys.readouterr().err
    assert "2 of 9 pictures are left out" in caplog.text
    assert Fit.load(kept).facts.remark.startswith("2 of 9 pictures")


def test_it_can_be_stopped_on_the_way(box: Path) -> None:
    def stop(share: float, message: str) -> None:
        if "step" in message:
            raise Cancelled

    with pytest.raises(Cancelled):
        get_domain("nerf").fit(box, FitPlan("balanced"), stop)


def test_every_fourth_view_is_held_out_or_those_of_a_file_of_their_own(tmp_path: Path) -> None:
    write_transforms(tmp_path, 9)
    views = read_scene(tmp_path)
    assert (len(views.learned.cameras), views.names) == (7, ("views/3.png", "views/7.png"))
    table = json.loads((tmp_path / "transforms.json").read_text())
    (tmp_path / "transforms_test.json").write_text(json.dumps(table | {"frames": table["frames"][:4]}))
    table["frames"] = table["frames"][4:]
    (tmp_path / "transforms_train.json").write_text(json.dumps(table))
    views = read_scene(tmp_path)
    assert (len(views.learned.cameras), len(views.held_out.cameras)) == (5, 4)


def from_one_side(frames: list[dict]) -> None:
    for frame in frames:
        frame["transform_matrix"] = frames[0]["transform_matrix"]


def disagreeing(frames: list[dict]) -> None:
    for frame in frames[::2]:  # through a lens that is three times as long as it was
        frame |= {"fl_x": 5 * SIDE, "fl_y": 5 * SIDE}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frames: frames.__delitem__(slice(2, None)), "2 usable views"),
        (from_one_side, "from the same side"),
        (disagreeing, "nothing in common|disagree"),
    ],
)
def test_what_cannot_be_fitted_is_told(tmp_path: Path, change, reason: str) -> None:
    write_transforms(tmp_path)
    edit(tmp_path / "transforms.json", change)
    with pytest.raises(DataError, match=reason):
        get_domain("nerf").fit(tmp_path / "transforms.json", FitPlan("balanced"))


def test_cameras_inside_of_the_object_are_told(tmp_path: Path) -> None:
    write_transforms(tmp_path)
    opaque = Image.new("RGBA", (SIDE, SIDE), "red")
    opaque.putpixel((0, 0), (0, 0, 0, 0))
    opaque.save(tmp_path / "views/1.png")
    (problem,) = read_scene(tmp_path).unusable
    assert "inside of the object" in problem.reason
    for number in range(6):
        opaque.save(tmp_path / f"views/{number}.png")
    with pytest.raises(DataError, match="6 of its 8 views are inside of the object"):
        read_scene(tmp_path)


def test_other_things_are_no_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="no posed pictures"):
        get_domain("nerf").fit(tmp_path, FitPlan("balanced"))
    with pytest.raises(DataError, match="balanced or faithful"):
        get_domain("nerf").fit(tmp_path, FitPlan("small"))

    def short_of_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(scenes, "read_scene", short_of_memory)
    with pytest.raises(DataError, match=r"too large .* Try a balanced fit"):
        get_domain("nerf").fit(tmp_path)


def test_samples_lie_where_something_may_be_and_not_behind_it() -> None:
    solid = torch.zeros(16, 16, 16, dtype=torch.bool)
    solid[4:12, 4:12, 4:12] = True  # from -0.5 to 0.5
    known = KnownDensity(solid, 20.0)
    ways = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    samples = known.samples(torch.tensor([[0.0, 0.0, -2.0], [0.9, 0.0, -2.0]]), ways, 64, None, known.box())
    assert samples.ray.unique().tolist() == [0]
    assert samples.depth.min() > 1.5 and 1.7 < samples.depth.max() < 2.1
    assert samples.padded(samples.depth).shape == (2, len(samples.depth))
    known.refresh(lambda places: (places[:, 0] > 0) * 9.0, torch.Generator().manual_seed(0))
    for _ in range(60):  # until what was there before is forgotten
        known.refresh(lambda places: (places[:, 0] > 0) * 9.0, torch.Generator().manual_seed(0))
    known.prune()
    assert known.possible.sum() == 5 * 8 * 8


def test_distortion_is_that_of_all_pairs() -> None:
    rng = torch.Generator().manual_seed(0)
    densities, steps = 3 * torch.rand(2, 6, generator=rng), torch.rand(2, 6, generator=rng)
    depths = torch.cumsum(steps, -1)
    through = torch.exp(-(torch.cumsum(densities * steps, -1) - densities * steps))
    weights = through * (1 - torch.exp(-densities * steps))
    pairs = weights[:, :, None] * weights[:, None] * (depths[:, :, None] - depths[:, None]).abs()
    truth = (pairs.sum((1, 2)) + (weights**2 * steps).sum(1) / 3).mean()
    assert distortion(densities, depths, steps).item() == pytest.approx(truth.item(), rel=1e-5)
