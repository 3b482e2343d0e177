import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import trimesh
from safetensors.torch import load_file

from ddmi_core.coordinates import grid
from ddmi_core.data.labels import normalise, occupancy, solid_grid
from ddmi_core.errors import DDMIError
from ddmi_core.metrics.shapes import volumetric_iou
from ddmi_core.pipeline import Pipeline
from ddmi_core.training import loop
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.checkpoints import Checkpoints
from ddmi_core.training.config import RunConfig
from ddmi_core.training.ownership import status_of
from ddmi_core.training.run import make_accelerator, train
from ddmi_core.training.run_folder import RunFolder, Stopped
from ddmi_core.training.trial import try_out

QUICK = [
    "stage1.steps=8",
    "stage1.batch=2",
    "stage1.queries=64",
    "stage1.sample_every=100",
    "stage2.steps=8",
    "stage2.batch=2",
    "stage2.cached_latents=6",
    "stage2.sample_every=100",
    "denoiser.channels=[32, 32]",
    "precision=float32",
]


def _quick(*more: str) -> RunConfig:
    return RunConfig.from_preset("shape-tiny").with_overrides([*QUICK, *more])


def _losses(run: Path) -> dict[tuple[str, int], float]:
    events = RunFolder(run).events()
    return {(e["stage"], e["step"]): e["losses"]["loss"] for e in events if "losses" in e}


@pytest.fixture
def every_step_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RECORD_SECONDS", 0.0)


@pytest.mark.usefixtures("every_step_recorded")
def test_an_interrupted_run_goes_on_exactly_as_one_that_was_not(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    model = train(_quick(), whole, device="cpu")

    config = _quick()
    run = RunFolder(halves)
    original = AutoencoderStage.loss

    def stop_in_the_middle(self: Any, batch: Any, step: int, generator: Any) -> Any:
        if step == 3:
            run.command("stop")
        return original(self, batch, step, generator)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AutoencoderStage, "loss", stop_in_the_middle)
        with pytest.raises(Stopped):
            train(config, halves, device="cpu")
    assert 0 < max(step for _, step in _losses(halves)) < 8
    resumed = train(config, halves, resume=True, device="cpu")

    assert _losses(halves) == _losses(whole)
    for part in ("autoencoder", "denoiser"):
        a, b = (load_file(folder / part / "weights.safetensors") for folder in (model, resumed))
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_starts_from_a_model_of_its_sizes(tmp_path: Path) -> None:
    first = train(_quick(), tmp_path / "first", device="cpu")
    still = ["stage1.learning_rate=1e-12", "stage2.learning_rate=1e-12", f"start_from={first}"]
    second = train(_quick(*still), tmp_path / "second", device="cpu")
    a, b = (load_file(folder / "autoencoder" / "weights.safetensors") for folder in (first, second))
    assert all(torch.allclose(a[name].float(), b[name].float(), atol=1e-3) for name in a)
    with pytest.raises(DDMIError, match="other sizes"):
        train(_quick(*still, "autoencoder.readout_width=48"), tmp_path / "third", device="cpu")


