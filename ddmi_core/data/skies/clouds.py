"""Clouds as a function: a layer above the viewer that drifts, grows and dissolves, lit from where the sun is."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.data.skies.atmosphere import Look, smooth
from ddmi_core.data.skies.noise import fractal
from ddmi_core.data.skies.scene import Scene

_NEAREST = 0.5  # the layer is never looked at more steeply than this
_WARP = {"cumulus": 0.16, "streaks": 0.42, "overcast": 0.4, "storm": 0.24}
_OCTAVES = 6
_FREQUENCY = {"cumulus": 2.3, "streaks": 1.7, "overcast": 1.7, "storm": 1.6}


def over(scene: Scene, look: Look, sky: Float[Tensor, "n 3"], glow: Float[Tensor, " n"]) -> Float[Tensor, "n 3"]:
    """Return the sky with its clouds.

    Args:
        scene: what clouds there are.
        look: where and when.
        sky: colours without them.
        glow: nearness to the sun, in [0, 1], that lights edges from behind.
    """
    if scene.clouds == "clear":
        return sky
    above, lights = look.v - scene.horizon, look.lights
    slope = above.clamp(min=0) + _NEAREST
    across, along = look.x / slope, 1.1 / slope
    shrunk = look.size / slope
    if scene.clouds == "streaks":
        cos, sin = math.cos(scene.turn), math.sin(scene.turn)
        across, along = cos * across + sin * along, -sin * across + cos * along
        across = 0.32 * across
    points = torch.stack(
        [
            across / scene.scale - scene.wind * look.moment * (0.32 if scene.clouds == "streaks" else 1.0),
            along / scene.scale * (2.4 if scene.clouds == "streaks" else 1.5),
            scene.change * look.moment,
        ],
        dim=1,
    )
    points = points * _FREQUENCY[scene.clouds] + (scene.seed % 1009) * 0.37
    shrunk = shrunk / scene.scale * 1.6 * _FREQUENCY[scene.clouds]
    bend = fractal(points * 0.9 + 5.2, 3, shrunk * 0.9, channels=3)
    bent = points + _WARP[scene.clouds] * torch.stack([bend[:, 0], bend[:, 1], 0.4 * bend[:, 2]], dim=1)
    here = _thickness(scene, bent, shrunk)
    # The same a step nearer to the light: where there is less of it, light comes through
    toward = torch.tensor([0.16 * math.copysign(1, scene.sun[0] - 0.001), -0.22, 0.0])
    nearer = _thickness(scene, bent + toward, shrunk.clamp(min=0.06))
    cover, soft = _cover(scene)
    dense = smooth(here, 1 - 2 * cover, 1 - 2 * cover + soft)
    lit = (0.52 + 0.75 * (here - nearer) - 0.28 * smooth(here, 1 - 2 * cover + soft, 2.2 - 2 * cover)).clamp(0, 1)
    edge = dense * (1 - dense) * 4
    colour = torch.lerp(lights.shade, lights.lit, lit[:, None])
    colour = colour + (edge * glow)[:, None] * 0.5 * lights.lit
    if scene.clouds == "storm":
        gloom = 0.42 + 0.5 * lit
        colour = colour * gloom[:, None] * torch.tensor([0.86, 0.93, 1.0])
    elif scene.clouds == "overcast":
        colour = torch.lerp(colour, lights.shade * 0.55 + lights.lit * 0.4, 0.55)
    haze = smooth(above, 0.0, 0.34)[:, None]
    colour = torch.lerp(torch.lerp(lights.horizon, colour, 0.55), colour, haze)
    opacity = {"streaks": 0.8, "cumulus": 0.96}.get(scene.clouds, 1.0) * dense
    return torch.lerp(sky, colour.clamp(0, 1), opacity[:, None])


def _thickness(scene: Scene, points: Float[Tensor, "n 3"], size: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """How much cloud there is, around 0, mostly in [-1, 1]."""
    body = fractal(points, _OCTAVES, size, gain=0.52)[:, 0]
    if scene.clouds in ("cumulus", "storm"):
        puffs = 0.6 - fractal(points * 2.3 + 3.1, _OCTAVES - 1, size * 2.3, gain=0.6)[:, 0].abs() * 1.5
        return 0.9 * body + 0.5 * puffs  # creases between round tops
    return 1.15 * body


def _cover(scene: Scene) -> tuple[float, float]:
    """The share that is covered, and how soft edges are."""
    return {
        "cumulus": (scene.cover, 0.42),
        "streaks": (scene.cover, 1.1),
        "overcast": (1.05, 1.4),
        "storm": (0.95, 0.9),
    }[scene.clouds]
