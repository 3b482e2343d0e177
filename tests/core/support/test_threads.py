import os
import subprocess
import sys

import pytest

from ddmi_core.support.threads import spare_the_machine


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


@pytest.mark.parametrize("package", ["studio", "benchmarks"])
def test_whatever_part_of_a_program_runs_does_so(package: str) -> None:
    """Also the studio without its window."""
    unset = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    told = f"import {package}, os, sys; print(os.environ['GOMP_SPINCOUNT'], 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], env=unset, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2000", "False"]
