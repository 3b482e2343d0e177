"""Figures of models of skies: prompts, the classifier, and the benchmark from end to end."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from benchmarks import video_quality
from benchmarks.judging import attributes, sky_attributes, sky_prompts
from benchmarks.judging.sky_attributes import ATTRIBUTES, MOMENTS, SIDE, attributes_of, drawn, untaught
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.data.skies import Skies
from tests.tiny_model import save_untrained_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = AutoencoderConfig(
        domain="video", latent_channels=2, latent_size=8, encoder_channels=(8, 8),
        decoder_channels=(8, 8, 8), basis_channels=8, readout_width=16,
    )  # fmt: skip
    return save_untrained_model(tmp_path_factory.mktemp("models") / "tiny", sizes)


def test_prompts_ask_for_what_there_is() -> None:
    prompts = sky_prompts.PROMPTS
    assert len({prompt.text for prompt in prompts}) == len(prompts)
    for name, values in ATTRIBUTES.items():
        asked = Counter(value for prompt in prompts if (value := getattr(prompt, name)) is not None)
        assert set(asked) <= set(values) and sum(asked.values()) >= 10, name
    skies = Skies(200, 5)
    truths = [attributes_of(skies.scene(i)) for i in range(200)]
    assert all({truth[name] for truth in truths} == set(values) for name, values in ATTRIBUTES.items())


def test_a_sky_is_seen_at_three_moments() -> None:
    seen, labels = drawn(Skies(4, 5), range(2))
    assert (
        seen.shape == (2, 3 * len(MOMENTS), SIDE, SIDE) and seen.dtype == torch.uint8 and set(labels) == set(ATTRIBUTES)
    )
    told = untaught().predict(seen.float() / 255)
    assert all(one[name] in values for one in told for name, values in ATTRIBUTES.items())


@pytest.mark.slow
def test_every_figure_of_the_table_is_printed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(attributes, "_STEPS", 1)
    monkeypatch.setattr(attributes, "_BATCH", 8)
    monkeypatch.setattr(sky_attributes, "_COUNT", 16)
    monkeypatch.setattr(video_quality, "PROMPTS", sky_prompts.PROMPTS[:3])
    sheet = tmp_path / "sheet.png"
    video_quality.main(
        str(model), device="cpu", threads=1, seeds=1, held_out=2, enlarged=1, samples=4, judged=4, timed=1, sheet=sheet
    )
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    of_real, of_samples = [f"{name}_of_real" for name in ATTRIBUTES], list(ATTRIBUTES)
    assert [line["measurement"] for line in lines] == [
        "psnr", "between", "enlarged", "appearance", "motion", *of_real, *of_samples, "first_frame", "playback",
    ]  # fmt: skip
    by_name = {line["measurement"]: line for line in lines}
    assert by_name["between"]["blending"] > 20 > by_name["psnr"]["value"]  # nothing was learned
    assert by_name["enlarged"]["value"] < -3
    assert by_name["motion"]["frozen"] > 0 and by_name["playback"]["value"] > 0
    assert sheet.stat().st_size > 1000
