"""What stands before the sky: ridges, sea, a city, trees, a lake; each as a function of the place and the moment."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.data.skies.atmosphere import Look, night, smooth
from ddmi_core.data.skies.noise import fractal, noise, random_of
from ddmi_core.data.skies.scene import Scene

_WINDOW = torch.tensor([1.0, 0.84, 0.52])


class Before(NamedTuple):
    """Colours (n, 3), and how much of them covers what is behind, (n,)."""

    colour: Float[Tensor, "n 3"]
    opacity: Float[Tensor, " n"]


def ridges(scene: Scene, look: Look) -> list[Before]:
    """Mountains or hills in three rows, paler the further away they are."""
    x, v, _, size, elevation, lights = look
    rows = []
    is_steep = scene.foreground == "mountains"
    for row in range(3):
        rate, tall = (1.1 + 0.5 * row, 0.62 - 0.16 * row) if is_steep else (0.7 + 0.3 * row, 0.3 - 0.05 * row)
        start = scene.seed % 977 * 1.7 + 31.7 * row
        line = torch.stack([x * rate + start, torch.full_like(x, 3.3 * row), torch.zeros_like(x)], dim=1)
        parts = fractal(line, 7 if is_steep else 3, size * rate, channels=2, gain=0.48 if is_steep else 0.35)
        height = (0.9 - parts[:, 0].abs() * 1.5) * 0.6 + parts[:, 1] * 0.25 if is_steep else parts[:, 0] * 0.6 + 0.3
        top = scene.horizon + tall * height - 0.12 * row - (0.1 if is_steep else 0.0)
        depth = torch.tensor((0.58, 0.3, 0.08)[row])
        dark = lights.shade * torch.tensor([0.42, 0.46, 0.5] if is_steep else [0.34, 0.44, 0.36])
        far = torch.lerp(lights.horizon, lights.middle, 0.4)
        colour = torch.lerp(dark, far, depth)
        if is_steep:
            grain = fractal(
                torch.stack([x * 7 + 4 * v + start, v * 11, torch.full_like(x, row)], dim=1), 5, size * 11, channels=2
            )
            facing = 0.9 * grain[:, 0]
            side = math.copysign(1.0, scene.sun[0])
            shine = smooth(facing * side, -0.2, 0.8) * (1 - float(depth)) * 0.13
            colour = colour + shine[:, None] * lights.lit * smooth(elevation, -6, 8)[:, None]
            line = scene.horizon + 0.2 + 0.1 * row + 0.16 * grain[:, 1]
            snow = smooth(v - line, 0.0, 0.06) if row < 2 else torch.zeros_like(v)
            white = torch.lerp(lights.shade, lights.lit, (0.35 + 0.5 * smooth(facing * side, -0.4, 0.6))[:, None])
            colour = torch.lerp(colour, torch.lerp(white, far, depth * 0.7), snow[:, None] * 0.8)
        fade = smooth(top - v, 0.0, 0.5)[:, None]
        colour = torch.lerp(colour, torch.lerp(colour, far, 0.35), fade) if row < 2 else colour
        rows.append(Before(colour, _edge(top - v, size)))
    return rows


def city(scene: Scene, look: Look) -> list[Before]:
    """Two rows of houses, whose windows light up one after another when it gets dark."""
    x, v, moment, size, elevation, lights = look
    rows = []
    dark = night(elevation)
    for row in range(2):
        wide = (0.095, 0.13)[row]
        lot = torch.floor(x / wide + 17 * row)
        chance = random_of(lot, scene.seed + row)
        middle = torch.exp(-(((x - 0.5 * scene.sun[0]) / 0.75) ** 2))
        tall = (0.16 + 0.5 * chance[:, 0] ** 2 * (0.4 + 0.8 * middle)) * (1.0, 0.7)[row]
        inside = (x / wide + 17 * row - lot) * wide
        gap = 0.012 * chance[:, 1]
        top = scene.horizon + tall - 0.08 * row
        step = (chance[:, 2] > 0.6) & ((inside < 0.25 * wide) | (inside > 0.75 * wide))
        top = top - 0.06 * step
        walls = _edge(torch.minimum(inside - gap, wide - gap - inside), size)
        body = _edge(top - v, size) * walls
        base = torch.lerp(lights.shade * torch.tensor([0.36, 0.38, 0.44]), lights.horizon, (0.42, 0.12)[row])
        base = base * (0.85 + 0.3 * chance[:, 3:4])
        across, up = wide / 6, 0.026
        column, floor = torch.floor(inside / across), torch.floor((top - v) / up)
        luck = random_of(lot * 131 + column * 7 + floor * 1013, scene.seed + 5 + row)
        u, w = inside / across - column, (top - v) / up - floor
        pane = _edge(torch.minimum(u - 0.22, 0.78 - u) * across, size)
        pane = pane * _edge(torch.minimum(w - 0.25, 0.8 - w) * up, size)
        # Where panes are smaller than a pixel, what is left of them is their share of the wall
        coarse = smooth(size, 0.5 * up, 1.2 * up)
        pane = torch.lerp(pane, torch.full_like(pane, 0.3), coarse)
        on = smooth(dark * 1.15 + 0.08 * moment - luck[:, 0] * 1.5, -0.04, 0.04)
        on = torch.lerp(on, dark * 0.45, coarse)
        colour = base * (1 - 0.25 * pane[:, None])
        glow = _WINDOW * (0.75 + 0.25 * luck[:, 1:2])
        colour = torch.lerp(colour, glow, (pane * on)[:, None] * (0.8, 0.95)[row])
        rows.append(Before(colour, body))
    ground = lights.shade * torch.tensor([0.22, 0.24, 0.28])
    rows.append(Before(ground, _edge(scene.horizon - 0.1 - v, size)))
    return rows


def trees(scene: Scene, look: Look) -> list[Before]:
    """A meadow and some trees near by, whose crowns sway."""
    x, v, moment, size, _, lights = look
    grass = torch.stack([x * 2.5 + scene.seed % 613, v * 9, 0.6 * moment], dim=1)
    rough = fractal(grass, 5, size * 6)[:, 0]
    rise = (
        0.05 * noise(torch.stack([x * 1.1 + scene.seed % 419, torch.zeros_like(x), torch.zeros_like(x)], dim=1))[:, 0]
    )
    top = scene.horizon + rise
    field = lights.shade * torch.tensor([0.34, 0.46, 0.28]) * (0.9 + 0.3 * rough[:, None])
    rows = [Before(field, _edge(top - v + 0.012 * rough, size))]
    chance = random_of(torch.arange(4.0) + 3, scene.seed)
    for tree in range(2 + scene.seed % 3):
        a, b, c, d = chance[tree].tolist()
        side = -1 if tree % 2 == 0 else 1
        foot, tall = side * (0.28 + 0.62 * a), 0.62 + 0.5 * b
        lift = (v - scene.horizon + 0.05).clamp(min=0) / tall
        sway = lift**2 * 0.035 * torch.sin(7 * moment + 5 * c + 2.2 * v)
        dx = x - foot - sway
        leaf = fractal(
            torch.stack([(x - sway) * 7 + 40 * d, v * 7, 0.4 * moment + 3 * tree], dim=1),
            5,
            size * 7,
            channels=3,
            gain=0.6,
        )
        crown = 1 - ((dx / (0.3 * tall)) ** 2 + ((lift - 0.66) / 0.36) ** 2) + 0.45 * leaf[:, 0] + 0.16 * leaf[:, 1]
        trunk = torch.minimum(0.022 * tall * (1.3 - lift) - dx.abs(), 0.75 - lift)
        bark = lights.shade * torch.tensor([0.26, 0.22, 0.2])
        green = (
            lights.shade * torch.tensor([0.22, 0.32, 0.2]) + 0.12 * smooth(leaf[:, 2], -0.3, 0.8)[:, None] * lights.lit
        )
        rows.append(Before(bark, _edge(trunk, size) * (v > scene.horizon - 0.06)))
        rows.append(Before(green, _edge(0.12 * tall * crown, size * 1.5)))
    return rows


def _edge(inside: Float[Tensor, " n"], size: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """How much of a pixel of some size is inside, by how far its middle is."""
    return (0.5 + inside / size.clamp(min=1e-4)).clamp(0, 1)
