"""Encoder and basis-field decoder of latent diffusion (Rombach et al. 2022), with the heads of the HDBF (paper 3.1)."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.planes import Planes
from ddmi_core.support._torchvision import ensure_torchvision

ensure_torchvision()

from diffusers.models.autoencoders.vae import Decoder, Encoder  # noqa: E402 - only after torchvision can be imported


class LdmEncoder(nn.Module):
    """Pictures to one plane; what they do not cover is black, as premultiplied colours have it.

    Args:
        in_channels: of the colours that the network gets; pictures have one more, coverage.
        out_channels: of the returned plane.
        channels: widths of the levels, fine to coarse, each half the side of the one before.
        blocks: residual blocks of each level.
        inner_channels: channels, of mean and of variance, before the last layer.
        size: side of the returned plane; pictures have the side size x 2^(len(channels) - 1), others are brought to it
            by averaging areas.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        channels: tuple[int, ...],
        blocks: int,
        inner_channels: int,
        size: int,
    ) -> None:
        super().__init__()
        self.side = size * 2 ** (len(channels) - 1)
        self.body = Encoder(
            in_channels,
            inner_channels,
            down_block_types=("DownEncoderBlock2D",) * len(channels),
            block_out_channels=channels,
            layers_per_block=blocks,
        )
        self.moments = nn.Conv2d(2 * inner_channels, out_channels, 1)

    def forward(self, pictures: Float[Tensor, "b c h w"]) -> Planes:
        """Return the one plane of a batch of pictures: premultiplied colour and coverage in [0, 1]."""
        if pictures.shape[-1] != self.side:
            pictures = F.interpolate(pictures, size=(self.side, self.side), mode="area")
        return (self.moments(self.body(2 * pictures[:, :-1] - 1)),)


class LdmBasisDecoder(nn.Module):
    """One latent plane to basis fields: the maps of the last levels, each through a 1x1 convolution; the last as it is.

    Args:
        latent_channels: of the latent plane.
        channels: widths of the levels, fine to coarse, as for the encoder.
        blocks: residual blocks of each level.
        inner_channels: channels of the plane after the first layer.
        basis_channels: of every basis field.
        levels: how many of the finest levels are basis fields.
    """

    def __init__(
        self,
        latent_channels: int,
        *,
        channels: tuple[int, ...],
        blocks: int,
        inner_channels: int,
        basis_channels: int,
        levels: int,
    ) -> None:
        super().__init__()
        self.lift = nn.Conv2d(latent_channels, inner_channels, 1)
        self.body = Decoder(
            inner_channels,
            basis_channels,
            up_block_types=("UpDecoderBlock2D",) * len(channels),
            block_out_channels=channels,
            layers_per_block=blocks - 1,
        )
        coarse = channels[levels - 1 : 0 : -1]
        self._first = len(channels) - levels
        self.heads = nn.ModuleList(nn.Conv2d(width, basis_channels, 1) for width in coarse)

    def forward(self, latents: Planes) -> BasisFields:
        """Return the basis fields of the latent plane, each level's side double that of the one before."""
        (latent,) = latents
        x = self.body.mid_block(self.body.conv_in(self.lift(latent)))
        fields: list[Float[Tensor, "b c h w"]] = []
        for level, block in enumerate(self.body.up_blocks):
            for resnet in block.resnets:
                x = resnet(x, temb=None)
            if level == len(self.body.up_blocks) - 1:
                break
            if level >= self._first:
                fields.append(self.heads[level - self._first](x))
            for upsampler in block.upsamplers:
                x = upsampler(x)
        fields.append(self.body.conv_out(self.body.conv_act(self.body.conv_norm_out(x))))
        return tuple((field,) for field in fields)
