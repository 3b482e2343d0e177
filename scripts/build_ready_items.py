"""Rebuild assets/ready: the items that a new library begins with, one of each domain, and a portrait to walk to.

    python scripts/build_ready_items.py                    # all
    python scripts/build_ready_items.py image image-goal   # these

Run it again after a model in assets/models has changed, and look at the thumbnails: another model makes other things of
the same seeds, and better ones may have to be chosen.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import PromptSettings, Recipe
from ddmi_core.support.paths import assets
from studio.engine.work.items import THUMBNAIL_SIZE
from studio.state.library import LATENT, RECIPE, THUMBNAIL, Library

READY = assets() / "ready"
STEPS = 20


class ReadyItem(NamedTuple):
    """What to make, its folder, and the resolution of the view that its thumbnail is made of."""

    folder: str
    model: str
    prompt: str
    seed: int
    resolution: int


READY_ITEMS = (
    ReadyItem("shape", "furniture", "a rectangular table with four legs", 105, 160),
    ReadyItem("image", "portraits", "a person, outlined cartoon style", 105, 256),
    ReadyItem("image-goal", "portraits", "a person, outlined cartoon style", 109, 256),
    ReadyItem("nerf", "painted-furniture", "a blue sofa", 1, 256),
    ReadyItem("video", "skies", "dawn behind trees with thin clouds", 1, 256),
)


def main(names: Sequence[str]) -> None:
    """Make items anew, all if none is named, and replace those in their folders."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        for wanted in READY_ITEMS:
            if names and wanted.folder not in names:
                continue
            pipeline = Pipeline.from_pretrained(assets() / "models" / wanted.model)
            domain = pipeline.domain
            recipe = Recipe(
                domain=domain.name,
                model=pipeline.name,
                model_hash=pipeline.hash,
                prompt=wanted.prompt,
                seed=wanted.seed,
                steps=STEPS,
                tries=PromptSettings().tries,
            )
            [latent] = pipeline.sample(recipe.settings, [recipe.seed])
            field = pipeline.decode(latent)
            view = field.view(resolution=wanted.resolution)
            item = library.save(latent.float().numpy(), recipe, field.thumbnail(view, size=THUMBNAIL_SIZE))
            target = READY / wanted.folder
            target.mkdir(parents=True, exist_ok=True)
            for part in (LATENT, RECIPE, THUMBNAIL):
                shutil.copyfile(item.folder / part, target / part)
            size = sum(path.stat().st_size for path in target.iterdir())
            print(f"{target}: {wanted.prompt!r}, seed {wanted.seed}, {size:,} bytes")
        library.close()


if __name__ == "__main__":
    main(sys.argv[1:])
