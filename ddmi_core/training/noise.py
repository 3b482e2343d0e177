"""Random numbers that belong to a draw: the same whichever process trains on it, and with whatever else at once.

They are made where the training computes, by a generator of each draw's own that is seeded on the host: nothing is
copied to a GPU, and nothing waits for one. So a run is exact on one kind of device; another kind draws other numbers.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


class Chance:
    """The random numbers of some draws.

    Args:
        seed: of the run.
        stage: which sequence of its draws they belong to, such as 3; other parts of a run take other ones.
        numbers: of the draws.
        device: where the numbers are made and stay.
    """

    def __init__(self, seed: int, stage: int, numbers: Sequence[int], device: torch.device) -> None:
        self._device = device
        self._generators = [
            torch.Generator(device).manual_seed(int(np.random.SeedSequence((seed, stage, number)).generate_state(1)[0]))
            for number in numbers
        ]

    def normal(self, *shape: int) -> Float[Tensor, "b ..."]:
        """Return standard normal numbers of a shape for each draw; what is asked for next is independent of them."""
        found = torch.empty(len(self._generators), *shape, device=self._device)
        for row, generator in zip(found, self._generators, strict=True):
            row.normal_(generator=generator)
        return found

    def uniform(self, *shape: int) -> Float[Tensor, "b ..."]:
        """Return numbers in [0, 1), likewise."""
        found = torch.empty(len(self._generators), *shape, device=self._device)
        for row, generator in zip(found, self._generators, strict=True):
            row.uniform_(generator=generator)
        return found
