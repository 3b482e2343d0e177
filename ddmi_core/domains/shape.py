"""Shapes: occupancy at (x, y, z), encoded from surface points to three planes (paper 4.2)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
import trimesh
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.coordinates import grid
from ddmi_core.data.items import USUAL_SURFACE, ItemSource, SurfacePoints
from ddmi_core.domains.base import Domain, Evidence, fixed_draw, point_encoder
from ddmi_core.export.meshes import export_mesh, placed
from ddmi_core.export.options import ExportOptions, ShapeExport
from ddmi_core.fidelity import Fidelity, FitFacts
from ddmi_core.fields.field import Field
from ddmi_core.fitting.fit import Fit
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.point_encoder import PointSet
from ddmi_core.networks.readout import Combine, ReadOut
from ddmi_core.placement import Placement, Up
from ddmi_core.planes import TRI_PLANE
from ddmi_core.recipe import Recipe
from ddmi_core.rendering.adaptive_surface import AdaptiveSurface
from ddmi_core.rendering.cameras import framing_camera
from ddmi_core.rendering.mesh_pictures import render_mesh
from ddmi_core.rendering.surfaces import extract_mesh
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress, sub_progress

if TYPE_CHECKING:
    from ddmi_core.data.user_folder import UserFolder

SURFACE_POINTS = 2048
"""Points drawn from a generated surface to measure it."""

_COMPARED_RESOLUTION = 48  # of the samples that a latent is compared with its file at
_MEASURED_RESOLUTION = 64  # of the meshes that points are drawn from, and that are looked at
_LOOKS, _LOOK_SIDE = 20, 224
_PAPER = (255, 255, 255)


class ShapeField(Field):
    """Occupancy of space: `field(coords)` gives logits, positive inside."""

    def logits(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Return the occupancy logits at points in [-1, 1]^3."""
        return self(points)[:, 0]

    def mesh(self, resolution: int, *, faces: int | None = None, progress: Progress | None = None) -> trimesh.Trimesh:
        """Return the surface as a closed mesh with outward normals taken from the field's gradient.

        Args:
            resolution: samples along each axis of [-1, 1]^3.
            faces: simplify to about this many triangles.
            progress: called between chunks of the evaluation; may raise `Cancelled`.

        Raises:
            DDMIError: the field is empty: there is no surface anywhere.
        """
        return extract_mesh(self.logits, resolution, faces=faces, progress=progress)

    def adaptive_surface(self, progress: Progress | None = None) -> AdaptiveSurface:
        """Return the surface for looking at it from anywhere, as near as one likes.

        Raises:
            DDMIError: the field is empty.
        """
        return AdaptiveSurface.of(self.logits, progress)


