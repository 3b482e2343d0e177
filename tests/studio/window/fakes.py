"""A pipeline without networks: it answers at once with a table whose proportions follow from the seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import trimesh

from ddmi_core.domains.shape import ShapeDomain
from ddmi_core.errors import DataError
from ddmi_core.export_options import ExportOptions
from ddmi_core.model_folder import ModelInfo
from ddmi_core.progress import Progress

Progressing = Progress | None

MODEL = ModelInfo(
    name="furniture",
    domain="shape",
    folder=Path("/nowhere/furniture"),
    size_bytes=31_400_000,
    hash="0123456789abcdef",
    text_encoder="all-MiniLM-L6-v2",
)


def table(width: float, height: float) -> trimesh.Trimesh:
    """A round table with four legs, y up, on a floor at -height/2."""
    upright = trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0])
    top = trimesh.creation.cylinder(width / 2, 0.08, sections=64)
    top.apply_transform(upright)
    top.apply_translation([0, height / 2 - 0.04, 0])
    parts = [top]
    for x in (-1, 1):
        for z in (-1, 1):
            leg = trimesh.creation.cylinder(0.05, height - 0.08, sections=24)
            leg.apply_transform(upright)
            leg.apply_translation([x * width * 0.28, -0.04, z * width * 0.28])
            parts.append(leg)
    return trimesh.util.concatenate(parts)


class FakeDomain(ShapeDomain):
    """The shape domain, with a mesh for a field."""

    def view(self, field: Any, *, resolution: int, progress: Progressing = None) -> dict[str, Any]:
        mesh: trimesh.Trimesh = field
        corners = np.arange(3 * len(mesh.faces), dtype=np.int32).reshape(
            -1, 3
        )  # each face its own corners: sharp edges
        return {
            "vertices": np.asarray(mesh.triangles.reshape(-1, 3), dtype=np.float32),
            "faces": corners,
            "normals": np.repeat(mesh.face_normals, 3, axis=0).astype(np.float32),
        }

    def thumbnail(self, view: dict[str, Any], *, size: int) -> np.ndarray:
        picture = np.zeros((size, size, 4), np.uint8)
        picture[size // 3 : size // 3 + 24, size // 8 : -size // 8] = (200, 200, 200, 255)
        picture[size // 3 + 24 : -size // 5, size // 4 : size // 4 + 16] = (140, 140, 140, 255)
        picture[size // 3 + 24 : -size // 5, -size // 4 - 16 : -size // 4] = (140, 140, 140, 255)
        return picture

    def extent(self, path: Path) -> None:
        return None

    def export(
        self, field: Any, path: Path, options: ExportOptions, *, recipe: Any = None, progress: Progressing = None
    ) -> dict[str, Any]:
        try:
            field.export(path)
        except OSError as error:
            raise DataError(f"{path} cannot be written.") from error
        return {"vertices": len(field.vertices), "faces": len(field.faces)}


class FakePipeline:
    """What the engine needs of a pipeline. `delay` is the time per step, in seconds."""

    name, hash, device = MODEL.name, MODEL.hash, torch.device("cpu")

    def __init__(self, delay: float = 0.0) -> None:
        self.domain = FakeDomain()
        self.delay = delay
        self.text_encoder = SimpleNamespace(reads=lambda prompt: prompt[:200])

    def sample(
        self,
        prompt: str,
        seeds: Sequence[int],
        *,
        steps: int = 20,
        sampler: str = "dpm++",
        guidance: float = 3.0,
        progress: Callable[[float, str], None] | None = None,
    ) -> list[torch.Tensor]:
        for step in range(steps):
            time.sleep(self.delay)
            if progress is not None:
                progress(step / steps, f"step {step + 1} of {steps}")
        if prompt == "fail":
            raise DataError("The fake pipeline was asked to fail.")
        return [torch.full((1, 2, 2), float(seed % 97)) for seed in seeds]

    def decode(self, latent: torch.Tensor) -> trimesh.Trimesh:
        share = float(latent.mean()) / 97
        return table(1.0 + 0.8 * share, 1.4 - 0.6 * share)

    def encode(self, path: Path) -> torch.Tensor:
        return torch.full((1, 2, 2), 42.0)
