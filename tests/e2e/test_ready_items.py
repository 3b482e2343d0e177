"""What a new library begins with can be shown by the models that come along, and is what its thumbnails promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddmi_core.domains import domain_names
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.rendering.picture_layout import over
from studio.state.ready_items import open_or_begin

RESOLUTION = 48


@pytest.mark.parametrize("domain", domain_names())
def test_ready_items_look_as_their_thumbnails_say(domain: str, tmp_path: Path) -> None:
    library = open_or_begin(tmp_path / "library")
    items = library.items(domain=domain)
    assert len(items) == (2 if domain == "image" else 1)
    for item in items:
        pipeline = Pipeline.from_pretrained(find_model(item.recipe.model))
        assert pipeline.domain.name == domain and pipeline.hash == item.recipe.model_hash
        field = pipeline.decode(torch.from_numpy(library.load_latent(item)))
        with Image.open(item.thumbnail) as picture:
            promised = over(np.asarray(picture.convert("RGBA"))).astype(float)
        view = field.view(resolution=RESOLUTION)
        shown = over(field.thumbnail(view, size=promised.shape[0])).astype(float)
        nothing = over(np.zeros((*promised.shape[:2], 4), np.uint8)).astype(float)
        assert np.abs(shown - promised).mean() < 0.2 * np.abs(nothing - promised).mean()
    library.close()
