from __future__ import annotations

from pathlib import Path

import pytest

from ddmi_core.support.paths import assets
from tests.tiny_model import save_tiny_model
from tests.windows import collections_elsewhere, no_collection_elsewhere, no_leaked_windows, theme, usual_look

__all__ = ["collections_elsewhere", "no_collection_elsewhere", "no_leaked_windows", "theme", "usual_look"]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model's folder; in a source tree without one, a tiny stand-in."""
    shipped = assets() / "models" / "furniture"
    return shipped if shipped.exists() else save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
