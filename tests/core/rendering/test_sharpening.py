from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ddmi_core.rendering.cameras import Camera, orbit_camera, rays
from ddmi_core.rendering.sharpening import sharpened
from ddmi_core.rendering.volume_rendering import OccupancyGrid, rays_through, render_rays

WIDTH, HEIGHT = 61, 43


class Scene:
    """A disc with a hard edge on a ground of soft shades, and how many rays were traced."""

    def __init__(self) -> None:
        self.rays = 0

    def __call__(self, places: Tensor, _progress: object = None) -> Tensor:
        self.rays += len(places)
        x, y = places.unbind(-1)
        shade = 0.5 + 0.3 * torch.sin(x / 20) * torch.cos(y / 25)
        inside = (places - torch.tensor([30.0, 20.0])).norm(dim=-1) < 12.3
        return torch.stack([torch.where(inside, 1.0, 0.6 * shade), shade, torch.ones_like(x)], dim=-1)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def exact() -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    return Scene()(torch.stack([columns, rows], dim=-1).reshape(-1, 2).float()).reshape(HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("stride", [1, 2, 8, 32])
def test_every_pass_has_all_pixels_and_the_last_one_is_right(scene: Scene, exact: Tensor, stride: int) -> None:
    passes = list(sharpened(scene, WIDTH, HEIGHT, stride=stride, whole=4, smooth_edges=False))
    assert len(passes) == int(math.log2(stride)) + 1
    assert all(picture.shape == (HEIGHT, WIDTH, 3) for picture in passes)
    errors = [float((picture - exact).abs().mean()) for picture in passes]
    assert errors == sorted(errors, reverse=True)
    torch.testing.assert_close(passes[-1], exact, atol=2 / 255, rtol=0)


def test_rays_are_traced_where_the_picture_bends_alone(scene: Scene) -> None:
    list(sharpened(scene, WIDTH, HEIGHT, stride=8, whole=4, smooth_edges=False))
    assert WIDTH * HEIGHT / 16 < scene.rays < WIDTH * HEIGHT / 2


def test_where_something_may_be_hidden_between_rays_all_are_traced(scene: Scene) -> None:
    list(sharpened(scene, WIDTH, HEIGHT, stride=8, whole=1, smooth_edges=False))
    assert scene.rays >= WIDTH * HEIGHT


def test_what_was_traced_stays_as_it_is(scene: Scene) -> None:
    coarse, *_, last = sharpened(scene, WIDTH, HEIGHT, stride=8, whole=4, smooth_edges=False)
    assert torch.equal(coarse[::8, ::8], last[::8, ::8])


def test_brightness_stays_from_pass_to_pass(scene: Scene) -> None:
    passes = list(sharpened(scene, WIDTH, HEIGHT, stride=4, whole=4))
    means = torch.stack([picture.mean((0, 1)) for picture in passes])
    assert float((means - means[-1]).abs().max()) < 2 / 255


def test_edges_become_the_share_of_the_pixel_that_is_covered(scene: Scene, exact: Tensor) -> None:
    *_, smooth = sharpened(scene, WIDTH, HEIGHT, stride=8, whole=4)
    offsets = (torch.arange(8) + 0.5) / 8 - 0.5
    rows, columns = torch.arange(HEIGHT)[:, None] + offsets, torch.arange(WIDTH)[:, None] + offsets
    y, x = torch.meshgrid(rows.reshape(-1), columns.reshape(-1), indexing="ij")
    fine = Scene()(torch.stack([x, y], dim=-1).reshape(-1, 2)).reshape(HEIGHT, 8, WIDTH, 8, 3).mean((1, 3))
    jagged, smoothed = ((picture - fine).abs().amax() for picture in (exact, smooth))
    assert float(smoothed) < 0.2 < float(jagged)


def test_rays_through_pixel_centres_are_those_of_the_camera() -> None:
    camera = Camera(orbit_camera(70, -10, 3.0, 50.0).pose, 50.0, (0.2, -0.1))
    origins, directions = rays(camera, WIDTH, HEIGHT)
    places = torch.tensor([[0.0, 0.0], [60, 0], [0, 42], [33, 17]])
    found = rays_through(camera, places, WIDTH, HEIGHT)
    for column, row, origin, direction in zip(*places.long().T.tolist(), *found, strict=True):
        np.testing.assert_allclose(origin, origins[row, column], atol=1e-6)
        np.testing.assert_allclose(direction, directions[row, column], atol=1e-6)


def test_hard_surfaces_are_found_more_finely_than_the_samples_are_apart() -> None:
    def slab(points: Tensor, _directions: Tensor) -> tuple[Tensor, Tensor]:
        return 4000.0 * (points[:, 2] < 0.1234), (points + 1) / 2

    origins = torch.tensor([[0.3, 0.2, 3.0], [-0.4, 0.1, 3.0]])
    directions = torch.tensor([0.0, 0.0, -1.0]).expand_as(origins)
    occupancy = OccupancyGrid.bake(lambda points: slab(points, points)[0])
    light = render_rays(slab, origins, directions, samples=64, occupancy=occupancy)
    assert float(light.opacity.min()) > 0.999
    # Within a quarter of a sample's step, which is 2 / 64
    torch.testing.assert_close(light.depth, torch.full((2,), 3 - 0.1234), atol=2 / 64 / 4, rtol=0)
