"""CodedFilm: the basis fields of a clip's frames and the motion between them, as small as they are in a file."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Annotated, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from ddmi_core.fitting import coding
from ddmi_core.fitting.motion import Motion
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.support.errors import DataError

MOTION_STEP = 1 / 4
"""What motion, in cells, and how much a frame shows are multiples of."""
_MOTION_CHANNELS = 4
STILL_FRAMES = 16
"""Frames that share a still."""


class FilmFacts(BaseModel):
    """What a file says of a film beside its tensors. `lowest`: the multiples that are coded as zero, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    moments: Annotated[tuple[Annotated[float, Field(ge=-1, le=1)], ...], Field(min_length=2, max_length=100_000)]
    seconds: Annotated[float, Field(gt=0)]
    step: Annotated[float, Field(gt=0)]
    cuts: tuple[int, ...]
    lowest: dict[str, int]


class CodedFrame(NamedTuple):
    """What a frame has beside the still that it shares with others: a coarse basis field, and a fine one."""

    coarse: coding.Coded
    fine: coding.Coded


class CodedFilm:
    """The frames of a clip, each the sum of three basis fields, which are decoded when they are asked for.

    The first is a still, as dense as the frames but shared by `STILL_FRAMES` of them: what does not move. The second
    is of each frame, but coarse; the third is of each frame and dense.

    Args:
        moments: when each frame is, in [-1, 1], rising.
        seconds: how long the clip lasts.
        step: what the basis fields' values are multiples of.
        channels: of the basis fields.
        stills: of each `STILL_FRAMES` frames.
        frames: of each frame.
        motions: after each frame but the last; None: another shot begins.
    """

    def __init__(
        self,
        moments: Sequence[float],
        seconds: float,
        step: float,
        channels: int,
        stills: Sequence[coding.Coded],
        frames: Sequence[CodedFrame],
        motions: Sequence[coding.Coded | None],
    ) -> None:
        self.moments, self.seconds = tuple(moments), seconds
        self._step, self._channels = step, channels
        self._stills, self._frames, self._motions = list(stills), list(frames), list(motions)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return sum(part.nbytes for part in self._named().values())

    def frame(self, number: int) -> BasisFields:
        """Return the basis fields of a frame, batch size one, which its read-out adds."""
        parts = (self._stills[number // STILL_FRAMES], *self._frames[number])
        return tuple((_tensor(coding.decoded(part, self._step, self._channels)),) for part in parts)

    def motion(self, number: int) -> Float32[Tensor, "1 4 h w"] | None:
        """Return the motion between a frame and the next, in shares of half a side; see `Film`."""
        part = self._motions[number]
        if part is None:
            return None
        found = coding.decoded(part, MOTION_STEP, _MOTION_CHANNELS)
        _, height, width = found.shape
        found[0] *= 2 / width
        found[1] *= 2 / height
        return _tensor(found)

    def tensors(self) -> tuple[dict[str, Tensor], FilmFacts]:
        """Return what its file holds of it."""
        tensors: dict[str, Tensor] = {}
        named = self._named()
        for name, part in named.items():
            tensors[f"{name}.low"] = torch.from_numpy(part.low.copy())
            if part.high is not None:
                tensors[f"{name}.high"] = torch.from_numpy(part.high.copy())
        cuts = tuple(number for number, part in enumerate(self._motions) if part is None)
        lowest = {name: part.lowest for name, part in named.items()}
        return tensors, FilmFacts(moments=self.moments, seconds=self.seconds, step=self._step, cuts=cuts, lowest=lowest)

    @classmethod
    def of(cls, tensors: MutableMapping[str, Tensor], facts: FilmFacts, channels: int) -> "CodedFilm":
        """Take a film out of a file's tensors.

        Raises:
            DataError: its parts do not go together.
            KeyError: something is missing.
        """

        def part(name: str) -> coding.Coded:
            high = tensors.pop(f"{name}.high", None)
            low = tensors.pop(f"{name}.low").numpy()
            return coding.Coded(facts.lowest[name], low, high.numpy() if high is not None else None)

        count = len(facts.moments)
        if any(later <= earlier for earlier, later in zip(facts.moments, facts.moments[1:], strict=False)):
            raise DataError("The frames of a clip are not in order.")
        stills = [part(f"still.{number}") for number in range(-(-count // STILL_FRAMES))]
        frames = [CodedFrame(part(f"coarse.{number}"), part(f"fine.{number}")) for number in range(count)]
        motions = [None if number in facts.cuts else part(f"motion.{number}") for number in range(count - 1)]
        coded: list[tuple[int, coding.Coded]] = [(channels, still) for still in stills]
        coded += [(channels, each) for frame in frames for each in frame]
        coded += [(_MOTION_CHANNELS, motion) for motion in motions if motion is not None]
        for expected, each in coded:
            coding.check(each, expected)
        return cls(facts.moments, facts.seconds, facts.step, channels, stills, frames, motions)

    def _named(self) -> Mapping[str, coding.Coded]:
        found = {f"still.{number}": part for number, part in enumerate(self._stills)}
        for number, frame in enumerate(self._frames):
            found |= {f"coarse.{number}": frame.coarse, f"fine.{number}": frame.fine}
        return found | {f"motion.{number}": part for number, part in enumerate(self._motions) if part is not None}


def coded_motion(motion: Motion) -> coding.Coded:
    """Code a motion for `CodedFilm`."""
    return coding.coded(np.concatenate([motion.way, motion.seen]), MOTION_STEP)


def _tensor(field: Float32[np.ndarray, "c h w"]) -> Float32[Tensor, "1 c h w"]:
    return torch.from_numpy(field)[None].contiguous(memory_format=torch.channels_last)
