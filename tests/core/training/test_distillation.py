import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ddmi_core import cli
from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import NOISY_SAMPLERS, Denoising
from ddmi_core.support.errors import DDMIError, ModelError
from ddmi_core.text import TextEmbedding
from ddmi_core.training import distillation_stage, trajectories
from ddmi_core.training.config import DistillationConfig, RunConfig, TeacherSampling
from ddmi_core.training.distill import distill
from ddmi_core.training.distillation_stage import DistillationStage
from ddmi_core.training.run import train
from ddmi_core.training.run_folder import RunFolder, Stopped
from tests.core.training.quick import losses, quick

FEW = DistillationConfig(
    steps=6,
    batch=4,
    learning_rate=1e-4,
    warmup_steps=0,
    student_steps=2,
    trajectories=4,
    sample_every=100,
    teacher=TeacherSampling(steps=4),
)


class _Learnt(LatentDiffusion):
    """Predicts what it was told to for each time."""

    answers: dict[int, Tensor]

    def predict(self, noisy: Tensor, timestep: Tensor, text: TextEmbedding, alone: Tensor | None = None) -> Tensor:
        return self.answers[int(timestep[0])]


@pytest.mark.parametrize("prediction", ["epsilon", "v"])
def test_a_student_that_hits_its_target_goes_the_way_of_its_teacher(prediction: str) -> None:
    torch.manual_seed(0)
    shape = (4, 8, 8)
    student = _Learnt(DenoiserConfig(channels=(32, 32), text_channels=16, prediction=prediction), shape)
    tokens = torch.zeros(1, 3, 16)
    text = TextEmbedding(tokens, torch.ones(1, 3, dtype=torch.bool), tokens[:, 0])
    stage = DistillationStage.__new__(DistillationStage)
    stage.module = student
    scheduler = student.scheduler("ddim")
    scheduler.set_timesteps(4)
    stage._times = torch.cat([scheduler.timesteps, torch.tensor([-1])])
    stage._kept = torch.cat([student.training_schedule.alphas_cumprod, torch.ones(1)])
    noise = torch.randn(1, *shape, generator=torch.Generator().manual_seed(3))
    way = torch.cat([noise, torch.randn(4, *shape)])
    parts = torch.arange(4)
    targets = stage.target(way[:-1], way[1:], parts)
    student.answers = {int(time): target for time, target in zip(scheduler.timesteps, targets.split(1), strict=True)}
    made = student.sample(text, text, [3], Denoising(steps=4, sampler="ddim", guidance=1.0))
    torch.testing.assert_close(made[0], way[-1], atol=1e-3, rtol=1e-3)


def test_the_student_has_the_times_of_its_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    diffusion = LatentDiffusion(DenoiserConfig(channels=(32, 32), text_channels=16, prediction="v"), (4, 8, 8))
    teacher, student = diffusion.scheduler("dpm++"), diffusion.scheduler("ddim")
    teacher.set_timesteps(20)
    student.set_timesteps(4)
    assert teacher.timesteps[::5].tolist() == student.timesteps.tolist()


@pytest.mark.slow
def test_a_model_gets_a_student_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (trajectories, distillation_stage):
        monkeypatch.setattr(module, "HELD_OUT", 2)
    model = train(quick(), tmp_path / "model", device="cpu")
    recipe = quick(f"start_from={model}").model_copy(update={"distillation": FEW})
    whole = distill(recipe, tmp_path / "whole", device="cpu")
    run = RunFolder(tmp_path / "stopped")
    usual = DistillationStage.loss

    def stopping(self: DistillationStage, batch: dict, step: int):  # type: ignore[type-arg,no-untyped-def]
        if step == 3:
            run.command("stop")
        return usual(self, batch, step)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(DistillationStage, "loss", stopping)
        distill(recipe, run.path, device="cpu")
    made = (run.cache / "trajectories.safetensors").stat().st_mtime_ns
    assert cli.main(["train", "--out", str(run.path), "--resume", "--device", "cpu"]) == 0  # as the studio goes on
    resumed = run.model
    assert (run.cache / "trajectories.safetensors").stat().st_mtime_ns == made
    assert losses(tmp_path / "whole")[("distillation", 6)] == losses(run.path)[("distillation", 6)]

    pipelines = [Pipeline.from_pretrained(folder, device="cpu") for folder in (whole, resumed, model)]
    fast = Denoising(quality="fast")
    latents = [pipeline.sample_each(["a sofa", ""], [7, 8], fast) for pipeline in pipelines[:2]]
    assert all(torch.equal(*pair) for pair in zip(*latents, strict=True))
    with pytest.raises(ModelError, match="has no student"):
        pipelines[2].sample_each(["a sofa"], [7], fast)
    best = [pipeline.sample_each(["a sofa"], [7], Denoising(steps=4))[0] for pipeline in (pipelines[0], pipelines[2])]
    assert torch.equal(*best) and not torch.equal(best[0], latents[0][0])  # the teacher is what it was
    assert pipelines[0].hash != pipelines[2].hash
    still = FEW.model_copy(update={"learning_rate": 1e-12, "weight_decay": 0.0})
    recipe = quick(f"start_from={whole}").model_copy(update={"distillation": still})
    gone_on = Pipeline.from_pretrained(distill(recipe, tmp_path / "again", device="cpu"), device="cpu")
    torch.testing.assert_close(gone_on.sample_each(["a sofa", ""], [7, 8], fast), latents[0], atol=0.02, rtol=0.02)
    said = json.loads((whole / "denoiser-fast" / "config.json").read_text())
    assert (said["steps"], said["guidance"]) == (2, 3.0)
    other = train(quick("seed=1"), tmp_path / "other", device="cpu")
    shutil.copytree(whole / "denoiser-fast", other / "denoiser-fast")
    with pytest.raises(ModelError, match="student of other weights"):
        Pipeline.from_pretrained(other, device="cpu")


def test_what_a_student_cannot_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DDMIError, match="Name the model"):
        distill(RunConfig.from_preset("shape-tiny"), tmp_path / "run")
    with pytest.raises(ValueError, match="multiple of student_steps"):
        DistillationConfig(steps=1, batch=1, learning_rate=1e-4, student_steps=3)
    for sampler in NOISY_SAMPLERS:
        with pytest.raises(ValueError, match=r"must be dpm\+\+ or ddim"):
            DistillationConfig(steps=1, batch=1, learning_rate=1e-4, teacher={"sampler": sampler})


@pytest.mark.slow
def test_ways_of_another_teacher_are_gone_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (trajectories, distillation_stage):
        monkeypatch.setattr(module, "HELD_OUT", 2)
    model = train(quick(), tmp_path / "model", device="cpu")
    recipe = quick(f"start_from={model}").model_copy(update={"distillation": FEW})
    run = RunFolder(tmp_path / "run")
    distill(recipe, run.path, device="cpu")
    ways = run.cache / "trajectories.safetensors"
    made = ways.stat().st_mtime_ns
    stronger = FEW.model_copy(update={"teacher": TeacherSampling(steps=4, guidance=5.0), "steps": 7})
    run.create(recipe.model_copy(update={"distillation": stronger, "distils": True}).to_yaml())
    distill(recipe, run.path, resume=True, device="cpu")
    assert ways.stat().st_mtime_ns != made
