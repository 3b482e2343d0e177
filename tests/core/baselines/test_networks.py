"""The networks of the baselines: latents that are vectors, and fields of them that are like any other."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ddmi_core.autoencoder import Autoencoder
from ddmi_core.baselines.fixed_encoding import FixedEncoding
from ddmi_core.baselines.functa import Functa
from ddmi_core.baselines.plan import FixedEncodingSizes, FunctaSizes, VectorDenoiserSizes
from ddmi_core.baselines.vector_diffusion import VectorDiffusion
from ddmi_core.diffusion import DenoiserConfig
from ddmi_core.fields.image import ImageField
from ddmi_core.fields.shape import ShapeField
from ddmi_core.recipe import Denoising
from ddmi_core.text import TextEmbedding
from ddmi_core.training.config import RunConfig

_FUNCTA = FunctaSizes(latent=8, width=16, depth=3)
_FIXED = FixedEncodingSizes(latent=8, features=8, width=16, depth=2, hidden=16)


def functa(domain: str, **changes: object) -> Functa:
    torch.manual_seed(0)
    config = RunConfig.from_preset(f"{domain}-tiny").autoencoder
    return Functa(config, _FUNCTA.model_copy(update=changes))


def fixed_encoding(domain: str) -> FixedEncoding:
    torch.manual_seed(0)
    return FixedEncoding(RunConfig.from_preset(f"{domain}-tiny").autoencoder, _FIXED)


def balls(radii: list[float], count: int = 256) -> tuple[Tensor, Tensor]:
    coords = torch.rand(len(radii), count, 3, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return coords, (coords.norm(dim=-1, keepdim=True) < torch.tensor(radii)[:, None, None]).float()


@pytest.mark.parametrize("make", [functa, fixed_encoding])
def test_signals_are_fields_of_their_domain(make: type[Autoencoder]) -> None:
    picture = make("image")
    latents = torch.randn(2, *picture.canvas_shape)
    field = picture.field(latents[0])
    assert isinstance(field, ImageField) and field.render(6, 4).shape == (4, 6, 4)
    coords = torch.rand(3000, 2) * 2 - 1
    values = picture.readout.evaluate(picture.decode(latents), coords.expand(2, -1, -1))
    torch.testing.assert_close(field(coords), values[0], atol=1e-5, rtol=1e-5)  # in chunks, and alone
    assert (values[0] - values[1]).abs().max() > 1e-4  # the latent decides

    solid = make("shape")
    assert isinstance(solid.field(torch.randn(*solid.canvas_shape)), ShapeField)


def test_inner_steps_come_nearer_to_a_signal() -> None:
    model = functa("shape")
    coords, targets = balls([0.3, 0.9])
    latents = model.fitted(coords, targets, learning=False)

    def loss(latents: Tensor) -> float:
        values = model.readout.evaluate(model.decode(latents[:, :, None, None]), coords)
        return model.domain.reconstruction_loss(values, targets)[0].item()

    assert loss(latents) < loss(torch.zeros_like(latents))
    assert (latents[0] - latents[1]).abs().max() > 1e-4


def test_a_signal_has_the_same_latent_whatever_it_is_fitted_with() -> None:
    model = functa("shape")
    coords, targets = balls([0.2, 0.4, 0.5, 0.6, 0.7, 0.9])  # more than are fitted at once
    together = model.posterior({"coords": coords, "targets": targets}).mean
    alone = model.posterior({"coords": coords[4:5], "targets": targets[4:5]}).mean
    torch.testing.assert_close(together[4:5], alone, atol=1e-5, rtol=1e-4)


def test_a_picture_is_fitted_to_all_of_its_pixels() -> None:
    model = functa("image")
    image = torch.rand(1, 4, 8, 8)
    none = {"coords": torch.zeros(1, 1, 2), "targets": torch.zeros(1, 1, 4)}
    found = model.posterior({"image": image, **none}).mean
    image[0, :, 7, 7] += 1
    assert (model.posterior({"image": image, **none}).mean - found).abs().max() > 1e-7


def test_the_second_order_is_what_the_inner_steps_add() -> None:
    gradients = []
    coords, targets = balls([0.3, 0.9])
    for second_order in (True, False):
        model = functa("shape", second_order=second_order)
        latents = model.fitted(coords, targets, learning=True)
        values = model.readout.evaluate(model.decode(latents[:, :, None, None]), coords)
        model.domain.reconstruction_loss(values, targets)[0].backward()
        assert model.rates.grad is not None and model.rates.grad.abs().max() > 0
        gradients.append(model.readout.out.weight.grad)
    assert not torch.allclose(gradients[0], gradients[1], rtol=1e-4, atol=0)


def test_the_vector_of_the_encoder_is_a_distribution_that_inputs_decide() -> None:
    model = fixed_encoding("image")
    posterior = model.posterior({"image": torch.rand(2, 4, 128, 128)})
    assert posterior.mean.shape == posterior.log_variance.shape == (2, 8, 1, 1)
    assert (posterior.mean[0] - posterior.mean[1]).abs().max() > 1e-5


def test_vectors_are_sampled_as_other_latents_are() -> None:
    torch.manual_seed(0)
    config = DenoiserConfig(kind="none", prediction="v", text_channels=6)
    diffusion = VectorDiffusion(config, 5, VectorDenoiserSizes(width=8, blocks=2))
    for parameter in diffusion.unet.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # the last layer says nothing at first
    text = TextEmbedding(torch.randn(2, 3, 6), torch.ones(2, 3, dtype=torch.bool), torch.randn(2, 6))
    first, second = (TextEmbedding(*(part[i : i + 1] for part in text)) for i in range(2))
    how = Denoising(steps=3, guidance=1.0)
    both = diffusion.sample(first, first, [3, 4], how)
    assert both.shape == (2, 5, 1, 1)
    torch.testing.assert_close(diffusion.sample(first, first, [4], how), both[1:])
    assert (diffusion.sample(second, first, [3], how) - both[:1]).abs().max() > 1e-3  # the text tells
