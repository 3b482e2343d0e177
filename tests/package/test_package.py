"""The folder that `make package` makes does its work on a machine without Python: run by `make test-package`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trimesh

from ddmi_core import __version__
from ddmi_core.model_folder import describe
from ddmi_core.training.ownership import status_of
from ddmi_core.training.run_folder import RunFolder
from studio.engine.training import LOOK_SECONDS
from studio.headless import virtual_display
from tests.package.windows_by_keys import Windows, until

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dist" / "DDMI Studio"
SUFFIX = ".exe" if sys.platform == "win32" else ""
STUDIO, DDMI = PACKAGE / f"DDMI Studio{SUFFIX}", PACKAGE / f"ddmi{SUFFIX}"
PATIENCE = 300.0  # seconds; a slow machine is no failure

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """The environment of a person who has just unpacked the folder: an empty home, and no Python."""
    assert STUDIO.exists(), "There is no package to test: run `make package` first."
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "SYSTEMROOT", "TEMP") if name in os.environ}
    return kept | {"HOME": str(home), "USERPROFILE": str(home), "PATH": "", "LANG": "C.UTF-8"}


def run(*command: str | Path, env: dict[str, str]) -> str:
    """Return what a command of the package prints; it has to succeed."""
    done = subprocess.run(command, env=env, cwd=env["HOME"], capture_output=True, text=True, timeout=PATIENCE * 3)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_versions_and_licences_are_told(clean: dict[str, str]) -> None:
    assert run(STUDIO, "--version", env=clean).strip() == f"DDMI Studio {__version__}"
    assert "furniture" in run(DDMI, "models", env=clean)
    assert {"LICENSE", "THIRD_PARTY.md"} <= {file.name for file in PACKAGE.iterdir()}
    assert len([*PACKAGE.rglob("*.dist-info/licenses")]) > 20


def test_nothing_names_the_machine_that_built_it() -> None:
    of_text = (".json", ".md", ".py", ".txt", ".yaml", "METADATA", "RECORD")
    texts = [file for file in PACKAGE.rglob("*") if file.is_file() and file.name.endswith(of_text)]
    assert [file for file in texts if str(ROOT).encode() in file.read_bytes()] == []


def test_it_tries_itself(clean: dict[str, str]) -> None:
    assert run(STUDIO, "--self-test", env=clean).splitlines()[-1] == "All works."


def test_the_command_line_generates_and_simplifies_in_a_process_of_its_own(clean: dict[str, str]) -> None:
    target = Path(clean["HOME"], "chair.glb")
    asked = ["generate", "shape", "--prompt", "a chair", "--seed", "7", "--resolution", "64", "--faces", "1000"]
    run(DDMI, *asked, "--out", target, env=clean)
    assert 100 < len(trimesh.load(target, force="mesh").faces) < 2500  # of more than 10,000


def test_two_processes_and_their_readers_train_with_open_clip(clean: dict[str, str], tmp_path: Path) -> None:
    weights = tmp_path / "clip.pt"
    make = (
        "import sys, torch\n"
        "from ddmi_core.support._torchvision import ensure_torchvision\n"
        "ensure_torchvision()\n"
        "import open_clip\n"
        "torch.save(open_clip.create_model('ViT-S-32-alt', force_custom_text=True).state_dict(), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", make, weights], check=True, cwd=ROOT)
    encoder = {"kind": "open_clip", "name": "ViT-S-32-alt", "pretrained": str(weights)}
    settings = [
        "processes=2",
        "loader_workers=1",
        "stage1.steps=2",
        "stage2.steps=2",
        "stage2.cached_latents=8",
        "denoiser.text_channels=256",
        f"text_encoder={json.dumps(encoder)}",
    ]
    folder = Path(clean["HOME"], "run")
    run(DDMI, "train", "--preset", "shape-tiny", "--out", folder, "--set", *settings, env=clean)
    assert json.loads((folder / "model" / "text_encoder.json").read_text())["kind"] == "open_clip"


@pytest.fixture
def display(clean: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same environment with a display in memory."""
    assert shutil.which("xdotool"), "The window is used by xdotool, which is not installed: apt-get install xdotool"
    with virtual_display() as environment:
        shown = ("DISPLAY", "QT_QPA_PLATFORM", "LIBGL_ALWAYS_SOFTWARE")
        yield clean | {name: environment[name] for name in shown}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the window is used by X's tools")
def test_a_shape_is_generated_exported_and_a_model_trained_in_the_window(display: dict[str, str]) -> None:
    home = Path(display["HOME"])
    windows = Windows(display | {"PATH": os.environ["PATH"]})
    with subprocess.Popen([STUDIO, "--size", "1280x800"], env=display, cwd=home) as studio:
        try:
            main = windows.wait_for("DDMI Studio", PATIENCE)
            foreign = [line for line in Path(f"/proc/{studio.pid}/maps").read_text().splitlines() if ".venv" in line]
            assert foreign == []

            data = home / ".local" / "share" / "ddmi-studio"
            before = len([*data.rglob("latent.safetensors")])
            windows.click(main, -180, 120)  # the prompt
            windows.write("a round table with one leg")
            windows.press("ctrl+Return")
            until(lambda: len([*data.rglob("latent.safetensors")]) > before, PATIENCE)

            windows.focus(main)
            windows.press("ctrl+e")
            windows.wait_for("Export", PATIENCE)
            windows.press("Return")
            (mesh,) = until(lambda: [*home.rglob("[!.]*.glb")], PATIENCE)
            assert len(trimesh.load(mesh, force="mesh").faces) > 1000

            windows.focus(main)
            windows.press("ctrl+t")
            wizard = windows.wait_for("New training run", PATIENCE)
            windows.press("Return", "Return", "Return", "Return")  # a shape, furniture, the smallest model
            windows.click(wizard, -87, -36)  # "Start training", as the last page begins in its text
            (folder,) = until(lambda: [*(data / "runs").glob("shape-tiny-*")], PATIENCE)
            run = RunFolder(folder)
            until(lambda: status_of(run).state in ("done", "failed") or studio.poll() is not None, 4 * PATIENCE)
            assert status_of(run).state == "done"
            assert describe(folder / "model").domain == "shape"

            time.sleep(5 * LOOK_SECONDS)  # or it asks whether the run that it believes alive shall go on
            windows.focus(main)
            windows.press("ctrl+q")
            assert studio.wait(PATIENCE) == 0
        finally:
            if studio.poll() is None:
                studio.kill()