class ShapeDomain(Domain):
    """Solid shapes."""

    name: ClassVar[str] = "shape"
    title: ClassVar[str] = "Shapes"
    about: ClassVar[str] = "Solid things without a polygon count, such as furniture"
    layout = TRI_PLANE
    combine: ClassVar[Combine] = "sum"
    value_channels: ClassVar[int] = 1
    export_formats = (".obj", ".glb", ".ply", ".stl")
    export_options = ShapeExport
    evidence = ("points", "occupancy", "pictures")
    unseen_in_data = ("pictures",)
    starter_sets = ("furniture", "procedural")
    can_fit = True
    import_formats = (".obj", ".ply", ".stl", ".glb", ".off")

    @override
    def encoder(self, config: AutoencoderConfig) -> nn.Module:
        return point_encoder(config, self.layout, feature_channels=3 if config.normals else 0)

    @override
    def inputs(self, batch: dict[str, Any]) -> PointSet:
        return PointSet(batch["points"], batch.get("normals"))

    @override
    def reconstruction_loss(
        self, values: Float[Tensor, "b n 1"], targets: Float[Tensor, "b n 1"]
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Bernoulli likelihood; the figure watched is the intersection over union at the query points."""
        loss = F.binary_cross_entropy_with_logits(values, targets)
        with torch.no_grad():
            inside, true = values > 0, targets > 0.5
            union = (inside | true).sum()
            iou = (inside & true).sum() / union.clamp(min=1)
        return loss, {"query_iou": iou}

    @override
    def observe(self, field: Field, kind: Evidence, source: ItemSource, index: int) -> Float[Tensor, "n ..."]:
        """Points drawn evenly from the surface; what is inside of `observed`'s places; 20 looks from all around."""
        assert isinstance(field, ShapeField)
        if kind == "occupancy":
            drawn = fixed_draw(source, index)
            return (field(torch.from_numpy(drawn["coords"])) > 0).float().cpu()
        mesh = field.mesh(_MEASURED_RESOLUTION)
        if kind == "points":
            points, _ = trimesh.sample.sample_surface(mesh, SURFACE_POINTS, seed=0)
            return torch.from_numpy(np.asarray(points, dtype=np.float32))
        views = [
            render_mesh(mesh, framing_camera(mesh, 360 * i / _LOOKS), _LOOK_SIDE, _LOOK_SIDE, background=_PAPER)
            for i in range(_LOOKS)
        ]
        return torch.from_numpy(np.stack(views)).movedim(-1, 1).float() / 255

    @override
    def observed(self, source: ItemSource, index: int, kind: Evidence) -> Float[Tensor, "n ..."]:
        drawn = fixed_draw(source, index)
        name = {"points": "points", "occupancy": "targets"}.get(kind, kind)
        if name not in drawn:
            raise DataError(f"Shape number {index} of the data has no {kind} to compare with. Leave that figure out.")
        return torch.from_numpy(np.asarray(drawn[name], dtype=np.float32))

    @override
    def kind_of(self, source: ItemSource, index: int) -> str | None:
        kind = getattr(getattr(source, "shapes", None), "kind", None)
        return None if kind is None else str(kind(index))

    @override
    def folder(self, path: Path, split: str, progress: Progress | None = None) -> "UserFolder":
        from ddmi_core.data.shape_folders import mesh_folder

        return mesh_folder(path, split, progress=progress)

    @override
    def items(
        self, source: str, split: str, *, seed: int, queries: int, surface: SurfacePoints = USUAL_SURFACE
    ) -> ItemSource:
        from ddmi_core.data.shape_sources import open_shapes

        return open_shapes(source, split, seed=seed, queries=queries, surface=surface)

    @override
    def field(self, readout: ReadOut, basis: BasisFields) -> ShapeField:
        return ShapeField(readout, basis)

    @override
    def fit(self, path: Path, fidelity: Fidelity, progress: Progress | None = None, *, up: Up = "y") -> Fit:
        from ddmi_core.fitting.shapes import fit_shape

        return fit_shape(path, fidelity, up=up, progress=progress)

    @override
    def latent_facts(
        self, path: Path, source: ItemSource, latent: Float[Tensor, "c h w"], field: Field
    ) -> FitFacts | None:
        """With the intersection over union with the solid of a mesh; a cloud, which has no inside, cannot be fitted."""
        from ddmi_core.data.shape_sources import ShapeSource
        from ddmi_core.data.shapes import GridShapes

        if not isinstance(source, ShapeSource) or not isinstance(source.shapes, GridShapes):
            return None
        true = torch.from_numpy(source.shapes.grid(0, _COMPARED_RESOLUTION)).flatten()
        found = field(grid(*(_COMPARED_RESOLUTION,) * 3).flatten(0, -2))[:, 0].cpu() > 0
        figures = {"iou": float((found & true).sum() / (found | true).sum().clamp(min=1))}
        return FitFacts(fidelity="small", size_bytes=latent.nbytes, figures=figures)

    @override
    def read(self, path: Path, *, queries: int, surface: SurfacePoints = USUAL_SURFACE, up: Up = "y") -> ItemSource:
        from ddmi_core.data.shape_folders import read_shape
        from ddmi_core.data.shape_sources import ShapeSource

        return ShapeSource(read_shape(path, up), queries, surface)

    @override
    def placement(self, source: ItemSource) -> Placement | None:
        from ddmi_core.data.shape_sources import ShapeSource
        from ddmi_core.data.shapes import GridShapes, PointCloud

        assert isinstance(source, ShapeSource)
        return source.shapes.placement if isinstance(source.shapes, GridShapes | PointCloud) else None

    @override
    def export(
        self,
        field: Field,
        path: Path,
        options: ExportOptions | None = None,
        *,
        recipe: Recipe | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        assert isinstance(field, ShapeField)
        chosen = options or ShapeExport()
        assert isinstance(chosen, ShapeExport)
        mesh = field.mesh(chosen.resolution, faces=chosen.faces, progress=sub_progress(progress, 0.0, 0.95))
        evaluations = int(mesh.metadata["evaluations"])
        if recipe is not None and recipe.placement is not None and not chosen.unit_cube:
            mesh = placed(mesh, recipe.placement, path)
        export_mesh(mesh, path, progress=sub_progress(progress, 0.95, 1.0))
        return {
            "vertices": len(mesh.vertices),
            "faces": len(mesh.faces),
            "size": mesh.extents.tolist(),
            "watertight": bool(mesh.is_watertight),
            "volume": float(mesh.volume),
            "evaluations": evaluations,
        }

    @override
    def view(self, field: Field, *, resolution: int, progress: Progress | None = None) -> dict[str, Any]:
        """Mesh arrays: vertices float32 (v, 3), faces int32 (f, 3), normals float32 (v, 3)."""
        assert isinstance(field, ShapeField)
        mesh = field.mesh(resolution, progress=progress)
        return {
            "vertices": np.asarray(mesh.vertices, dtype=np.float32),
            "faces": np.asarray(mesh.faces, dtype=np.int32),
            "normals": np.asarray(mesh.vertex_normals, dtype=np.float32),
        }

    @override
    def thumbnail(self, view: dict[str, Any], *, size: int) -> np.ndarray:
        mesh = trimesh.Trimesh(view["vertices"], view["faces"], vertex_normals=view["normals"], process=False)
        return render_mesh(mesh, width=size, height=size, background=None)
