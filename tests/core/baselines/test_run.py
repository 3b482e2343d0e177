"""Methods trained for a moment on the same data: what they had, that they go on, and what is told of them."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import pytest

from ddmi_core import cli
from ddmi_core.baselines import run as running
from ddmi_core.baselines.budget import Budget, Costs, costs_of
from ddmi_core.baselines.figures import REPORT, SHEET, measure
from ddmi_core.baselines.functa import FunctaStage
from ddmi_core.baselines.plan import Method, Plan
from ddmi_core.baselines.run import Trained, train
from ddmi_core.cli.comparing import _stopped_by_keyboard
from ddmi_core.support.errors import DDMIError
from ddmi_core.training.config import RunConfig
from ddmi_core.training.run import make_accelerator
from ddmi_core.training.run_folder import RunFolder, Stopped

_TINY = [
    "stage1.batch=2",
    "stage1.queries=64",
    "stage2.batch=2",
    "stage2.sample_prompts=[]",
    "stage2.sampling.steps=2",
    "denoiser.channels=[32, 32]",
    "autoencoder.surface_points=128",
    "precision=float32",
    "threads=1",
    "functa.latent=8",
    "functa.width=16",
    "functa.depth=3",
    "functa.batch=2",
    "functa.queries=64",
    "pe.latent=8",
    "pe.width=16",
    "pe.features=8",
    "vector.width=16",
    "vector.blocks=1",
]
_COSTS = Costs(0.5, 0.25, 0.5)


def plan_of(method: Method, domain: str = "shape", *more: str) -> Plan:
    """A plan of six steps, eight encoded examples and four steps, as the costs are told."""
    recipe = RunConfig.from_preset(f"{domain}-tiny")
    return Plan(method=method, minutes=0.1, recipe=recipe).with_overrides([*_TINY, *more])


@pytest.fixture(autouse=True)
def costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "costs_of", lambda *_: _COSTS)


def test_minutes_are_given_out_to_both_stages_and_to_encoding() -> None:
    assert Budget.of(60.0, Costs(0.5, 0.1, 0.2), 5000) == (3600, 5000, 6500)
    # Encoding that would take all of the time leaves most of it to the denoiser
    assert Budget.of(60.0, Costs(0.5, 1.0, 0.2), 5000) == (3600, 600, 6000)
    assert Budget.of(0.001, Costs(9, 9, 9), 5000) == (1, 1, 1)


def test_a_trial_leaves_the_weights_as_they_are() -> None:
    plan = plan_of("functa")
    config = plan.config()
    autoencoder, diffusion = running._networks(plan, config)
    before = running._digest(autoencoder, diffusion)
    text_encoder = running.load_text_encoder(config.text_encoder)
    accelerator = make_accelerator(config, "cpu")
    costs = costs_of(FunctaStage(config, autoencoder), config, diffusion, text_encoder, accelerator, 0.001)
    assert all(cost > 0 for cost in costs) and running._digest(autoencoder, diffusion) == before


def test_schedules_are_as_long_as_the_budget() -> None:
    recipe = RunConfig.from_preset("furniture")
    applied = Budget(160, 70, 50).applied(recipe)
    assert (applied.stage1.steps, applied.stage2.steps, applied.stage2.cached_latents) == (160, 50, 70)
    assert applied.stage1.kl_anneal_steps == 40 and applied.stage1.warmup_steps == 16
    assert applied.stage2.warmup_steps == 5 and applied.stage2.sample_every == 50


def test_a_plan_is_of_the_recipe_but_for_what_a_baseline_has_of_its_own() -> None:
    recipe = RunConfig.from_preset("portraits")
    plan = Plan(method="functa", minutes=1, recipe=recipe).with_overrides(["functa.width=64", "seed=3"])
    config = plan.config()
    assert plan.functa.width == 64 and config.seed == 3 and config.data == recipe.data
    assert config.stage1.scales == (1.0,) and config.stage1.batch == plan.functa.batch
    own = Plan(method="ddmi", minutes=1, recipe=recipe).config()
    assert own.stage1 == recipe.stage1.model_copy(update={"scales": (1.0,)}) and own.autoencoder == recipe.autoencoder
    assert Plan(method="pe", minutes=1, recipe=RunConfig.from_preset("furniture")).source == "procedural"


@pytest.mark.parametrize(
    ("preset", "settings", "message"),
    [
        ("nerf-tiny", [], "pictures and of shapes alone"),
        ("image-tiny", ["stage1.perceptual_weight=1"], "eq. 9 alone"),
        ("image-tiny", ["functa.wide=3"], "no setting 'functa.wide'"),
        ("image-tiny", ["functa.width=no"], "functa.width"),
    ],
)
def test_what_cannot_be_compared_is_refused(preset: str, settings: list[str], message: str) -> None:
    with pytest.raises(DDMIError, match=message):
        Plan(method="pe", minutes=1, recipe=RunConfig.from_preset(preset)).with_overrides(settings).config()


def trained_steps(out: Path) -> dict[str, int]:
    events = RunFolder(out).events()
    return {event["stage"]: event["step"] for event in events if "losses" in event}


@pytest.mark.parametrize("method", ["functa", "pe", "ddmi"])
def test_a_method_learns_both_stages_once(method: Method, tmp_path: Path) -> None:
    plan = plan_of(method)
    found = train(plan, tmp_path, device="cpu")
    assert found.budget == (6, 4, 4) and trained_steps(tmp_path) == {"autoencoder": 6, "diffusion": 4}
    count = len(RunFolder(tmp_path).events())
    again = train(plan, tmp_path, device="cpu")
    assert again.pipeline.hash == found.pipeline.hash and again.facts == found.facts
    assert not any("losses" in event for event in RunFolder(tmp_path).events()[count:])
    with pytest.raises(DDMIError, match="other settings"):
        train(plan.model_copy(update={"minutes": 2.0}), tmp_path, device="cpu")


def test_what_was_stopped_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train(plan_of("functa"), tmp_path / "whole", device="cpu")
    asked = iter([None, None, None, "stop"])
    monkeypatch.setattr(RunFolder, "take_command", lambda _: next(asked, None))
    with pytest.raises(Stopped):
        train(plan_of("functa"), tmp_path / "parts", device="cpu")
    again = train(plan_of("functa"), tmp_path / "parts", device="cpu")
    assert any("resumed autoencoder at step 3" in e.get("message", "") for e in RunFolder(tmp_path / "parts").events())
    assert again.pipeline.hash == whole.pipeline.hash


def test_another_kind_of_run_is_left_alone(tmp_path: Path) -> None:
    RunFolder(tmp_path).create(RunConfig.from_preset("shape-tiny").to_yaml())
    with pytest.raises(DDMIError, match="something else"):
        train(plan_of("pe"), tmp_path, device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("domain", "told"), [("image", "PSNR of reconstructions"), ("shape", "IoU of reconstructions")]
)
@pytest.mark.parametrize("method", ["functa", "pe"])
def test_a_report_has_figures_and_a_sheet(method: Method, domain: str, told: str, tmp_path: Path) -> None:
    plan = plan_of(method, domain, "autoencoder.surface_points=2048")  # as many as are drawn from a sample
    found = train(plan, tmp_path, device="cpu")
    lines = measure(found, plan, tmp_path, samples=4, device="cpu")
    assert lines == [json.loads(line) for line in (tmp_path / REPORT).read_text().splitlines()]
    about, *figures = lines
    assert about["method"] == method and about["first_steps"] == 6 and about["autoencoder_parameters"] > 0
    named = {figure["name"]: figure for figure in figures}
    # What four steps have taught may be no shape at all, of which the report gives the reason
    assert named[told]["value"] or named[told]["reason"]
    height, width = imageio.imread(tmp_path / SHEET).shape[:2]
    assert width > height > 160


def test_the_first_interrupt_asks_for_a_checkpoint_and_the_second_one_is_obeyed(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), _stopped_by_keyboard(run):
        os.kill(os.getpid(), signal.SIGINT)
        assert run.take_command() == "stop"
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_command_says_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {}

    def known(plan: Plan, out: Path, device: str) -> Trained:
        asked.update(plan=plan, out=out)
        return Trained(None, Budget(1, 1, 1), {"method": plan.method})  # type: ignore[arg-type]

    line = {"method": "pe", "metric": "psnr", "name": "PSNR of reconstructions", "value": 21.456, "unit": "dB"}
    monkeypatch.setattr("ddmi_core.baselines.run.train", known)
    monkeypatch.setattr("ddmi_core.baselines.figures.measure", lambda *_, **__: [{"method": "pe"}, line])
    command = [
        "baseline",
        "pe",
        "--preset",
        "shape-tiny",
        "--out",
        str(tmp_path),
        "--minutes",
        "2",
        "--set",
        "pe.width=9",
    ]
    assert cli.main(command) == 0
    assert asked["plan"].minutes == 2 and asked["plan"].pe.width == 9 and asked["out"] == tmp_path
    assert "PSNR of reconstructions: 21.46 dB" in capsys.readouterr().out
    assert cli.main([*command, "--json"]) == 0
    assert [json.loads(text) for text in capsys.readouterr().out.splitlines()] == [{"method": "pe"}, line]
    assert cli.main([*command, "--minutes", "0"]) == 2
