"""Solids in closed form, as logits (positive inside) and as volumes: what the tests of meshing compare with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Logits = Callable[[Tensor], Tensor]


def sphere(radius: float = 0.7, centre: Sequence[float] = (0.0, 0.0, 0.0)) -> Logits:
    return lambda points: 20 * (radius - (points - torch.tensor(centre)).norm(dim=-1))


def sphere_volume(radius: float = 0.7) -> float:
    return 4 / 3 * math.pi * radius**3


def torus(ring: float = 0.6, tube: float = 0.25) -> Logits:
    return lambda points: 10 * (tube - torch.hypot(torch.hypot(points[:, 0], points[:, 2]) - ring, points[:, 1]))


def torus_volume(ring: float = 0.6, tube: float = 0.25) -> float:
    return 2 * math.pi**2 * ring * tube**2


def box(centre: Sequence[float], half: Sequence[float]) -> Logits:
    def logits(points: Tensor) -> Tensor:
        beyond = (points - torch.tensor(centre)).abs() - torch.tensor(half)
        return -30 * (beyond.clamp(min=0).norm(dim=-1) + beyond.amax(-1).clamp(max=0))

    return logits


def union(*parts: Logits) -> Logits:
    return lambda points: torch.stack([part(points) for part in parts]).amax(0)


def table(leg: float = 0.012) -> Logits:
    """A table top on four legs that are `leg` thick to each side, at places that no lattice favours."""
    legs = [box((x, -0.2, z), (leg, 0.7, leg)) for x in (-0.713, 0.731) for z in (-0.409, 0.437)]
    return union(box((0.0, 0.5, 0.0), (0.8, 0.03, 0.5)), *legs)
