"""The one training loop, for both stages."""

import logging
import math
import shutil
import time
from collections.abc import Iterator
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.utils.data import DataLoader, Subset
from torch.utils.tensorboard import SummaryWriter

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.memory import give_back, is_out_of_memory, memory_in_use
from ddmi_core.support.processes import any_of, average_figures, from_all, from_first
from ddmi_core.support.threads import run_anywhere
from ddmi_core.training.checkpoints import Checkpoints, DamagedCheckpoint, Progressed
from ddmi_core.training.config import RunConfig
from ddmi_core.training.control import Control
from ddmi_core.training.optimisation import Optimisation
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.stage import Evaluated, Stage

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


def train_stage(
    stage: Stage,
    config: RunConfig,
    run: RunFolder,
    accelerator: Accelerator,
    *,
    steps_after: float = 0.0,
    seconds_after: float = 0.0,
) -> int:
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

    Returns:
        how many steps it had: fewer than were planned where its held-out figures stopped getting better.

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
    return loop.progressed.step


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
        self.trained = Optimisation(stage, accelerator.device, accelerator)
        self.checkpoints = Checkpoints(run.checkpoints, stage.name, config.keep_checkpoints)
        self.control = Control(
            run,
            accelerator,
            lambda message: self._record(message=message),
            {"sample": self._evaluate, "checkpoint": self._checkpoint_now, "stop": self._stop},
        )
        self.progressed = Progressed(0, 1.0)
        self.last: dict[str, Tensor] = {}  # figures of the step before, on their device
        # To look at a number on a GPU is to wait for it, so that the next steps cannot be queued
        self.look_every = LOOK_EVERY if accelerator.device.type == "cuda" else 1
        self.saved: int | None = None  # the step of the checkpoint written or read last
        # Examples that are computed at once: at most as many as fit into memory
        self.part = -(-stage.settings.batch // stage.settings.accumulate)
        self.part_is_known = accelerator.num_processes == 1
        self.said_at = -SAY_SECONDS
        self.writer = SummaryWriter(str(run.tensorboard / stage.name)) if accelerator.is_main_process else None
        if self._restore():
            self._record(message=f"resumed {stage.name} at step {self.progressed.step}", back_to=self.progressed.step)
        else:
            # What a loss that is not finite goes back to; and a disk without room is found out before the work
            self._save()

    @property
    def end(self) -> int:
        """How many steps the stage has, as things stand."""
        return self.progressed.course.end(self.stage.settings)

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
            planned = self.progressed.course.planned(step, settings)
            rate = settings.rate(planned) * self.progressed.rate_factor
            self.last = self._gradients(batch, planned)
            norm = self.trained.advance(rate, step)
            if not self.trained.scaler.is_enabled():  # which leaves out a step whose gradients overflow
                self.last["norm"] = norm
            self.progressed = self.progressed._replace(step=step + 1, held_out=None)
            window_steps += 1
            last = step + 1 == self.end
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
                self._evaluate(in_turn=True)
            if from_first(self.accelerator, int(now - saved_at >= 60 * self.config.checkpoint_minutes)):
                self._save_if_possible()
                saved_at = time.monotonic()
            if last:
                break

    def step_back(self) -> None:
        """Return to the last checkpoint with half the learning rate."""
        factor = self.progressed.rate_factor / 2
        self.trained.optimiser.zero_grad()
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
        if from_first(self.accelerator, int(self.saved != self.progressed.step)):
            self._save()
        self.accelerator.wait_for_everyone()
        self.trained.leave_averaged()

    def close(self) -> None:
        """End the thread that writes for TensorBoard, and let go of what the processes exchanged gradients in."""
        if self.writer is not None:
            self.writer.close()
        self.accelerator.free_memory()

    def _batches(self) -> Iterator[dict[str, Any]]:
        settings = self.stage.settings
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        # Draw k of the run belongs to process k mod world, so a resume and a change of processes see no draw twice.
        first, last = self.progressed.step * settings.batch * world, self.end * settings.batch * world
        numbers = range(first + rank, last, world)
        loader = DataLoader(
            Subset(self.stage.draws, numbers),
            batch_size=settings.batch,
            sampler=None,
            shuffle=False,
            num_workers=self.config.loader_workers,
            worker_init_fn=run_anywhere,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        for at, drawn in zip(range(0, len(numbers), settings.batch), loader, strict=True):
            yield self.stage.on_device(drawn, numbers[at : at + settings.batch], self.accelerator.device)

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
        """Leave the gradients of a batch, the mean over all processes, in the module; return its loss and figures.

        The first batch of several processes is tried without an exchange, until all of them have room for it: one that
        runs out of memory amid an exchange would be waited for by the others forever.
        """
        while True:
            figures = self._try_parts(batch, step, exchange=self.part_is_known)
            if self.part_is_known and figures is not None:
                return figures
            self.trained.optimiser.zero_grad()
            if not any_of(self.accelerator, figures is None):
                self.part_is_known = True
                continue
            give_back(self.accelerator.device)
            if self.part_is_known and self.accelerator.num_processes > 1:
                raise DDMIError(
                    f"Memory that was enough before is not any more in stage {self.stage.name}: something else takes "
                    "it. End that, then resume; what fits is then found anew."
                )
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

    def _try_parts(self, batch: dict[str, Tensor], step: int, *, exchange: bool) -> dict[str, Tensor] | None:
        """Add up the gradients of a batch's parts; None if there was not enough memory."""
        size = self.stage.settings.batch
        totals: dict[str, Tensor] = {}
        try:
            for start in range(0, size, self.part):
                part = {name: value[start : start + self.part] for name, value in batch.items()}
                share = min(self.part, size - start) / size
                last = start + self.part >= size
                figures = self.trained.add_gradients(part, step, share=share, exchange=exchange and last)
                for name, value in figures.items():
                    totals[name] = totals[name] + value if name in totals else value
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
        left = self.end - self.progressed.step + self.steps_after
        return round(left * seconds / steps + self.seconds_after, 1)

    def _evaluate(self, *, in_turn: bool = False) -> None:
        """Draw pictures and measure, every process its share; what is better than all before is kept.

        Trouble with it never ends the run. Figures that come in turn, and not because somebody asked for pictures,
        decide when the stage ends.
        """
        full = shutil.disk_usage(self.run.path).free < LEAST_FREE_BYTES
        if from_first(self.accelerator, int(full)):
            self._record(message="the disk is nearly full: no pictures are written, so that checkpoints still can be")
            return
        found = from_all(self.accelerator, self._evaluated_share())
        figure = self._measured(found) if self.accelerator.is_main_process else None
        if in_turn:
            self._follow(figure)
        if from_first(self.accelerator, int(figure is not None and self._is_best(figure))):
            self._save_if_possible()

    def _follow(self, figure: float | None) -> None:
        """Let a held-out figure, which the first process knows if any does, decide whether the stage ends sooner."""
        settings, before = self.stage.settings, self.progressed.course
        course = before if figure is None else before.measured(figure, self.progressed.step, settings)
        start = from_first(self.accelerator, -1 if course.closing_from is None else course.closing_from)
        self.progressed = self.progressed._replace(course=course._replace(closing_from=None if start < 0 else start))
        if self.progressed.course.closing_from != before.closing_from:
            best = "" if course.best is None else f" than {course.best:.4f}"
            times = "the last measurement" if course.misses == 1 else f"the last {course.misses} measurements"
            self._record(
                message=f"held-out {self.stage.best_by} was no better{best} in {times}: the learning rate begins to "
                f"fall to its end, and {self.stage.name} ends at step {self.end:,} instead of {settings.steps:,}"
            )

    def _measured(self, found: list[Evaluated | str]) -> float | None:
        """Record what all processes found, or what went wrong; return the figure by which checkpoints are compared."""
        try:
            figures = self._evaluated([share for share in found if isinstance(share, Evaluated)])
            trouble = [share for share in found if isinstance(share, str)]
        except OSError as error:
            trouble = [str(error)]
        if trouble:
            self._record(message=f"no pictures and held-out figures this time: {trouble[0]}")
            return None
        self._record(held_out=figures)
        return figures[self.stage.best_by]

    def _is_best(self, figure: float) -> bool:
        """Whether a held-out figure is better than at all checkpoints; it is then noted for the next one."""
        best = self.checkpoints.best()
        if not math.isfinite(figure) or (best is not None and figure >= best[1]):
            return False
        self.progressed = self.progressed._replace(held_out=figure)
        return True

    def _evaluated_share(self) -> Evaluated | str:
        """Evaluate what is this process's to evaluate; what went wrong, if something did that need not end the run."""
        share = slice(self.accelerator.process_index, None, self.accelerator.num_processes)
        module = self.stage.module
        try:
            with self.trained.averaged():
                module.eval()
                return self.stage.evaluate(share)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return str(error)
        finally:
            module.train()

    def _evaluated(self, shares: list[Evaluated]) -> dict[str, float]:
        """Write the pictures of all shares and return the means of their figures."""
        pictures = {place: picture for share in shares for place, picture in share.pictures.items()}
        file = self.run.samples / f"{self.stage.name}-{self.progressed.step:08d}.png"
        self.stage.save_pictures(pictures, file)
        found = [figures for share in shares for figures in share.figures]
        return {name: math.fsum(figures[name] for figures in found) / len(found) for name in found[0]}

    def _save(self) -> None:
        trained = self.trained
        self.progressed = self.progressed._replace(scaler=trained.scaler.state_dict())
        state = (trained.module, trained.average, trained.optimiser)
        self.checkpoints.save(self.progressed, *state, write=self.accelerator.is_main_process)
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
        trained = self.trained
        self.progressed = self.checkpoints.restore(path, trained.module, trained.average, trained.optimiser)
        if self.progressed.scaler:
            trained.scaler.load_state_dict(self.progressed.scaler)
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
            _log.info("%s %d/%d: %.4f", self.stage.name, step, self.end, event["losses"]["loss"])
        if "held_out" in event:
            figures = ", ".join(f"{name} {value:.4f}" for name, value in event["held_out"].items())
            _log.info("%s %d held out: %s", self.stage.name, step, figures)
        try:
            self.run.record(stage=self.stage.name, step=step, steps=self.end, **event)
            for kind in ("losses", "held_out"):
                for name, value in event.get(kind, {}).items():
                    assert self.writer is not None
                    self.writer.add_scalar(f"{kind}/{name}", value, step)
        except OSError as error:  # a full disk must not end the training before its checkpoints do
            _log.warning("an event could not be written: %s", error)
