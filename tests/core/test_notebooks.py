"""The library in notebooks: as they lie in docs/notebooks, run in the order of their cells."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = {
    "generate": ("table.ply", "small.png", "face.png", "walk.png"),
    "own_files": ("rings.fit", "rings-1024.png", "ring.glb"),
    "train": ("samples.png",),
}
"""With what each leaves in `out/`."""

_RUN = """
import json, sys
names = {"__name__": "__main__"}
with open(sys.argv[1], encoding="utf-8") as file:
    cells = json.load(file)["cells"]
for cell in cells:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
"""


def read(name: str) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return notebook


def test_all_notebooks_are_known_and_can_be_found_from_the_readme_and_the_guide() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(NOTEBOOKS)
    for page in ("README.md", "assets/guide/16-python.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert all(f"notebooks/{name}.ipynb" in text for name in NOTEBOOKS), page


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_to_be_read_and_holds_no_outputs(name: str) -> None:
    notebook = read(name)
    assert notebook["nbformat"] == 4 and notebook["metadata"]["kernelspec"]["name"] == "python3"
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert len(cells) - len(code) >= 6 and "section 3" in text and "eq. " in text
    for linked in re.findall(r"\]\(([\w.]+\.ipynb)\)", text):
        assert (FOLDER / linked).exists(), linked


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_its_first_cell_to_its_last(name: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _RUN, str(FOLDER / f"{name}.ipynb")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    for made in NOTEBOOKS[name]:
        assert (tmp_path / "out" / made).resolve().stat().st_size, made
