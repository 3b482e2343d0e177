from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddmi_core import __version__
from studio.frozen import module_and_arguments

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "arguments", "meant"),
    [
        ("/opt/DDMI Studio/DDMI Studio", ["--room", "image"], ("studio", ["--room", "image"])),
        ("/opt/DDMI Studio/ddmi", ["models"], ("ddmi_core.cli", ["models"])),
        ("ddmi", ["models"], ("ddmi_core.cli", ["models"])),
        ("/opt/DDMI Studio/ddmi.exe", [], ("ddmi_core.cli", [])),
        ("/opt/DDMI Studio/DDMI Studio", ["-m", "ddmi_core.cli", "train"], ("ddmi_core.cli", ["train"])),
        (
            "/opt/DDMI Studio/ddmi",
            ["-m", "ddmi_core.rendering.decimation", "a"],
            ("ddmi_core.rendering.decimation", ["a"]),
        ),
    ],
)
def test_an_executable_is_known_by_its_name_and_runs_modules_as_python_does(
    name: str, arguments: list[str], meant: tuple[str, list[str]]
) -> None:
    assert module_and_arguments(name, arguments) == meant


@pytest.mark.parametrize("arguments", [["-m"], ["-m", "http.server"], ["-m", "studios.app"]])
def test_no_other_module_is_run(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="module of ddmi_core or studio"):
        module_and_arguments("ddmi", arguments)


def test_what_it_starts_is_the_command_itself_with_the_systems_libraries() -> None:
    environment = os.environ | {"LD_LIBRARY_PATH": "/package", "LD_LIBRARY_PATH_ORIG": "/system"}
    told = "import os, runpy, studio.frozen as frozen; runpy.run_module = lambda name, **_: print(name, os.environ)"
    code = f"{told}; frozen.main()"
    run = [sys.executable, "-c", code, "-m", "ddmi_core.cli", "models"]
    out = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.startswith("ddmi_core.cli") and "'LD_LIBRARY_PATH': '/system'" in out and "/package" not in out


def test_a_module_that_is_run_is_the_main_one() -> None:
    run = [sys.executable, str(ROOT / "studio" / "frozen.py"), "--version"]
    out = subprocess.run(run, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert out.stdout.strip() == f"DDMI Studio {__version__}" and out.returncode == 0
