"""A few pictures are learned by heart, far enough to be told apart and drawn at other sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.data.emoji.pictures import emoji
from ddmi_core.data.pictures import WHOLE_PICTURE, PictureSource
from ddmi_core.fields.image import COARSEST, FINEST, ImageField

PICTURES = (40, 300, 700, 1100)
STEPS = 200
BATCHES = 40  # drawn beforehand and used again: drawing would take most of the time


@pytest.mark.slow
def test_four_pictures_are_learned() -> None:
    autoencoder = D2CVAE(
        AutoencoderConfig(
            domain="image",
            latent_channels=8,
            latent_size=8,
            encoder_channels=(16, 32),
            decoder_channels=(48, 32, 24, 16),
            decoder_blocks=(1, 1, 1, 0),
            basis_channels=16,
            readout_width=32,
        )
    ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = emoji("train")
    source = PictureSource(pictures, encoded_side=64, queries=800, footprints=(FINEST, COARSEST))
    rng = np.random.default_rng(0)
    optimiser = torch.optim.AdamW(autoencoder.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=STEPS)
    batches = []
    for _ in range(BATCHES):
        examples = [source.sample(index, rng, augment="none") for index in PICTURES]
        batches.append({name: torch.from_numpy(np.stack([part[name] for part in examples])) for name in examples[0]})
    for step in range(STEPS):
        batch = batches[step % BATCHES]
        loss, _ = autoencoder.domain.reconstruction_loss(*_reconstructed(autoencoder, batch))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(autoencoder.parameters(), 1.0)
        optimiser.step()
        schedule.step()

    autoencoder.eval()
    for size, least in ((32, 16.5), (128, 16.5), (256, 16.5)):
        errors = []
        for i, index in enumerate(PICTURES):
            with torch.no_grad():
                latent = autoencoder.encode(batch["image"][i : i + 1]).mean[0]
            field = autoencoder.field(latent)
            assert isinstance(field, ImageField)
            drawn = field.render(size, size).astype(np.float32) / 255
            drawn[..., :3] *= drawn[..., 3:]
            errors.append(np.square(drawn - pictures.open(index).view(WHOLE_PICTURE, size)).mean())
        assert -10 * np.log10(np.mean(errors)) > least


def _reconstructed(autoencoder: D2CVAE, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    basis = autoencoder.decode(autoencoder.encode(autoencoder.domain.inputs(batch)).mean)
    return autoencoder.readout.evaluate(basis, batch["coords"], batch["footprint"]), batch["targets"]
