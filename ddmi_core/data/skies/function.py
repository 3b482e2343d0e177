"""The sky itself: the colour at any place and moment, averaged over a pixel of any size."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.data.skies import clouds, foregrounds, heaven, weather
from ddmi_core.data.skies.atmosphere import LOW_SUN, PURE_SUN, Look, light, night, smooth
from ddmi_core.data.skies.noise import fractal
from ddmi_core.data.skies.scene import Scene

_SUN_RADIUS, _RISE = 0.045, 0.021  # the rise is that of a degree of elevation
_WATER = ("sea", "lake")
_HIDDEN = 0.004  # what shows so little of the sky is not asked for it
_FOG, _FOG_BETWEEN = 0.55, 0.56


@torch.no_grad()
def colours(scene: Scene, places: Float[Tensor, "n 3"], footprint: float | Float[Tensor, "*n"]) -> Float[Tensor, "n 3"]:
    """Return what is seen of a scene, sRGB in [0, 1].

    Args:
        scene: what is there.
        places: x to the right, y downward, and the moment, all in [-1, 1].
        footprint: side of the pixels that are asked for, in the same units; of all, or of each.
    """
    x, y, moment = places.unbind(1)
    elevation = scene.elevation[0] + scene.elevation[1] * moment
    look = Look(x, -y, moment, torch.as_tensor(footprint, dtype=x.dtype).expand_as(x), elevation, light(elevation))
    seen = _above_water(scene, look) if scene.foreground in _WATER else _above_land(scene, look)
    if scene.fog:
        seen = weather.in_fog(scene, look, seen, _FOG)
    if scene.rain:
        seen = weather.in_rain(scene, look, seen)
    return seen.clamp(0, 1)


def _sky(scene: Scene, look: Look) -> Float[Tensor, "n 3"]:
    """Stars, sun or moon, and the clouds before them."""
    above = look.v - scene.horizon
    found = look.lights.at(above / (1 - scene.horizon))
    sun_x, sun_v = scene.sun[0] + scene.sun[1] * look.moment, scene.horizon + _RISE * look.elevation
    away = torch.hypot(look.x - sun_x, look.v - sun_v)
    low = 1 - smooth(look.elevation, 0.0, 14.0)
    warm = torch.lerp(PURE_SUN.expand(len(low), 3), LOW_SUN.expand(len(low), 3), low[:, None])
    is_up = smooth(look.elevation, -9.0, 1.0)
    glow = torch.exp(-((away / 0.5) ** 2)) * is_up
    shine = 0.66 * glow * (0.35 + 0.65 * low) + 0.3 * torch.exp(-(away / 0.55)) * is_up
    found = found + shine[:, None] * warm * (1 - found)
    if scene.time == "night":
        dark = night(look.elevation) * smooth(above, 0.0, 0.3)
        found = found + heaven.stars(scene, look) * dark[:, None]
        if scene.aurora:
            found = found + heaven.aurora(scene, look)
    if scene.moon:
        found = heaven.under_moon(scene, look, found)
    if scene.clouds not in ("overcast", "storm"):
        disc = (0.5 + (_SUN_RADIUS - away) / look.size.clamp(min=0.006)).clamp(0, 1) * smooth(look.elevation, -4, -1)
        found = torch.lerp(found, torch.lerp(warm, torch.ones_like(warm), 0.55), disc[:, None])
    return clouds.over(scene, look, found, glow).clamp(0, 1)


def _above_land(scene: Scene, look: Look) -> Float[Tensor, "n 3"]:
    """The sky behind what stands before it, from far to near."""
    before = _FOREGROUNDS[scene.foreground](scene, look) if scene.foreground in _FOREGROUNDS else []
    shown = torch.ones_like(look.x)
    for _, opacity in before:
        shown = shown * (1 - opacity)
    visible = torch.nonzero(shown > _HIDDEN)[:, 0]
    seen = torch.zeros(len(shown), 3)
    seen[visible] = _sky(scene, look.some(visible))
    for number, (colour, opacity) in enumerate(before):
        if scene.fog and number:
            seen = weather.in_fog(scene, look, seen, _FOG_BETWEEN)
        seen = torch.lerp(seen, colour, opacity[:, None])
    return seen


def _above_water(scene: Scene, look: Look) -> Float[Tensor, "n 3"]:
    """The sky, and below the horizon what water mirrors of it: a lake almost all, the sea in waves."""
    is_sea = scene.foreground == "sea"
    below = (scene.horizon - look.v).clamp(min=0)
    wet, depth = below > 0, below + 0.03
    near, rows = (4.0, 2.4) if is_sea else (0.8, 0.8)
    waves = torch.stack([look.x * near * 0.5 / depth, 7 * rows * torch.log(depth), 2.2 * look.moment], dim=1)
    swell = fractal(waves + scene.seed % 311, 5, look.size * 5.5 / depth, channels=4, gain=0.65)
    strength = (0.1 if is_sea else 0.018) * (0.35 + below) * wet
    mirrored = (scene.horizon + 0.9 * below + strength * swell[:, 0]).clamp(min=scene.horizon + 0.004)
    look_up = look._replace(
        x=look.x + 0.4 * strength * swell[:, 1],
        v=torch.where(wet, mirrored, look.v),
        size=torch.where(wet, 1.6 * look.size, look.size),
    )
    seen = _sky(scene, look_up)
    if not is_sea:
        for colour, opacity in foregrounds.ridges(_shore_of(scene), look_up):
            seen = torch.lerp(seen, colour, opacity[:, None])
    deep = look.lights.shade * torch.tensor([0.36, 0.5, 0.58])
    water = torch.lerp(deep, seen, 0.58 if is_sea else 0.74)
    if is_sea:
        sun_x = scene.sun[0] + scene.sun[1] * look.moment
        path = torch.exp(-(((look.x - sun_x) / (0.1 + 0.4 * below)) ** 2)) * smooth(look.elevation, -4, 3)
        glitter = smooth(swell[:, 2] + 0.3 * swell[:, 3], 0.3, 1.1) * path
        water = (water + 0.85 * glitter[:, None] * look.lights.lit) * (0.92 + 0.16 * swell[:, :1])
    shore = (0.5 + (scene.horizon - look.v) / look.size).clamp(0, 1) * wet
    return torch.lerp(seen, water.clamp(0, 1), shore[:, None])


def _shore_of(scene: Scene) -> Scene:
    """What stands behind a lake."""
    return replace(scene, foreground="hills" if scene.seed % 2 else "mountains")


_FOREGROUNDS = {
    "mountains": foregrounds.ridges,
    "hills": foregrounds.ridges,
    "city": foregrounds.city,
    "trees": foregrounds.trees,
}
