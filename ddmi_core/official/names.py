"""Which published weight each of ours is: its name there, and how it is laid out differently."""

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.diffusion import DenoiserConfig


class Published(NamedTuple):
    """A published weight, and how it becomes ours."""

    name: str
    turned: Callable[[Tensor], Tensor] = lambda weight: weight


Rule = tuple[str, Callable[..., str | Published]]
"""A pattern of our names, and what makes the published one of its groups."""

_RESIDUAL = {"norm1": "norm1", "conv1": "conv1", "norm2": "norm2", "conv2": "conv2", "conv_shortcut": "nin_shortcut"}
_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_ADM_RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {"conv_norm_out": "norm_out"}
_CONVOLUTION = 4
"""Axes of its weight; those of a convolution of single cells that is a matrix with us have the length 1."""


def published_name(ours: str, rules: Sequence[Rule]) -> Published:
    """Return the published weight that one of ours is; exactly one rule is about it."""
    for pattern, make in rules:
        if match := re.fullmatch(pattern, ours):
            made = make(*match.groups())
            return made if isinstance(made, Published) else Published(made)
    raise KeyError(ours)


def autoencoder_rules(config: AutoencoderConfig) -> list[Rule]:
    """Return the rules of encoder and decoder."""
    last = len(config.encoder_channels) - 1
    first_head = last - 2  # of three basis fields the last needs none
    part = r"(encoder|decoder)\.body\."
    return [
        (r"encoder\.moments\.(.+)", lambda end: f"quant_conv.{end}"),
        (r"decoder\.lift\.(.+)", lambda end: f"post_quant_conv.{end}"),
        (r"decoder\.heads\.(\d+)\.(.+)", lambda i, end: f"decoder.up.{last - first_head - int(i)}.hdbf.0.{end}"),
        (rf"{part}(conv_in|conv_norm_out|conv_out)\.(.+)", lambda of, x, end: f"{of}.{_ENDS.get(x, x)}.{end}"),
        (
            rf"{part}mid_block\.resnets\.(\d)\.(\w+)\.(.+)",
            lambda of, i, x, end: f"{of}.mid.block_{int(i) + 1}.{_RESIDUAL[x]}.{end}",
        ),
        (
            rf"{part}mid_block\.attentions\.0\.(group_norm|to_\w|to_out\.0)\.(.+)",
            lambda of, x, end: Published(f"{of}.mid.attn_1.{_ATTENTION[x]}.{end}", _as_matrix),
        ),
        (
            rf"{part}down_blocks\.(\d+)\.resnets\.(\d+)\.(\w+)\.(.+)",
            lambda of, i, j, x, end: f"{of}.down.{i}.block.{j}.{_RESIDUAL[x]}.{end}",
        ),
        (
            rf"{part}up_blocks\.(\d+)\.resnets\.(\d+)\.(\w+)\.(.+)",
            lambda of, i, j, x, end: f"{of}.up.{last - int(i)}.block.{j}.{_RESIDUAL[x]}.{end}",
        ),
        (rf"{part}down_blocks\.(\d+)\.downsamplers\.0\.(.+)", lambda of, i, end: f"{of}.down.{i}.downsample.{end}"),
        (rf"{part}up_blocks\.(\d+)\.upsamplers\.0\.(.+)", lambda of, i, end: f"{of}.up.{last - int(i)}.upsample.{end}"),
    ]


def readout_rules() -> list[Rule]:
    """Return the rules of the read-out, whose matrices are scaled by their number of inputs only when they are used."""
    return [
        (r"readout\.style\.(\d)\.(.+)", lambda i, end: f"time_mlp.{i}.{end}"),
        (
            r"readout\.blocks\.(\d)\.layers\.(\d)\.(.+)",
            lambda i, j, end: _modulated(f"net_res{int(i) + 1}.conv{int(j) + 1}", end),
        ),
        (
            r"readout\.blocks\.(\d)\.biases\.(\d)",
            lambda i, j: f"net_res{int(i) + 1}.conv{int(j) + 1}.activate.bias",
        ),
        (
            r"readout\.blocks\.(\d)\.skip\.weight",
            lambda i: Published(f"net_res{int(i) + 1}.skip.0.weight", _scaled_matrix),
        ),
        (r"readout\.out\.(.+)", lambda end: _modulated("torgb", end)),
        (r"readout\.out_bias", lambda: Published("torgb.bias", lambda bias: bias.flatten())),
    ]


