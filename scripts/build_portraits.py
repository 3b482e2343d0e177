"""Rebuild assets/datasets/portraits: portraits by the npm packages @dicebear/core and @dicebear/collection (9.4.3).

    python scripts/build_portraits.py [--packages FOLDER]

Needs Node.js. Portraits are random choices of parts, by seed; the parts that were chosen are kept, and captions are
made of them when they are needed. Without --packages the packages are installed with npm in a temporary folder.
"""

import argparse
from collections import Counter
from pathlib import Path

from dicebear import drawn
from set_writers import save_portraits

from ddmi_core.data.portraits.storage import (
    CREDITS_FILE,
    HELD_OUT,
    PORTRAITS_FILE,
    Portrait,
    read_portraits,
)
from ddmi_core.support.files import write_text
from ddmi_core.support.paths import assets

COUNT = 31_500
FIGMA = "figma.com/community/file"
CREDITS = f"""# Portraits starter set: where the pictures come from

The pictures are put together by DiceBear (npm packages @dicebear/core and @dicebear/collection 9.4.3, MIT licence,
copyright Florian Körner) from parts that these artists have drawn:

| style | artist | source | licence |
|---|---|---|---|
| Personas | Draftbit, draftbit.com | personas.draftbit.com | CC BY 4.0 |
| ToonHead | Johan Melin, johanmelin.com | {FIGMA}/1589627891082866389 | CC BY 4.0 |
| Custom Avatar (big smile) | Ashley Seo, ashleyseo.com | {FIGMA}/881358461963645496 | CC BY 4.0 |
| Avatar Illustration System (micah) | Micah Lanier, dribbble.com/micahlanier | {FIGMA}/829741575478342595 | CC BY 4.0 |
| Adventurer | Lisa Wischofsky, instagram.com/lischi_art | {FIGMA}/1184595184137881796 | CC BY 4.0 |
| Miniavs | Webpixels, webpixels.io | {FIGMA}/923211396597067458 | CC BY 4.0 |
| Open Peeps | Pablo Stanley, twitter.com/pablostanley | openpeeps.com | CC0 1.0 |

CC BY 4.0: creativecommons.org/licenses/by/4.0. CC0 1.0: creativecommons.org/publicdomain/zero/1.0. The pictures are
remixes of these works. Changed, beside what DiceBear does: colours of hair, skin, clothes and backgrounds are this
project's; some parts are never or more often chosen; the metadata in every picture, which says the same as this table,
and masks that hide nothing are left out.
"""


def main() -> None:
    """Rebuild the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder in which the packages are already installed")
    parser.add_argument("--out", type=Path, default=assets() / "datasets" / "portraits")
    arguments = parser.parse_args()
    portraits = [
        Portrait(**one) for one in drawn(Path(__file__).with_suffix(".mjs"), ["0", str(COUNT)], arguments.packages)
    ]
    twice = {svg for svg, count in Counter(portrait.svg for portrait in portraits).items() if count > 1}
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_portraits(arguments.out, portraits)
    write_text(arguments.out / CREDITS_FILE, CREDITS)
    size = (arguments.out / PORTRAITS_FILE).stat().st_size
    print(f"{len(read_portraits(arguments.out)):,} portraits, {HELD_OUT:,} of them held out, {size / 1e6:.1f} MB")
    print(f"{len(twice)} pictures occur twice; by style: {dict(Counter(portrait.style for portrait in portraits))}")


if __name__ == "__main__":
    main()
