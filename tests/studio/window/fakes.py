"""Pipelines without networks that answer at once: with a table whose proportions follow from the seed, or with a
picture of rings around a centre that does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import trimesh
from PIL import Image

from ddmi_core.domains.shape import ShapeDomain
from ddmi_core.export.options import ExportOptions
from ddmi_core.fidelity import FitFacts
from ddmi_core.fields.image import FittedImageField
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.pictures import fit_picture
from ddmi_core.fitting.plan import FitPlan
from ddmi_core.model_folder import ModelInfo
from ddmi_core.placement import Placement, Up
from ddmi_core.recipe import Denoising, SamplingSettings
from ddmi_core.rendering.adaptive_surface import Sight
from ddmi_core.rendering.cameras import Camera, orbit_camera, rays
from ddmi_core.rendering.mesh_pieces import mesh_pieces
from ddmi_core.rendering.view_settings import ViewSettings
from ddmi_core.rendering.views import View
from ddmi_core.rendering.volume_rendering import render_rays
from ddmi_core.support.errors import DataError, TooLongError
from ddmi_core.support.progress import Progress

Progressing = Progress | None

MODEL = ModelInfo(
    name="furniture",
    domain="shape",
    folder=Path("/nowhere/furniture"),
    size_bytes=31_400_000,
    hash="0123456789abcdef",
    text_encoder="all-MiniLM-L6-v2",
)

PICTURES = ModelInfo(
    name="portraits",
    domain="image",
    folder=Path("/nowhere/portraits"),
    size_bytes=21_000_000,
    hash="fedcba9876543210",
    text_encoder="all-MiniLM-L6-v2",
)

CLIPS = ModelInfo(
    name="skies",
    domain="video",
    folder=Path("/nowhere/skies"),
    size_bytes=21_000_000,
    hash="00112233aabbccdd",
    text_encoder="all-MiniLM-L6-v2",
)

RADIANCE = ModelInfo(
    name="painted-furniture",
    domain="nerf",
    folder=Path("/nowhere/painted-furniture"),
    size_bytes=21_000_000,
    hash="aabbccdd00112233",
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


class FakeShape:
    """A mesh for a shape."""

    def __init__(self, mesh: trimesh.Trimesh) -> None:
        self.mesh = mesh
        self.nbytes = mesh.vertices.nbytes + mesh.faces.nbytes

    def adaptive_surface(self, progress: Progressing = None) -> FakeSurface:
        return FakeSurface(self.mesh)

    def view(self, *, resolution: int, progress: Progressing = None) -> dict[str, Any]:
        corners = np.arange(3 * len(self.mesh.faces), dtype=np.int32).reshape(
            -1, 3
        )  # each face its own corners: sharp edges
        vertices = np.asarray(self.mesh.triangles.reshape(-1, 3), dtype=np.float32)
        normals = np.repeat(self.mesh.face_normals, 3, axis=0).astype(np.float32)
        pieces = mesh_pieces(vertices, corners, normals)
        return {"vertices": vertices, "faces": corners, "normals": normals, "pieces": pieces}

    def thumbnail(self, view: dict[str, Any], *, size: int) -> np.ndarray:
        picture = np.zeros((size, size, 4), np.uint8)
        picture[size // 3 : size // 3 + 24, size // 8 : -size // 8] = (200, 200, 200, 255)
        picture[size // 3 + 24 : -size // 5, size // 4 : size // 4 + 16] = (140, 140, 140, 255)
        picture[size // 3 + 24 : -size // 5, -size // 4 - 16 : -size // 4] = (140, 140, 140, 255)
        return picture

    def export(
        self, path: Path, options: ExportOptions, *, recipe: Any = None, progress: Progressing = None
    ) -> dict[str, Any]:
        try:
            self.mesh.export(path)
        except OSError as error:
            raise DataError(f"{path} cannot be written.") from error
        return {"vertices": len(self.mesh.vertices), "faces": len(self.mesh.faces)}


class FakeDomain(ShapeDomain):
    """The shape domain, of files that are not read."""

    def extent(self, path: Path) -> None:
        return None

    def latent_facts(
        self, path: Path, source: Any, latent: torch.Tensor, field: Any, *, roughly: bool = False
    ) -> FitFacts | None:
        """As of a mesh that the model makes little of; a PLY is taken for a cloud of points."""
        return None if path.suffix == ".ply" else FitFacts(fidelity="small", size_bytes=16, figures={"iou": 0.4})

    def placement(self, source: Any) -> Placement:
        return Placement(centre=(1.0, 2.0, 3.0), unit=2.0, up=source.up)


class FakePipeline:
    """What the engine needs of a pipeline. `delay` is the time per step, in seconds."""

    name, hash, device = MODEL.name, MODEL.hash, torch.device("cpu")
    nbytes = 1000
    student = None

    def __init__(self, delay: float = 0.0) -> None:
        self.domain = FakeDomain()
        self.delay = delay
        self.text_encoder = SimpleNamespace(
            reads_texts=True, reads=lambda prompt: prompt[:200], is_foreign=lambda prompt: not prompt.isascii()
        )

    def sample(
        self,
        settings: SamplingSettings,
        seeds: Sequence[int],
        *,
        draft: bool = False,
        progress: Callable[[float, str], None] | None = None,
    ) -> list[torch.Tensor]:
        return self.sample_each([settings.prompt] * len(seeds), seeds, settings, draft=draft, progress=progress)

    def sample_each(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        denoising: Denoising,
        *,
        draft: bool = False,
        progress: Callable[[float, str], None] | None = None,
    ) -> list[torch.Tensor]:
        for step in range(denoising.steps):
            time.sleep(self.delay)
            if progress is not None:
                progress(step / denoising.steps, f"step {step + 1} of {denoising.steps}")
        if "fail" in prompts:
            raise DataError("The fake pipeline was asked to fail.")
        return [torch.full((1, 2, 2), float(seed % 97)) for seed in seeds]

    def decode(self, latent: torch.Tensor) -> FakeShape:
        share = float(latent.mean()) / 97
        return FakeShape(table(1.0 + 0.8 * share, 1.4 - 0.6 * share))

    def between(self, start: torch.Tensor, end: torch.Tensor, share: float) -> torch.Tensor:
        return torch.lerp(start, end, share)

    def read(self, path: Path, *, span: tuple[float, float] | None = None, up: Up = "y") -> SimpleNamespace:
        """Like a film: an hour is too long."""
        if span is None and path.suffix == ".mp4":
            raise TooLongError(f"{path.name}: 1:00:00 h is too long.", seconds=3600, longest=30)
        return SimpleNamespace(begins=42.0 if span is None else span[0], up=up)

    def encode(self, source: SimpleNamespace, *, refine_steps: int = 100, progress: object = None) -> torch.Tensor:
        """What is encoded tells where the span begins."""
        return torch.full((1, 2, 2), source.begins)


class FakeSurface:
    """A mesh is as fine as it is, wherever it is seen from; so that one can see that it was asked for, it grows."""

    nbytes = 1000

    def __init__(self, mesh: trimesh.Trimesh) -> None:
        self.mesh = mesh

    def meshes(self, sight: Sight, progress: Progressing = None) -> Iterator[trimesh.Trimesh]:
        for resolution in (80, 160):
            if progress is not None:
                progress(resolution / 200, "surface")
            mesh = self.mesh.subdivide() if resolution == 160 else self.mesh.copy()
            mesh.metadata["resolution"] = resolution
            yield mesh


class FakeField:
    """A picture that is known at every point: rings of colour on a disc, transparent around it."""

    nbytes = 1000

    def __init__(self, centre: float) -> None:
        self.centre = centre
        self.evaluations = 0
        rng = np.random.default_rng(0)
        self.basis = tuple(
            (torch.from_numpy(rng.normal(size=(1, 6, size, size)).astype(np.float32)),) for size in (16, 32, 64)
        )

    def render(
        self,
        width: int,
        height: int,
        *,
        region: tuple[float, float, float, float] = (-1.0, -1.0, 1.0, 1.0),
        window: tuple[int, int, int, int] | None = None,
        dtype: type[np.uint8] | type[np.uint16] = np.uint8,
        progress: Progressing = None,
    ) -> np.ndarray:
        left, top, columns, rows = window or (0, 0, width, height)
        x0, y0, x1, y1 = region
        x = x0 + (x1 - x0) * (np.arange(left, left + columns) + 0.5) / width
        y = y0 + (y1 - y0) * (np.arange(top, top + rows) + 0.5) / height
        self.evaluations += columns * rows
        if progress is not None:
            progress(0.5, "drawing")
        radius = np.hypot(x[None, :] - self.centre, y[:, None])
        pixels = np.zeros((rows, columns, 4), np.uint8)
        pixels[..., 0] = 127.5 + 127 * np.sin(40 * radius)
        pixels[..., 1] = 127.5 + 127 * np.sin(400 * radius)
        pixels[..., 2] = 127.5 + 127 * np.sin(4000 * radius)
        pixels[..., 3] = np.clip(255 * 20 * (0.8 - radius), 0, 255)
        return pixels

    def weighted(self, weights: tuple[float, ...]) -> FakeField:
        """A disc whose place follows from what counts."""
        return FakeField(self.centre + sum(weights) - len(self.basis))

    def view(self, *, resolution: int, progress: Progressing = None) -> dict[str, Any]:
        return {"pixels": self.render(resolution, resolution, progress=progress)}

    def thumbnail(self, view: dict[str, Any], *, size: int) -> np.ndarray:
        step = max(1, view["pixels"].shape[0] // size)
        return view["pixels"][::step, ::step]

    def export(self, path: Path, options: Any, *, recipe: Any = None, progress: Progressing = None) -> dict[str, Any]:
        Image.fromarray(self.render(options.resolution, options.resolution, progress=progress)).save(path)
        return {}


class FakePictureDomain:
    """What the engine and the rooms need of the image domain."""

    name, title = "image", "Images"
    can_fit = fits_at_once = True

    def fitted(self, fit: Fit) -> FittedImageField:
        return FittedImageField(fit.readout, fit.basis, fit.extent)

    def fits(self, path: Path) -> bool:
        return self.can_fit

    def latent_facts(
        self, path: Path, source: Any, latent: torch.Tensor, field: Any, *, roughly: bool = False
    ) -> FitFacts | None:
        return FitFacts(fidelity="small", size_bytes=4096, pixels=(8, 8), figures={"psnr": 12.0, "ssim": 0.1239})

    def extent(self, path: Path) -> None:
        return None

    def placement(self, source: Any) -> None:
        return None

    def duration(self, path: Path, span: tuple[float, float] | None = None) -> None:
        return None


class FakeClip(FakeField):
    """Rings whose centre moves from left to right."""

    def at(self, t: float) -> FakeField:
        return FakeField(0.5 * t)

    def slices(
        self, x: float, y: float, *, side: int, moments: int, progress: Progressing = None
    ) -> tuple[np.ndarray, np.ndarray]:
        pixels = np.full((moments, side, 4), 255, np.uint8)
        pixels[..., 0] = round(127 * (x + 1))
        return pixels, pixels

    def view(self, *, resolution: int, progress: Progressing = None) -> dict[str, Any]:
        return {"pixels": self.render(resolution, resolution), "marks": np.linspace(-0.75, 0.75, 4, dtype=np.float32)}


class FakeVideoDomain(FakePictureDomain):
    """What the engine and the rooms need of the video domain."""

    name, title = "video", "Video"
    can_fit = fits_at_once = False


class FakePicturePipeline(FakePipeline):
    """The fake for pictures: the centre of the rings follows from the seed."""

    name, hash = PICTURES.name, PICTURES.hash

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__(delay)
        self.domain = FakePictureDomain()
        self.fields: list[FakeField] = []

    def fit(self, path: Path, plan: FitPlan, *, progress: Progressing = None) -> Fit:
        return fit_picture(path, plan.fidelity, progress)

    def decode(self, latent: torch.Tensor) -> FakeField:
        self.fields.append(FakeField(0.3 * float(latent.mean()) / 97))
        return self.fields[-1]


class FakeVideoPipeline(FakePipeline):
    """The fake for clips."""

    name, hash = CLIPS.name, CLIPS.hash

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__(delay)
        self.domain = FakeVideoDomain()

    def decode(self, latent: torch.Tensor) -> FakeClip:
        return FakeClip(0.0)


class FakeRadiance:
    """A ball of a dense medium whose colour follows from the place, and whose size follows from the seed."""

    nbytes = 1000

    def __init__(self, radius: float) -> None:
        self.radius = radius
        self.cameras: list[Camera] = []

    def medium(self, places: torch.Tensor, directions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        inside = places.norm(dim=-1) < self.radius
        return 30.0 * inside, (places + 1) / 2

    def render(
        self, camera: Camera, width: int, height: int, settings: ViewSettings, *, progress: Progressing = None
    ) -> View:
        self.cameras.append(camera)
        origins, directions = (torch.from_numpy(part.reshape(-1, 3)) for part in rays(camera, width, height))
        light = render_rays(
            self.medium,
            origins,
            directions,
            samples=settings.samples // 4,
            box=settings.crop,
            near=settings.near,
            far=settings.far,
            progress=progress,
        )
        colour = light.colour.reshape(height, width, 3).numpy()
        depth, opacity = light.depth.reshape(height, width).numpy(), light.opacity.reshape(height, width).numpy()
        return View(colour, opacity, depth, np.zeros_like(colour))

    def render_gradually(
        self,
        camera: Camera,
        width: int,
        height: int,
        settings: ViewSettings,
        *,
        stride: int,
        progress: Progressing = None,
    ) -> Iterator[View]:
        """Views of fewer pixels, each of which stands for several."""
        while stride >= 1:
            few = self.render(camera, -(-width // stride), -(-height // stride), settings, progress=progress)
            rows, columns = np.arange(height)[:, None] // stride, np.arange(width) // stride
            yield View(*(part[rows, columns] for part in few if part is not None))
            stride //= 2

    def view(self, *, resolution: int, progress: Progressing = None) -> dict[str, Any]:
        settings = ViewSettings()
        return {"pixels": self.render(orbit_camera(), resolution, resolution, settings).picture(settings)}

    thumbnail = FakeField.thumbnail


class FakeRadianceDomain(FakePictureDomain):
    """What the engine and the rooms need of the domain of radiance fields."""

    name, title = "nerf", "Radiance"
    fits_at_once = False

    def fits(self, path: Path) -> bool:
        return path.suffix == ".json"

    def latent_facts(
        self, path: Path, source: Any, latent: torch.Tensor, field: Any, *, roughly: bool = False
    ) -> FitFacts | None:
        return super().latent_facts(path, source, latent, field) if self.fits(path) else None


class FakeRadiancePipeline(FakePipeline):
    """The fake for radiance fields."""

    name, hash = RADIANCE.name, RADIANCE.hash

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__(delay)
        self.domain = FakeRadianceDomain()
        self.fields: list[FakeRadiance] = []

    def decode(self, latent: torch.Tensor) -> FakeRadiance:
        self.fields.append(FakeRadiance(0.5 + 0.3 * float(latent.mean()) / 97))
        return self.fields[-1]
