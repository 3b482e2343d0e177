from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ddmi_core.training import loop
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.run import train
from ddmi_core.training.run_folder import RunFolder, Stopped
from tests.core.training.quick import losses, quick

pytestmark = pytest.mark.slow  # where half precision is emulated

HALF = ("precision=float16", "stage2.steps=2")


def test_a_run_in_float16_learns_and_goes_on_as_if_it_had_not_been_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(quick(*HALF), tmp_path / "whole", device="cpu")
    run = RunFolder(tmp_path / "stopped")
    usual = AutoencoderStage.loss

    def stopping(self: AutoencoderStage, batch: dict, step: int):  # type: ignore[type-arg,no-untyped-def]
        if step == 4:
            run.command("stop")
        return usual(self, batch, step)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(AutoencoderStage, "loss", stopping)
        train(quick(*HALF), run.path, device="cpu")
    resumed = train(quick(*HALF), run.path, resume=True, device="cpu")
    one, other = (load_file(folder / "autoencoder" / "weights.safetensors") for folder in (whole, resumed))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_step_whose_gradients_overflow_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Large(torch.amp.GradScaler):
        def __init__(self, device: str, *, enabled: bool) -> None:
            super().__init__(device, init_scale=2.0**127, growth_interval=1000, enabled=enabled)

    monkeypatch.setattr(torch.amp, "GradScaler", Large)
    run = RunFolder(tmp_path / "run")
    train(quick(*HALF), run.path, device="cpu")
    assert not any("not finite" in event.get("message", "") for event in run.events())


def test_numbers_that_are_not_finite_are_found_between_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_EVERY", 4)
    usual_init, usual_loss = loop._Loop.__init__, AutoencoderStage.loss

    def seldom(self: loop._Loop, *arguments: object) -> None:  # as on a GPU
        usual_init(self, *arguments)  # type: ignore[arg-type]
        self.look_every = loop.LOOK_EVERY

    broken: list[int] = []

    def once(self: AutoencoderStage, batch: dict, step: int):  # type: ignore[type-arg,no-untyped-def]
        loss, figures = usual_loss(self, batch, step)
        if step == 5 and not broken:
            broken.append(step)
            loss = loss * float("nan")
        return loss, figures

    monkeypatch.setattr(loop._Loop, "__init__", seldom)
    monkeypatch.setattr(AutoencoderStage, "loss", once)
    run = RunFolder(tmp_path / "run")
    train(quick(), run.path, device="cpu")
    assert any("not finite: back to step 0" in event.get("message", "") for event in run.events())
    recorded = losses(run.path)
    assert recorded[("autoencoder", 8)] == recorded[("autoencoder", 8)]  # a number, after all


def test_networks_are_compiled_where_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(nn.Module, "compile", lambda self, *_, **__: compiled.append(type(self).__name__))
    train(quick("compile=true", "stage1.steps=1", "stage2.steps=1"), tmp_path / "run", device="cpu")
    assert {"PointEncoder", "BasisFieldDecoder", "ReadOut", "UNet2DConditionModel"} <= set(compiled)


def test_activations_are_computed_again_where_that_is_asked_for(tmp_path: Path) -> None:
    plain = train(quick("stage1.steps=1"), tmp_path / "plain", device="cpu")
    saving = train(quick("stage1.steps=1", "stage2.checkpointing=true"), tmp_path / "saving", device="cpu")
    one, other = (load_file(folder / "denoiser" / "weights.safetensors") for folder in (plain, saving))
    for name, weights in one.items():
        torch.testing.assert_close(weights, other[name], atol=1e-3, rtol=1e-2)
