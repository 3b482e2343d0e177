"""Radiance fields: density and colour at (x, y, z) and a direction, encoded from coloured points (paper 4.2)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.data.items import USUAL_INPUT, EncoderInput
from ddmi_core.data.radiance import PosedPictures, RadianceSource
from ddmi_core.domains.base import Domain, Shown, point_encoder
from ddmi_core.fidelity import FitFacts
from ddmi_core.fields.field import Evidence, Vantage
from ddmi_core.fields.radiance import RadianceField, colour_of, density_of
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.plan import FitPlan
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.point_encoder import PointSet
from ddmi_core.networks.readout import BasisReadOut, Combine
from ddmi_core.placement import Placement, Up
from ddmi_core.planes import TRI_PLANE
from ddmi_core.rendering.picture_layout import LIGHT, over
from ddmi_core.rendering.volume_rendering import composite
from ddmi_core.support.errors import DataError
from ddmi_core.support.file_kinds import SCENES
from ddmi_core.support.progress import Progress

if TYPE_CHECKING:
    from ddmi_core.data.user_folder import UserFolder

_OPPONENT = ((0.7, 4.0, -2.0), (0.7, -4.0, -2.0), (0.7, 0.0, 4.0))
# of the encoder's colours: brightness, red against green, blue against yellow. Red, green and blue differ so little in
# most things that an encoder given these learns no hue for thousands of steps.
_ERROR_WEIGHT = 5.0  # brings it to the size of the other domains' losses, which the KL weights are meant for
_HUE_WEIGHT = 7.0
_CELL, _THINNEST = 0.06, 1e-4  # thickness of a wall, whose opacity says how solid it is
_PUBLISHED_WEIGHT = 20.0  # of a ray's error beside the divergence in the paper's code
_DENSITY_RATE = 0.1
# of the densities' gradient. What a ray sees depends on where it stops more than on the colour there: without these
# two, colours learn only what all objects have in common.
_MEASURED_VIEWS = 4
_SHOWN_SIDE = 96  # pixels that pictures of a run are drawn with
_COMPARED_SIDE = 48  # pixels of the pictures that a latent is compared with its file at


class NerfDomain(Domain[RadianceField, RadianceSource]):
    """Radiance fields of single objects.

    The value has four channels, a density and a colour. The density depends on the place alone, the colour on the
    direction of view too. Training compares pictures: the values along rays are composited to what a camera would see.
    """

    name: ClassVar[str] = "nerf"
    title: ClassVar[str] = "Radiance"
    about: ClassVar[str] = "Coloured objects that are seen from anywhere"
    layout = TRI_PLANE
    combine: ClassVar[Combine] = "sum"
    value_channels: ClassVar[int] = 4
    directed_channels: ClassVar[int] = 3
    kind = RadianceField
    starter_sets = ("painted-furniture", "furniture-nerf")
    import_formats = SCENES
    can_fit = True
    fits_by_steps = True

    @override
    def encoder(self, config: AutoencoderConfig) -> nn.Module:
        return point_encoder(config, self.layout, feature_channels=3)

    @override
    def inputs(self, batch: dict[str, Any]) -> PointSet:
        positions, colours = batch["points"][..., :3], batch["points"][..., 3:]
        return PointSet(positions, (colours - 0.5) @ colours.new_tensor(_OPPONENT))

    @override
    def predict(self, readout: BasisReadOut, basis: BasisFields, batch: Mapping[str, Tensor]) -> Float[Tensor, "b n 3"]:
        """Return the colours of the batch's rays over its `background`.

        The batch has `origins` and unit `directions` (b, n, 3), `depths` and `steps` of the samples (b, n, s), and
        `background` (b, n, 3).
        """
        depths = batch["depths"]
        directions = batch["directions"].unsqueeze(2).expand(*depths.shape, 3)
        places = batch["origins"].unsqueeze(2) + depths.unsqueeze(-1) * directions
        values = readout.evaluate(
            basis, rearrange(places, "b n s c -> b (n s) c"), None, rearrange(directions, "b n s c -> b (n s) c")
        )
        values = rearrange(values, "b (n s) c -> b n s c", n=depths.shape[1])
        densities = density_of(values)
        densities = torch.lerp(densities.detach(), densities, _DENSITY_RATE)
        light = composite(densities, colour_of(values), depths, batch["steps"])
        return light.colour + (1 - light.opacity).unsqueeze(-1) * batch["background"]

    @override
    def direct_loss(
        self, readout: BasisReadOut, basis: BasisFields, batch: Mapping[str, Tensor]
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Bernoulli's likelihood of what is solid, by the opacity of a cell; the colour error at the surface."""
        thickness = _CELL * density_of(readout.evaluate(basis, batch["places"]))
        solid = batch["solid"].squeeze(-1)
        unlikely = solid * -torch.log(-torch.expm1(-thickness.clamp(min=_THINNEST))) + (1 - solid) * thickness
        seen = readout.evaluate(basis, batch["surface"], None, -batch["normals"])
        loss, figures = self.reconstruction_loss(colour_of(seen), batch["surface_colours"])
        solidity = unlikely.mean()
        return solidity + loss, {"solidity": solidity.detach(), "surface_psnr": figures["psnr"]}

    @override
    def reconstruction_loss(
        self, values: Float[Tensor, "b n 3"], targets: Float[Tensor, "b n 3"]
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Photometric: squared errors, those of hue weighing more; the figure watched is the PSNR in dB of the rays.

        Squared, because an absolute error is least at the median, and most things of a home are grey.
        """
        errors = values - targets
        hues = errors - errors.mean(dim=-1, keepdim=True)
        error = errors.square().mean()
        loss = _ERROR_WEIGHT * (error + _HUE_WEIGHT * hues.square().mean())
        return loss, {"psnr": -10 * error.detach().clamp(min=1e-10).log10()}

    @override
    def published_loss(self, values: Float[Tensor, "b n 3"], targets: Float[Tensor, "b n 3"]) -> Float[Tensor, ""]:
        """Absolute errors of the rays' colours, twenty times."""
        return _PUBLISHED_WEIGHT * F.l1_loss(values, targets)

    @override
    def vantage(self, source: RadianceSource, index: int, kind: Evidence) -> Vantage:
        """An object is looked at from where the data set's was."""
        seen = _some_views(source, index)
        height, width = seen.pixels.shape[1:3]
        return Vantage(cameras=seen.cameras, size=(width, height))

    @override
    def observed(self, source: RadianceSource, index: int, kind: Evidence) -> Float[Tensor, "v 3 h w"]:
        pixels = torch.from_numpy(_some_views(source, index).pixels.astype(np.float32) / 255).movedim(-1, 1)
        return pixels[:, :3] * pixels[:, 3:] + 1 - pixels[:, 3:]

    @override
    def shown(self, source: RadianceSource, index: int, size: int) -> Shown:
        """Looks from where a picture was taken, if possible from the front and slightly above."""
        view = source.objects.front_view(index)
        if view is None:
            raise DataError(f"Object number {index} of the data has no pictures to compare with. Give posed pictures.")
        (camera,), (pixels,) = view.cameras, view.pixels
        height, width = pixels.shape[:2]
        aside = (width - height) // 2  # what a square picture of that height leaves out on either side, or adds
        square = Image.fromarray(pixels).convert("RGBa").crop((aside, 0, aside + height, height))
        seen = square.resize((_SHOWN_SIDE,) * 2, Image.Resampling.BOX).resize((size, size), Image.Resampling.BICUBIC)
        return Shown(
            over(np.asarray(seen.convert("RGBA")), LIGHT),
            lambda field: field.preview(size=size, resolution=_SHOWN_SIDE, camera=camera),
        )

    @override
    def folder(self, path: Path, split: str, progress: Progress | None = None) -> "UserFolder":
        from ddmi_core.data.radiance_folders import radiance_folder

        return radiance_folder(path, split, progress=progress)

    @override
    def items(
        self, source: str, split: str, *, seed: int, queries: int, given: EncoderInput = USUAL_INPUT
    ) -> RadianceSource:
        from ddmi_core.data.radiance_sources import open_radiance

        return open_radiance(source, split, seed=seed, queries=queries, given=given)

    @override
    def field(self, readout: BasisReadOut, basis: BasisFields) -> RadianceField:
        return RadianceField(readout, basis)

    @override
    def _fit_gradually(self, path: Path, plan: FitPlan, progress: Progress | None) -> Iterator[Fit]:
        from ddmi_core.fitting.scenes import scene_fits

        yield from scene_fits(path, plan, progress)

    @override
    def fits(self, path: Path) -> bool:
        from ddmi_core.data.scene_views import scene_file

        return scene_file(path) is not None

    @override
    def latent_facts(
        self,
        path: Path,
        source: RadianceSource,
        latent: Float[Tensor, "c h w"],
        field: RadianceField,
        *,
        roughly: bool = False,
    ) -> FitFacts | None:
        """With the PSNR of some of a scene's pictures, made small; other things cannot be fitted."""
        from ddmi_core.data.radiance_folders import LoneObject

        if not self.fits(path):
            return None
        there = self.vantage(source, 0, "pictures")
        shrunk = min(1.0, _COMPARED_SIDE / max(there.size))
        width, height = (max(1, round(shrunk * side)) for side in there.size)
        seen = field.observe("pictures", there._replace(size=(width, height)))
        truth = F.interpolate(self.observed(source, 0, "pictures"), (height, width), mode="area")
        error = (seen - truth).square().mean()
        figures = {"psnr": float(-10 * error.clamp(min=1e-10).log10())}
        remark = source.objects.remark if isinstance(source.objects, LoneObject) else ""
        return FitFacts(fidelity="small", size_bytes=latent.nbytes, figures=figures, remark=remark)

    @override
    def read(self, path: Path, *, queries: int, given: EncoderInput = USUAL_INPUT, up: Up = "y") -> RadianceSource:
        from ddmi_core.data.radiance_folders import read_radiance

        return RadianceSource(read_radiance(path, up), queries, given)

    @override
    def placement(self, source: RadianceSource) -> Placement | None:
        return source.objects.points(0).placement


def _some_views(source: RadianceSource, index: int) -> PosedPictures:
    """Evenly chosen pictures of an object of a data set, with their cameras."""
    views = source.objects.views(index)
    if views is None:
        raise DataError(f"Object number {index} of the data has no pictures to compare with. Give posed pictures.")
    chosen = np.linspace(0, len(views.cameras), _MEASURED_VIEWS, endpoint=False).astype(int)
    return PosedPictures([views.cameras[i] for i in chosen], views.pixels[chosen])
