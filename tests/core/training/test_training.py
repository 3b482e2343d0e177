import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
import torch
import trimesh
from PIL import Image
from safetensors.torch import load_file

from ddmi_core.coordinates import grid
from ddmi_core.data.labels import normalise, occupancy, solid_grid
from ddmi_core.metrics.shapes import volumetric_iou
from ddmi_core.pipeline import Pipeline
from ddmi_core.rendering.sheet_texts import SHEET_KEY, SheetTexts
from ddmi_core.support.errors import DDMIError
from ddmi_core.training import checkpoints as checkpoints_module
from ddmi_core.training import control, latents, loop, trial
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.checkpoints import Checkpoints
from ddmi_core.training.config import RunConfig
from ddmi_core.training.ownership import status_of
from ddmi_core.training.run import make_accelerator, train
from ddmi_core.training.run_folder import RunFolder, Stopped
from ddmi_core.training.stage import Evaluated
from tests.core.training.quick import QUICK, losses, quick


@pytest.fixture
def every_step_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RECORD_SECONDS", 0.0)


@pytest.mark.usefixtures("every_step_recorded")
@pytest.mark.slow
@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_an_interrupted_run_goes_on_exactly_as_one_that_was_not(tmp_path: Path, optimiser: str) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    config = quick(f"stage1.optimiser={optimiser}", f"stage2.optimiser={optimiser}")
    model = train(config, whole, device="cpu")

    run = RunFolder(halves)
    original = AutoencoderStage.loss

    def stop_in_the_middle(self: Any, batch: Any, step: int) -> Any:
        if step == 3:
            run.command("stop")
        return original(self, batch, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AutoencoderStage, "loss", stop_in_the_middle)
        with pytest.raises(Stopped):
            train(config, halves, device="cpu")
    assert 0 < max(step for _, step in losses(halves)) < 8
    resumed = train(config, halves, resume=True, device="cpu")

    assert losses(halves) == losses(whole)
    for part in ("autoencoder", "denoiser"):
        a, b = (load_file(folder / part / "weights.safetensors") for folder in (model, resumed))
        assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.slow
def test_a_run_can_be_as_the_paper_s_are(tmp_path: Path) -> None:
    """Sums instead of averages, gradients as they are, in parts; latents as they are; an average that moves seldom."""
    folder = train(
        quick(
            *("stage1.summed_over=64", "stage1.clip_norm=null", "stage1.accumulate=2", "stage1.ema_every=3"),
            *("stage1.augment=paper", "denoiser.mixed=true", "stage2.posterior_samples=true"),
            *("stage2.unit_latents=false", "stage2.accumulate=2", "stage2.sample_every=8"),
            *("stage2.sampling={sampler: ddim, steps: 2}", "stage2.sample_prompts=[chair]"),
        ),
        tmp_path / "run",
        device="cpu",
    )
    events = RunFolder(tmp_path / "run").events()
    first = next(event["losses"] for event in events if event["stage"] == "autoencoder" and "losses" in event)
    latents_in_all = 3 * 4 * 8 * 8
    assert first["loss"] == pytest.approx(64 * first["reconstruction"], abs=1e-3 * latents_in_all * first["kl"])
    with Image.open(tmp_path / "run" / "samples" / "diffusion-00000008.png") as sheet:
        assert SheetTexts.read(sheet.info[SHEET_KEY]) == SheetTexts(("chair, seed 0", "chair, seed 1"))
    weights = load_file(folder / "denoiser" / "weights.safetensors")
    assert weights["latent_mean"].eq(0).all() and weights["latent_std"].eq(1).all()
    assert weights["mixing"].float().mean() == pytest.approx(6, abs=0.1)


@pytest.mark.slow
def test_a_run_starts_from_a_model_of_its_sizes(tmp_path: Path) -> None:
    first = train(quick(), tmp_path / "first", device="cpu")
    still = ["stage1.learning_rate=1e-12", "stage2.learning_rate=1e-12", f"start_from={first}"]
    second = train(quick(*still), tmp_path / "second", device="cpu")
    a, b = (load_file(folder / "autoencoder" / "weights.safetensors") for folder in (first, second))
    assert all(torch.allclose(a[name].float(), b[name].float(), atol=1e-3) for name in a)
    with pytest.raises(DDMIError, match="other sizes"):
        train(quick(*still, "autoencoder.readout_width=48"), tmp_path / "third", device="cpu")


