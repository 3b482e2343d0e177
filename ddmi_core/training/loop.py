"""The one training loop, for both stages."""

import logging
import math
import shutil
import time
import zlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset
from torch.utils.tensorboard import SummaryWriter

from ddmi_core.errors import DDMIError
from ddmi_core.training.averaging import AveragedWeights
from ddmi_core.training.checkpoints import Checkpoints, DamagedCheckpoint, Progressed
from ddmi_core.training.config import RunConfig, StageConfig
from ddmi_core.training.memory import memory_in_use
from ddmi_core.training.ownership import set_state
from ddmi_core.training.run_folder import Command, RunFolder, Stopped

_log = logging.getLogger(__name__)

_MAX_RETRIES = 3

RECORD_SECONDS = 2.0
"""Seconds between two recorded steps: often enough to watch, seldom enough to keep the file small."""

ETA_STEPS = 30
"""Steps after which the time that is left is told."""

PAUSE_SECONDS = 0.25
"""Seconds between two looks at the control file while paused."""

LEAST_FREE_BYTES = 2**30
"""With less space on the disk, pictures are no longer written, so that checkpoints still can be."""

SAY_SECONDS = 20.0
"""Seconds between two lines of log about the loss."""


class NotFinite(ArithmeticError):
    """The loss or its gradient is NaN or infinite."""


class Stage(ABC):
    """What the loop needs of a stage: a module, numbered draws, a loss."""

    name: ClassVar[str]
    settings: StageConfig
    module: nn.Module
    draws: Dataset[dict[str, Tensor]]
    collate: Any = None

    @abstractmethod
    def loss(self, batch: dict[str, Any], step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of a batch, and figures worth recording."""

    @abstractmethod
    def evaluate(self, run: RunFolder, step: int) -> dict[str, float]:
        """Write pictures to the run's samples and return held-out figures; called with averaged weights."""


def learning_rate(settings: StageConfig, step: int) -> float:
    """Return the rate of a step: linear warm-up, then a cosine down to `decay` of the highest."""
    warm = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / settings.steps)))
    return settings.learning_rate * warm * (settings.decay + (1 - settings.decay) * cosine)


def train_stage(
    stage: Stage, config: RunConfig, run: RunFolder, accelerator: Accelerator, *, seconds_after: float = 0.0
) -> None:
    """Train `stage` to its last step, from its newest checkpoint if there is one; leaves averaged weights in it.

    A loss that is not finite goes back to the last checkpoint with half the learning rate, at most three times.
    `seconds_after` is what the run will take once this stage is done, for the time left that is told.

    Raises:
        Stopped: the run folder's control said so.
        DDMIError: the loss stayed not finite.
    """
    _log.info("stage %s: %d steps", stage.name, stage.settings.steps)
    loop = _Loop(stage, config, run, accelerator, seconds_after)
    try:
        for _ in range(_MAX_RETRIES + 1):
            try:
                loop.run_through()
                break
            except NotFinite:
                loop.step_back()
        else:
            raise DDMIError(
                f"Training diverged {_MAX_RETRIES + 1} times in stage {stage.name}. The last good checkpoint is kept; "
                "start again with a lower learning rate."
            )
        loop.finish()
    finally:
        loop.close()


