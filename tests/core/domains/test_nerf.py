"""A radiance field: what depends on the direction, what a ray gathers, and what is learned from coloured points."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.data.coloured_meshes import ColouredPoints, spread_cameras
from ddmi_core.data.items import EncoderInput, SurfacePoints
from ddmi_core.data.radiance import SAMPLES, PosedPictures, RadianceSet, RadianceSource
from ddmi_core.fields.radiance import RadianceField, density_of
from ddmi_core.likeness import psnr
from ddmi_core.rendering.cameras import orbit_camera, rays
from ddmi_core.rendering.view_settings import ViewSettings
from ddmi_core.rendering.volume_rendering import OccupancyGrid, box_span, render_rays, stratified_samples
from ddmi_core.support.progress import Cancelled
from ddmi_core.training.config import RunConfig
from tests.core.data.posed_scene import coloured_box, pictures

SMALL: dict[str, Any] = {
    "domain": "nerf",
    "latent_channels": 4,
    "latent_size": 8,
    "point_channels": 16,
    "encoder_channels": (16, 16),
    "decoder_channels": (32, 24, 16),
    "decoder_blocks": (1, 1, 0),
    "basis_channels": 16,
    "readout_width": 32,
}


class Box(RadianceSet):
    """A coloured box, known by points and, if wished, by pictures."""

    names = ("box",)

    def __init__(self, side: int = 32, views: int = 8, *, seen: bool = True) -> None:
        cameras = spread_cameras(views)
        self._points = coloured_box().seen(cameras, side, side).points(2048, np.random.default_rng(0))
        self._views = PosedPictures(cameras, pictures(cameras, side)) if seen else None

    def __len__(self) -> int:
        return 1

    def captions(self, index: int) -> list[str]:
        return ["a box"]

    def points(self, index: int) -> ColouredPoints:
        return self._points

    def views(self, index: int) -> PosedPictures | None:
        return self._views


@pytest.fixture
def autoencoder() -> D2CVAE:
    return D2CVAE(AutoencoderConfig(**SMALL)).eval()


@pytest.fixture
def field(autoencoder: D2CVAE) -> RadianceField:
    found = autoencoder.field(2 * torch.randn(autoencoder.canvas_shape))
    assert isinstance(found, RadianceField)
    vars(found)["_occupancy"] = OccupancyGrid.bake(found.density, 12)  # a coarse one takes no time
    return found


def unit(*shape: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(*shape, 3), dim=-1)


def example(box: Box | None = None, *, rays: int = 40, seed: int = 0) -> dict[str, torch.Tensor]:
    source = RadianceSource(box or Box(), SAMPLES * rays, EncoderInput(SurfacePoints(512)))
    drawn = source.sample(0, np.random.default_rng(seed), augment="none")
    return {name: torch.from_numpy(values).unsqueeze(0) for name, values in drawn.items()}


def test_what_is_known_directly_is_learned_from_places_and_not_from_rays(autoencoder: D2CVAE) -> None:
    decoded = autoencoder.decode(torch.zeros(1, *autoencoder.canvas_shape))
    basis = tuple(tuple(plane.detach().requires_grad_() for plane in scale) for scale in decoded)
    generator = torch.Generator().manual_seed(0)
    places = 2 * torch.rand(1, 300, 3, generator=generator) - 1
    normals = torch.nn.functional.normalize(places[:, :100], dim=-1)
    batch = {
        "places": places,
        "solid": (places.norm(dim=-1, keepdim=True) < 0.7).float(),
        "surface": 0.7 * normals,
        "normals": normals,
        "surface_colours": torch.tensor([0.8, 0.3, 0.1]).expand(1, 100, 3),
    }
    optimiser = torch.optim.Adam([plane for scale in basis for plane in scale], 0.1)
    told = []
    for _ in range(60):
        loss, figures = autoencoder.domain.direct_loss(autoencoder.readout, basis, batch)
        told.append((loss.item(), figures["solidity"].item(), figures["surface_psnr"].item()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert told[-1][0] < 0.5 * told[0][0] and told[-1][1] < 0.6 * told[0][1] and told[-1][2] > told[0][2] + 3


def test_what_is_known_directly_counts_less_and_less() -> None:
    config = RunConfig.from_preset("nerf-tiny").with_overrides(["stage1.steps=100", "stage1.direct_weight=2"]).stage1
    assert [config.direct_weight_at(step) for step in (0, 30, 60, 99)] == [2.0, 1.0, 0.0, 0.0]


def test_density_is_the_same_from_everywhere_and_colour_is_not(field: RadianceField) -> None:
    places = torch.rand(200, 3) * 2 - 1
    density, colour = field.medium(places, unit(200))
    again, other = field.medium(places, unit(200))
    torch.testing.assert_close(again, density, atol=0, rtol=0)
    torch.testing.assert_close(field.density(places), density, atol=1e-4, rtol=1e-5)
    assert (other - colour).abs().max() > 1e-3
    assert (density >= 0).all() and ((colour > 0) & (colour < 1)).all()


def test_finding_empty_space_can_be_stopped_and_begun_anew(
    autoencoder: D2CVAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = autoencoder.field(2 * torch.randn(autoencoder.canvas_shape))
    assert isinstance(field, RadianceField)
    monkeypatch.setattr(OccupancyGrid, "bake", partial(OccupancyGrid.bake, cells=12))
    told: list[tuple[float, str]] = []

    def stop_at(count: int, fraction: float, text: str) -> None:
        told.append((fraction, text))
        if len(told) == count:
            raise Cancelled

    with pytest.raises(Cancelled):
        field.render(orbit_camera(), 8, 8, progress=partial(stop_at, 2))
    assert [text for _, text in told] == 2 * ["finding empty space"]
    told.clear()
    view = field.render(orbit_camera(), 8, 8, progress=partial(stop_at, -1))
    fractions = [fraction for fraction, _ in told]
    assert "finding empty space" in {text for _, text in told} and fractions == sorted(fractions)
    told.clear()
    again = field.render(orbit_camera(), 8, 8, progress=partial(stop_at, -1))
    assert "finding empty space" not in {text for _, text in told}
    np.testing.assert_array_equal(again.colour, view.colour)


def test_who_waits_for_empty_space_to_be_found_can_leave(autoencoder: D2CVAE) -> None:
    field = autoencoder.field(2 * torch.randn(autoencoder.canvas_shape))
    assert isinstance(field, RadianceField)
    begun, done = Event(), Event()

    def dawdle(_fraction: float, _text: str) -> None:
        begun.set()
        done.wait(10)
        raise Cancelled

    def leave(_fraction: float, _text: str) -> None:
        raise Cancelled

    with ThreadPoolExecutor(1) as other:
        first = other.submit(field.occupancy, dawdle)
        assert begun.wait(10)
        with pytest.raises(Cancelled):
            field.occupancy(leave)
        done.set()
        with pytest.raises(Cancelled):
            first.result(10)


def test_without_directions_there_is_no_colour(field: RadianceField) -> None:
    places = torch.rand(7, 3) * 2 - 1
    assert field(places).shape == (7, 1) and field(places, directions=unit(7)).shape == (7, 4)


def test_colour_is_no_linear_function_of_the_direction(field: RadianceField) -> None:
    places = torch.rand(50, 3) * 2 - 1
    first, second = unit(50), unit(50)

    def both_ways(ways: torch.Tensor) -> torch.Tensor:
        return field(places, directions=ways)[:, 1:] + field(places, directions=-ways)[:, 1:]

    # Of a linear function, these sums would be twice the constant whichever the direction.
    assert (both_ways(first) - both_ways(second)).abs().max() > 1e-3


def test_a_prediction_is_what_the_renderer_sees_over_the_background(autoencoder: D2CVAE) -> None:
    latent = 2 * torch.randn(1, *autoencoder.canvas_shape)
    field = autoencoder.field(latent[0])
    assert isinstance(field, RadianceField)
    origins, directions = (torch.from_numpy(part.reshape(-1, 3)) for part in rays(orbit_camera(), 6, 6))
    depths, steps = stratified_samples(*box_span(origins, directions), 16)
    background = torch.rand(1, 36, 3)
    batch = {"origins": origins, "directions": directions, "depths": depths, "steps": steps}
    batch = {name: values.unsqueeze(0) for name, values in batch.items()} | {"background": background}
    predicted = autoencoder.domain.predict(autoencoder.readout, autoencoder.decode(latent), batch)
    light = render_rays(field.medium, origins, directions, samples=16)
    expected = light.colour + (1 - light.opacity)[:, None] * background[0]
    torch.testing.assert_close(predicted[0], expected, atol=1e-4, rtol=0)


def test_where_nothing_is_the_background_is_seen(autoencoder: D2CVAE) -> None:
    with torch.no_grad():
        autoencoder.readout.out.bias.fill_(-100)
    batch = example()
    basis = autoencoder.decode(torch.zeros(1, *autoencoder.canvas_shape))
    predicted = autoencoder.domain.predict(autoencoder.readout, basis, batch)
    torch.testing.assert_close(predicted, batch["background"], atol=1e-5, rtol=0)


def test_it_encodes_decodes_and_learns_in_all_parts(autoencoder: D2CVAE) -> None:
    batch = example()
    domain = autoencoder.domain
    posterior = autoencoder.encode(domain.inputs(batch))
    values = domain.predict(autoencoder.readout, autoencoder.decode(posterior.sample()), batch)
    loss, figures = domain.reconstruction_loss(values, batch["targets"])
    loss.backward()
    assert all(p.grad is not None for p in autoencoder.parameters()) and 0 < figures["psnr"] < 60


def test_the_encoder_sees_colours_and_the_order_of_points_does_not_matter(autoencoder: D2CVAE) -> None:
    points = example()["points"]
    inputs = autoencoder.domain.inputs
    first = autoencoder.encode(inputs({"points": points})).mean
    shuffled = points[:, torch.randperm(points.shape[1])]
    torch.testing.assert_close(autoencoder.encode(inputs({"points": shuffled})).mean, first, atol=1e-4, rtol=1e-4)
    exchanged = points[..., [0, 1, 2, 4, 3, 5]]
    assert (autoencoder.encode(inputs({"points": exchanged})).mean - first).abs().max() > 1e-3


def test_points_alone_can_be_encoded_but_tell_nothing_to_fit_to() -> None:
    assert set(example(Box(seen=False))) == {"points"}


def test_skipping_empty_space_shows_the_same(field: RadianceField) -> None:
    settings = ViewSettings(samples=48)
    quick, plain = (field.render(orbit_camera(), 16, 16, settings, skip_empty=skip) for skip in (True, False))
    assert np.abs(quick.colour - plain.colour).mean() < 1 / 255
    assert np.abs(quick.opacity - plain.opacity).mean() < 1 / 255


def test_view_thumbnail_and_preview(field: RadianceField) -> None:
    view = field.view(resolution=12)
    assert view["pixels"].shape == (12, 12, 4) and view["pixels"].dtype == np.uint8
    assert field.thumbnail(view, size=20).shape == (20, 20, 4)
    assert field.preview(size=16).shape == (16, 16, 3)


def test_no_value_of_the_read_out_gives_a_density_that_is_not_finite() -> None:
    values = torch.tensor([[-1e4], [0.0], [1e4]])
    densities = density_of(values)
    assert torch.isfinite(densities).all() and (densities.diff() > 0).all() and float(densities[0]) == 0


@pytest.mark.slow
def test_a_coloured_box_is_learned(autoencoder: D2CVAE) -> None:
    box, domain, steps, rate = Box(64, 12), autoencoder.domain, 900, 1e-2
    optimiser = torch.optim.Adam(autoencoder.parameters(), lr=rate)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * min(1, step / 20) * (0.05 + 0.475 * (1 + np.cos(np.pi * step / steps)))
        batch = example(box, rays=168, seed=step)
        basis = autoencoder.decode(autoencoder.encode(domain.inputs(batch)).mean)
        loss, _ = domain.reconstruction_loss(domain.predict(autoencoder.readout, basis, batch), batch["targets"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        field = autoencoder.field(autoencoder.encode(domain.inputs(example(box))).mean[0])
    assert isinstance(field, RadianceField)
    truth = box.views(0)
    assert truth is not None
    likeness = []
    for view in (1, 6, 10):
        pixels = truth.pixels[view].astype(np.float32) / 255
        found = field.render(truth.cameras[view], 64, 64)
        wanted = pixels[..., :3] * pixels[..., 3:] + 1 - pixels[..., 3:]
        likeness.append(psnr(found.colour + 1 - found.opacity[..., None], wanted))
    assert np.mean(likeness) > 30, likeness
