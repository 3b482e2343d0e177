"""What the training loop needs of a stage."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.data import Dataset, default_collate

from ddmi_core.rendering.sheet_texts import SheetTexts
from ddmi_core.support.devices import Precision, autocast, precision_of
from ddmi_core.training.config import StageConfig
from ddmi_core.training.pictures import save_sheet


class Evaluated(NamedTuple):
    """What one of several processes found in an evaluation.

    Attributes:
        figures: of every held-out example of its share.
        pictures: of its share, uint8 (s, s, 3), by their place among all.
    """

    figures: list[dict[str, float]]
    pictures: dict[int, np.ndarray]


class Stage(ABC):
    """A module, numbered draws, a loss.

    All chance of a step belongs to its draws, noise included. So it does not matter in which process a draw is trained
    on, or with how many others at once.
    """

    name: ClassVar[str]
    best_by: ClassVar[str]
    """The held-out figure by which checkpoints are compared: lower is better."""
    settings: StageConfig
    precision: Precision
    module: nn.Module
    draws: Dataset[dict[str, Tensor]]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return what is trained, as optimisers take it: in the module's order, with what AdamW is to do otherwise."""
        return [{"params": list(self.module.parameters())}]

    @abstractmethod
    def chance(self, numbers: Sequence[int], device: torch.device) -> dict[str, Tensor]:
        """Draw on a device what is random about draws of these numbers beside the data; a row for each."""

    def on_device(self, drawn: Mapping[str, Tensor], numbers: Sequence[int], device: torch.device) -> dict[str, Tensor]:
        """Return a batch of the draws of these numbers, with their chance, on the device."""
        moved = {name: value.to(device, non_blocking=True) for name, value in drawn.items()}
        return moved | self.chance(numbers, device)

    def batch(self, numbers: Sequence[int], device: torch.device) -> dict[str, Tensor]:
        """Draw a batch, in this process."""
        return self.on_device(default_collate([self.draws[number] for number in numbers]), numbers, device)

    @abstractmethod
    def loss(self, batch: dict[str, Any], step: int) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the mean loss of a batch, and figures worth recording, left on its device."""

    def loss_in_its_precision(
        self, batch: dict[str, Any], step: int, device: torch.device
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the same, computed in the precision that the run asks for or that suits the device."""
        with autocast(device, precision_of(self.precision, device)):
            return self.loss(batch, step)

    @abstractmethod
    def evaluate(self, share: slice) -> Evaluated:
        """Draw pictures and measure held-out examples, those of a process: a slice of all; with averaged weights."""

    def texts(self) -> SheetTexts:
        """Return what is to be said of the pictures that were drawn last."""
        return SheetTexts()

    def save_pictures(self, pictures: Mapping[int, np.ndarray], file: Path) -> None:
        """Write the pictures of an evaluation, given by their place, as one PNG."""
        save_sheet([pictures[place] for place in sorted(pictures)], file, self.texts())