@pytest.mark.slow
def test_an_autoencoder_of_objects_starts_from_one_of_shapes(tmp_path: Path) -> None:
    shapes = train(quick(), tmp_path / "shapes", device="cpu")
    still = [*QUICK, "stage1.queries=896", "stage1.learning_rate=1e-12", f"start_from={shapes}"]
    objects = train(RunConfig.from_preset("nerf-tiny").with_overrides(still), tmp_path / "objects", device="cpu")
    a, b = (load_file(folder / "autoencoder" / "weights.safetensors") for folder in (shapes, objects))
    others = {name for name in a if a[name].shape != b[name].shape}
    assert all(torch.allclose(a[name].float(), b[name].float(), atol=1e-3) for name in a.keys() - others)
    assert len(others) == 1 and set(b) > set(a)  # its points have colours, and so has what it reads out


@pytest.mark.slow  # where bfloat16 is emulated
@pytest.mark.usefixtures("every_step_recorded")
def test_a_run_is_the_same_whatever_ran_before_it_in_its_process(tmp_path: Path) -> None:
    few = ("stage1.steps=2", "stage2.steps=1")
    train(quick(*few), tmp_path / "before", device="cpu")
    other = quick("precision=bfloat16", "stage1.batch=1", "stage2.batch=1")
    trial.try_out(other, make_accelerator(other, "cpu"), seconds=0.0)
    train(quick(*few), tmp_path / "after", device="cpu")
    assert losses(tmp_path / "after") == losses(tmp_path / "before")