def test_a_run_folder_is_not_overwritten(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run").create(_quick().to_yaml())
    with pytest.raises(DDMIError, match="already holds a run"):
        train(_quick(), tmp_path / "run")


@pytest.mark.usefixtures("every_step_recorded")
def test_a_loss_that_is_not_finite_goes_back_and_lowers_the_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = AutoencoderStage.loss
    broken = {5}

    def sometimes_broken(self: Any, batch: Any, step: int, generator: Any) -> Any:
        loss, figures = original(self, batch, step, generator)
        if step in broken:
            broken.discard(step)
            loss = loss * float("nan")
        return loss, figures

    monkeypatch.setattr(AutoencoderStage, "loss", sometimes_broken)
    train(_quick("checkpoint_minutes=0.00001"), tmp_path / "run", device="cpu")
    events = RunFolder(tmp_path / "run").events()
    assert any("half the rate" in event.get("message", "") for event in events)
    rates = [e["learning_rate"] for e in events if e["stage"] == "autoencoder" and "losses" in e and e["step"] == 6]
    settings = _quick().stage1
    assert rates == [pytest.approx(loop.learning_rate(settings, 5) / 2)]


def test_divergence_from_the_start_stops_with_a_clear_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = AutoencoderStage.loss
    monkeypatch.setattr(AutoencoderStage, "loss", lambda *args: (original(*args)[0] * float("nan"), {}))
    with pytest.raises(DDMIError, match="not finite"):
        train(_quick(), tmp_path / "run", device="cpu")


def test_overrides_and_mistakes() -> None:
    config = _quick("stage1.learning_rate=0.5", "autoencoder.hdbf=single")
    assert config.stage1.learning_rate == 0.5 and config.autoencoder.hdbf == "single"
    assert RunConfig.from_preset("shape-tiny").stage1.learning_rate != 0.5
    for wrong in ("stage1.stepz=3", "stage1.steps", "stage1.steps=many"):
        with pytest.raises(DDMIError):
            _quick(wrong)
    with pytest.raises(DDMIError, match="shape-tiny"):
        RunConfig.from_preset("nothing")


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    config = _quick()
    (tmp_path / "run.yaml").write_text(config.to_yaml())
    assert RunConfig.from_file(tmp_path / "run.yaml") == config


def test_four_shapes_are_learned_by_heart(tmp_path: Path) -> None:
    """Mesh files in, both stages, a model folder out: it reconstructs what it was trained on."""
    meshes = {
        "box": trimesh.creation.box((2, 1, 1.5)),
        "ball": trimesh.creation.icosphere(radius=1),
        "post": trimesh.creation.cylinder(radius=0.4, height=2),
        "ring": trimesh.creation.torus(major_radius=1, minor_radius=0.5),
        "slab": trimesh.creation.box((2, 0.6, 2)),
    }
    for name, mesh in meshes.items():
        mesh.export(tmp_path / f"{name}.ply")
    config = RunConfig.from_preset("shape-tiny").with_overrides(
        [
            f"data=[{{source: {tmp_path}}}]",
            "stage1.steps=420",
            "stage1.batch=5",
            "stage1.augment=none",
            "stage1.kl_weight=0.00001",
            "stage1.sample_every=1000",
            "stage2.steps=2",
            "stage2.batch=4",
            "stage2.cached_latents=8",
            "stage2.sample_every=1000",
        ]
    )
    pipeline = Pipeline.from_pretrained(train(config, tmp_path / "run", device="cpu"))
    centres = grid(64, 64, 64)
    overlaps = {}
    for name, mesh in meshes.items():
        field = pipeline.decode(pipeline.encode(tmp_path / f"{name}.ply"))
        solid = solid_grid(trimesh.Trimesh(normalise(mesh.vertices), mesh.faces, process=False))
        inside = occupancy(solid, centres.reshape(-1, 3).numpy()).reshape(64, 64, 64)
        overlaps[name] = volumetric_iou((field(centres)[..., 0] > 0).numpy(), inside)
    trained = json.loads((tmp_path / "run" / "model" / "model_index.json").read_text())
    assert trained["domain"] == "shape"
    assert sorted(overlaps.values())[1] >= 0.95, overlaps  # one of the five is held out


@pytest.mark.usefixtures("every_step_recorded")
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    model = train(_quick("checkpoint_minutes=0.00001"), whole, device="cpu")
    shutil.copytree(whole, damaged)
    for name in ("model", "cache"):
        shutil.rmtree(damaged / name)
    (damaged / "cache").mkdir()
    newest = Checkpoints(damaged / "checkpoints", "diffusion").newest_first()[0]
    (newest / "weights.safetensors").write_bytes(b"short")
    resumed = train(_quick(), damaged, resume=True, device="cpu")
    messages = [event.get("message", "") for event in RunFolder(damaged).events()]
    assert any(newest.name in text and "put aside" in text for text in messages)
    a, b = (load_file(folder / "denoiser" / "weights.safetensors") for folder in (model, resumed))
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.usefixtures("every_step_recorded")
def test_a_run_tells_what_a_watcher_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "ETA_STEPS", 3)
    train(_quick(), tmp_path / "run", device="cpu")
    steps = [event for event in RunFolder(tmp_path / "run").events() if "losses" in event]
    for event in steps:
        assert event["samples_per_second"] > 0 and event["memory_bytes"] > 0 and event["learning_rate"] > 0
        assert (event["eta_seconds"] is None) == (event["step"] < 3)
    first, last = steps[3], steps[-1]
    assert first["eta_seconds"] > 0 and {"loss", "reconstruction", "kl"} <= first["losses"].keys()
    assert last["eta_seconds"] == 0


def test_a_paused_run_still_obeys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PAUSE_SECONDS", 0.0)
    run = RunFolder(tmp_path / "run")
    asked = iter(["pause", "sample", "checkpoint", "pause", "resume", None, "stop"])
    states = []

    def take() -> Any:
        states.append(status_of(run).state)
        return next(asked)

    monkeypatch.setattr(RunFolder, "take_command", lambda self: take())
    with pytest.raises(Stopped):
        train(_quick(), run.path, device="cpu")
    assert states == ["running", *["paused"] * 4, "running", "running"]
    assert status_of(run).state == "stopped"
    assert [path.name for path in run.samples.iterdir()] == ["autoencoder-00000000.png"]
    assert [event["message"] for event in run.events() if "message" in event] == [
        "paused",
        "checkpoint at step 0",
        "resumed",
        "stopped at step 2",
    ]


def test_a_trial_foretells_the_whole_run() -> None:
    config = _quick()
    trial = try_out(config, make_accelerator(config, "cpu"), seconds=0.0)
    assert trial.autoencoder_parameters > 0 and trial.denoiser_parameters > 0 and trial.memory_bytes > 0
    assert trial.seconds(config) == pytest.approx(11 * trial.autoencoder_step_seconds + 8 * trial.denoiser_step_seconds)
