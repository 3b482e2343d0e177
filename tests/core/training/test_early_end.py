"""A stage whose held-out figures stop getting better comes to its end sooner."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ddmi_core.model_folder import CARD
from ddmi_core.support.errors import DDMIError
from ddmi_core.training import loop
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import StageConfig
from ddmi_core.training.diffusion_stage import DiffusionStage
from ddmi_core.training.early_end import Course
from ddmi_core.training.ownership import status_of
from ddmi_core.training.run import train
from ddmi_core.training.run_folder import RunFolder, Stopped
from ddmi_core.training.stage import Evaluated
from tests.core.training.quick import losses, quick

PLAN = StageConfig(steps=1000, batch=1, learning_rate=1.0, warmup_steps=100, decay=0.1, patience=2)
"""Held-out figures are measured every 100 steps in what follows."""


def after(figures: list[float], settings: StageConfig) -> Course:
    course = Course()
    for number, figure in enumerate(figures, start=1):
        course = course.measured(figure, 100 * number, settings)
    return course


def test_the_end_begins_once_figures_were_no_better_often_enough_in_a_row() -> None:
    assert after([5, 4, 4, 3, 3], PLAN) == Course(best=3, misses=1)
    assert after([5, 4, 4, 3, 3, 3.5, 2, 1], PLAN) == Course(best=3, misses=2, closing_from=600)
    assert after([float("nan"), 4, float("inf"), float("nan")], PLAN) == Course(best=4, misses=2, closing_from=400)


def test_without_patience_nothing_ends_sooner() -> None:
    endless = PLAN.model_copy(update={"patience": None})
    assert after([5.0] * 9, endless) == Course() and Course().end(endless) == 1000
    # Also where it was taken out of the settings of a run that was stopped
    assert Course(closing_from=600).end(endless) == 1000 and Course(closing_from=600).planned(700, endless) == 700


def test_an_end_that_would_come_no_sooner_is_none() -> None:
    assert after([8, 7, 6, 5, 4, 3, 3, 3], PLAN).closing_from == 800
    assert after([9, 8, 7, 6, 5, 4, 3, 3, 3], PLAN).closing_from is None


def test_the_rate_falls_from_where_it_is_to_its_end_in_a_fifth_of_the_steps() -> None:
    course = Course(closing_from=500)
    assert course.end(PLAN) == 600
    rates = [PLAN.rate(course.planned(step, PLAN)) for step in range(600)]
    assert rates[:501] == [PLAN.rate(step) for step in range(501)]
    assert all(later < earlier for earlier, later in pairwise(rates[500:]))
    assert PLAN.rate(500) - rates[501] < 0.01 and rates[-1] == pytest.approx(PLAN.decay, rel=0.05)


def test_figures_count_once_the_divergence_weighs_in_full_and_a_second_phase_is_as_long_as_ever() -> None:
    stage = quick(
        *("stage1.steps=1000", "stage1.kl_anneal_steps=300", "stage1.warmup_steps=0", "stage1.patience=2"),
        "stage1.second_phase={steps: 200}",
    ).stage1
    assert after([1, 2, 3, 3, 3, 3], stage) == Course(best=3, misses=2, closing_from=500)
    course = Course(closing_from=500)
    assert course.end(stage) == 800  # 100 of the first phase, 200 of the second
    assert [course.planned(step, stage) for step in (500, 550, 600, 601, 799)] == [500, 650, 800, 801, 999]
    assert after([3, 3, 3, 3, 3, 2, 1, 3, 3], stage) == Course(best=3, misses=2, closing_from=500)


def test_patience_is_a_number_of_figures() -> None:
    assert quick("stage2.patience=3").stage2.patience == 3
    with pytest.raises(DDMIError, match=r"stage1\.patience"):
        quick("stage1.patience=0")


@pytest.fixture
def all_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every step recorded, and held-out figures that never change."""
    monkeypatch.setattr(loop, "RECORD_SECONDS", 0.0)
    black = {0: np.zeros((8, 8, 3), dtype=np.uint8)}
    for stage in (AutoencoderStage, DiffusionStage):
        monkeypatch.setattr(stage, "evaluate", lambda self, _share: Evaluated([{self.best_by: 1.0}], black))


@pytest.mark.slow
@pytest.mark.usefixtures("all_alike")
def test_a_run_whose_figures_stand_still_ends_sooner_and_the_same_after_a_stop(tmp_path: Path) -> None:
    config = quick(
        *("stage1.steps=40", "stage1.sample_every=3", "stage1.patience=2"),
        *("stage1.warmup_steps=0", "stage1.kl_anneal_steps=1"),
        *("stage2.steps=40", "stage2.sample_every=3", "stage2.patience=1", "stage2.warmup_steps=0"),
    )
    model = train(config, tmp_path / "whole", device="cpu")
    run = RunFolder(tmp_path / "halves")
    original = AutoencoderStage.loss
    seen: list[int] = []

    def stop_at_the_end_s_first_step(self: Any, batch: Any, step: int) -> Any:
        seen.append(step)
        if len(seen) == 10:
            run.command("stop")
        return original(self, batch, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AutoencoderStage, "loss", stop_at_the_end_s_first_step)
        with pytest.raises(Stopped):
            train(config, run.path, device="cpu")
    assert max(step for _, step in losses(run.path)) == 10
    resumed = train(config, run.path, resume=True, device="cpu")

    whole = losses(tmp_path / "whole")
    # 1.0 at 3 is the best; 6 and 9 are no better, and a fifth of 9 steps follow: 2
    assert [step for stage, step in whole if stage == "autoencoder"] == list(range(1, 12))
    assert [step for stage, step in whole if stage == "diffusion"] == list(range(1, 9))  # from 6: 2 more
    assert losses(run.path) == whole
    for part in ("autoencoder", "denoiser"):
        a, b = (load_file(folder / part / "weights.safetensors") for folder in (model, resumed))
        assert all(torch.equal(a[name], b[name]) for name in a)

    events = run.events()
    said = [event["message"] for event in events if "instead of" in event.get("message", "")]
    assert len(said) == 2
    assert "held-out reconstruction was no better than 1.0000 in the last 2 measurements" in said[0]
    assert "autoencoder ends at step 11 instead of 40" in said[0] and "diffusion ends at step 8" in said[1]
    last = [event for event in events if "losses" in event][-1]
    assert last["steps"] == 8 and last["eta_seconds"] in (None, 0)
    assert last["learning_rate"] < 0.6 * config.stage2.learning_rate
    card = (model / CARD).read_text(encoding="utf-8")
    assert "Stage 1: 11 steps" in card and "stage 1 (40 planned), stage 2 (40 planned)" in card

    train(config, run.path, resume=True, device="cpu")  # it has ended: there is nothing left to do
    assert run.events() == events and status_of(run).state == "done"