def test_a_run_folder_is_not_overwritten(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run").create(quick().to_yaml())
    with pytest.raises(DDMIError, match="already holds a run"):
        train(quick(), tmp_path / "run")


@pytest.mark.slow
@pytest.mark.usefixtures("every_step_recorded")
def test_a_loss_that_is_not_finite_goes_back_and_lowers_the_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = AutoencoderStage.loss
    broken = {5}

    def sometimes_broken(self: Any, batch: Any, step: int) -> Any:
        loss, figures = original(self, batch, step)
        if step in broken:
            broken.discard(step)
            loss = loss * float("nan")
        return loss, figures

    monkeypatch.setattr(AutoencoderStage, "loss", sometimes_broken)
    train(quick("checkpoint_minutes=0.00001"), tmp_path / "run", device="cpu")
    events = RunFolder(tmp_path / "run").events()
    assert any("half the rate" in event.get("message", "") for event in events)
    rates = [e["learning_rate"] for e in events if e["stage"] == "autoencoder" and "losses" in e and e["step"] == 6]
    settings = quick().stage1
    assert rates == [pytest.approx(settings.rate(5) / 2)]


def test_divergence_from_the_start_stops_with_a_clear_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = AutoencoderStage.loss
    monkeypatch.setattr(AutoencoderStage, "loss", lambda *args: (original(*args)[0] * float("nan"), {}))
    with pytest.raises(DDMIError, match=r"diverged 4 times.*lower learning rate"):
        train(quick(), tmp_path / "run", device="cpu")
    messages = [event.get("message", "") for event in RunFolder(tmp_path / "run").events()]
    assert sum("half the rate" in message for message in messages) == 3
    assert status_of(RunFolder(tmp_path / "run")).state == "failed"


@pytest.mark.slow
@pytest.mark.usefixtures("every_step_recorded")
def test_a_batch_that_does_not_fit_is_trained_on_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ("stage1.batch=4", "stage1.steps=3", "stage2.steps=1")
    train(quick(*settings), tmp_path / "whole", device="cpu")
    original = AutoencoderStage.loss

    def short_of_memory(self: Any, batch: Any, step: int) -> Any:
        if len(batch["noise"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(self, batch, step)

    monkeypatch.setattr(AutoencoderStage, "loss", short_of_memory)
    train(quick(*settings), tmp_path / "parts", device="cpu")
    messages = [event.get("message", "") for event in RunFolder(tmp_path / "parts").events()]
    assert any("out of memory: a batch of 4 is trained on 2 at a time" in message for message in messages)
    assert losses(tmp_path / "parts") == {
        step: pytest.approx(loss, rel=1e-4) for step, loss in losses(tmp_path / "whole").items()
    }


def test_a_single_example_that_does_not_fit_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(AutoencoderStage, "loss", no_memory)
    with pytest.raises(DDMIError, match="not enough memory for a single example"):
        train(quick(), tmp_path / "run", device="cpu")


@pytest.mark.slow
def test_the_best_checkpoint_is_kept_beside_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = iter([3.0, 1.0, 2.0, 4.0])
    black = {0: np.zeros((8, 8, 3), dtype=np.uint8)}
    found = lambda *_: Evaluated([{"reconstruction": next(figures)}], black)  # noqa: E731
    monkeypatch.setattr(AutoencoderStage, "evaluate", found)
    config = quick("stage1.sample_every=2", "checkpoint_minutes=0.00001", "keep_checkpoints=1", "stage2.steps=1")
    train(config, tmp_path / "run", device="cpu")
    checkpoints = Checkpoints(tmp_path / "run" / "checkpoints", "autoencoder")
    assert [path.name for path in checkpoints.newest_first()] == ["autoencoder-00000008", "autoencoder-00000004"]
    best = checkpoints.best()
    assert best is not None and best[1] == 1.0


@pytest.mark.slow
def test_a_full_disk_does_not_end_a_training_before_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path / "run")
    original = checkpoints_module.write_tensors
    written: list[str] = []

    def full_for_a_while(path: Path, tensors: Any) -> str:
        written.append(path.parent.name)
        if path.parent.name == ".autoencoder-00000003":
            raise OSError(28, "No space left on device")
        return original(path, tensors)

    monkeypatch.setattr(checkpoints_module, "write_tensors", full_for_a_while)
    monkeypatch.setattr(loop, "LEAST_FREE_BYTES", 2**62)
    train(quick("checkpoint_minutes=0.00001", "stage1.sample_every=4"), run.path, device="cpu")
    messages = [event.get("message", "") for event in run.events()]
    assert any("No space left" in message and "goes on" in message for message in messages)
    assert any("nearly full" in message for message in messages)
    assert status_of(run).state == "done" and not list(run.samples.glob("autoencoder-*"))


def test_a_device_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DDMIError, match=r"no CUDA device.*--device cpu"):
        train(quick("device=cuda"), tmp_path / "run")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DDMIError, match="cannot be written"):
        train(quick(), tmp_path / "file" / "run", device="cpu")


@pytest.mark.slow
def test_a_run_can_be_stopped_while_it_encodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path / "run")
    original = latents.encoded

    def stop_first(*arguments: Any) -> Any:
        run.command("stop")
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latents, "encoded", stop_first)
        with pytest.raises(Stopped):
            train(quick("stage1.steps=1"), run.path, device="cpu")
    assert status_of(run).state == "stopped"
    train(quick(), run.path, resume=True, device="cpu")
    assert status_of(run).state == "done"


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.usefixtures("every_step_recorded")
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    model = train(quick("checkpoint_minutes=0.00001"), whole, device="cpu")
    shutil.copytree(whole, damaged)
    for name in ("model", "cache"):
        shutil.rmtree(damaged / name)
    (damaged / "cache").mkdir()
    newest = Checkpoints(damaged / "checkpoints", "diffusion").newest_first()[0]
    (newest / "weights.safetensors").write_bytes(b"short")
    resumed = train(quick(), damaged, resume=True, device="cpu")
    messages = [event.get("message", "") for event in RunFolder(damaged).events()]
    assert any(newest.name in text and "put aside" in text for text in messages)
    a, b = (load_file(folder / "denoiser" / "weights.safetensors") for folder in (model, resumed))
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.usefixtures("every_step_recorded")
@pytest.mark.slow
def test_a_run_tells_what_a_watcher_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "ETA_STEPS", 3)
    train(quick(), tmp_path / "run", device="cpu")
    steps = [event for event in RunFolder(tmp_path / "run").events() if "losses" in event]
    for event in steps:
        assert event["samples_per_second"] > 0 and event["memory_bytes"] > 0 and event["learning_rate"] > 0
        assert (event["eta_seconds"] is None) == (event["step"] < 3)
    first, last = steps[3], steps[-1]
    assert first["eta_seconds"] > 0 and {"loss", "reconstruction", "kl"} <= first["losses"].keys()
    assert last["eta_seconds"] == 0


