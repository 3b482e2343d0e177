"""Random numbers that belong to a draw: the same whichever process trains on it, and with whatever else at once."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset


def draw_noise(rng: np.random.Generator, shape: Sequence[int]) -> Float[Tensor, "c h w"]:
    """Return standard normal noise of a packed latent's shape."""
    return torch.from_numpy(rng.standard_normal(tuple(shape), dtype=np.float32))


class NoisyDraws(Dataset[dict[str, Tensor]]):
    """Draws with `noise` of the latent's shape added to each."""

    def __init__(self, draws: Dataset[dict[str, Tensor]], shape: tuple[int, int, int], seed: int) -> None:
        self._draws, self._shape, self._seed = draws, shape, seed

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self._seed, 3, number))
        return {**self._draws[number], "noise": draw_noise(rng, self._shape)}
