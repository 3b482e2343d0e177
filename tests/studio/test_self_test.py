from __future__ import annotations

from pathlib import Path

import pytest

from ddmi_core import __version__
from ddmi_core.model_folder import AUTOENCODER_WEIGHTS
from studio import app
from tests.tiny_model import save_tiny_model


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == f"DDMI Studio {__version__}"


@pytest.mark.slow
def test_models_that_came_along_are_tried_and_a_damaged_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DDMI_ASSETS", str(tmp_path))
    assert app.main(["--self-test"]) == 1
    assert "No model" in capsys.readouterr().out
    good = save_tiny_model(tmp_path / "models" / "good")
    assert app.main(["--self-test"]) == 0
    assert "tiny: wrote" in capsys.readouterr().out
    bad = save_tiny_model(tmp_path / "models" / "bad")
    (bad / AUTOENCODER_WEIGHTS).write_bytes(b"damaged")
    assert app.main(["--self-test"]) == 1
    told = capsys.readouterr().out
    assert "tiny: failed" in told and "tiny: wrote" in told and good.is_dir()
