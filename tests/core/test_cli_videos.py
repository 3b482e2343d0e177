"""The command's ways with clips, on a field that is painted instead of decoded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
import torch

from ddmi_core import cli, model_folder, pipeline
from ddmi_core.data.items import ItemSource
from ddmi_core.domains import get_domain
from ddmi_core.model_folder import ModelInfo
from tests.core.clips import dot_frames, write_video
from tests.core.domains.test_video import Dot

ASKED: list[Any] = []


class FakePipeline:
    """Every latent decodes to the same clip."""

    name, hash, domain = "paint", "00ff", get_domain("video")
    text_encoder = SimpleNamespace(name="MiniLM", reads_texts=True)

    def sample_each(self, prompts: Any, seeds: Sequence[int], denoising: Any, **options: Any) -> list[torch.Tensor]:
        return [torch.zeros(1, 2, 2) for _ in seeds]

    def decode(self, latent: torch.Tensor) -> Dot:
        return Dot()

    def read(self, path: Path, *, span: Any, up: str) -> ItemSource:
        ASKED.append(span)
        return self.domain.read(path, queries=8)

    def encode(self, source: object, *, refine_steps: int, progress: object) -> torch.Tensor:
        return torch.zeros(1, 2, 2)


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = ModelInfo("paint", "video", tmp_path, 1, "00ff", "none")
    monkeypatch.setattr(model_folder, "list_models", lambda _domain=None: [info])
    monkeypatch.setattr(model_folder, "describe", lambda folder: info)
    monkeypatch.setattr(pipeline.Pipeline, "from_pretrained", lambda folder, device: FakePipeline())


def test_generate_at_any_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "x.mp4"
    flags = "--prompt cat --seed 3 --resolution 32 --fps 30000/1001 --seconds 2 --span 0.5,1 --json"
    code = cli.main(f"generate video --prompt cat {flags} --out {target}".split())
    facts = json.loads(capsys.readouterr().out)
    assert code == 0 and facts["frames"] == 15 and facts["fps"] == "30000/1001"
    with av.open(str(target)) as container:
        assert len(list(container.decode(video=0))) == 15
        assert json.loads(container.metadata["comment"])["prompt"] == "cat"


def test_reconstruct_lasts_as_long_as_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_video(tmp_path / "clip.mp4", dot_frames(20, 32, width=64))
    assert cli.main(f"reconstruct {file} --fps 60 --resolution 32 --out {tmp_path}/slow.mp4 --json".split()) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["frames"] == 120 and (facts["width"], facts["height"]) == (32, 16)
    line = f"reconstruct {file} --span 0.5,1.5 --seconds 4 --fps 10 --resolution 32 --out {tmp_path}/part.webm --json"
    assert cli.main(line.split()) == 0
    facts = json.loads(capsys.readouterr().out)
    assert ASKED[-1] == (0.5, 1.5) and facts["recipe"]["seconds"] == 1.0 and facts["frames"] == 40


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--fps none", "fps does not fit"),
        ("--seconds -1", "seconds does not fit"),
        ("--span 2,1", "span does not fit"),
        ("--seconds 1 --span 0,2", "lasts 1 s"),
        ("--faces 100", "has no faces"),
    ],
)
def test_flags_that_do_not_fit_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: str, message: str
) -> None:
    assert cli.main(f"generate video --prompt cat {flags} --out {tmp_path}/x.mp4".split()) == 1
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and error[0].startswith("ddmi: ") and message in error[0]
    assert not list(tmp_path.glob("*.mp4"))


def test_a_range_that_is_none_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_video(tmp_path / "clip.mp4", dot_frames(4, 32))
    assert cli.main(f"reconstruct {file} --span tomorrow --out {tmp_path}/x.mp4".split()) == 1
    assert "is no range" in capsys.readouterr().err


def test_a_fit_says_where_the_pictures_of_its_frames_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_video(tmp_path / "clip.mp4", dot_frames(4, 32))
    assert cli.main(f"fit {file} --out {tmp_path}/x.png".split()) == 0
    said = Path(capsys.readouterr().out.split("  (")[0])
    assert said.parent == tmp_path and any(said.glob("*.png"))
