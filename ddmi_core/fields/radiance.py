"""RadianceField: density and colour everywhere in space, and views of it."""

import math
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import trimesh
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from typing_extensions import override

from ddmi_core.export.options import RadianceExport
from ddmi_core.export.radiance import export_radiance
from ddmi_core.fields.decoded import DecodedField
from ddmi_core.fields.field import Evidence, Vantage
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import BasisReadOut
from ddmi_core.recipe import Recipe
from ddmi_core.rendering import soundness
from ddmi_core.rendering.cameras import Camera, orbit_camera
from ddmi_core.rendering.picture_layout import LIGHT, over
from ddmi_core.rendering.sharpening import sharpened
from ddmi_core.rendering.surfaces import extract_mesh
from ddmi_core.rendering.view_settings import WHOLE_SPACE, Crop, ViewSettings
from ddmi_core.rendering.views import View
from ddmi_core.rendering.volume_rendering import OccupancyGrid, rays_through, render_rays
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.progress import Progress, report, sub_progress

DENSITY_SCALE = 50.0
"""Density per unit of the read-out's value, where that is large."""
SURFACE_DENSITY = 25.0
"""Density at which the surface is taken to lie: half of the light is stopped in 0.03, a cell of the finest plane."""

_PREVIEW_SIDE, _PREVIEW_SAMPLES = 96, 128
_FINDING = 0.5  # of the progress of the first view, in which empty space is found
_PATIENCE = 0.05  # seconds between reports while another thread finds it
_STRIDE = 8  # pixels between the first rays of a picture
_DEPTH = 0.25  # brightness that a difference of one unit of depth counts for, where a picture is refined
_SEEN = 0.5  # opacity from which a pixel has a surface, so a normal
_SLOPE = 1 / 64  # half the distance over which the density's gradient is taken


def density_of(values: Float[Tensor, "*shape c"]) -> Float[Tensor, "*shape"]:
    """Return the density, per unit of length, that the read-out's first channel stands for.

    Softplus and not the exponential: it grows as fast as is needed to make a surface, and no faster, so no step of the
    training throws a density away beyond recall.
    """
    return DENSITY_SCALE * F.softplus(values[..., 0].float() - 2)


def colour_of(values: Float[Tensor, "*shape 4"]) -> Float[Tensor, "*shape 3"]:
    """Return the colour, sRGB in (0, 1), that the read-out's last channels stand for."""
    return torch.sigmoid(values[..., 1:].float())


