"""Pictures: colour and coverage at (x, y), encoded by 2D convolutions to one plane (paper 4.1)."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.coordinates import Region, in_the_middle, region_grid
from ddmi_core.data.items import USUAL_INPUT, EncoderInput
from ddmi_core.data.pictures import PictureSource
from ddmi_core.domains.base import Domain, Patch, fixed_draw
from ddmi_core.fidelity import FitFacts
from ddmi_core.fields.field import Evidence, Vantage
from ddmi_core.fields.image import (
    COARSEST,
    ENCODED_SIDE,
    FINEST,
    DecodedImageField,
    FittedImageField,
    ImageField,
    on_white,
)
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.plan import FitPlan
from ddmi_core.frame_size import pixel_size
from ddmi_core.likeness import psnr, spread_ssim
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.image_encoder import ImageEncoder, PatchedImageEncoder
from ddmi_core.networks.readout import BasisReadOut, Combine
from ddmi_core.placement import Up
from ddmi_core.planes import SINGLE_PLANE
from ddmi_core.support.animations import is_picture
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.file_kinds import PICTURES
from ddmi_core.support.progress import Progress

if TYPE_CHECKING:
    from ddmi_core.data.user_folder import UserFolder

_SMALL_ERROR, _SQUARED_SHARE = 0.08, 0.5
_COMPARED_SIDE = 1024


def colour_loss(
    values: Float[Tensor, "b n 4"], targets: Float[Tensor, "b n 4"]
) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
    """Return the loss of premultiplied colours, and their PSNR in dB.

    Absolute errors, which keep edges sharp (a Laplace likelihood), but squared where they are small, and a share of
    squared errors beside them: an absolute error is least at the median, and a network that learned from it alone
    would paint everything in the commonest colour for its first thousand steps.
    """
    loss = F.smooth_l1_loss(values, targets, beta=_SMALL_ERROR) + _SQUARED_SHARE * F.mse_loss(values, targets)
    with torch.no_grad():
        error = F.mse_loss(values.clamp(0, 1), targets).clamp(min=1e-10)
    return loss, {"psnr": -10 * error.log10()}


def published_colour_loss(values: Float[Tensor, "b n 4"], targets: Float[Tensor, "b n 4"]) -> Float[Tensor, ""]:
    """Return the absolute error of colours in [-1, 1], a value being one of red, green and blue.

    The paper's pictures have no alpha. Its error is added to theirs, and is none once opaque pictures are known to be.
    """
    colours = targets.shape[-1] - 1
    return 2 * (values - targets).abs().sum(-1).mean() / colours


def patch_of(pictures: Float[Tensor, "b 4 s s"], side: int, generator: torch.Generator) -> Patch:
    """Return a random square of some pictures, at their own footprint.

    Raises:
        DDMIError: they are smaller.
    """
    whole = pictures.shape[-1]
    if side > whole:
        raise DDMIError(f"A patch of {side} pixels is larger than the pictures' base resolution of {whole}.")
    left, top = torch.randint(whole - side + 1, (2,), generator=generator).tolist()
    coords = region_grid(whole, whole, window=(left, top, side, side)).to(pictures.device)
    targets = pictures[..., top : top + side, left : left + side]
    count = len(pictures)
    return Patch(
        repeat(coords, "h w d -> b (h w) d", b=count),
        pictures.new_full((count, side * side, 1), -math.log2(whole)),
        rearrange(targets, "b c h w -> b (h w) c"),
    )


def patches_on_white(values: Float[Tensor, "b n 4"], side: int) -> Float[Tensor, "b 3 side side"]:
    """Return the values of patches as they look on white, in [0, 1]."""
    return on_white(rearrange(values, "b (h w) c -> b c h w", h=side)).clamp(0, 1)


class ImageDomain(Domain[ImageField, PictureSource]):
    """Pictures with transparency.

    The value has four channels, red, green and blue premultiplied by alpha, then alpha: cut-out pictures such as emoji
    have no background, and an export of theirs can be laid on anything. Opaque pictures have alpha 1 everywhere.
    Premultiplied, because colour without coverage means nothing and must not be learned, and because area averages and
    bilinear look-ups are right only so. The canvas is square; other pictures lie in its middle, between transparent
    margins.
    """

    name: ClassVar[str] = "image"
    title: ClassVar[str] = "Images"
    about: ClassVar[str] = "Pictures without a resolution"
    layout = SINGLE_PLANE
    combine: ClassVar[Combine] = "sum"
    reading = "compared"
    value_channels: ClassVar[int] = 4
    footprint = (FINEST, COARSEST)
    trunks = ("separate", "shared", "official")
    kind = ImageField
    can_fit = True
    fits_at_once = True
    starter_sets = ("portraits", "emoji", "faces")
    import_formats = PICTURES

    @override
    def encoder(self, config: AutoencoderConfig) -> nn.Module:
        channels = 2 * config.latent_channels
        if config.trunk == "separate":
            return ImageEncoder(
                self.value_channels,
                channels,
                channels=config.encoder_channels,
                size=config.latent_size,
                side=config.resolution,
            )
        if config.trunk == "official":
            from ddmi_core.networks.official.ldm import LdmEncoder

            return LdmEncoder(
                self.value_channels - 1,
                channels,
                channels=config.encoder_channels,
                blocks=config.encoder_blocks,
                inner_channels=config.inner_channels,
                size=config.latent_size,
            )
        return PatchedImageEncoder(
            self.value_channels,
            channels,
            width=config.encoder_channels[-1],
            blocks=config.encoder_blocks,
            patch=config.patch,
            size=config.latent_size,
        )

    @override
    def inputs(self, batch: dict[str, Any]) -> Float[Tensor, "b 4 h w"]:
        return batch["image"]

    @override
    def reconstruction_loss(
        self, values: Float[Tensor, "b n 4"], targets: Float[Tensor, "b n 4"]
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """L1-like; see `colour_loss`."""
        return colour_loss(values, targets)

    @override
    def published_loss(self, values: Float[Tensor, "b n 4"], targets: Float[Tensor, "b n 4"]) -> Float[Tensor, ""]:
        """Absolute errors; see `published_colour_loss`."""
        return published_colour_loss(values, targets)

    @override
    def patch(self, batch: dict[str, Any], side: int, generator: torch.Generator) -> Patch:
        """A random square of the pictures that the encoder sees, at their own footprint."""
        return patch_of(self.inputs(batch), side, generator)

    @override
    def pictures(self, values: Float[Tensor, "b n 4"], side: int) -> Float[Tensor, "b 3 side side"]:
        """As they look on white."""
        return patches_on_white(values, side)

    @override
    def observed(self, source: PictureSource, index: int, kind: Evidence) -> Float[Tensor, "1 3 h w"]:
        return on_white(torch.from_numpy(fixed_draw(source, index)["image"])).unsqueeze(0)

    @override
    def vantage(self, source: PictureSource, index: int, kind: Evidence) -> Vantage:
        """A picture is drawn with as many pixels as the data set's."""
        return Vantage(size=(source.encoded_side, source.encoded_side))

    @override
    def folder(self, path: Path, split: str, progress: Progress | None = None) -> "UserFolder":
        from ddmi_core.data.image_folders import image_folder

        return image_folder(path, split, progress=progress)

    @override
    def items(
        self, source: str, split: str, *, seed: int, queries: int, given: EncoderInput = USUAL_INPUT
    ) -> PictureSource:
        from ddmi_core.data.image_sources import open_pictures

        return open_pictures(
            source,
            split,
            encoded_side=given.side or ENCODED_SIDE,
            queries=queries,
            footprints=(FINEST, COARSEST),
            scales=given.scales,
        )

    @override
    def field(self, readout: BasisReadOut, basis: BasisFields) -> ImageField:
        return DecodedImageField(readout, basis)

    @override
    def read_back(self, field: ImageField, given: EncoderInput) -> dict[str, Tensor]:
        return {"image": field.as_written(given.side or ENCODED_SIDE).unsqueeze(0)}

    @override
    def takes(self, path: Path) -> bool:
        """Animations are clips."""
        return is_picture(path)

    @override
    def _fit_gradually(self, path: Path, plan: FitPlan, progress: Progress | None) -> Iterator[Fit]:
        from ddmi_core.fitting.pictures import fit_picture

        yield fit_picture(path, plan.fidelity, progress)

    @override
    def latent_facts(
        self,
        path: Path,
        source: PictureSource,
        latent: Float[Tensor, "c h w"],
        field: ImageField,
        *,
        roughly: bool = False,
    ) -> FitFacts:
        """With PSNR and SSIM on white, at the file's own size, or reduced to 1024 pixels along the longer side.

        Roughly, it is reduced to what the encoder sees.
        """
        from ddmi_core.data.full_pictures import read_pixels

        picture = Image.fromarray(read_pixels(path))
        width, height = picture.size
        region = in_the_middle(width, height)
        size = pixel_size(region, min(max(width, height), ENCODED_SIDE if roughly else _COMPARED_SIDE))
        truth = np.asarray(picture.convert("RGBa").resize(size, Image.Resampling.BOX).convert("RGBA"))
        seen, wanted = _on_paper(field.render(*size, region=region)), _on_paper(truth)
        figures = {"psnr": min(psnr(seen, wanted), 99.0), "ssim": spread_ssim(seen, wanted)}
        return FitFacts(fidelity="small", size_bytes=latent.nbytes, pixels=(width, height), figures=figures)

    @override
    def fitted(self, fit: Fit) -> FittedImageField:
        return FittedImageField(fit.readout, fit.basis, fit.extent)

    @override
    def read(self, path: Path, *, queries: int, given: EncoderInput = USUAL_INPUT, up: Up = "y") -> PictureSource:
        from ddmi_core.data.image_folders import read_picture
        from ddmi_core.data.image_sources import picture_source

        return picture_source(
            read_picture(path, least_side=1),
            encoded_side=given.side or ENCODED_SIDE,
            queries=queries,
            footprints=(FINEST, COARSEST),
        )

    @override
    def extent(self, path: Path) -> Region:
        from ddmi_core.data.image_folders import picture_size

        return in_the_middle(*picture_size(path))


def _on_paper(straight: UInt8[np.ndarray, "h w 4"]) -> Float[np.ndarray, "h w 3"]:
    """Return how a picture that was written looks on white, values in [0, 1]."""
    values = straight.astype(np.float32) / 255
    return values[..., :3] * values[..., 3:] + 1 - values[..., 3:]
