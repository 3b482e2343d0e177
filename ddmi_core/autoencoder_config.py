"""The sizes and switches of a D2CVAE."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Setting

from ddmi_core.data.items import USUAL_SURFACE, EncoderInput, SurfacePoints
from ddmi_core.networks.readout import Conditioning

Trunk = Literal["separate", "shared", "official"]


class AutoencoderConfig(BaseModel):
    """Sizes and switches of a D2CVAE; `hdbf` and `conditioning` reproduce the paper's ablation (Table 8)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: str
    latent_channels: int = Setting(8, ge=1)
    latent_size: int = Setting(16, ge=4)
    trunk: Trunk = "separate"
    """How encoder and decoder treat their planes: each with weights of its own, as in version 0.1, or all as one batch
    with a bias of each plane's own, wide where the maps are small and linear where they are large. `official` are the
    networks of the authors' image models, the read-out too: the levels of the encoder are `encoder_channels`, fine to
    coarse, with `encoder_blocks` each; the decoder has them back, with a block more."""
    normals: bool = False
    """Whether an encoder of shapes is given the normals of its points; only with a shared trunk."""
    point_channels: int = Setting(48, ge=8)
    resolution: int | None = Setting(None, ge=16)
    """Pixels along each side of the pictures and frames that an encoder of such is given; none: as many as the domain
    usually has, brought to what suits the encoder. An official trunk wants it; there the read-out's scale is 1."""
    frames: int | None = Setting(None, ge=2)
    """Of the clips that an encoder of such is given, likewise."""
    surface_points: int = Setting(USUAL_SURFACE.count, ge=64)
    """Points of a surface that an encoder of points is given, in training and afterwards."""
    encoder_channels: tuple[int, ...] = Setting((32, 64), min_length=1)
    """Separate trunk: widths of the encoder's levels. Shared trunk: the width of its blocks, and for points before it
    the number of features that they leave in a cell."""
    encoder_blocks: int = Setting(3, ge=1)
    """Blocks of a shared trunk's encoder, all at the size of the latent."""
    patch: int = Setting(4, ge=1)
    """With a shared trunk: pixels, or cells that points are collected into, along each side of a latent's cell."""
    inner_channels: int = Setting(128, ge=1)
    """Of an official trunk: between the latent and the levels."""
    decoder_channels: tuple[int, ...] = Setting((64, 48, 24), min_length=3)
    decoder_blocks: tuple[int, ...] = Setting((2, 2, 0), min_length=3)
    """Widths and residual blocks of the decoder's levels, each twice the side of the one before, the first as large as
    the latent. The basis fields are the last three (hierarchical) or the last one (single)."""
    basis_channels: int = Setting(24, ge=4)
    readout_width: int = Setting(64, ge=8)
    hdbf: Literal["hierarchical", "single"] = "hierarchical"
    conditioning: Conditioning = "coarse_to_fine"

    @property
    def encoder_input(self) -> EncoderInput:
        """What the encoder is given."""
        return EncoderInput(SurfacePoints(self.surface_points), self.resolution, self.frames)

    @model_validator(mode="after")
    def _levels_fit(self) -> "AutoencoderConfig":
        if len(self.decoder_channels) != len(self.decoder_blocks):
            raise ValueError("decoder_channels and decoder_blocks must be equally long: each has an entry a level")
        if self.trunk != "shared" and self.normals:
            raise ValueError("normals are for a shared trunk: set trunk to shared")
        halvings = len(self.encoder_channels) - 1
        if self.trunk == "official" and self.resolution != self.latent_size * 2**halvings:
            raise ValueError(f"the resolution of an official trunk is {2**halvings} times latent_size")
        if self.trunk == "shared":
            mapped = sum(1 for count in self.decoder_blocks if count)
            if not mapped or not all(self.decoder_blocks[:mapped]):
                raise ValueError(
                    "no level of a shared trunk's decoder has blocks after one without, and the first has some"
                )
        return self