class RadianceField(DecodedField[RadianceExport]):
    """Density and colour of space: `field(coords, directions=...)` gives raw values; see `density` and `medium`."""

    export_options = RadianceExport
    evidence = ("pictures",)

    def __init__(self, readout: BasisReadOut, basis: BasisFields) -> None:
        super().__init__(readout, basis)
        self._occupancy: OccupancyGrid | None = None
        self._baking = Lock()

    @property
    @override
    def nbytes(self) -> int:
        grid: OccupancyGrid | None = self.__dict__.get("_occupancy")
        return super().nbytes + (grid.occupied.nbytes + grid.solid.nbytes if grid is not None else 0)

    def density(self, points: Float[Tensor, "*shape 3"]) -> Float[Tensor, "*shape"]:
        """Return the density, per unit of length, at points in [-1, 1]^3."""
        return density_of(self(points))

    def medium(
        self, points: Float[Tensor, "n 3"], directions: Float[Tensor, "n 3"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n 3"]]:
        """Return the densities at points, and their colours seen along unit directions."""
        values = self(points, directions=directions)
        return density_of(values), colour_of(values)

    def occupancy(self, progress: Progress | None = None) -> OccupancyGrid:
        """Return where there is anything; found when it is first asked for.

        Args:
            progress: called many times while it is being found, or while another thread finds it; may raise
                `Cancelled`, and who asks next begins anew.
        """
        while not self._baking.acquire(timeout=_PATIENCE):
            report(progress, 0.0, "finding empty space")
        try:
            if self._occupancy is None:
                self._occupancy = OccupancyGrid.bake(
                    self.density, device=self.device, at_once=self.at_once, progress=progress
                )
            return self._occupancy
        finally:
            self._baking.release()

    def extent(self, crop: Crop = WHOLE_SPACE, *, progress: Progress | None = None) -> Float[np.ndarray, "n 3"]:
        """Return points whose convex hull holds what there is in a box, but for haze: corners of an occupancy grid."""
        solid = F.max_pool3d(self.occupancy(progress).solid[None].float(), 2, stride=1, padding=1)[0] > 0
        cells = len(solid) - 1
        corners = torch.nonzero(solid) * (2 / cells) - 1
        box = corners.new_tensor(crop)
        slack = 2 / cells
        inside = ((corners >= box[:3] - slack) & (corners <= box[3:] + slack)).all(-1)
        return corners[inside].clamp(box[:3], box[3:]).cpu().numpy()

    def render(
        self,
        camera: Camera,
        width: int,
        height: int,
        settings: ViewSettings | None = None,
        *,
        skip_empty: bool = True,
        smooth_edges: bool = True,
        progress: Progress | None = None,
    ) -> View:
        """Look at the field.

        Args:
            camera: from where.
            width: pixels.
            height: pixels.
            settings: what is shown; the defaults if not given.
            skip_empty: whether empty space is skipped, rays end early, and there are fewer where the picture is smooth;
                without it every sample of every pixel is evaluated.
            smooth_edges: whether pixels at edges are the mean of several rays.
            progress: called many times a second; may raise `Cancelled`.
        """
        chosen = settings or ViewSettings()
        stride = _STRIDE if skip_empty else 1
        *_, view = self._passes(camera, width, height, chosen, stride, skip_empty, smooth_edges, progress)
        return view

    def render_gradually(
        self,
        camera: Camera,
        width: int,
        height: int,
        settings: ViewSettings | None = None,
        *,
        stride: int,
        progress: Progress | None = None,
    ) -> Iterator[View]:
        """Look at the field, roughly at first: views of one size, each with half the stride, the last as `render` does.

        Args:
            camera: from where.
            width: pixels.
            height: pixels.
            settings: what is shown; the defaults if not given.
            stride: pixels from one ray to the next in the first view, a power of two.
            progress: called many times a second; may raise `Cancelled`.
        """
        yield from self._passes(camera, width, height, settings or ViewSettings(), stride, True, True, progress)

    def _passes(
        self,
        camera: Camera,
        width: int,
        height: int,
        settings: ViewSettings,
        stride: int,
        skip_empty: bool,
        smooth_edges: bool,
        progress: Progress | None,
    ) -> Iterator[View]:
        begun = _FINDING if skip_empty and self._occupancy is None else 0.0
        occupancy = self.occupancy(sub_progress(progress, 0.0, begun)) if skip_empty else None
        with_normals = settings.channel == "normals"

        def trace(places: Float[Tensor, "n 2"], progress: Progress | None) -> Float[Tensor, "n c"]:
            """Premultiplied: colour, opacity, depth, and normals if they are shown."""
            origins, directions = rays_through(camera, places, width, height)
            light = render_rays(
                self.medium,
                origins,
                directions,
                samples=settings.samples,
                occupancy=occupancy,
                box=settings.crop,
                near=settings.near,
                far=settings.far,
                at_once=self.at_once,
                progress=sub_progress(progress, 0.0, 0.8) if with_normals else progress,
            )
            opacity = light.opacity[:, None]
            depth = torch.where(light.opacity > 0, light.depth, 0.0)[:, None]
            parts = [light.colour, opacity, _DEPTH * opacity * depth]
            if with_normals:
                found = torch.zeros_like(directions)
                seen = light.opacity > 0
                ends = origins[seen] + depth[seen] * directions[seen]
                found[seen] = self._normals(ends, sub_progress(progress, 0.8, 1.0))
                parts.append(opacity * found)
            return torch.cat(parts, dim=-1)

        pictures = sharpened(
            trace,
            width,
            height,
            stride=stride,
            whole=self._cell_in_pixels(camera, height),
            smooth_edges=smooth_edges,
            device=self.device,
            progress=sub_progress(progress, begun, 1.0),
        )
        for picture in pictures:
            opacity = picture[..., 3]
            depth = torch.where(opacity > 0, picture[..., 4] / _DEPTH / opacity.clamp(min=1e-9), torch.inf)
            normals = None
            if with_normals:
                directions = F.normalize(picture[..., 5:], dim=-1)
                normals = (directions * (opacity > _SEEN).unsqueeze(-1)).cpu().numpy()
            yield View(picture[..., :3].cpu().numpy(), opacity.cpu().numpy(), depth.cpu().numpy(), normals)

    def _cell_in_pixels(self, camera: Camera, height: int) -> int:
        """How many pixels a cell of the finest planes takes at least, where it is farthest away: rounded down."""
        place = torch.tensor(camera.pose[:3, 3], dtype=torch.float32)
        farthest = float(place.norm()) + 1
        pixel = 2 * math.tan(math.radians(camera.fov) / 2) * farthest / height
        return max(1, int(2 / self.basis[-1][0].shape[-1] / pixel))

    def mesh(
        self,
        resolution: int,
        *,
        faces: int | None = None,
        crop: Crop = WHOLE_SPACE,
        progress: Progress | None = None,
    ) -> trimesh.Trimesh:
        """Return the surface where the density is `SURFACE_DENSITY`, with colours at its vertices.

        Colours are those seen from straight above the surface. Where the crop box cuts the object, the mesh is closed.

        Args:
            resolution: samples along each axis of [-1, 1]^3.
            faces: simplify to about this many triangles.
            crop: what lies outside of this box is left out.
            progress: called between chunks of the evaluation; may raise `Cancelled`.

        Raises:
            DDMIError: the field is empty, in the box: there is no surface anywhere.
        """
        low, high = torch.tensor(crop[:3]), torch.tensor(crop[3:])
        low[low <= -1], high[high >= 1] = -torch.inf, torch.inf  # sides that cut nothing
        steepness = SURFACE_DENSITY * resolution / 2  # of the others: the surface's density from one sample to the next

        def solid(points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
            inside = self.density(points) - SURFACE_DENSITY
            within = torch.minimum(points - low, high - points).amin(dim=-1)
            return torch.minimum(inside, (steepness * within).to(inside))

        try:
            mesh = extract_mesh(
                solid,
                resolution,
                faces=faces,
                progress=sub_progress(progress, 0.0, 0.9),
            )
        except DDMIError as error:
            raise DDMIError(f"No mesh can be made of this radiance field. {error}") from error
        normals = torch.from_numpy(np.asarray(mesh.vertex_normals, dtype=np.float32))
        vertices = torch.from_numpy(np.asarray(mesh.vertices, dtype=np.float32))
        colours = colour_of(self(vertices, sub_progress(progress, 0.9, 1.0), directions=-normals)).numpy()
        rgba = np.concatenate([colours, np.ones_like(colours[:, :1])], axis=1)
        mesh.visual.vertex_colors = np.round(255 * rgba).astype(np.uint8)
        return mesh

    @override
    def flaws(self) -> int:
        """Return how many thousandths of all opacity hang together with nothing."""
        return round(1000 * self.loose_share(soundness.RESOLUTION))

    def loose_share(self, side: int = 128) -> float:
        """Return the share of all opacity that does not hang together with its largest part, of side^3 cells."""
        density = density_of(self.at_centres(side))
        return soundness.loose_share(-torch.expm1(-density * (2 / side)).cpu().numpy())

    @override
    def view(
        self, *, resolution: int, progress: Progress | None = None, camera: Camera | None = None
    ) -> dict[str, Any]:
        """The object from the front right, slightly above, or from a `camera`.

        `pixels` uint8 (resolution, resolution, 4), straight alpha.
        """
        settings = ViewSettings(samples=_PREVIEW_SAMPLES)
        camera = camera or orbit_camera()
        seen = self.render(camera, resolution, resolution, settings, smooth_edges=False, progress=progress)
        return {"pixels": seen.picture(settings)}

    @override
    def thumbnail(self, view: dict[str, Any], *, size: int) -> UInt8[np.ndarray, "s s 4"]:
        return np.asarray(Image.fromarray(view["pixels"]).resize((size, size), Image.Resampling.BICUBIC))

    @override
    def preview(
        self,
        *,
        size: int = 256,
        resolution: int | None = None,
        progress: Progress | None = None,
        camera: Camera | None = None,
    ) -> UInt8[np.ndarray, "s s 3"]:
        view = self.view(resolution=resolution or min(size, _PREVIEW_SIDE), progress=progress, camera=camera)
        return over(self.thumbnail(view, size=size), LIGHT)

    @override
    def observe(self, kind: Evidence, vantage: Vantage) -> Float[Tensor, "v 3 h w"]:
        """Looks on white."""
        views = [self.render(camera, *vantage.size, smooth_edges=False) for camera in vantage.cameras]
        return torch.from_numpy(np.stack([view.colour + 1 - view.opacity[..., None] for view in views])).movedim(-1, 1)

    @override
    def _write(
        self, path: Path, options: RadianceExport, recipe: Recipe | None, progress: Progress | None
    ) -> dict[str, Any]:
        return export_radiance(self, path, options, recipe=recipe, progress=progress)

    def _normals(self, places: Float[Tensor, "n 3"], progress: Progress | None) -> Float[Tensor, "n 3"]:
        """Against the gradient of the density, by central differences."""
        offsets = torch.cat([torch.eye(3), -torch.eye(3)]).to(places.device) * _SLOPE
        around = density_of(self(places[:, None] + offsets, progress))
        return F.normalize(around[:, 3:] - around[:, :3], dim=-1)