@pytest.mark.slow
def test_a_paused_run_still_obeys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "PAUSE_SECONDS", 0.0)
    run = RunFolder(tmp_path / "run")
    asked = iter(["pause", "sample", "checkpoint", "pause", "resume", None, "stop"])
    states = []

    def take() -> Any:
        states.append(status_of(run).state)
        return next(asked)

    monkeypatch.setattr(RunFolder, "take_command", lambda self: take())
    with pytest.raises(Stopped):
        train(quick(), run.path, device="cpu")
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
    config = quick()
    found = trial.try_out(config, make_accelerator(config, "cpu"), seconds=0.0)
    assert found.autoencoder_parameters > 0 and found.denoiser_parameters > 0 and found.memory_bytes > 0
    assert found.seconds(config) == pytest.approx(11 * found.autoencoder_step_seconds + 8 * found.denoiser_step_seconds)


def test_a_trial_tells_the_most_memory_and_not_what_is_left_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(*args: object) -> float:
        taken = torch.ones(2**28)  # 1 GB, given back at the end
        time.sleep(0.05)
        return float(taken[0])

    monkeypatch.setattr(trial, "step_seconds", step)
    config = quick()
    before = psutil.Process().memory_info().rss
    assert trial.try_out(config, make_accelerator(config, "cpu"), seconds=0.0).memory_bytes > before + 2**29


@pytest.fixture
def steps_taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Steps that cost nothing but 100 bytes and 10 an example; the sizes of those that were taken."""
    taken: list[int] = []

    @contextmanager
    def peak(device: torch.device) -> Iterator[Callable[[], int]]:
        yield lambda: 100 + 10 * taken[-1]

    monkeypatch.setattr(trial, "peak_memory", peak)
    monkeypatch.setattr(trial, "_step", lambda tried, stage, examples, device: taken.append(len(examples)))
    monkeypatch.setattr(trial, "time", SimpleNamespace(perf_counter=lambda: 0.0))  # nor time, on whatever machine
    return taken


def test_the_largest_batch_fits_into_the_memory_that_there_is(
    steps_taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "usable_memory", lambda device, processes: 475)
    config = quick("stage2.cached_latents=100")
    found = trial.largest_batches(config, make_accelerator(config, "cpu"))
    assert found == ((32, "memory"), (32, "memory"))  # 37 in full, but devices like even numbers
    assert max(steps_taken) < 37


def test_the_largest_batch_is_no_larger_than_the_data_set(
    steps_taken: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for number in range(29):
        Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / f"{number}.png")
    monkeypatch.setattr(trial, "usable_memory", lambda device, processes: 1_000_000)
    config = RunConfig.from_preset("image-tiny").with_overrides([f"data=[{{source: {tmp_path}}}]"])
    found = trial.largest_batches(config, make_accelerator(config, "cpu"))
    assert found.autoencoder == found.denoiser
    assert found.autoencoder.limit == "data" and 8 < found.autoencoder.examples < 29  # some are held out
    assert max(steps_taken) == found.autoencoder.examples


def test_the_search_for_the_largest_batch_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def step(tried: Any, stage: Any, examples: list[Any], device: Any) -> None:
        nonlocal now
        now += len(examples)

    monkeypatch.setattr(trial, "time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setattr(trial, "_step", step)
    config = quick("stage2.cached_latents=100")
    found = trial.largest_batches(config, make_accelerator(config, "cpu"), seconds=20.0)
    assert found == ((4, "time"), (4, "time"))  # 8 seconds, and a step of 8 would take as many again
    assert now == 16
