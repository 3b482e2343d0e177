"""A stage where it is trained: its weights and what changes them."""

import copy
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from typing_extensions import override

from ddmi_core.support.devices import precision_of
from ddmi_core.support.errors import DDMIError
from ddmi_core.training.averaging import AveragedWeights
from ddmi_core.training.muon import Muon, hidden_matrices
from ddmi_core.training.sharding import shards, spread, whole
from ddmi_core.training.stage import Stage


class Optimisation:
    """The module of a stage on its device, the average of its weights, the optimiser, the scale of gradients.

    Where each process is to hold a part of the weights alone (FSDP), what is trained is a copy of the module; the
    stage's own waits in the machine's memory until averaged weights are asked for.

    Args:
        stage: whose module is trained.
        device: where.
        accelerator: of processes that train together, whose gradients are averaged while they are computed; without one
            this process trains alone, whatever others do.
    """

    def __init__(self, stage: Stage, device: torch.device, accelerator: Accelerator | None = None) -> None:
        settings = stage.settings
        self._stage, self._device, self._accelerator = stage, device, accelerator
        self._is_spread = accelerator is not None and shards(accelerator)
        if self._is_spread:
            stage = copy.copy(stage)
            stage.module = copy.deepcopy(stage.module).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        else:
            # Convolutions run a sixth faster on channels-last weights, on CPUs as on GPUs
            stage.module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.module = stage.module
        self._loss: nn.Module = _Loss(stage, device)
        if self._is_spread and settings.optimiser == "muon":
            raise DDMIError("Muon needs whole matrices, and here they are spread over processes: choose adamw.")
        self.optimiser: torch.optim.Optimizer = Muon(
            stage.parameter_groups(),
            matrices=hidden_matrices(stage.module) if settings.optimiser == "muon" else (),
            lr=settings.learning_rate,
            betas=(0.9, settings.second_moment),
            weight_decay=settings.weight_decay,
            fused=True,
        )
        if accelerator is not None and self._is_spread:
            self._loss, self.optimiser = spread(accelerator, self._loss, self.optimiser)
        elif accelerator is not None:  # the first process's weights are copied into the others
            self._loss = accelerator.prepare_model(self._loss)
            if isinstance(self._loss, DistributedDataParallel):
                self._loss.forward_sync_buffers = False  # none changes in training
        self.average = AveragedWeights(self.module, settings.ema)
        # Small gradients vanish in float16: they are scaled up by as much as just does not overflow
        half = precision_of(stage.precision, device) == torch.float16
        self.scaler = torch.amp.GradScaler(device.type, enabled=half)
        self._clip_norm = math.inf if settings.clip_norm is None else settings.clip_norm
        self._average_every = settings.ema_every

    def add_gradients(
        self, batch: dict[str, Any], step: int, *, share: float = 1.0, exchange: bool = True
    ) -> dict[str, Tensor]:
        """Add the gradients of a batch's loss to those that there are; return the loss and the figures.

        Args:
            batch: on the device.
            step: how far the training is.
            share: of the whole batch, if this is a part of it; what is returned is weighed by it too.
            exchange: whether the sum so far is averaged over all processes, as it is with the last part of a batch.
        """
        with nullcontext() if exchange else self._alone():
            loss, figures = self._loss(batch, step)
            self.scaler.scale(loss * share).backward()
        return {name: share * value.detach() for name, value in {"loss": loss, **figures}.items()}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Have the averaged weights in the stage's module meanwhile."""
        if self._is_spread:
            self.leave_averaged()
            try:
                yield
            finally:
                self._stage.module.cpu()
            return
        with self.average.applied(self.module):
            yield

    def leave_averaged(self) -> None:
        """Put the averaged weights into the stage's module, on its device."""
        self._stage.module.load_state_dict({name: whole(tensor) for name, tensor in self.average.weights.items()})
        self._stage.module.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _alone(self) -> AbstractContextManager[object]:
        return nullcontext() if self._accelerator is None else self._accelerator.no_sync(self._loss)

    def advance(self, rate: float, step: int) -> Float[Tensor, ""]:
        """Change weights and average by the gradients, which are used up; return their norm before it was clipped.

        With scaled gradients a step in which some overflow is left out.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.scaler.unscale_(self.optimiser)
        norm = whole(nn.utils.clip_grad_norm_(self.module.parameters(), self._clip_norm))
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad()
        if (step + 1) % self._average_every == 0:
            self.average.update(self.module, step)
        return norm


class _Loss(nn.Module):
    """The loss of a stage as a module's forward pass, which is where torch hooks in what processes exchange."""

    def __init__(self, stage: Stage, device: torch.device) -> None:
        super().__init__()
        self.module = stage.module
        self._stage, self._device = stage, device

    @override
    def forward(self, batch: dict[str, Any], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        return self._stage.loss_in_its_precision(batch, step, self._device)
