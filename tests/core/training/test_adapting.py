from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ddmi_core import model_folder
from ddmi_core.model_file import import_path, save_as_file
from ddmi_core.model_folder import Base, describe, import_model, read_card
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings
from ddmi_core.support.errors import DDMIError, ModelError
from ddmi_core.training import loop, trial
from ddmi_core.training.adapting import changes_bytes
from ddmi_core.training.config import RunConfig
from ddmi_core.training.diffusion_stage import DiffusionStage
from ddmi_core.training.fine_tuning import further, further_from
from ddmi_core.training.run import make_accelerator, train
from ddmi_core.training.run_folder import RunFolder, Stopped
from tests.core.training.quick import QUICK, losses, quick

_RANK = 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the model of the fixture `base` is kept for the next test."""
    return tmp_path_factory.mktemp("base")


@pytest.fixture
def base(trained: Path) -> Path:
    """A model of the user's own, to which others are changes."""
    if not (trained / "model").exists():
        train(quick("name=before"), trained / "run", device="cpu")
        (trained / "run" / "model").rename(trained / "model")
    return import_model(trained / "model").folder


def _recipe(base: Path, *more: str) -> RunConfig:
    own = [f"adapter_rank={_RANK}", "stage2.learning_rate=0.01", "data=[{source: procedural}]"]
    return further(describe(base)).with_overrides([*QUICK, *own, *more])


def _sample(folder: Path) -> torch.Tensor:
    return Pipeline.from_pretrained(folder, device="cpu").sample(SamplingSettings(steps=2), [3])[0]


@pytest.mark.slow
def test_a_run_learns_changes_that_go_with_the_model(base: Path, tmp_path: Path) -> None:
    recipe = _recipe(base)
    folder = train(recipe, tmp_path / "run", device="cpu")
    model = describe(folder)
    assert model.base == Base("before", describe(base).hash) and model.size_bytes < describe(base).size_bytes / 4
    assert {event["stage"] for event in RunFolder(tmp_path / "run").events()} == {"diffusion", "done"}
    learned = load_file(folder / model_folder.CHANGES)
    assert sum(factor.nbytes for factor in learned.values()) == changes_bytes(recipe, _RANK)
    assert not list(folder.rglob("weights.safetensors"))
    card = read_card(model)
    assert f"Changes of rank {_RANK} to the denoiser of before: 0." in card and describe(base).hash in card
    assert "went on from the weights of before" in card and "Stage 1: none; stage 2: 8 steps" in card

    assert (_sample(folder) - _sample(base)).abs().max() > 1e-3
    own, before = (Pipeline.from_pretrained(one, device="cpu") for one in (folder, base))
    for name, weights in before.autoencoder.state_dict().items():
        assert torch.equal(own.autoencoder.state_dict()[name], weights)
    own.save_pretrained(tmp_path / "again")
    assert describe(tmp_path / "again").hash == model.hash and (tmp_path / "again" / model_folder.CHANGES).is_file()


