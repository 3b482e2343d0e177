"""The one training loop, for both stages."""

import logging
import math
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset
from torch.utils.tensorboard import SummaryWriter

from ddmi_core.devices import Precision, autocast, precision_of
from ddmi_core.errors import DDMIError
from ddmi_core.threads import run_anywhere
from ddmi_core.training.averaging import AveragedWeights
from ddmi_core.training.checkpoints import Checkpoints, DamagedCheckpoint, Progressed
from ddmi_core.training.config import RunConfig, StageConfig
from ddmi_core.training.control import Control
from ddmi_core.training.memory import give_back, is_out_of_memory, memory_in_use
from ddmi_core.training.processes import any_of, average_figures, average_gradients, from_first, share_tensors
from ddmi_core.training.run_folder import RunFolder

_log = logging.getLogger(__name__)

MAX_RETRIES = 3
"""How often a stage whose loss is not finite goes back before it gives up."""

RECORD_SECONDS = 2.0
"""Seconds between two recorded steps: often enough to watch, seldom enough to keep the file small."""

ETA_STEPS = 30
"""Steps after which the time that is left is told."""

LEAST_FREE_BYTES = 2**30
"""With less space on the disk, pictures are no longer written, so that checkpoints still can be."""

SAY_SECONDS = 20.0
"""Seconds between two lines of log about the loss."""


LOOK_EVERY = 10
"""Steps of a GPU between two looks at its numbers."""


class NotFinite(ArithmeticError):
    """The loss or its gradient is NaN or infinite."""


class Stage(ABC):
    """What the loop needs of a stage: a module, numbered draws, a loss.

    All chance of a step is in its draws, noise included. So it does not matter in which process a draw is trained on,
    or with how many others at once.
    """

    name: ClassVar[str]
    best_by: ClassVar[str]
    """The held-out figure by which checkpoints are compared: lower is better."""
    settings: StageConfig
    precision: Precision
    module: nn.Module
    draws: Dataset[dict[str, Tensor]]

    @abstractmethod
    def loss(self, batch: dict[str, Any], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the mean loss of a batch, and figures worth recording, left on its device."""

    def loss_in_its_precision(
        self, batch: dict[str, Any], step: int, device: torch.device
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the same, computed in the precision that the run asks for or that suits the device."""
        with autocast(device, precision_of(self.precision, device)):
            return self.loss(batch, step)

    @abstractmethod
    def evaluate(self, run: RunFolder, step: int) -> dict[str, float]:
        """Write pictures to the run's samples and return held-out figures; called with averaged weights."""


def learning_rate(settings: StageConfig, step: int) -> float:
    """Return the rate of a step: linear warm-up, then a cosine down to `decay` of the highest."""
    warm = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / settings.steps)))
    return settings.learning_rate * warm * (settings.decay + (1 - settings.decay) * cosine)


def train_stage(
    stage: Stage,
    config: RunConfig,
    run: RunFolder,
    accelerator: Accelerator,
    *,
    steps_after: float = 0.0,
    seconds_after: float = 0.0,
) -> None:
    """Train `stage` to its last step, from its newest checkpoint if there is one; leaves averaged weights in it.

    A loss that is not finite goes back to the last checkpoint with half the learning rate, at most three times. A batch
    that does not fit into memory is trained on in parts, whose gradients are added up.

    Args:
        stage: what to train.
        config: the run's.
        run: where checkpoints and events go.
        accelerator: of all processes that train together.
        steps_after: what the run has to do once this stage is done, in steps of this stage, and
        seconds_after: in seconds; for the time left that is told.

    Raises:
        Stopped: the run folder's control said so.
        DDMIError: the loss stayed not finite, or a single example does not fit into memory.
    """
    _log.info("stage %s: %d steps", stage.name, stage.settings.steps)
    loop = _Loop(stage, config, run, accelerator, steps_after, seconds_after)
    try:
        for tries_left in reversed(range(MAX_RETRIES + 1)):
            try:
                loop.run_through()
                break
            except NotFinite:
                if not tries_left:
                    raise DDMIError(
                        f"Training diverged {MAX_RETRIES + 1} times in stage {stage.name}: its loss was not finite "
                        f"around step {loop.progressed.step}. The last good checkpoint is kept. Look at the data, or "
                        "start again with a lower learning rate."
                    ) from None
                loop.step_back()
        loop.finish()
    finally:
        loop.close()


