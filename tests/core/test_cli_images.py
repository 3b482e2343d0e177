"""The command's ways with pictures, on a field that is painted instead of decoded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ddmi_core import cli, model_folder, pipeline
from ddmi_core.data.items import ItemSource
from ddmi_core.domains import get_domain
from ddmi_core.export.recipe_files import read_recipe
from ddmi_core.fitting.fit import Fit
from ddmi_core.model_folder import ModelInfo
from tests.core.domains.test_image import Painted


class FakePipeline:
    """Every latent decodes to the same picture."""

    name, hash, domain = "paint", "00ff", get_domain("image")
    text_encoder = SimpleNamespace(name="MiniLM", reads_texts=True)

    def sample_each(self, prompts: Any, seeds: Sequence[int], denoising: Any, **options: Any) -> list[torch.Tensor]:
        return [torch.zeros(1, 2, 2) for _ in seeds]

    def decode(self, latent: torch.Tensor) -> Painted:
        return Painted()

    def read(self, path: Path, *, span: object, up: str) -> ItemSource:
        return self.domain.read(path, queries=8)

    def encode(self, source: object, *, refine_steps: int, progress: object) -> torch.Tensor:
        return torch.zeros(1, 2, 2)


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = ModelInfo("paint", "image", tmp_path, 1, "00ff", "none")
    monkeypatch.setattr(model_folder, "list_models", lambda _domain=None: [info])
    monkeypatch.setattr(model_folder, "describe", lambda folder: info)
    monkeypatch.setattr(pipeline.Pipeline, "from_pretrained", lambda folder, device: FakePipeline())


def test_generate_draws_a_region_at_any_resolution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "x.png"
    flags = "--prompt cat --seed 3 --resolution 120 --region=-1,-1,0,0.5 --bits 16 --json"
    code = cli.main(f"generate image {flags} --out {target}".split())
    facts = json.loads(capsys.readouterr().out)
    assert code == 0 and (facts["width"], facts["height"]) == (80, 120)
    with Image.open(target) as made:
        assert made.size == (80, 120)
    recipe = read_recipe(target)
    assert recipe is not None and (recipe.prompt, recipe.seed, recipe.model_hash) == ("cat", 3, "00ff")
    assert cli.main(f"generate image --resolution 9 --no-recipe --force --out {target}".split()) == 0
    assert read_recipe(target) is None


def test_reconstruct_keeps_the_shape_of_the_photograph(tmp_path: Path) -> None:
    Image.new("RGB", (300, 100)).save(tmp_path / "photo.png")
    code = cli.main(f"reconstruct {tmp_path}/photo.png --resolution 90 --out {tmp_path}/big.jpg".split())
    assert code == 0
    with Image.open(tmp_path / "big.jpg") as made:
        assert made.size == (90, 30)
    recipe = read_recipe(tmp_path / "big.jpg")
    assert recipe is not None and recipe.source == f"{tmp_path}/photo.png"


def test_a_fit_is_drawn_at_the_files_own_size(tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((50, 30)).convert("RGB").save(tmp_path / "photo.png")
    assert cli.main(f"fit {tmp_path}/photo.png --out {tmp_path}/kept.fit".split()) == 0
    for flags, size in (("", (50, 30)), ("--resolution 20", (20, 12)), ("--region=-1,-0.6,0,0.6", (25, 30))):
        target = tmp_path / f"{size[0]}.png"
        assert cli.main(f"fit {tmp_path}/kept.fit {flags} --out {target}".split()) == 0
        with Image.open(target) as made:
            assert made.size == size
    with Image.open(tmp_path / "50.png") as made, Image.open(tmp_path / "photo.png") as photo:
        assert np.abs(np.asarray(made.convert("RGB")).astype(int) - np.asarray(photo)).max() <= 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--faces 100", "has no faces; it has resolution, region, bits"),
        ("--region 0,0,2,1", "region does not fit"),
        ("--resolution 40000", "resolution does not fit"),
        ("--file-quality 0", "quality does not fit"),
    ],
)
def test_flags_that_do_not_fit_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: str, message: str
) -> None:
    assert cli.main(f"generate image {flags} --out {tmp_path}/x.png".split()) == 1
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and error[0].startswith("ddmi: ") and message in error[0]
    assert not list(tmp_path.glob("*.png"))


def test_flags_of_pictures_do_not_fit_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate", "shape", "--bits", "16", "--out", "a.obj"]) == 1
    assert "has no bits; it has resolution, faces" in capsys.readouterr().err


def test_a_fit_is_kept_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photograph, kept, drawn = tmp_path / "photo.png", tmp_path / "photo.fit", tmp_path / "drawn.png"
    Image.linear_gradient("L").resize((60, 40)).convert("RGB").save(photograph)
    assert cli.main(f"fit {photograph} --out {kept} --fidelity balanced --json".split()) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["fidelity"] == "balanced" and facts["figures"]["psnr"] > 30 and facts["size_bytes"] > 0
    assert cli.main(f"fit {kept} --out {drawn} --resolution 120".split()) == 0
    with Image.open(drawn) as made:
        assert made.size == (120, 80) and made.getpixel((60, 70))[0] > made.getpixel((60, 10))[0]
    capsys.readouterr()
    for wrong, said in (
        (f"fit {photograph} --out {kept}", "already"),
        (f"fit {photograph} --out {tmp_path}/x.obj", "not a format of images"),
        (f"fit {tmp_path}/x.txt --out {kept} --force", "Nothing can be fitted to .txt"),
        (f"fit {tmp_path}/x.mp4 --out {kept} --force", "There is no file"),
        (f"fit {drawn}.fit --out {drawn} --force", "cannot be read"),
    ):
        assert cli.main(wrong.split()) == 1
        assert said in capsys.readouterr().err


def test_the_time_of_what_is_solved_changes_nothing_and_there_is_no_fit_to_go_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    photograph, kept, timed = tmp_path / "photo.png", tmp_path / "photo.fit", tmp_path / "timed.fit"
    Image.linear_gradient("L").resize((60, 40)).convert("RGB").save(photograph)
    assert cli.main(f"fit {photograph} --out {kept}".split()) == 0 and not caplog.messages
    assert cli.main(f"fit {photograph} --time 60 --out {timed}".split()) == 0
    assert Fit.load(timed).facts == Fit.load(kept).facts
    assert [message for message in caplog.messages if "photo.png" in message and "time" in message]
    capsys.readouterr()
    assert cli.main(f"fit {photograph} --start {kept} --out {timed} --force".split()) == 1
    assert "photo.png is solved" in capsys.readouterr().err