@pytest.mark.slow
def test_an_interrupted_run_goes_on_exactly_as_one_that_was_not(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "RECORD_SECONDS", 0.0)
    recipe, halves = _recipe(base), tmp_path / "halves"
    whole = train(recipe, tmp_path / "whole", device="cpu")
    original = DiffusionStage.loss

    def stop_in_the_middle(self: Any, batch: Any, step: int) -> Any:
        if step == 3:
            RunFolder(halves).command("stop")
        return original(self, batch, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiffusionStage, "loss", stop_in_the_middle)
        with pytest.raises(Stopped):
            train(recipe, halves, device="cpu")
    assert 0 < max(step for _, step in losses(halves)) < 8
    resumed = train(recipe, halves, resume=True, device="cpu")
    assert losses(halves) == losses(tmp_path / "whole")
    a, b = (load_file(folder / model_folder.CHANGES) for folder in (whole, resumed))
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.slow
def test_a_run_does_not_go_on_with_a_model_that_has_changed(base: Path, tmp_path: Path) -> None:
    recipe, run = _recipe(base), RunFolder(tmp_path / "run")
    run.create(recipe.to_yaml())
    run.settle("base", {"name": "before", "hash": "0000"})
    with pytest.raises(DDMIError, match=f"0000.*{describe(base).hash} now"):
        train(recipe, run.path, resume=True, device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("denoiser.train_steps=500", "denoiser is not"),
        ("autoencoder.readout_width=24", "autoencoder is not"),
        ("text_encoder.max_tokens=5", "text_encoder is not"),
        ("adapter_rank=128", "too narrow"),
    ],
)
def test_what_does_not_fit_the_model_is_told_at_once(base: Path, tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(DDMIError, match=message):
        train(_recipe(base, change), tmp_path / "run", device="cpu")


@pytest.mark.slow
def test_changes_without_their_model_say_what_to_do(base: Path, tmp_path: Path) -> None:
    folder, digest = train(_recipe(base), tmp_path / "run", device="cpu"), describe(base).hash
    before = _sample(folder)
    save_as_file(describe(folder), tmp_path / "changes.ddmi")
    kept = base.rename(tmp_path / "kept")
    shutil.rmtree(tmp_path / "run")

    imported = import_path(tmp_path / "changes.ddmi")  # its model may come later
    assert imported.base == Base("before", digest)
    with pytest.raises(ModelError, match=f"before, which is not on this machine. Import that one, too.*{digest}"):
        Pipeline.from_pretrained(imported.folder, device="cpu")

    shutil.copytree(kept, base)  # of the same name, with other weights
    config = json.loads((base / model_folder.SCHEDULER_CONFIG).read_text())
    (base / model_folder.SCHEDULER_CONFIG).write_text(json.dumps({**config, "other": True}))
    with pytest.raises(ModelError, match=f"another before.*hash {digest}"):
        Pipeline.from_pretrained(imported.folder, device="cpu")

    shutil.rmtree(base)
    other_name = import_model(kept).folder  # called kept
    assert other_name != base and torch.equal(_sample(imported.folder), before)
    for name, damage in ((model_folder.CHANGES, b"damaged"), (model_folder.BASE, b"{}")):
        sound = (imported.folder / name).read_bytes()
        (imported.folder / name).write_bytes(damage)
        with pytest.raises(ModelError, match="damaged"):
            Pipeline.from_pretrained(imported.folder, device="cpu")
        (imported.folder / name).write_bytes(sound)
    (imported.folder / model_folder.CHANGES).unlink()
    with pytest.raises(ModelError, match=r"changes\.safetensors missing"):
        Pipeline.from_pretrained(imported.folder, device="cpu")


@pytest.mark.slow
def test_a_model_that_is_changes_can_be_gone_on_from(base: Path, tmp_path: Path) -> None:
    first = train(_recipe(base), tmp_path / "first", device="cpu")
    own = further(describe(first)).with_overrides([*QUICK, f"adapter_rank={_RANK}"])
    second = train(own, tmp_path / "second", device="cpu")
    assert describe(second).base == Base("before-further", describe(first).hash)
    assert (_sample(second) - _sample(first)).abs().max() > 0
    whole = train(own.with_overrides(["adapter_rank=null"]), tmp_path / "whole", device="cpu")
    assert describe(whole).base is None and (whole / model_folder.DENOISER_WEIGHTS).is_file()


def test_changes_to_the_models_that_came_along_are_small() -> None:
    for name in ("furniture", "portraits", "skies", "painted-furniture"):
        assert changes_bytes(further_from(name), 8) < 1.5e6


def test_changes_are_to_a_model() -> None:
    with pytest.raises(DDMIError, match="start_from must name it"):
        quick("adapter_rank=8")


def test_a_trial_counts_what_is_learned_and_no_first_stage() -> None:
    config = quick("start_from=furniture", f"adapter_rank={_RANK}")
    found = trial.try_out(config, make_accelerator(config, "cpu"), seconds=0.0)
    assert found.denoiser_parameters == changes_bytes(config, _RANK) / 2
    assert found.seconds(config) == pytest.approx(3 * found.autoencoder_step_seconds + 8 * found.denoiser_step_seconds)
