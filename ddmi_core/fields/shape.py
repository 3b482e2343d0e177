"""ShapeField: occupancy everywhere in space, and the surface where it begins."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import trimesh
from jaxtyping import Float, UInt8
from torch import Tensor
from typing_extensions import override

from ddmi_core.export.meshes import export_mesh, mesh_facts, placed
from ddmi_core.export.options import ShapeExport
from ddmi_core.fields.decoded import DecodedField
from ddmi_core.fields.field import Evidence, Vantage
from ddmi_core.placement import UNPLACED
from ddmi_core.recipe import Recipe
from ddmi_core.rendering import soundness
from ddmi_core.rendering.adaptive_surface import AdaptiveSurface
from ddmi_core.rendering.cameras import framing_camera
from ddmi_core.rendering.mesh_pictures import render_mesh
from ddmi_core.rendering.mesh_pieces import mesh_pieces
from ddmi_core.rendering.surfaces import extract_mesh
from ddmi_core.support.progress import Progress, sub_progress

SURFACE_POINTS = 2048
"""Points drawn from a generated surface to measure it."""

_MEASURED_RESOLUTION = 64  # of the meshes that points are drawn from, and that are looked at
_LOOKS, _LOOK_SIDE = 20, 224
_WHITE = (255, 255, 255)


class ShapeField(DecodedField[ShapeExport]):
    """Occupancy of space: `field(coords)` gives logits, positive inside."""

    export_options = ShapeExport
    evidence = ("points", "occupancy", "pictures")

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
        return extract_mesh(self.logits, resolution, on_lattice=self.on_lattice, faces=faces, progress=progress)

    def adaptive_surface(self, progress: Progress | None = None) -> AdaptiveSurface:
        """Return the surface for looking at it from anywhere, as near as one likes.

        Raises:
            DDMIError: the field is empty.
        """
        return AdaptiveSurface.of(self.logits, progress, on_lattice=self.on_lattice)

    def surface_points(self, count: int = SURFACE_POINTS) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
        """Return points drawn evenly from the surface, and the outward unit normals there.

        Raises:
            DDMIError: the field is empty.
        """
        mesh = self.mesh(_MEASURED_RESOLUTION)
        points, faces = trimesh.sample.sample_surface(mesh, count, seed=0)
        normals = mesh.face_normals[faces]
        return torch.from_numpy(points.astype(np.float32)), torch.from_numpy(normals.astype(np.float32))

    @override
    def flaws(self) -> int:
        """Count what hints at tears; see `soundness.flaws`."""
        return soundness.flaws(self.at_centres(soundness.RESOLUTION)[..., 0].cpu().numpy())

    @override
    def view(self, *, resolution: int, progress: Progress | None = None) -> dict[str, Any]:
        """Mesh arrays: vertices float32 (v, 3), faces int32 (f, 3), normals float32 (v, 3); and its pieces to draw."""
        mesh = self.mesh(resolution, progress=progress)
        vertices, normals = (np.asarray(each, dtype=np.float32) for each in (mesh.vertices, mesh.vertex_normals))
        faces = np.asarray(mesh.faces, dtype=np.int32)
        pieces = mesh_pieces(vertices, faces, normals)
        return {"vertices": vertices, "faces": faces, "normals": normals, "pieces": pieces}

    @override
    def thumbnail(self, view: dict[str, Any], *, size: int) -> UInt8[np.ndarray, "s s 4"]:
        mesh = trimesh.Trimesh(view["vertices"], view["faces"], vertex_normals=view["normals"], process=False)
        return render_mesh(mesh, width=size, height=size, background=None)

    @override
    def observe(self, kind: Evidence, vantage: Vantage) -> Float[Tensor, "n ..."]:
        """Points drawn evenly from the surface; what is inside of given places; 20 looks from all around."""
        if kind == "occupancy":
            assert vantage.coords is not None
            return (self(vantage.coords) > 0).float().cpu()
        if kind == "points":
            return self.surface_points()[0]
        mesh = self.mesh(_MEASURED_RESOLUTION)
        views = [
            render_mesh(mesh, framing_camera(mesh, 360 * i / _LOOKS), _LOOK_SIDE, _LOOK_SIDE, background=_WHITE)
            for i in range(_LOOKS)
        ]
        return torch.from_numpy(np.stack(views)).movedim(-1, 1).float() / 255

    @override
    def _write(
        self, path: Path, options: ShapeExport, recipe: Recipe | None, progress: Progress | None
    ) -> dict[str, Any]:
        mesh = self.mesh(options.resolution, faces=options.faces, progress=sub_progress(progress, 0.0, 0.95))
        evaluations = int(mesh.metadata["evaluations"])
        own = recipe.placement if recipe is not None and not options.unit_cube else None
        placement = own or UNPLACED
        if options.longest is not None:
            placement = placement.sized(options.longest, float(mesh.extents.max()))
        mesh = placed(mesh, placement, path)
        kept = recipe if options.embed_recipe else None
        export_mesh(mesh, path, recipe=kept, progress=sub_progress(progress, 0.95, 1.0))
        return {**mesh_facts(mesh), "volume": float(mesh.volume), "evaluations": evaluations}