def denoiser_rules(config: DenoiserConfig) -> list[Rule]:
    """Return the rules of the denoiser: blocks are counted through all levels, and heads keep theirs together.

    Its weight of mixing is that of the network, ours that of a normal latent.
    """
    a_level = config.layers_per_block + 1

    def residual(where: str, of: str, end: str) -> str:
        return f"model.{where}.{_ADM_RESIDUAL[of]}.{end}"

    def attention(where: str, of: str, end: str) -> Published:
        if of in _QKV:
            return Published(f"model.{where}.qkv.{end}", lambda joined: _part(joined, _QKV[of], config.head_width))
        return Published(f"model.{where}.{'norm' if of == 'group_norm' else 'proj_out'}.{end}", _as_matrix)

    def down(level: str, block: str) -> str:
        return f"input_blocks.{1 + a_level * int(level) + int(block)}"

    def up(level: str, block: str) -> str:
        return f"output_blocks.{a_level * int(level) + int(block)}"

    of, heads = r"(norm\d|conv\d|time_emb_proj|conv_shortcut)\.(.+)", r"(group_norm|to_\w|to_out\.0)\.(.+)"
    coarse = len(config.channels) - 1
    return [
        (r"mixing", lambda: Published("mixing_logit", lambda logit: -logit.reshape(-1, 1, 1))),
        (r"unet\.time_embedding\.linear_(\d)\.(.+)", lambda i, end: f"model.time_embed.{2 * int(i) - 2}.{end}"),
        (r"unet\.conv_in\.(.+)", lambda end: f"model.input_blocks.0.0.{end}"),
        (r"unet\.conv_norm_out\.(.+)", lambda end: f"model.out.0.{end}"),
        (r"unet\.conv_out\.(.+)", lambda end: f"model.out.2.{end}"),
        (rf"unet\.mid_block\.resnets\.(\d)\.{of}", lambda i, x, end: residual(f"middle_block.{2 * int(i)}", x, end)),
        (rf"unet\.mid_block\.attentions\.0\.{heads}", lambda x, end: attention("middle_block.1", x, end)),
        (rf"unet\.down_blocks\.(\d+)\.resnets\.(\d+)\.{of}", lambda i, j, x, end: residual(f"{down(i, j)}.0", x, end)),
        (rf"unet\.up_blocks\.(\d+)\.resnets\.(\d+)\.{of}", lambda i, j, x, end: residual(f"{up(i, j)}.0", x, end)),
        (
            rf"unet\.down_blocks\.(\d+)\.attentions\.(\d+)\.{heads}",
            lambda i, j, x, end: attention(f"{down(i, j)}.1", x, end),
        ),
        (
            rf"unet\.up_blocks\.(\d+)\.attentions\.(\d+)\.{heads}",
            lambda i, j, x, end: attention(f"{up(i, j)}.1", x, end),
        ),
        (
            r"unet\.down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.+)",
            lambda i, end: f"model.{down(i, str(a_level - 1))}.0.op.{end}",
        ),
        (
            r"unet\.up_blocks\.(\d+)\.upsamplers\.0\.conv\.(.+)",
            lambda i, end: f"model.{up(i, str(a_level - 1))}.{2 if int(i) < coarse else 1}.conv.{end}",
        ),
    ]


_QKV = {"to_q": 0, "to_k": 1, "to_v": 2}


def _as_matrix(weight: Tensor) -> Tensor:
    return weight.flatten(1).contiguous() if weight.dim() > 1 else weight


def _scaled_matrix(weight: Tensor) -> Tensor:
    matrix = weight.reshape(weight.shape[-4:-2] if weight.dim() >= _CONVOLUTION else weight.shape)
    return matrix / math.sqrt(matrix.shape[-1])


def _modulated(layer: str, end: str) -> Published:
    return Published(f"{layer}.conv.{end}", _scaled_matrix if end.endswith("weight") else lambda bias: bias)


def _part(joined: Tensor, index: int, head_width: int) -> Tensor:
    """Queries, keys or values out of the matrix, or bias, in which every head's lie together."""
    by_head = joined.reshape(-1, 3, head_width, *joined.shape[1:])[:, index]
    return _as_matrix(by_head.flatten(0, 1))
