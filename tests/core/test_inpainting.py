"""What is kept of a latent while the rest is drawn anew."""

import pytest
import torch
from pydantic import ValidationError

from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.inpainting import keep_outside
from ddmi_core.planes import SINGLE_PLANE, TRI_PLANE
from ddmi_core.recipe import Denoising, Inpainting, Recipe, SamplerName, Seeded
from ddmi_core.text import TextEmbedding

ALL = (-1.0, 1.0)


def test_of_a_picture_the_cells_of_the_region_are_drawn_anew() -> None:
    kept = keep_outside(torch.zeros(2, 4, 4), (ALL, (-1.0, 0.0)), SINGLE_PLANE, ((4, 4),))
    assert kept.until.shape == (2, 4, 4)
    assert (kept.until[:, :2] < 0).all() and (kept.until[:, 2:] == 1).all()


def test_a_plane_that_shows_both_parts_is_held_for_a_while() -> None:
    """The upper half of an object: seen from the front and the side it lies apart, from above it covers the rest."""
    sizes = ((4, 4),) * 3
    kept = keep_outside(torch.zeros(6, 4, 4), (ALL, (0.0, 1.0), ALL), TRI_PLANE, sizes)
    front, above, side = kept.until.chunk(3)
    assert (front[:, :2] == 1).all() and (front[:, 2:] < 0).all()  # y along the height
    assert ((above > 0) & (above < 1)).all()
    assert (side[..., :2] == 1).all() and (side[..., 2:] < 0).all()  # y along the width


def test_planes_of_a_clip_have_sizes_of_their_own() -> None:
    kept = keep_outside(torch.zeros(3, 4, 4), (ALL, ALL, (0.0, 1.0)), TRI_PLANE, ((4, 4), (2, 4), (2, 4)))
    space, *moving = kept.until
    assert ((space > 0) & (space < 1)).all()
    for plane in moving:
        assert (plane[0] == 1).all() and (plane[1] < 0).all()


@pytest.mark.parametrize("sampler", ["dpm++", "sde-dpm++", "ddim", "ddpm"])
def test_what_is_kept_stays_and_the_rest_depends_on_the_seed(sampler: SamplerName) -> None:
    torch.manual_seed(0)
    config = DenoiserConfig(kind="uvit", channels=(32, 32), blocks=(1, 1, 1), head_width=16, text_channels=8)
    diffusion = LatentDiffusion(config, (2, 4, 4)).eval()
    diffusion.set_scale(torch.tensor([1.0, -2.0]), torch.tensor([0.5, 2.0]))
    text = TextEmbedding(torch.zeros(1, 1, 8), torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 8))
    latent = torch.randn(2, 4, 4)
    kept = keep_outside(latent, (ALL, (-1.0, 0.0)), SINGLE_PLANE, ((4, 4),))
    denoising = Denoising(steps=4, sampler=sampler, guidance=1.0)
    first, second = diffusion.sample(text, text, [0, 1], denoising, kept=kept)
    assert torch.allclose(first[:, 2:], latent[:, 2:], atol=1e-5)
    assert torch.allclose(second[:, 2:], latent[:, 2:], atol=1e-5)
    assert not torch.allclose(first[:, :2], second[:, :2], atol=0.1)


def test_a_recipe_of_a_changed_part_says_what_it_was_a_part_of() -> None:
    of = Seeded(prompt="a chair", seed=7, inpaint=Inpainting(of=Seeded(seed=5), region=(ALL, (0.0, 1.0))))
    recipe = Recipe(
        domain="image", model="m", model_hash="0", seed=9, inpaint=Inpainting(of=of, region=((-0.5, 0.5), ALL))
    )
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert recipe.seeded.inpaint == recipe.inpaint and recipe.settings.inpaint == recipe.inpaint


@pytest.mark.parametrize("region", [(ALL, (0.5, 0.5)), (ALL,), (ALL, (0.0, 1.5))])
def test_a_part_has_an_extent_and_lies_in_the_signal(region: object) -> None:
    with pytest.raises(ValidationError):
        Inpainting(of=Seeded(), region=region)  # type: ignore[arg-type]
