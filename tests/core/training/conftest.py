from __future__ import annotations

import functools

import pytest

from ddmi_core.text import TextEncoder, TextEncoderConfig, load_text_encoder
from ddmi_core.training import run, trial


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load each text encoder once, and spend no time on foretelling how long the second stage takes."""
    monkeypatch.setattr(run, "_TRIAL_SECONDS", 0.0)
    for module in (run, trial):
        monkeypatch.setattr(module, "load_text_encoder", lambda config: _loaded(config.model_dump_json()))


@functools.cache
def _loaded(config: str) -> TextEncoder:
    return load_text_encoder(TextEncoderConfig.model_validate_json(config))
