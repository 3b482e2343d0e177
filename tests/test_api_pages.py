"""The API pages: of a small package here, and of the whole library."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import ddmi_core
from scripts.api_pages import write_pages

ROOT = Path(__file__).parent.parent
FILES = {
    "__init__.py": '''"""Houses, as `walls.Wall` by itself."""

__all__ = ["Wall"]
__version__ = "3.5"


def __getattr__(name):
    if name == "Wall":
        from .walls import Wall

        return Wall
    raise AttributeError(name)
''',
    "walls.py": '''"""Walls."""


class Wall:
    """One that stands.

    Raises:
        OSError: it fell.
    """
''',
    "roofs.py": '''"""Roofs."""


def steepness(of: float) -> float:
    """In degrees."""
    return of
''',
    "_cellar.py": "what = 1\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a package of two modules, a private one, and a name that is fetched when it is asked for."""
    folder = tmp_path / f"houses_{tmp_path.name.replace('-', '_')}"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return folder


def test_every_public_module_has_a_page_and_the_package_the_first_one(package: Path, tmp_path: Path) -> None:
    first = write_pages(package.name, tmp_path / "pages")
    assert f"./{package.name}.html" in first.read_text()
    front = (tmp_path / "pages" / f"{package.name}.html").read_text()
    assert "DDMI Studio 3.5" in front and "One that stands." in front
    assert f'href="{package.name}/roofs.html"' in front  # though `__all__` does not name it
    below = tmp_path / "pages" / package.name
    assert {page.name for page in below.iterdir()} == {"walls.html", "roofs.html"}
    assert "Raises:" in (below / "walls.html").read_text() and "it fell." in (below / "walls.html").read_text()


def test_what_has_no_docstring_is_named(package: Path, tmp_path: Path) -> None:
    (package / "roofs.py").write_text('"""Roofs."""\n\n\nclass Roof:\n    def leak(self):\n        pass\n')
    with pytest.raises(SystemExit, match=rf"none: {package.name}.roofs.Roof, {package.name}.roofs.Roof.leak$"):
        write_pages(package.name, tmp_path / "pages")
    assert not (tmp_path / "pages").exists()


def test_an_annotation_that_names_nothing_is_refused(package: Path, tmp_path: Path) -> None:
    (package / "roofs.py").write_text('"""Roofs."""\n\n\ndef steepness(of: "Roof") -> None:\n    """In degrees."""\n')
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with pytest.raises(UserWarning, match="Roof"):
            write_pages(package.name, tmp_path / "pages")


@pytest.mark.slow
def test_the_whole_library_is_documented(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "scripts.api_pages", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    parts = [path.relative_to(ROOT).with_suffix(".html") for path in (ROOT / "ddmi_core").rglob("*.py")]
    expected = {path if path.stem != "__init__" else path.parent.with_suffix(".html") for path in parts}
    expected = {path for path in expected if not path.stem.startswith("_") and path.stem != "__main__"}
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*.html")} == expected | {Path("index.html")}
    front = (tmp_path / "ddmi_core.html").read_text(encoding="utf-8")
    assert f"DDMI Studio {ddmi_core.__version__}" in front and "from_pretrained" in front
    assert 'href="ddmi_core/fields.html"' in front
