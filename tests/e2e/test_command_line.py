"""The `ddmi` command, run as a person runs it: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trimesh


def ddmi(*arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ddmi_core.cli", *map(str, arguments)]
    environment = os.environ | {"DDMI_HOME": str(home), "OMP_NUM_THREADS": "2"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)


def test_a_prompt_becomes_a_file(model: Path, home: Path, tmp_path: Path) -> None:
    target = tmp_path / "table.glb"
    run = ddmi(
        *("generate", "shape", "--prompt", "a round table with one leg", "--seed", "7", "--steps", "10"),
        *("--resolution", "64", "--model", model, "--out", target, "--json"),
        home=home,
    )
    assert run.returncode == 0, run.stderr
    json.loads(run.stdout)
    mesh = trimesh.load(target, force="mesh")
    assert len(mesh.faces) > 100
    assert mesh.is_watertight
    assert mesh.volume > 0
    assert [path.name for path in tmp_path.iterdir()] == ["table.glb"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--model", "nowhere/at-all", "--out", "chair.obj"), "nowhere/at-all"),
        (("--out", "chair.docx"), ".docx"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: tuple[str, ...], says: str, home: Path) -> None:
    run = ddmi("generate", "shape", "--prompt", "a chair", *arguments, home=home)
    assert run.returncode != 0
    assert says in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert "Traceback" not in run.stderr
