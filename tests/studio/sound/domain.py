"""Sounds of a second: the amplitude at t, encoded to one plane."""

from __future__ import annotations

import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.data.items import USUAL_INPUT, Augment, EncoderInput
from ddmi_core.data.user_folder import UserFolder
from ddmi_core.domains.base import Domain, fixed_draw
from ddmi_core.fields.field import Evidence
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import Combine, ReadOut
from ddmi_core.placement import Up
from ddmi_core.planes import SINGLE_PLANE
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress
from tests.studio.sound.field import SoundField, on_line

ENCODED = 64  # samples that the encoder gets


class Waves:
    """Sounds as arrays of amplitudes; what lies between two samples is on the line between them."""

    def __init__(self, waves: Sequence[np.ndarray], queries: int) -> None:
        self._waves, self._queries = waves, queries

    def __len__(self) -> int:
        return len(self._waves)

    def at(self, index: int, t: np.ndarray) -> np.ndarray:
        """The amplitudes at moments in [-1, 1]."""
        known = self._waves[index]
        return np.interp(t, (2 * np.arange(len(known)) + 1) / len(known) - 1, known).astype(np.float32)

    def sample(self, index: int, rng: np.random.Generator, *, augment: Augment) -> dict[str, np.ndarray]:
        coords = rng.uniform(-1, 1, (self._queries, 1)).astype(np.float32)
        grid = (2 * np.arange(ENCODED) + 1) / ENCODED - 1
        return {"wave": self.at(index, grid), "coords": coords, "targets": self.at(index, coords)}

    def captions(self, index: int) -> Sequence[str]:
        return [f"a tone of {index + 1} hertz"]

    def draw_captions(self, index: int, rng: np.random.Generator, count: int) -> list[str]:
        return [*self.captions(index)] * count

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        return np.full((size, size, 4), 255, np.uint8)


class WaveEncoder(nn.Module):
    """Samples to the plane of the posterior."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self._shape = (channels, size, size)
        self.layer = nn.Linear(ENCODED, channels * size * size)

    def forward(self, samples: Float[Tensor, "b n"]) -> tuple[Float[Tensor, "b c h w"], ...]:
        return (self.layer(samples).unflatten(1, self._shape),)


class SoundDomain(Domain[SoundField, Waves]):
    """Waves in time."""

    name: ClassVar[str] = "sound"
    title: ClassVar[str] = "Sounds"
    about: ClassVar[str] = "Sounds without a sampling rate"
    layout = SINGLE_PLANE
    combine: ClassVar[Combine] = "sum"
    value_channels: ClassVar[int] = 1
    kind = SoundField
    starter_sets = ("tones",)
    import_formats = (".wav",)

    @override
    def encoder(self, config: AutoencoderConfig) -> WaveEncoder:
        return WaveEncoder(2 * config.latent_channels, config.latent_size)

    @override
    def inputs(self, batch: dict[str, Any]) -> Float[Tensor, "b n"]:
        return batch["wave"]

    @override
    def predict(self, readout: ReadOut, basis: BasisFields, batch: Mapping[str, Tensor]) -> Float[Tensor, "b n 1"]:
        return readout.evaluate(basis, on_line(batch["coords"]))

    @override
    def reconstruction_loss(
        self, values: Float[Tensor, "b n 1"], targets: Float[Tensor, "b n 1"]
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        loss = (values - targets).abs().mean()
        return loss, {"l1": loss.detach()}

    @override
    def observed(self, source: Waves, index: int, kind: Evidence) -> Float[Tensor, "n 3"]:
        drawn = {name: torch.from_numpy(values) for name, values in fixed_draw(source, index).items()}
        return torch.cat([on_line(drawn["coords"]), drawn["targets"]], dim=-1)

    @override
    def folder(self, path: Path, split: str, progress: Progress | None = None) -> UserFolder:
        raise DataError("Only the tones that come along can be learned from.")

    @override
    def items(self, source: str, split: str, *, seed: int, queries: int, given: EncoderInput = USUAL_INPUT) -> Waves:
        turns = np.linspace(0, 2 * np.pi, 256)
        return Waves([np.sin(turns * (pitch + 1)).astype(np.float32) for pitch in range(8)], queries)

    @override
    def field(self, readout: ReadOut, basis: BasisFields) -> SoundField:
        return SoundField(readout, basis)

    @override
    def read(self, path: Path, *, queries: int, given: EncoderInput = USUAL_INPUT, up: Up = "y") -> Waves:
        with wave.open(str(path), "rb") as file:
            return Waves([np.frombuffer(file.readframes(file.getnframes()), "<i2") / np.float32(32767)], queries)
