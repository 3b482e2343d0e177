"""What stands above the clouds: stars, the moon, northern lights."""

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.data.skies.atmosphere import Look, smooth
from ddmi_core.data.skies.noise import fractal, noise, random_of
from ddmi_core.data.skies.scene import Scene

_MOON_RADIUS = 0.055
_MOON = torch.tensor([0.93, 0.94, 0.98])
_WARM_STAR, _COLD_STAR = torch.tensor([1.0, 0.86, 0.72]), torch.tensor([0.8, 0.88, 1.0])
_CELLS = (0.052, 0.085)  # sides of the squares that have a star each
_POLE, _TURN = (0.3, 1.4), 0.06  # what the sky turns about, and by how much, in radians, until the last moment
_GREEN, _PURPLE = torch.tensor([0.16, 0.95, 0.5]), torch.tensor([0.56, 0.26, 0.9])


def stars(scene: Scene, look: Look) -> Float[Tensor, "n 3"]:
    """Return the light of stars that turn slowly about a point above; smaller than a pixel they keep it."""
    x, v, moment, size = look[:4]
    turn = _TURN * moment
    right, up = x - _POLE[0], v - _POLE[1]
    x, v = right * torch.cos(turn) - up * torch.sin(turn), right * torch.sin(turn) + up * torch.cos(turn)
    total = torch.zeros(len(x), 3)
    for layer, cell in enumerate(_CELLS):
        column, row = torch.floor(x / cell), torch.floor(v / cell)
        luck = random_of(column * 7919 + row * 104729, scene.seed + layer)
        at_x, at_v = (column + 0.2 + 0.6 * luck[:, 0]) * cell, (row + 0.2 + 0.6 * luck[:, 1]) * cell
        radius = 0.0022 + 0.003 * luck[:, 2] ** 4
        spread = torch.sqrt(radius**2 + (0.5 * size) ** 2)
        shine = torch.exp(-((x - at_x) ** 2 + (v - at_v) ** 2) / spread**2) * (radius / spread) ** 2
        twinkle = 0.8 + 0.2 * torch.sin(20 * moment * (0.5 + luck[:, 3]) + 40 * luck[:, 0])
        tone = torch.lerp(_WARM_STAR, _COLD_STAR, luck[:, 3:4])
        total += 1.3 * (shine * twinkle * (0.35 + 0.65 * luck[:, 2]))[:, None] * tone
    return total


def under_moon(scene: Scene, look: Look, sky: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """Return the sky with the moon and its halo."""
    right, up = look.x - scene.sun[0] - 0.1 * look.moment, look.v - 0.35 - 0.06 * look.moment
    away = torch.hypot(right, up)
    disc = (0.5 + (_MOON_RADIUS - away) / look.size.clamp(min=0.004)).clamp(0, 1)
    face = torch.stack([right * 24 + scene.seed % 97, up * 24, torch.zeros_like(up)], dim=1)
    seas = fractal(face, 4, look.size * 24)
    halo = 0.3 * torch.exp(-((away / 0.2) ** 2)) + 0.14 * torch.exp(-away / 0.3)
    return torch.lerp(sky + 0.7 * halo[:, None] * _MOON, _MOON * (0.86 + 0.14 * seas), disc[:, None])


def aurora(scene: Scene, look: Look) -> Float[Tensor, "n 3"]:
    """Return the light of curtains, green and purple above, that fold and move."""
    x, moment, above = look.x, look.moment, look.v - scene.horizon
    total = torch.zeros(len(x), 3)
    for curtain in range(2):
        start = scene.seed % 733 + 53.0 * curtain
        slow = noise(torch.stack([x * 1.1 + start, torch.ones_like(x), 0.5 * moment], dim=1), 2)
        base = 0.34 + 0.2 * curtain + 0.24 * slow[:, 0] + 0.1 * x * (1 if curtain else -1)
        where = torch.stack([x * 4.5 + 1.4 * slow[:, 1] + start, 0.25 * above, 0.9 * moment], dim=1)
        folds = fractal(where, 4, look.size * 5, channels=3)
        rise = above - base - 0.06 * folds[:, 1]
        tall = (0.28 + 0.14 * folds[:, 2]).clamp(min=0.08)
        body = smooth(rise, -0.05, 0.03) * torch.exp(-rise.clamp(min=0) / tall)
        shine = body * (0.45 + 0.55 * smooth(folds[:, 0], -0.6, 0.7))
        tone = torch.lerp(_GREEN, _PURPLE, smooth(rise, 0.12, 0.5)[:, None])
        total += (0.62 - 0.2 * curtain) * shine[:, None] * tone
    return total
