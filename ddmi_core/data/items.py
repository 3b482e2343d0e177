"""Training items: where they come from, how sources are mixed, and how each draw is tied to its number.

Item number k of a run is drawn with a generator seeded by (seed, k) alone. So the position in the data is one number,
an interrupted run continues with just the items that it would have seen, and processes can share the numbers out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import Dataset

Augment = Literal["none", "paper", "captioned", "full"]
"""How an example is changed each time it is drawn: not; as the paper has it, pictures mirrored and the points of
surfaces a little off; so that its captions stay true; or as the domain allows."""


@dataclass(frozen=True)
class SurfacePoints:
    """What an encoder of points is given of a surface.

    Attributes:
        count: how many points.
        noise: standard deviation by which each coordinate is off where examples are augmented, in [-1, 1]^3.
    """

    count: int = 2048
    noise: float = 0.0

    def disturb(
        self, points: Float[np.ndarray, "n 3"], rng: np.random.Generator, augment: Augment
    ) -> Float[np.ndarray, "n 3"]:
        """Return points, float32, with the noise where there is any."""
        if augment == "none" or not self.noise:
            return points
        return points + rng.normal(0, self.noise, points.shape).astype(np.float32)


USUAL_SURFACE = SurfacePoints()


@dataclass(frozen=True)
class EncoderInput:
    """What an encoder is given of a signal, and what training compares, as far as a model or a run may choose.

    Attributes:
        surface: points, of signals that have a surface.
        side: pixels along each side of pictures and frames; None: the domain's base resolution.
        frames: of a clip; None: the domain's.
        scales: of pictures, sizes of the pixels that training compares, as shares of the encoder's; None: of any size.
        direct: places of an example at which what is there is compared as well, of objects that are known by pictures
            and where that is known too; 0: none.
    """

    surface: SurfacePoints = USUAL_SURFACE
    side: int | None = None
    frames: int | None = None
    scales: tuple[float, ...] | None = None
    direct: int = 0


USUAL_INPUT = EncoderInput()


@runtime_checkable
class ItemSource(Protocol):
    """A set of signals to train on."""

    def __len__(self) -> int:
        """Return the number of signals."""

    def sample(self, index: int, rng: np.random.Generator, *, augment: Augment) -> dict[str, np.ndarray]:
        """Draw a training example, float32: encoder inputs, `targets` (n, v) and what the domain predicts them from.

        That is `coords` (n, d) and, where the domain has footprints, `footprint` (n, 1), unless the domain says
        otherwise.
        """

    def captions(self, index: int) -> Sequence[str]:
        """Return the signal's captions, all of them true; may be empty."""

    def draw_captions(self, index: int, rng: np.random.Generator, count: int) -> list[str]:
        """Let the generator choose captions of the signal, or word new ones where a set can; empty if it has none."""
        found = self.captions(index) or [""]
        return [found[i] for i in rng.choice(len(found), count)]

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture of the signal, premultiplied."""


Order = Callable[[int, int], int]
"""Says which signal draw `number` of a run with a `seed` is of, where a set is read fastest in an order of its own."""


class Mixture:
    """Several sources, each drawn with its own probability; any signal of a source is equally likely.

    A source that has an `order` is drawn in that.
    """

    def __init__(self, sources: Sequence[ItemSource], weights: Sequence[float]) -> None:
        self.sources = list(sources)
        self._bounds = np.cumsum(np.asarray(weights) / np.sum(weights))

    def draw(self, rng: np.random.Generator, number: int, seed: int) -> tuple[ItemSource, int]:
        """Pick the signal of draw `number` of a run: its source and its index there."""
        chosen = min(int(np.searchsorted(self._bounds, rng.random(), side="right")), len(self.sources) - 1)
        source = self.sources[chosen]
        order: Order | None = getattr(source, "order", None)
        return source, int(rng.integers(len(source))) if order is None else order(number, seed)


class NumberedDraws(Dataset[dict[str, Tensor]]):
    """Endless draws from a mixture, addressed by number."""

    def __init__(self, mixture: Mixture, seed: int, *, augment: Augment) -> None:
        self.mixture = mixture
        self.seed = seed
        self.augment = augment

    def pick(self, number: int) -> tuple[ItemSource, int, np.random.Generator]:
        """Return what a draw is of (its source and index there), and the generator that it goes on with."""
        rng = np.random.default_rng((self.seed, number))
        return *self.mixture.draw(rng, number, self.seed), rng

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        source, index, rng = self.pick(number)
        example = source.sample(index, rng, augment=self.augment)
        return {name: torch.from_numpy(array) for name, array in example.items()}