class _Loop:
    """The state of a stage in training: what a checkpoint holds, and where it goes."""

    def __init__(
        self,
        stage: Stage,
        config: RunConfig,
        run: RunFolder,
        accelerator: Accelerator,
        steps_after: float,
        seconds_after: float,
    ) -> None:
        self.stage, self.config, self.run, self.accelerator = stage, config, run, accelerator
        self.steps_after, self.seconds_after = steps_after, seconds_after
        # Convolutions run a sixth faster on channels-last weights, on CPUs as on GPUs
        self.module = stage.module.to(
            accelerator.device,
            memory_format=torch.channels_last,  # type: ignore[call-overload]
        )
        self.average = AveragedWeights(self.module, stage.settings.ema)
        self.optimiser = torch.optim.AdamW(
            self.module.parameters(),
            lr=stage.settings.learning_rate,
            betas=(0.9, stage.settings.second_moment),
            weight_decay=0.01,
            fused=True,
        )
        self.checkpoints = Checkpoints(run.checkpoints, stage.name, config.keep_checkpoints)
        self.control = Control(
            run,
            accelerator,
            lambda message: self._record(message=message),
            {"sample": self._evaluate, "checkpoint": self._checkpoint_now, "stop": self._stop},
        )
        device = accelerator.device
        # Small gradients vanish in float16: they are scaled up by as much as just does not overflow
        half = precision_of(stage.precision, device) == torch.float16
        self.scaler = torch.amp.GradScaler(device.type, enabled=half)
        self.progressed = Progressed(0, 1.0)
        self.last: dict[str, Tensor] = {}  # figures of the step before, on their device
        # To look at a number on a GPU is to wait for it, so that the next steps cannot be queued
        self.look_every = LOOK_EVERY if device.type == "cuda" else 1
        self.saved: int | None = None  # the step of the checkpoint written or read last
        self.part = stage.settings.batch  # examples that fit into memory at once
        self.said_at = -SAY_SECONDS
        self.writer = SummaryWriter(str(run.tensorboard / stage.name)) if accelerator.is_main_process else None
        if self._restore():
            self._record(message=f"resumed {stage.name} at step {self.progressed.step}", back_to=self.progressed.step)
        else:
            share_tensors(accelerator, self.module.state_dict().values())
            # What a loss that is not finite goes back to; and a disk without room is found out before the work
            self._save()

    def run_through(self) -> None:
        """Train from where we are to the last step."""
        settings = self.stage.settings
        saved_at = window_start = began = time.monotonic()
        window_steps = 0
        first = self.progressed.step
        for batch in self._batches():
            step = self.progressed.step
            paused = self.control.obey()
            began, window_start = began + paused, window_start + paused
            rate = learning_rate(settings, step) * self.progressed.rate_factor
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.last = self._gradients(batch, step)
            self.scaler.unscale_(self.optimiser)
            norm = nn.utils.clip_grad_norm_(self.module.parameters(), settings.clip_norm)
            if not self.scaler.is_enabled():  # which leaves out a step whose gradients overflow
                self.last["norm"] = norm
            self.scaler.step(self.optimiser)
            self.scaler.update()
            self.optimiser.zero_grad()
            self.average.update(self.module, step)
            self.progressed = self.progressed._replace(step=step + 1, held_out=None)
            window_steps += 1
            last = step + 1 == settings.steps
            if not (last or (step + 1) % self.look_every == 0 or (step + 1) % settings.sample_every == 0):
                continue
            figures = self._looked_at()
            now = time.monotonic()
            if now - window_start >= RECORD_SECONDS or last:
                speed = window_steps * settings.batch * self.accelerator.num_processes / (now - window_start)
                self._record(
                    losses=figures,
                    learning_rate=rate,
                    samples_per_second=round(speed, 2),
                    eta_seconds=self._seconds_left(step + 1 - first, now - began),
                    memory_bytes=memory_in_use(self.accelerator.device),
                )
                window_start, window_steps = now, 0
            if (step + 1) % settings.sample_every == 0:
                self._evaluate()
            if now - saved_at >= 60 * self.config.checkpoint_minutes:
                self._save_if_possible()
                saved_at = time.monotonic()

    def step_back(self) -> None:
        """Return to the last checkpoint with half the learning rate."""
        factor = self.progressed.rate_factor / 2
        self.optimiser.zero_grad()
        if not self._restore():
            raise DDMIError(
                f"The loss of {self.stage.name} was not finite, and there is no sound checkpoint to go back to: "
                "look at the data, or start again with a lower learning rate."
            )
        self.progressed = self.progressed._replace(rate_factor=factor)
        step = self.progressed.step
        self._record(message=f"the loss was not finite: back to step {step} with half the rate", back_to=step)

    def finish(self) -> None:
        """Checkpoint the end and leave the averaged weights in the module."""
        if self.saved != self.progressed.step:
            self._save()
        self.accelerator.wait_for_everyone()
        self.module.load_state_dict(self.average.weights)

    def close(self) -> None:
        """End the thread that writes for TensorBoard."""
        if self.writer is not None:
            self.writer.close()

    def _batches(self) -> Iterator[dict[str, Any]]:
        settings = self.stage.settings
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        # Draw k of the run belongs to process k mod world, so a resume and a change of processes see no draw twice.
        first, last = self.progressed.step * settings.batch * world, settings.steps * settings.batch * world
        loader = DataLoader(
            Subset(self.stage.draws, range(first + rank, last, world)),
            batch_size=settings.batch,
            sampler=None,
            shuffle=False,
            num_workers=self.config.loader_workers,
            worker_init_fn=run_anywhere,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        for batch in loader:
            yield {name: value.to(self.accelerator.device, non_blocking=True) for name, value in batch.items()}

    def _looked_at(self) -> dict[str, float]:
        """Return the figures of the last step, the means over all processes.

        Raises:
            NotFinite: the loss is not, or was not in a step since the last look: its weights are not either.
        """
        names = list(self.last)
        values = torch.stack([value.detach().float() for value in self.last.values()])
        figures = average_figures(self.accelerator, dict(zip(names, values.tolist(), strict=True)))
        if not all(map(math.isfinite, (figures["loss"], figures.pop("norm", 0.0)))):
            raise NotFinite
        return figures

    def _gradients(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """Leave the gradients of a batch, the mean over all processes, in the module; return its loss and figures."""
        while True:
            figures = self._try_parts(batch, step)
            if not any_of(self.accelerator, figures is None):
                break
            self.optimiser.zero_grad()
            give_back(self.accelerator.device)
            if self.part == 1:
                raise DDMIError(
                    f"There is not enough memory for a single example in stage {self.stage.name}. Take a smaller model "
                    "or fewer queries, or end what else uses the device, then resume."
                )
            self.part = (self.part + 1) // 2
            self._record(
                message=f"out of memory: a batch of {self.stage.settings.batch} is trained on {self.part} at a time, "
                "with the gradients added up"
            )
        assert figures is not None
        average_gradients(self.accelerator, self.module.parameters())
        return figures

    def _try_parts(self, batch: dict[str, Tensor], step: int) -> dict[str, Tensor] | None:
        """Add up the gradients of a batch's parts; None if there was not enough memory."""
        size = self.stage.settings.batch
        totals: dict[str, Tensor] = {}
        try:
            for start in range(0, size, self.part):
                part = {name: value[start : start + self.part] for name, value in batch.items()}
                share = min(self.part, size - start) / size
                loss, figures = self.stage.loss_in_its_precision(part, step, self.accelerator.device)
                self.scaler.scale(loss * share).backward()
                for name, value in {"loss": loss, **figures}.items():
                    weighed = share * value.detach()
                    totals[name] = totals[name] + weighed if name in totals else weighed
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None
        return totals

    def _checkpoint_now(self) -> None:
        self._save_sound()
        self._record(message=f"checkpoint at step {self.progressed.step}")

    def _stop(self) -> None:
        self._save_sound()
        self._record(message=f"stopped at step {self.progressed.step}")

    def _seconds_left(self, steps: int, seconds: float) -> float | None:
        """Return what is left of the whole run, judged by the steps since this start; None while it is too early."""
        if steps < ETA_STEPS:
            return None
        left = self.stage.settings.steps - self.progressed.step + self.steps_after
        return round(left * seconds / steps + self.seconds_after, 1)

    def _evaluate(self) -> None:
        """Draw pictures and measure; what is better than all before is kept. Trouble with it never ends the run."""
        if not self.accelerator.is_main_process:
            return
        if shutil.disk_usage(self.run.path).free < LEAST_FREE_BYTES:
            self._record(message="the disk is nearly full: no pictures are written, so that checkpoints still can be")
            return
        try:
            with self.average.applied(self.module):
                self.module.eval()
                figures = self.stage.evaluate(self.run, self.progressed.step)
        except (RuntimeError, MemoryError, OSError) as error:
            if not (isinstance(error, OSError) or is_out_of_memory(error)):
                raise
            self._record(message=f"no pictures and held-out figures this time: {error}")
            return
        finally:
            self.module.train()
        self._record(held_out=figures)
        best, figure = self.checkpoints.best(), figures[self.stage.best_by]
        if math.isfinite(figure) and (best is None or figure < best[1]):
            self.progressed = self.progressed._replace(held_out=figure)
            self._save_if_possible()

    def _save(self) -> None:
        self.progressed = self.progressed._replace(scaler=self.scaler.state_dict())
        if self.accelerator.is_main_process:
            self.checkpoints.save(self.progressed, self.module, self.average, self.optimiser)
        self.saved = self.progressed.step

    def _save_sound(self) -> None:
        """Write a checkpoint between two looks at the numbers: not before they were looked at."""
        if self.last:
            self._looked_at()
        self._save()

    def _save_if_possible(self) -> None:
        """Write a checkpoint; where that fails go on without, since nothing is lost yet."""
        try:
            self._save()
        except DDMIError as error:
            self._record(message=f"{error} Training goes on and will try again.")

    def _restore(self) -> bool:
        """Go to the newest checkpoint that is sound, the same in all processes; whether there is one."""
        self.accelerator.wait_for_everyone()
        step = from_first(self.accelerator, self._newest_sound() if self.accelerator.is_main_process else 0)
        if step < 0:
            return False
        path = next(one for one in self.checkpoints.newest_first() if int(one.name.rpartition("-")[2]) == step)
        self.progressed = self.checkpoints.restore(path, self.module, self.average, self.optimiser)
        if self.progressed.scaler:
            self.scaler.load_state_dict(self.progressed.scaler)
        self.last = {}
        self.saved = step
        return True

    def _newest_sound(self) -> int:
        """Return the step of the newest checkpoint that is sound, -1 if there is none; damaged ones are put aside."""
        for path in self.checkpoints.newest_first():
            try:
                return self.checkpoints.verify(path).step
            except DamagedCheckpoint as error:
                aside = self.checkpoints.put_aside(path)
                self._record(message=f"{error} It was put aside as {aside.name}.")
        return -1

    def _record(self, **event: Any) -> None:
        if not self.accelerator.is_main_process:
            return
        step = self.progressed.step
        if "message" in event:
            _log.info("%s", event["message"])
        if "losses" in event and time.monotonic() - self.said_at >= SAY_SECONDS:
            self.said_at = time.monotonic()
            _log.info("%s %d/%d: %.4f", self.stage.name, step, self.stage.settings.steps, event["losses"]["loss"])
        if "held_out" in event:
            figures = ", ".join(f"{name} {value:.4f}" for name, value in event["held_out"].items())
            _log.info("%s %d held out: %s", self.stage.name, step, figures)
        try:
            self.run.record(stage=self.stage.name, step=step, steps=self.stage.settings.steps, **event)
            for kind in ("losses", "held_out"):
                for name, value in event.get(kind, {}).items():
                    assert self.writer is not None
                    self.writer.add_scalar(f"{kind}/{name}", value, step)
        except OSError as error:  # a full disk must not end the training before its checkpoints do
            _log.warning("an event could not be written: %s", error)
