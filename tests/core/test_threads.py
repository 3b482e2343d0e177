import os

import pytest

from ddmi_core.threads import spare_the_machine


def test_threads_wait_briefly_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    spare_the_machine()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    spare_the_machine()
    assert int(os.environ["GOMP_SPINCOUNT"]) < 100_000
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    spare_the_machine()
    assert "GOMP_SPINCOUNT" not in os.environ
