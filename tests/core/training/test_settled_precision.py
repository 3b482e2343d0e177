from pathlib import Path

import pytest
import torch

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.support.devices import Precision, has_slow_bfloat16
from ddmi_core.training import precision
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.precision import settle_precision
from ddmi_core.training.run import make_accelerator
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.stage import Stage
from ddmi_core.training.trial import step_seconds
from tests.core.training.quick import quick


class _Stage(AutoencoderStage):
    """A stage without anything but its precision."""

    def __init__(self, wanted: Precision = "auto") -> None:
        self.precision = wanted


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    folder = RunFolder(tmp_path / "run")
    folder.create(quick().to_yaml())
    return folder


@pytest.mark.parametrize(("gain", "chosen"), [(1.4, "bfloat16"), (1.05, "float32"), (0.6, "float32")])
def test_the_faster_precision_is_taken_and_remembered(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, gain: float, chosen: str
) -> None:
    measured: list[str] = []

    def seconds(stage: Stage, _: object) -> float:
        measured.append(stage.precision)
        return 1.0 if stage.precision == "float32" else 1 / gain

    monkeypatch.setattr(precision, "gradient_seconds", seconds)
    accelerator = make_accelerator(quick(), "cpu")
    for _ in range(2):
        stage = _Stage()
        settle_precision(stage, run, accelerator)
        assert stage.precision == chosen
    assert measured == ["float32", "bfloat16"]  # the second start keeps to it
    assert [event["message"] for event in run.events()] == [
        f"{chosen}: bfloat16 is {gain:.2f} times as fast as float32 on this processor"
    ]


def test_what_is_asked_for_or_has_matrix_units_is_not_measured(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    accelerator = make_accelerator(quick(), "cpu")
    asked = _Stage("float32")
    settle_precision(asked, run, accelerator)
    assert asked.precision == "float32"
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    stage = _Stage()
    settle_precision(stage, run, accelerator)
    assert stage.precision == "auto" and not run.events()
    assert not has_slow_bfloat16(torch.device("cpu"))


@pytest.mark.parametrize(("gain", "chosen"), [(1.4, "bfloat16"), (1.05, "float32")])
def test_a_trial_takes_steps_in_the_precision_that_the_run_will_choose(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, gain: float, chosen: str
) -> None:
    monkeypatch.setattr(
        precision, "gradient_seconds", lambda stage, _: 1.0 if stage.precision == "float32" else 1 / gain
    )
    config = quick("precision=auto")
    stage = AutoencoderStage(config, D2CVAE(config.autoencoder))
    step_seconds(stage, make_accelerator(config, "cpu"), 0.0)
    assert stage.precision == chosen
