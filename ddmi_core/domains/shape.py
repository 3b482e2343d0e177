"""Shapes: occupancy at (x, y, z), encoded from surface points to three planes (paper 4.2)."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.coordinates import grid
from ddmi_core.data.items import USUAL_INPUT, EncoderInput
from ddmi_core.data.shape_sources import ShapeSource
from ddmi_core.domains.base import Domain, Shown, fixed_draw, point_encoder
from ddmi_core.fidelity import FitFacts
from ddmi_core.fields.field import Evidence, Vantage
from ddmi_core.fields.shape import ShapeField
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.plan import FitPlan
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.point_encoder import PointSet
from ddmi_core.networks.readout import BasisReadOut, Combine
from ddmi_core.placement import Placement, Up
from ddmi_core.planes import TRI_PLANE
from ddmi_core.rendering.mesh_pictures import render_mesh
from ddmi_core.rendering.picture_layout import over
from ddmi_core.rendering.surfaces import extract_mesh
from ddmi_core.support.errors import DataError, DDMIError
from ddmi_core.support.file_kinds import SURFACES
from ddmi_core.support.progress import Progress

if TYPE_CHECKING:
    from ddmi_core.data.user_folder import UserFolder


_DRAWN_RESOLUTION = 64
_COMPARED_RESOLUTION = 48  # of the samples that a latent is compared with its file at


class ShapeDomain(Domain[ShapeField, ShapeSource]):
    """Solid shapes."""

    name: ClassVar[str] = "shape"
    title: ClassVar[str] = "Shapes"
    about: ClassVar[str] = "Solid things without a polygon count, such as furniture"
    layout = TRI_PLANE
    combine: ClassVar[Combine] = "sum"
    value_channels: ClassVar[int] = 1
    kind = ShapeField
    unseen_in_data = ("pictures",)
    starter_sets = ("furniture", "procedural")
    can_fit = True
    fits_by_steps = True
    reading = "kept"
    import_formats = SURFACES

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
    def observed(self, source: ShapeSource, index: int, kind: Evidence) -> Float[Tensor, "n ..."]:
        drawn = fixed_draw(source, index)
        name = {"points": "points", "occupancy": "targets"}.get(kind, kind)
        if name not in drawn:
            raise DataError(f"Shape number {index} of the data has no {kind} to compare with. Leave that figure out.")
        return torch.from_numpy(np.asarray(drawn[name], dtype=np.float32))

    @override
    def vantage(self, source: ShapeSource, index: int, kind: Evidence) -> Vantage:
        """Occupancy is asked for at the same places."""
        return Vantage(torch.from_numpy(fixed_draw(source, index)["coords"])) if kind == "occupancy" else Vantage()

    @override
    def shown(self, source: ShapeSource, index: int, size: int) -> Shown:
        """Draws the surface of what is solid, where that is known everywhere."""
        solid = source.solid(index, 2 * _DRAWN_RESOLUTION)
        if solid is None:
            raise DataError(f"Shape number {index} of the data is known at some places only, and is not drawn.")
        cells = F.avg_pool3d(torch.from_numpy(solid).float().permute(2, 1, 0)[None, None], 2)

        def inside(points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
            return F.grid_sample(cells, points.cpu()[None, :, None, None], align_corners=False).flatten() - 0.5

        mesh = extract_mesh(inside, _DRAWN_RESOLUTION)
        return Shown(
            over(render_mesh(mesh, width=size, height=size, background=None)),
            lambda field: field.preview(size=size, resolution=_DRAWN_RESOLUTION),
        )

    @override
    def kind_of(self, source: ShapeSource, index: int) -> str | None:
        kind = getattr(source.shapes, "kind", None)
        return None if kind is None else str(kind(index))

    @override
    def folder(self, path: Path, split: str, progress: Progress | None = None) -> "UserFolder":
        from ddmi_core.data.shape_folders import mesh_folder

        return mesh_folder(path, split, progress=progress)

    @override
    def items(
        self, source: str, split: str, *, seed: int, queries: int, given: EncoderInput = USUAL_INPUT
    ) -> ShapeSource:
        from ddmi_core.data.shape_sources import open_shapes

        return open_shapes(source, split, seed=seed, queries=queries, surface=given.surface)

    @override
    def field(self, readout: BasisReadOut, basis: BasisFields) -> ShapeField:
        return ShapeField(readout, basis)

    @override
    def read_back(self, field: ShapeField, given: EncoderInput) -> dict[str, Tensor] | None:
        try:
            points, normals = field.surface_points(given.surface.count)
        except DDMIError:  # there is no surface
            return None
        return {"points": points.unsqueeze(0), "normals": normals.unsqueeze(0)}

    @override
    def _fit_gradually(self, path: Path, plan: FitPlan, progress: Progress | None) -> Iterator[Fit]:
        from ddmi_core.fitting.shapes import shape_fits

        yield from shape_fits(path, plan, progress)

    @override
    def latent_facts(
        self,
        path: Path,
        source: ShapeSource,
        latent: Float[Tensor, "c h w"],
        field: ShapeField,
        *,
        roughly: bool = False,
    ) -> FitFacts | None:
        """With the intersection over union with the solid of a mesh; a cloud, which has no inside, cannot be fitted."""
        solid = source.solid(0, _COMPARED_RESOLUTION)
        if solid is None:
            return None
        true = torch.from_numpy(solid).flatten()
        found = field.logits(grid(*(_COMPARED_RESOLUTION,) * 3).flatten(0, -2)).cpu() > 0
        figures = {"iou": float((found & true).sum() / (found | true).sum().clamp(min=1))}
        return FitFacts(fidelity="small", size_bytes=latent.nbytes, figures=figures)

    @override
    def read(self, path: Path, *, queries: int, given: EncoderInput = USUAL_INPUT, up: Up = "y") -> ShapeSource:
        from ddmi_core.data.shape_folders import read_shape

        return ShapeSource(read_shape(path, up), queries, given.surface)

    @override
    def placement(self, source: ShapeSource) -> Placement | None:
        return source.shapes.placement