class _Loop:
    """The state of a stage in training: what a checkpoint holds, and where it goes."""

    def __init__(
        self, stage: Stage, config: RunConfig, run: RunFolder, accelerator: Accelerator, seconds_after: float
    ) -> None:
        self.stage, self.config, self.run, self.accelerator = stage, config, run, accelerator
        self.seconds_after = seconds_after
        # Convolutions run a sixth faster on channels-last weights, on CPUs as on GPUs
        self.module = stage.module.to(
            accelerator.device,
            memory_format=torch.channels_last,  # type: ignore[call-overload]
        )
        self.average = AveragedWeights(self.module, stage.settings.ema)
        self.optimiser = torch.optim.AdamW(self.module.parameters(), lr=stage.settings.learning_rate, weight_decay=0.01)
        self.prepared, self.prepared_optimiser = accelerator.prepare(_LossModule(stage), self.optimiser)
        self.checkpoints = Checkpoints(run.checkpoints, stage.name)
        self.progressed = Progressed(0, 1.0)
        self.said_at = -SAY_SECONDS
        self.writer = SummaryWriter(str(run.tensorboard / stage.name)) if accelerator.is_main_process else None
        if self._restore():
            self._record(message=f"resumed {stage.name} at step {self.progressed.step}", back_to=self.progressed.step)

    def run_through(self) -> None:
        """Train from where we are to the last step."""
        settings = self.stage.settings
        saved_at = window_start = began = time.monotonic()
        window_steps = 0
        first = self.progressed.step
        generator = torch.Generator(self.accelerator.device)
        for batch in self._batches():
            step = self.progressed.step
            paused = self._obey(self.run.take_command() if self.accelerator.is_main_process else None)
            began, window_start = began + paused, window_start + paused
            rate = learning_rate(settings, step) * self.progressed.rate_factor
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            generator.manual_seed(_step_seed(self.config.seed, self.stage.name, step, self.accelerator.process_index))
            with self.accelerator.autocast():
                loss, figures = self.prepared(batch, step, generator)
            self.accelerator.backward(loss)
            norm = self.accelerator.clip_grad_norm_(self.module.parameters(), settings.clip_norm)
            if not (torch.isfinite(loss) and torch.isfinite(torch.as_tensor(norm))):
                raise NotFinite
            self.prepared_optimiser.step()
            self.prepared_optimiser.zero_grad()
            self.average.update(self.module, step)
            self.progressed = self.progressed._replace(step=step + 1)
            window_steps += 1
            now = time.monotonic()
            if now - window_start >= RECORD_SECONDS or step + 1 == settings.steps:
                speed = window_steps * settings.batch * self.accelerator.num_processes / (now - window_start)
                self._record(
                    losses={"loss": loss.item(), **figures},
                    learning_rate=rate,
                    samples_per_second=round(speed, 2),
                    eta_seconds=self._seconds_left(step + 1 - first, now - began),
                    memory_bytes=memory_in_use(self.accelerator.device),
                )
                window_start, window_steps = now, 0
            if (step + 1) % settings.sample_every == 0:
                self._evaluate()
            if now - saved_at >= 60 * self.config.checkpoint_minutes:
                self._save()
                saved_at = time.monotonic()

    def step_back(self) -> None:
        """Return to the last checkpoint (or the start) with half the learning rate."""
        factor = self.progressed.rate_factor / 2
        self.optimiser.zero_grad()
        if not self._restore():
            raise DDMIError(
                f"The loss of {self.stage.name} was not finite before the first checkpoint: "
                "look at the data, or lower the learning rate."
            )
        self.progressed = self.progressed._replace(rate_factor=factor)
        step = self.progressed.step
        self._record(message=f"the loss was not finite: back to step {step} with half the rate", back_to=step)

    def finish(self) -> None:
        """Checkpoint the end and leave the averaged weights in the module."""
        self._save()
        self.module.load_state_dict(self.average.weights)

    def close(self) -> None:
        """End the thread that writes for TensorBoard."""
        if self.writer is not None:
            self.writer.close()

    def _batches(self) -> Any:
        settings = self.stage.settings
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        # Draw k of the run belongs to process k mod world, so a resume and a change of processes see no draw twice.
        first, last = self.progressed.step * settings.batch * world, settings.steps * settings.batch * world
        loader = DataLoader(
            Subset(self.stage.draws, range(first + rank, last, world)),
            batch_size=settings.batch,
            sampler=None,
            shuffle=False,
            num_workers=self.config.workers,
            collate_fn=self.stage.collate,
        )
        for batch in loader:
            yield {
                name: value.to(self.accelerator.device) if isinstance(value, Tensor) else value
                for name, value in batch.items()
            }

    def _obey(self, command: Command | None) -> float:
        """Do what was asked; return the seconds spent paused."""
        if command == "pause":
            return self._pause()
        if command == "sample":
            self._evaluate()
        elif command == "checkpoint":
            self._save()
            self._record(message=f"checkpoint at step {self.progressed.step}")
        elif command == "stop":
            self._save()
            self._record(message=f"stopped at step {self.progressed.step}")
            raise Stopped
        return 0.0

    def _pause(self) -> float:
        """Wait for word to go on, obeying meanwhile; return the seconds that it took."""
        began = time.monotonic()
        self._record(message="paused")
        set_state(self.run, "paused")
        while (command := self.run.take_command()) != "resume":
            if command != "pause":
                self._obey(command)
            time.sleep(PAUSE_SECONDS)
        self._record(message="resumed")
        set_state(self.run, "running")
        return time.monotonic() - began

    def _seconds_left(self, steps: int, seconds: float) -> float | None:
        """Return what is left of the whole run, judged by the steps since this start; None while it is too early."""
        if steps < ETA_STEPS:
            return None
        return round((self.stage.settings.steps - self.progressed.step) * seconds / steps + self.seconds_after, 1)

    def _evaluate(self) -> None:
        if not self.accelerator.is_main_process:
            return
        if shutil.disk_usage(self.run.path).free < LEAST_FREE_BYTES:
            self._record(message="the disk is nearly full: no pictures are written, so that checkpoints still can be")
            return
        with self.average.applied(self.module):
            self.module.eval()
            figures = self.stage.evaluate(self.run, self.progressed.step)
            self.module.train()
        self._record(held_out=figures)

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            self.checkpoints.save(self.progressed, self.module, self.average, self.optimiser)

    def _restore(self) -> bool:
        """Go to the newest checkpoint that is sound; whether there is one."""
        for path in self.checkpoints.newest_first():
            try:
                self.progressed = self.checkpoints.restore(path, self.module, self.average, self.optimiser)
                return True
            except DamagedCheckpoint as error:
                aside = self.checkpoints.put_aside(path)
                self._record(message=f"{error} It was put aside as {aside.name}.")
        return False

    def _record(self, **event: Any) -> None:
        if not self.accelerator.is_main_process:
            return
        step = self.progressed.step
        self.run.record(stage=self.stage.name, step=step, steps=self.stage.settings.steps, **event)
        if "message" in event:
            _log.info("%s", event["message"])
        if "losses" in event and time.monotonic() - self.said_at >= SAY_SECONDS:
            self.said_at = time.monotonic()
            _log.info("%s %d/%d: %.4f", self.stage.name, step, self.stage.settings.steps, event["losses"]["loss"])
        for kind in ("losses", "held_out"):
            for name, value in event.get(kind, {}).items():
                assert self.writer is not None
                self.writer.add_scalar(f"{kind}/{name}", value, step)
        if "held_out" in event:
            _log.info("%s step %d: %s", self.stage.name, step, event["held_out"])


class _LossModule(nn.Module):
    """The loss as a module's forward pass, so that gradients are synchronised over processes."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.module = stage.module
        self._loss = stage.loss

    def forward(self, batch: dict[str, Any], step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        return self._loss(batch, step, generator)


def _step_seed(seed: int, stage: str, step: int, rank: int) -> int:
    """One generator state for each step, so that a resume draws what an uninterrupted run would have drawn."""
    return zlib.crc32(f"{seed} {stage} {step} {rank}".encode())
