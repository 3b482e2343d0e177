from __future__ import annotations

import pytest

from ddmi_core.baselines import budget, run
from ddmi_core.fields import shape
from ddmi_core.text import load_text_encoder
from ddmi_core.training import autoencoder_stage, diffusion_stage, latents


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure nothing for long, and try methods on few held-out examples."""
    loaded: dict[str, object] = {}
    monkeypatch.setattr(
        run,
        "load_text_encoder",
        lambda config: loaded.setdefault(config.model_dump_json(), load_text_encoder(config)),
    )
    monkeypatch.setattr(budget, "_TRIAL_BATCH", 1)
    monkeypatch.setattr(budget, "_PICTURES", 1)
    monkeypatch.setattr(autoencoder_stage, "_HELD_OUT", 2)
    monkeypatch.setattr(autoencoder_stage, "_PICTURES", 1)
    monkeypatch.setattr(latents, "HELD_OUT", 2)
    monkeypatch.setattr(diffusion_stage, "_HELD_OUT_DRAWS", 2)
    monkeypatch.setattr(shape, "_MEASURED_RESOLUTION", 24)
