"""The noise of a seed, or of one that shall be like another."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.interpolation import slerp
from ddmi_core.recipe import MAX_SEED, Like, in_short


class Noise:
    """Draws the standard normal values that one item is made of: the same ones for the same seed on the same device.

    What shall be like another item has the noise of both, spherically interpolated, which keeps it standard normal:
    from that of the first seed of `like` as far to that of the next one as its difference says, from there on to the
    one after it, and last to that of `seed`.

    Args:
        seed: of the item.
        like: what it shall be like.
        device: where the values are drawn.
        attempt: each draws the same values first, and others from then on.
    """

    def __init__(
        self, seed: int, like: Sequence[Like] = (), device: torch.device | str = "cpu", *, attempt: int = 0
    ) -> None:
        like, seed = in_short(tuple(like), seed)
        self._device = device
        self._seeds = (*(start for start, _ in like), seed)
        self._generators = [torch.Generator(device).manual_seed(one) for one in self._seeds]
        self._differences = [difference for _, difference in like]
        self._attempt = attempt
        self._drawn = 0

    def draw(self, shape: Sequence[int]) -> Float[Tensor, "..."]:
        """Return the next values."""
        if self._drawn == 1 and self._attempt:
            for generator, seed in zip(self._generators, self._seeds, strict=True):
                (own,) = np.random.SeedSequence((seed, self._attempt)).generate_state(1, np.uint64)
                generator.manual_seed(int(own) % MAX_SEED)
        self._drawn += 1
        noise, *others = (torch.randn(*shape, generator=one, device=self._device) for one in self._generators)
        for other, difference in zip(others, self._differences, strict=True):
            noise = slerp(noise, other, difference)
        return noise
