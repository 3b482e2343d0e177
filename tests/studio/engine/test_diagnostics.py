from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from ddmi_core.support.errors import ExportError
from studio.engine.diagnostics import save_diagnostics
from tests.studio.window.fakes import MODEL


def test_the_log_the_versions_and_the_models_are_in_it(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "studio.log").write_text(f"loaded {Path.home()}/models/mine")
    (logs / "studio.log.1").write_text("older")
    (logs / "running-1").touch()
    save_diagnostics(tmp_path / "out.zip", logs, [MODEL])
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["facts.json", "logs/studio.log", "logs/studio.log.1"]
        facts = json.loads(archive.read("facts.json"))
        assert facts["packages"]["torch"] and facts["models"][0]["hash"] == MODEL.hash
        assert archive.read("logs/studio.log") == b"loaded ~/models/mine"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be written"):
        save_diagnostics(tmp_path / "missing" / "out.zip", tmp_path, [])
