"""Pictures of a data set and of an image model, as they are compared."""

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core import refinement
from ddmi_core.data.image_sources import picture_source
from ddmi_core.data.pictures import WHOLE_PICTURE, Picture
from ddmi_core.fields.image import COARSEST, ENCODED_SIDE, FINEST, ImageField
from ddmi_core.pipeline import Pipeline


def seen(picture: Picture, side: int) -> Float[Tensor, "4 s s"]:
    """Return the whole of a picture with side x side pixels, premultiplied."""
    return torch.from_numpy(picture.view(WHOLE_PICTURE, side)).movedim(-1, 0).contiguous()


def rebuilt(pipeline: Pipeline, picture: Picture, refine_steps: int = 0) -> ImageField:
    """Return a picture encoded, and refined if asked for, and decoded."""
    source = picture_source(
        picture, encoded_side=ENCODED_SIDE, queries=refinement.QUERIES, footprints=(FINEST, COARSEST)
    )
    return field_of(pipeline, pipeline.encode_source(source, refine_steps=refine_steps))


def field_of(pipeline: Pipeline, latent: Float[Tensor, "c h w"]) -> ImageField:
    """Return the picture of a latent."""
    field = pipeline.decode(latent)
    assert isinstance(field, ImageField), f"{pipeline.name} is no image model"
    return field
