from __future__ import annotations

import functools

import pytest

from ddmi_core.text import TextEncoder, TextEncoderConfig, load_text_encoder
from ddmi_core.training import autoencoder_stage, diffusion_stage, latents, run, trial


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load each text encoder once, foretell nothing, and try a model on few held-out examples."""
    monkeypatch.setattr(run, "_TRIAL_SECONDS", 0.0)
    monkeypatch.setattr(autoencoder_stage, "_HELD_OUT", 4)
    monkeypatch.setattr(latents, "HELD_OUT", 4)
    monkeypatch.setattr(diffusion_stage, "_HELD_OUT_DRAWS", 4)
    for module in (run, trial):
        monkeypatch.setattr(module, "load_text_encoder", lambda config: _loaded(config.model_dump_json()))


@functools.cache
def _loaded(config: str) -> TextEncoder:
    return load_text_encoder(TextEncoderConfig.model_validate_json(config))
