from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import RunConfig


@pytest.mark.parametrize(("share", "least"), [(0.0, 0.0), (0.3, 0.3)])
def test_the_decoder_gets_at_least_the_noise_asked_for(
    share: float, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RunConfig.from_preset("image-tiny").with_overrides([f"stage1.latent_noise={share}", "stage1.batch=4"])
    autoencoder = D2CVAE(config.autoencoder)
    with torch.no_grad():  # a posterior that is all but certain
        autoencoder.encoder.head[-1].bias[config.autoencoder.latent_channels :] = -18.0
    stage = AutoencoderStage(config, autoencoder)
    batch = stage.batch(range(4), torch.device("cpu"))
    given: list[Tensor] = []
    decode = autoencoder.decode

    def watched(latent: Tensor) -> BasisFields:
        given.append(latent)
        return decode(latent)

    monkeypatch.setattr(autoencoder, "decode", watched)
    stage.loss(batch, 0)
    mean = autoencoder.encode(autoencoder.domain.inputs(batch)).mean
    added = (given[0] - mean).std(dim=(0, 2, 3)) / mean.std(dim=(0, 2, 3))
    assert torch.allclose(added, torch.full_like(added, least), atol=0.05)
