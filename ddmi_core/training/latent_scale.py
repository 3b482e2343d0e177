"""Mean and spread of latents of which only a part is ever in memory."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class LatentScale(NamedTuple):
    """Of every channel the mean and the standard deviation, float32."""

    mean: Float[Tensor, " c"]
    std: Float[Tensor, " c"]


class ChannelStatistics:
    """Mean and variance of every channel in one pass, part by part, in double precision (Chan, Golub, LeVeque 1979)."""

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._mean = torch.zeros(channels, dtype=torch.float64)
        self._squares = torch.zeros(channels, dtype=torch.float64)  # of the distances from the mean
        self._within = torch.zeros(channels, dtype=torch.float64)  # variances of the values themselves, added up

    def add(self, values: Float[Tensor, "n c h w"], log_variances: Float[Tensor, "n c h w"] | None = None) -> None:
        """Take in another part.

        Args:
            values: or, with the next, means of values.
            log_variances: of Gaussians about the values, whose own spread then counts too.
        """
        flat = values.movedim(1, 0).flatten(1).double()
        count = flat.shape[1]
        total = self._count + count
        mean = flat.mean(1)
        apart = mean - self._mean
        self._squares += (flat - mean[:, None]).square().sum(1) + apart.square() * (self._count * count / total)
        self._mean += apart * (count / total)
        self._count = total
        if log_variances is not None:
            self._within += log_variances.movedim(1, 0).flatten(1).double().exp().sum(1)

    def scale(self) -> LatentScale:
        """Return the figures of all parts so far, at least two values of a channel."""
        variance = self._squares / (self._count - 1) + self._within / self._count
        return LatentScale(self._mean.float(), variance.sqrt().float())

    def state(self) -> dict[str, Any]:
        """Return what `resumed` goes on from, to the last bit, as JSON has it."""
        return {
            "count": self._count,
            "mean": self._mean.tolist(),
            "squares": self._squares.tolist(),
            "within": self._within.tolist(),
        }

    @classmethod
    def resumed(cls, state: dict[str, Any]) -> "ChannelStatistics":
        """Return statistics as they were.

        Raises:
            KeyError, TypeError, ValueError: the state is damaged.
        """
        statistics = cls(len(state["mean"]))
        statistics._count = int(state["count"])
        for name in ("mean", "squares", "within"):
            setattr(statistics, f"_{name}", torch.tensor(state[name], dtype=torch.float64))
        return statistics
