"""The studio's main job on a machine without a display: prompts to meshes and pictures, and a screenshot of the studio.

`make run` comes here where there is no display. Everything lands in one folder, `out/` unless another is given.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from ddmi_core.domains.shape import ShapeDomain
from ddmi_core.model_folder import list_models
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings
from ddmi_core.rendering.picture_layout import contact_sheet
from ddmi_core.support.errors import DDMIError, ModelError
from ddmi_core.support.files import atomic_write

PROMPTS = ("a round table with one leg", "a chair with armrests", "a tall bookcase")
SEED = 7
RESOLUTION = 256
PREVIEW = 512  # pixels
PATIENCE = 300  # seconds that the studio may take to start, make a shape and draw itself


def main(argv: Sequence[str] | None = None) -> int:
    """Do the job; return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    out = Path(arguments[0] if arguments else "out")
    print("There is no display here, so the studio works without its window.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        made = generate(PROMPTS, out)
        made.append(screenshot(PROMPTS[0], out / "studio.png"))
    except DDMIError as error:
        print(f"ddmi-studio: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"ddmi-studio: cannot write to {out}: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"\nIn {out.resolve()}:", *(f"  {path.name}" for path in made), sep="\n")
    print("To open the window, run `make run` where there is a display: at a desktop, or through `ssh -X`.")
    return 0


def generate(prompts: Sequence[str], out: Path) -> list[Path]:
    """Make a shape for each prompt with the first model for shapes; return the files: meshes, pictures, an overview.

    Raises:
        DDMIError: no model, a damaged one, or a target that cannot be written.
    """
    models = list_models(ShapeDomain.name)
    if not models:
        raise ModelError(
            "There is no shape model on this machine. Train one: ddmi train --preset furniture --out runs/furniture"
        )
    pipeline = Pipeline.from_pretrained(models[0].folder)
    options = pipeline.domain.kind.export_options.checked({"resolution": RESOLUTION})
    print(f"Model: {pipeline.name}, on {pipeline.device}, prompts read by {pipeline.text_encoder.name}.")
    made: list[Path] = []
    pictures: list[np.ndarray] = []
    for prompt in prompts:
        began = time.perf_counter()
        field = pipeline.decode(pipeline.sample(SamplingSettings(prompt=prompt), [SEED])[0])
        target = out / f"{prompt.replace(' ', '-')}{next(iter(options.formats))}"
        field.export(target, options)
        pictures.append(field.preview(size=PREVIEW, resolution=RESOLUTION // 2))
        made += [target, _write_picture(target.with_suffix(".png"), pictures[-1])]
        print(f'  "{prompt}", seed {SEED}: {target} in {time.perf_counter() - began:.1f} s', flush=True)
    made.append(_write_picture(out / "overview.png", contact_sheet(pictures, len(pictures))))
    return made


def screenshot(prompt: str, path: Path) -> Path:
    """Start the studio on a virtual display, let it make a shape, and keep a picture of its window.

    Raises:
        DDMIError: there is no Xvfb, or the studio failed or took too long.
    """
    command = [sys.executable, "-m", "studio", "--screenshot", str(path), "--prompt", prompt]
    with virtual_display() as environment:
        try:
            studio = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise DDMIError(f"The studio on the virtual display made no picture within {PATIENCE} s.") from None
    if studio.returncode != 0 or not path.exists():
        last = (studio.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise DDMIError(f"The studio on the virtual display failed (code {studio.returncode}): {last}")
    print(f"  the studio itself: {path}")
    return path


@contextlib.contextmanager
def virtual_display(size: str = "1600x1000") -> Iterator[dict[str, str]]:
    """Run an X server that draws into memory, of `size` pixels; yield the environment for programs that shall use it.

    Raises:
        DDMIError: there is no Xvfb, or it does not start.
    """
    if shutil.which("Xvfb") is None:
        raise DDMIError("A screenshot of the studio needs Xvfb, which is not installed: `make setup` installs it.")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            number = server.stdout.readline().strip()
            if not number:
                raise DDMIError("Xvfb is installed but does not start.")
            kept = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
            yield kept | {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "LIBGL_ALWAYS_SOFTWARE": "1"}
        finally:
            server.terminate()


def _write_picture(path: Path, picture: np.ndarray) -> Path:
    with atomic_write(path) as temporary:
        imageio.imwrite(temporary, picture)
    return path


if __name__ == "__main__":
    sys.exit(main())
