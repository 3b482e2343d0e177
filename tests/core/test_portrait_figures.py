"""Figures of models of portraits: grids in flat areas, the classifier, and the benchmark from end to end."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks import contact_sheet, portrait_quality
from benchmarks.judging import attributes, portrait_attributes, portrait_prompts
from benchmarks.judging.portrait_attributes import ATTRIBUTES, attributes_of, drawn, untaught
from benchmarks.judging.seams import grid_amplitudes
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.data.portraits.pictures import portraits
from tests.tiny_model import save_untrained_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = AutoencoderConfig(
        domain="image", latent_channels=2, latent_size=8, encoder_channels=(8, 8, 8),
        decoder_channels=(8, 8, 8), basis_channels=8, readout_width=16,
    )  # fmt: skip
    return save_untrained_model(tmp_path_factory.mktemp("models") / "tiny", sizes)


def test_prompts_ask_for_what_there_is() -> None:
    prompts = portrait_prompts.PROMPTS
    assert len({prompt.text for prompt in prompts}) == len(prompts)
    for name, values in ATTRIBUTES.items():
        asked = Counter(value for prompt in prompts if (value := getattr(prompt, name)) is not None)
        assert set(asked) <= set(values) and sum(asked.values()) >= 10, name
    assert set(ATTRIBUTES["style"]) == {prompt.style for prompt in prompts} - {None}
    assert len(set(portrait_prompts.SHEET)) == contact_sheet.PROMPTS


def test_a_grid_in_a_flat_area_is_found_and_a_slope_is_none() -> None:
    side, cells = 256, (8, 32, 64)
    at = torch.arange(side)
    wanted = torch.full((3, side, side), 0.5)
    wanted[:, :, side // 2 :] = torch.rand(3, side, side // 2)  # no flat area there
    seams = 3 / 255 * torch.cos(2 * torch.pi * at * 32 / side)
    found = grid_amplitudes(wanted + seams, wanted, cells)
    # Lines down alone: half of the power of waves across and down.
    assert found["cells"] == pytest.approx(3 / 2**0.5, rel=0.02)
    assert found["beside"] < 0.05 and found["drawing"] < 0.01 and found["windows"] == 32
    slope = grid_amplitudes(wanted + at / side * 0.05, wanted, cells)
    assert slope["cells"] < 1.5 * slope["beside"]
    assert grid_amplitudes(wanted, torch.rand(3, side, side), cells)["windows"] == 0


def test_what_nobody_could_say_is_not_learned() -> None:
    held_out = portraits("held_out")
    facts = [held_out.facts(i) for i in range(300)]
    assert attributes_of(replace(facts[0], beard="stubble"))["beard"] is None
    told = [attributes_of(fact) for fact in facts]
    assert all(truth[name] in (*values, None) for truth in told for name, values in ATTRIBUTES.items())
    pictures, labels = drawn(held_out, range(3))
    assert pictures.shape == (3, 3, portrait_attributes.SIDE, portrait_attributes.SIDE) and len(labels["style"]) == 3


@pytest.mark.slow
def test_the_classifier_learns_styles_within_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "_STEPS", 90)
    monkeypatch.setattr(attributes, "_BATCH", 24)
    model = attributes.train(untaught, *drawn(portraits("train"), range(105)))
    right, of = model.tally(*drawn(portraits("held_out"), range(35)))["style"]
    assert of == 35 and right / of >= 0.7


@pytest.mark.slow
def test_every_figure_of_the_table_is_printed(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(attributes, "_STEPS", 1)
    monkeypatch.setattr(attributes, "_BATCH", 8)
    monkeypatch.setattr(portrait_attributes, "_COUNT", 100)
    monkeypatch.setattr(portrait_quality, "PROMPTS", portrait_prompts.PROMPTS[::11])
    portrait_quality.main(
        str(model), device="cpu", threads=1, seeds=1, held_out=3, enlarged=1, samples=4, compared=4, judged=20, timed=1
    )
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    of_real, of_samples = [f"{name}_of_real" for name in ATTRIBUTES], list(ATTRIBUTES)
    assert [line["measurement"] for line in lines] == [
        "psnr", "enlarged", "seams", "kernel_distance", "nearest_neighbour", *of_real, *of_samples, "first_picture",
    ]  # fmt: skip
    by_name = {line["measurement"]: line for line in lines}
    assert by_name["enlarged"]["value"] < -3  # nothing was learned
    assert by_name["enlarged"]["bicubic"] > 15
    assert by_name["nearest_neighbour"]["value"] >= 0.75
    assert by_name["first_picture"]["value"] > 0
