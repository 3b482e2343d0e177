from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from torch import Tensor

from ddmi_core.rendering.volume_rendering import (
    OccupancyGrid,
    box_span,
    composite,
    importance_samples,
    render_rays,
    stratified_samples,
)

RADIUS, DENSITY = 0.6, 1.7
GLOW = torch.tensor([0.9, 0.4, 0.1])


def ball(points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """A glowing ball of one density."""
    inside = points.norm(dim=-1) < RADIUS
    return inside * DENSITY, GLOW.expand(len(points), 3)


def parallel_rays(offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Rays along -z, so far beside the middle."""
    origins = torch.stack([offsets, torch.zeros_like(offsets), torch.full_like(offsets, 3.0)], dim=-1)
    return origins, torch.tensor([0.0, 0.0, -1.0]).expand_as(origins)


@pytest.mark.parametrize("skip", [False, True])
def test_a_ball_of_one_density_lets_through_what_the_formula_says(skip: bool) -> None:
    offsets = torch.tensor([0.0, 0.2, 0.4, 0.55, 0.7])
    origins, directions = parallel_rays(offsets)
    occupancy = OccupancyGrid.bake(lambda points: ball(points, points)[0]) if skip else None
    light = render_rays(ball, origins, directions, samples=2000, occupancy=occupancy)
    chord = 2 * (RADIUS**2 - offsets**2).clamp(min=0).sqrt()
    opacity = 1 - torch.exp(-DENSITY * chord)
    torch.testing.assert_close(light.opacity, opacity, atol=2e-3, rtol=0)
    torch.testing.assert_close(light.colour, opacity[:, None] * GLOW, atol=2e-3, rtol=0)
    # The mean depth of an exponential law cut off at the chord's end
    begin = 3 - chord / 2
    mean = begin + 1 / DENSITY - chord * torch.exp(-DENSITY * chord) / opacity.clamp(min=1e-9)
    torch.testing.assert_close(light.depth[:4], mean[:4], atol=2e-3, rtol=0)
    assert math.isinf(light.depth[4])


def test_the_last_of_the_light_is_as_steps_say_whatever_their_lengths() -> None:
    near, far = torch.zeros(1), torch.full((1,), 2.0)
    equal = stratified_samples(near, far, 40)
    edges = torch.linspace(0, 2, 9).expand(1, -1)
    uneven = importance_samples(edges, torch.tensor([[1.0, 0.1, 0.1, 5, 5, 0.1, 0.1, 1]]), torch.rand(1, 40))
    for depths, steps in (equal, uneven):
        assert float(steps.sum()) == pytest.approx(2, abs=1e-5)
        assert (depths.diff() > 0).all()
        light = composite(torch.full_like(depths, 0.8), torch.ones(1, 40, 3), depths, steps)
        assert float(light.opacity) == pytest.approx(1 - math.exp(-1.6), abs=1e-5)


def test_importance_goes_where_the_weights_are() -> None:
    edges = torch.linspace(0, 1, 11).expand(1, -1)
    weights = torch.full((1, 10), 0.01)
    weights[:, 6] = 1
    depths, steps = importance_samples(edges, weights, torch.full((1, 64), 0.5))
    assert ((depths > 0.6) & (depths < 0.7)).float().mean() > 0.85
    assert steps[0, 0] > 10 * steps[0, 32]


def test_strata_hold_one_sample_each() -> None:
    depths, steps = stratified_samples(torch.tensor([1.0]), torch.tensor([3.0]), 8, torch.rand(1, 8))
    borders = torch.linspace(1, 3, 9)
    assert ((depths[0] >= borders[:-1]) & (depths[0] <= borders[1:])).all()
    torch.testing.assert_close(steps, torch.full((1, 8), 0.25))


def test_rays_meet_the_box_where_they_do() -> None:
    origins = torch.tensor([[0.0, 0, 3], [0, 0, 0], [0, 5, 3]])
    directions = torch.tensor([[0.0, 0, -1], [1, 0, 0], [0, 0, -1]])
    enter, leave = box_span(origins, directions)
    torch.testing.assert_close(enter[:2], torch.tensor([2.0, 0.0]))
    torch.testing.assert_close(leave[:2], torch.tensor([4.0, 1.0]))
    assert enter[2] == leave[2]
    enter, leave = box_span(origins[:1], directions[:1], (-1, -1, -1, 1, 1, 0), near=3.25, far=3.5)
    assert (float(enter), float(leave)) == (3.25, 3.5)


def test_what_is_cropped_away_is_not_seen() -> None:
    origins, directions = parallel_rays(torch.tensor([0.0]))
    whole = render_rays(ball, origins, directions, samples=512)
    half = render_rays(ball, origins, directions, samples=512, box=(-1, -1, 0, 1, 1, 1))
    assert float(half.opacity) == pytest.approx(1 - math.sqrt(1 - float(whole.opacity)), abs=2e-3)


def test_skipping_empty_space_changes_no_picture_and_asks_far_less() -> None:
    asked = {"plain": 0, "skipping": 0}

    def shell(name: str, points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        asked[name] += len(points)
        return shell_density(points), (points + 1) / 2

    occupancy = OccupancyGrid.bake(shell_density)
    side = torch.linspace(-0.9, 0.9, 24)
    x, y = torch.meshgrid(side, side, indexing="ij")
    origins = torch.stack([x.reshape(-1), y.reshape(-1), torch.full((576,), 3.0)], dim=-1)
    directions = torch.tensor([0.0, 0.0, -1.0]).expand_as(origins)
    plain = render_rays(partial(shell, "plain"), origins, directions, samples=192)
    skipping = render_rays(partial(shell, "skipping"), origins, directions, samples=192, occupancy=occupancy)
    assert float((plain.colour - skipping.colour).abs().mean()) < 1 / 255
    assert float((plain.opacity - skipping.opacity).abs().mean()) < 1 / 255
    assert asked["skipping"] * 5 < asked["plain"]


@pytest.mark.parametrize("skip", [False, True])
def test_every_asking_is_reported_and_none_is_larger_than_was_wanted(skip: bool) -> None:
    asked: list[int] = []
    told: list[float] = []

    def counted(points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(len(points))
        return ball(points, directions)

    occupancy = OccupancyGrid.bake(lambda points: ball(points, points)[0]) if skip else None
    origins, directions = parallel_rays(torch.linspace(-0.9, 0.9, 50))
    together = render_rays(ball, origins, directions, samples=64, occupancy=occupancy)
    apart = render_rays(
        counted,
        origins,
        directions,
        samples=64,
        occupancy=occupancy,
        at_once=100,
        progress=lambda fraction, _: told.append(fraction),
    )
    assert max(asked) <= 100 and len(told) >= len(asked) and told == sorted(told) and 0 <= told[0] <= told[-1] <= 1
    torch.testing.assert_close(apart.colour, together.colour)


def shell_density(points: Tensor) -> Tensor:
    return 80 * torch.exp(-(((points.norm(dim=-1) - 0.5) / 0.03) ** 2))


def test_the_grid_is_empty_outside_of_space() -> None:
    full = OccupancyGrid(torch.ones(4, 4, 4, dtype=torch.bool))
    places = torch.tensor([[0.0, 0, 0], [0.99, 0, 0], [1.01, 0, 0], [0, -1.2, 0]])
    assert full(places).tolist() == [True, True, False, False]
    assert full.share == 1


def test_compositing_lets_gradients_through() -> None:
    densities = torch.rand(3, 8, requires_grad=True)
    light = composite(densities, torch.rand(3, 8, 3), torch.linspace(1, 2, 8).expand(3, 8), torch.full((3, 8), 0.1))
    light.colour.sum().backward()
    assert densities.grad is not None and torch.isfinite(densities.grad).all() and (densities.grad != 0).any()


def test_no_rays_give_no_light() -> None:
    light = render_rays(ball, torch.zeros(0, 3), torch.zeros(0, 3), samples=8)
    assert light.colour.shape == (0, 3) and light.opacity.shape == (0,)
