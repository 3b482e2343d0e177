"""What hangs in the air before everything else: banks of fog, veils of rain."""

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.data.skies.atmosphere import Look, smooth
from ddmi_core.data.skies.noise import fractal
from ddmi_core.data.skies.scene import Scene


def in_fog(scene: Scene, look: Look, seen: Float[Tensor, "n 3"], strength: float) -> Float[Tensor, "n 3"]:
    """Return what is seen through banks of fog that drift along the horizon."""
    x, v, moment = look[:3]
    drift = torch.stack([x * 0.9 - 0.4 * scene.wind * moment + scene.seed % 251, v * 3.2, 0.4 * moment], dim=1)
    banks = fractal(drift, 4, look.size * 2)[:, 0]
    dense = torch.exp(-(((v - scene.horizon - 0.02) / 0.32) ** 2)) * (1 + 0.7 * banks).clamp(0, 1.5)
    colour = torch.lerp(look.lights.horizon, look.lights.lit, 0.25)
    return torch.lerp(seen, colour, (strength * dense).clamp(0, 0.95)[:, None])


def in_rain(scene: Scene, look: Look, seen: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """Return what is seen through veils of rain that hang from the clouds and move with them."""
    x, v, moment = look[:3]
    lean = x + 0.16 * (v - scene.horizon) * (1 if scene.wind > 0 else -1)
    where = torch.stack([lean * 1.1 - 0.5 * scene.wind * moment + scene.seed % 171, 0.15 * v, 0.3 * moment], dim=1)
    veil = smooth(fractal(where, 3, look.size * 1.2)[:, 0], 0.0, 0.75)
    threads = torch.stack([lean * 22 + scene.seed % 59, v * 1.1 + 2.5 * moment, moment], dim=1)
    dense = (
        veil * (1 - smooth(v, scene.horizon + 0.25, 0.75)) * (0.8 + 0.35 * fractal(threads, 3, look.size * 22)[:, 0])
    )
    colour = 0.8 * torch.lerp(look.lights.shade, look.lights.horizon, 0.35)
    return torch.lerp(seen, colour, (0.72 * dense).clamp(0, 0.9)[:, None])
