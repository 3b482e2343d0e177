"""A student for a finished model, in a run folder of its own."""

import logging
import shutil
from copy import deepcopy
from pathlib import Path

from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.model_folder import CARD, PREVIEW, PREVIEW_RECIPES, find_model
from ddmi_core.pipeline import Pipeline, Student
from ddmi_core.support.devices import precision_of
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.known_runs import register
from ddmi_core.training.config import DistillationConfig, RunConfig
from ddmi_core.training.control import Control
from ddmi_core.training.distillation_stage import DistillationStage
from ddmi_core.training.loop import train_stage
from ddmi_core.training.ownership import owned
from ddmi_core.training.precision import settle_precision
from ddmi_core.training.processors import processors_for
from ddmi_core.training.run import begin, make_accelerator
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.trajectories import trajectories
from ddmi_core.training.trial import noise_stage

_log = logging.getLogger(__name__)

USUAL = DistillationConfig(steps=2000, batch=32, learning_rate=2e-4, ema=0.995, second_moment=0.99, decay=0.02)
"""What a recipe without a `distillation` means."""


def distill(config: RunConfig, out: Path, resume: bool = False, device: str = "auto") -> Path:
    """Teach a student in the run folder `out`; return a copy of the model that has it.

    Args:
        config: the recipe whose data give the prompts; `start_from` is the teacher, of any size. When resuming, the run
            folder's own `run.yaml` counts.
        out: the run folder, made if need be.
        resume: go on where an earlier start was interrupted.
        device: instead of the configuration's.

    Raises:
        DDMIError: no teacher is named, `out` already holds a run and `resume` was not asked for, or the disk is full.
        Stopped: told to stop through the run folder; what is there is kept.
    """
    if config.start_from is None:
        raise DDMIError("Name the model that the student learns from: start_from.")
    config = begin(config.model_copy(update={"distils": True}), out, resume)
    register(out)
    run = RunFolder(out)
    with owned(run):
        return _distill(config, run, device)


def _distill(config: RunConfig, run: RunFolder, device: str) -> Path:
    settings, folder = config.distillation or USUAL, find_model(str(config.start_from))
    accelerator = make_accelerator(config, device)
    teacher = Pipeline.from_pretrained(folder, device=str(accelerator.device))

    def say(message: str) -> None:
        run.record(stage=DistillationStage.name, step=0, message=message)
        _log.info("%s", message)

    student = _beginner(teacher, settings).requires_grad_(True)
    trial = noise_stage(config, teacher.autoencoder, student, teacher.text_encoder)
    with processors_for(trial, config, run, accelerator):
        settle_precision(trial, run, accelerator)
        control = Control(run, accelerator, say, {"stop": lambda: say("stopped while the teacher goes its ways")})
        ways = trajectories(
            config,
            settings,
            teacher,
            run,
            precision_of(trial.precision, accelerator.device),
            say=say,
            between=control.obey,
        )
        stage = DistillationStage(config, settings, teacher, student, ways)
        stage.precision = trial.precision
        train_stage(stage, config, run, accelerator)
    teacher.student = Student(student.eval().requires_grad_(False), settings.student_steps, settings.teacher.guidance)
    teacher.changes = None  # the student is told as differences from weights, which must be in the same folder
    teacher.save_pretrained(run.model)
    for name in (CARD, PREVIEW, PREVIEW_RECIPES):
        if (folder / name).exists():
            shutil.copy(folder / name, run.model / name)
    return run.model


def _beginner(teacher: Pipeline, settings: DistillationConfig) -> LatentDiffusion:
    """What the student is at first: the one that the teacher has, if it goes as many steps, or else a copy of it."""
    known = teacher.student
    if known is None or known.steps != settings.student_steps:
        return deepcopy(teacher.diffusion)
    student = deepcopy(known.diffusion)  # of the teacher before, maybe
    student.latent_mean.copy_(teacher.diffusion.latent_mean)
    student.latent_std.copy_(teacher.diffusion.latent_std)
    return student
