"""Rebuild assets/datasets/faces: cartoon faces by the npm packages @dicebear/core and @dicebear/collection (9.4.3).

    python scripts/build_faces.py [--packages FOLDER]

Needs Node.js. Faces are random choices of parts; captions say what can be seen of the choice. Without --packages the
packages are installed with npm in a temporary folder.
"""

import argparse
import hashlib
from collections import Counter
from pathlib import Path

from dicebear import drawn
from set_writers import save_faces

from ddmi_core.data.faces import CREDITS_FILE, Face
from ddmi_core.support.files import write_text
from ddmi_core.support.paths import assets

PER_STYLE = 160
SUBJECTS = {
    "lorelei": "cartoon face in black and white",
    "notionists": "ink drawing of a person",
    "openPeeps": "hand drawn person",
    "pixelArt": "pixel art face",
    "thumbs": "simple face with a round body",
}
ACCESSORIES = {"glasses": "glasses", "beard": "a beard", "earrings": "earrings", "freckles": "freckles", "hat": "a hat"}
HEADS = {
    "afro": "an afro", "bun": "a bun", "cornrows": "cornrows",
    "dreads": "dreadlocks", "flatTop": "a flat top", "gray": "grey hair", "hat": "a hat", "hijab": "a hijab",
    "long": "long hair", "medium": "medium hair", "mohawk": "a mohawk", "noHair": "a bald head", "short": "short hair",
    "turban": "a turban", "twists": "twisted hair",
}  # fmt: skip
BACKGROUNDS = {
    "#b6e3f4": "light blue", "#c0aede": "purple", "#d1d4f9": "lavender", "#ffd5dc": "pink", "#ffdfbf": "peach",
}  # fmt: skip
CREDITS = """# Faces starter set: where the pictures come from

The pictures are put together by DiceBear (npm packages @dicebear/core and @dicebear/collection 9.4.3, MIT licence) from
parts that their artists have given to the public domain (CC0 1.0, creativecommons.org/publicdomain/zero/1.0):

| style | artist | source |
|---|---|---|
| lorelei | Lisa Wischofsky | figma.com/community/file/1198749693280469639 |
| notionists | Zoish | heyzoish.gumroad.com/l/notionists |
| openPeeps | Pablo Stanley | openpeeps.com |
| pixelArt | DiceBear | figma.com/community/file/1198754108850888330 |
| thumbs | DiceBear | dicebear.com |

Changed: the metadata in every picture is left out here.
"""


def captions_of(style: str, parts: dict[str, str]) -> list[str]:
    """Return captions of a face, the plain one first."""
    subject = SUBJECTS[style]
    features = [text for part, text in ACCESSORIES.items() if part in parts]
    if "accessories" in parts and style == "openPeeps":
        worn = parts["accessories"]
        features.append("sunglasses" if worn.startswith("sun") else "an eyepatch" if worn == "eyepatch" else "glasses")
    if "facialHair" in parts:
        features.append("a moustache" if parts["facialHair"].startswith("moustache") else "a beard")
    head = parts.get("head", "")
    features += [text for begin, text in HEADS.items() if head.startswith(begin)]
    if style == "pixelArt" and "hat" not in parts and parts.get("hair", "")[:4] in ("long", "shor"):
        features.append("long hair" if parts["hair"].startswith("long") else "short hair")
    mood = {"hap": "happy", "sad": "sad"}.get(parts.get("mouth", "")[:3])
    captions = [f"a {subject}"]
    if mood is not None:
        captions.append(f"a {mood} {subject}")
    captions += [f"a {subject} with {feature}" for feature in features]
    if len(features) > 1:
        captions.append(f"a {subject} with {features[0]} and {features[1]}")
    background = BACKGROUNDS.get(parts.get("primaryBackgroundColor", ""))
    if background is not None:
        captions.append(f"a {subject} on a {background} background")
    return captions


def main() -> None:
    """Rebuild the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder in which the packages are already installed")
    parser.add_argument("--out", type=Path, default=assets() / "datasets" / "faces")
    arguments = parser.parse_args()
    found = []
    for face in drawn(Path(__file__).with_suffix(".mjs"), [str(PER_STYLE)], arguments.packages):
        held_out = hashlib.sha256(face["svg"].encode()).digest()[0] < 26
        captions = captions_of(face["style"], face["parts"])
        found.append(Face(face["style"], captions, "held_out" if held_out else "train", face["svg"]))
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_faces(arguments.out, found)
    write_text(arguments.out / CREDITS_FILE, CREDITS)
    print(f"{len(found)} faces: {dict(Counter((face.style, face.split) for face in found))}")


if __name__ == "__main__":
    main()
