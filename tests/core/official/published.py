"""What the published weights of an image model mean, by their own names: functions alone, and nothing of ours.

The first evaluation makes weights that are not there yet, so that a checkpoint is had by using it.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

CONFIG: dict[str, Any] = {
    "embed_dim": 4,
    "anchor_resolution": 16,
    "ddconfig": {
        "z_channels": 8,
        "resolution": 16,
        "in_channels": 3,
        "out_ch": 6,
        "ch": 32,
        "ch_mult": [1, 1, 2],
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "hdbf_resolutions": [8, 4],
        "double_z": True,
    },
    "mlpconfig": {"in_ch": 2, "out_ch": 3, "ch": 16, "latent_dim": 6},
    "unetconfig": {
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": 32,
        "attention_resolutions": [2],
        "num_res_blocks": 1,
        "channel_mult": [1, 2],
        "num_head_channels": 16,
    },
    "ddpmconfig": {"timesteps": 1000, "image_size": 4, "channels": 4, "sampling_timesteps": 50},
}


class Weights(dict[str, Tensor]):
    """Weights by name, those that are asked for first made at random."""

    def of(self, name: str, *shape: int) -> Tensor:
        if name not in self:
            fan_in = math.prod(shape[1:]) or 1
            spread = 1.0 if "modulation" in name or name.startswith(("net_res", "torgb")) else fan_in**-0.5
            self[name] = spread * torch.randn(shape)
        return self[name]

    def layer(self, name: str, *shape: int) -> tuple[Tensor, Tensor]:
        return self.of(f"{name}.weight", *shape), self.of(f"{name}.bias", shape[0])

    def convolved(self, x: Tensor, name: str, outputs: int, side: int = 3, **options: Any) -> Tensor:
        options.setdefault("padding", side // 2)
        return F.conv2d(x, *self.layer(name, outputs, x.shape[1], side, side), **options)

    def normalised(self, x: Tensor, name: str, eps: float = 1e-6) -> Tensor:
        return F.group_norm(x, 32, *self.layer(name, x.shape[1]), eps=eps)


def moments(w: Weights, x: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures in [-1, 1] to mean and log-variance."""
    sizes = CONFIG["ddconfig"]
    x = w.convolved(x, "encoder.conv_in", sizes["ch"])
    for level, times in enumerate(sizes["ch_mult"]):
        for block in range(sizes["num_res_blocks"]):
            x = _residual(w, x, f"encoder.down.{level}.block.{block}", sizes["ch"] * times)
        if level < len(sizes["ch_mult"]) - 1:
            padded = F.pad(x, (0, 1, 0, 1))
            x = w.convolved(padded, f"encoder.down.{level}.downsample.conv", x.shape[1], stride=2, padding=0)
    x = F.silu(w.normalised(_middle(w, x, "encoder.mid"), "encoder.norm_out"))
    x = w.convolved(x, "encoder.conv_out", 2 * sizes["z_channels"])
    mean, log_variance = w.convolved(x, "quant_conv", 2 * CONFIG["embed_dim"], 1).chunk(2, dim=1)
    return mean, log_variance


def basis_fields(w: Weights, z: Tensor) -> list[Tensor]:
    """Latents to basis fields, coarse to fine."""
    sizes, fields = CONFIG["ddconfig"], []
    widths = [sizes["ch"] * times for times in sizes["ch_mult"]]
    x = w.convolved(z, "post_quant_conv", sizes["z_channels"], 1)
    x = _middle(w, w.convolved(x, "decoder.conv_in", widths[-1]), "decoder.mid")
    for level in reversed(range(len(widths))):
        for block in range(sizes["num_res_blocks"] + 1):
            x = _residual(w, x, f"decoder.up.{level}.block.{block}", widths[level])
        if level:
            fields.append(w.convolved(x, f"decoder.up.{level}.hdbf.0", sizes["out_ch"], 1))
            x = w.convolved(F.interpolate(x, scale_factor=2), f"decoder.up.{level}.upsample.conv", widths[level])
    return [*fields, w.convolved(F.silu(w.normalised(x, "decoder.norm_out")), "decoder.conv_out", sizes["out_ch"])]


def drawn(w: Weights, fields: list[Tensor], side: int) -> Tensor:
    """Basis fields to a picture in [-1, 1], as many pixels along each side as wished."""
    count, width = len(fields[0]), CONFIG["mlpconfig"]["ch"]
    centres = (2 * torch.arange(side) + 1) / side - 1
    coords = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), dim=-1).expand(count, -1, -1, -1)
    scale = CONFIG["anchor_resolution"] / side
    frequencies = torch.exp(torch.arange(width // 8) * -(math.log(10000) / (width // 8 - 1)))
    waves = torch.cat([(scale * frequencies).sin(), (scale * frequencies).cos()])
    style = F.gelu(F.linear(waves, *w.layer("time_mlp.1", width, width // 4)))
    style = F.linear(style, *w.layer("time_mlp.3", width, width))
    hidden: list[Tensor] = []
    for block, field in enumerate(fields, start=1):
        found = F.grid_sample(field, coords, padding_mode="border", align_corners=False)
        given = torch.cat([*hidden, found, torch.full((count, 2, side, side), scale)], dim=1)
        hidden = [_styled(w, given, style, f"net_res{block}", width)]
    x = _styled(w, hidden[0], style, "net_res4", width)
    return _modulated(w, x, style, "torgb", 3, demodulate=False) + w.of("torgb.bias", 1, 3, 1, 1)


def noise(w: Weights, x: Tensor, t: Tensor) -> Tensor:
    """The noise that the UNet alone sees in noisy latents."""
    sizes = CONFIG["unetconfig"]
    base, blocks, mults = sizes["model_channels"], sizes["num_res_blocks"], sizes["channel_mult"]
    frequencies = torch.exp(-math.log(10000) * torch.arange(base // 2) / (base // 2))
    angles = t[:, None] * frequencies
    time = torch.cat([angles.cos(), angles.sin()], dim=-1)
    time = F.linear(time, *w.layer("model.time_embed.0", 4 * base, base))
    time = F.linear(F.silu(time), *w.layer("model.time_embed.2", 4 * base, 4 * base))
    x = w.convolved(x, "model.input_blocks.0.0", base)
    kept, number = [x], 1
    for level, times in enumerate(mults):
        for _ in range(blocks):
            x = _timed(w, x, time, f"model.input_blocks.{number}", base * times, attends=level > 0)
            kept.append(x)
            number += 1
        if level < len(mults) - 1:
            x = w.convolved(x, f"model.input_blocks.{number}.0.op", base * times, stride=2)
            kept.append(x)
            number += 1
    x = _timed_residual(w, x, time, "model.middle_block.0", x.shape[1])
    x = _timed_residual(w, _attended(w, x, "model.middle_block.1"), time, "model.middle_block.2", x.shape[1])
    number = 0
    for level, times in reversed(list(enumerate(mults))):
        for block in range(blocks + 1):
            joined = torch.cat([x, kept.pop()], dim=1)
            x = _timed(w, joined, time, f"model.output_blocks.{number}", base * times, attends=level > 0)
            if level and block == blocks:
                name = f"model.output_blocks.{number}.{2 if level else 1}.conv"
                x = w.convolved(F.interpolate(x, scale_factor=2), name, x.shape[1])
            number += 1
    return w.convolved(F.silu(w.normalised(x, "model.out.0", 1e-5)), "model.out.2", sizes["out_channels"])


def kept_signal() -> Tensor:
    """Products of 1 - beta, linear in the square roots."""
    roots = torch.linspace(0.0015**0.5, 0.0195**0.5, 1000, dtype=torch.float64)
    return (1 - roots**2).cumprod(0).float()


def mixed_noise(w: Weights, x: Tensor, t: Tensor) -> Tensor:
    """The noise, mixed with that of a standard normal latent."""
    share = w.of("mixing_logit", 1, x.shape[1], 1, 1).sigmoid()
    alone = (1 - kept_signal()[t]).sqrt().view(-1, 1, 1, 1) * x
    return (1 - share) * alone + share * noise(w, x, t)


def sampled(w: Weights, x: Tensor, steps: int) -> Tensor:
    """DDIM without chance, from noise to latents."""
    kept = kept_signal()
    times = [int(t) for t in torch.linspace(-1, 999, steps + 1).int().tolist()][::-1]
    for time, following in itertools.pairwise(times):
        found = mixed_noise(w, x, torch.full((len(x),), time))
        clean = x / kept[time].sqrt() - (1 / kept[time] - 1).sqrt() * found
        if following < 0:
            return clean
        x = kept[following].sqrt() * clean + (1 - kept[following]).sqrt() * found
    raise AssertionError("the last step leads to the time -1")


def _residual(w: Weights, x: Tensor, name: str, width: int) -> Tensor:
    h = w.convolved(F.silu(w.normalised(x, f"{name}.norm1")), f"{name}.conv1", width)
    h = w.convolved(F.silu(w.normalised(h, f"{name}.norm2")), f"{name}.conv2", width)
    return h + (x if x.shape[1] == width else w.convolved(x, f"{name}.nin_shortcut", width, 1))


def _middle(w: Weights, x: Tensor, name: str) -> Tensor:
    width = x.shape[1]
    x = _residual(w, x, f"{name}.block_1", width)
    h = w.normalised(x, f"{name}.attn_1.norm")
    q, k, v = (w.convolved(h, f"{name}.attn_1.{part}", width, 1).flatten(2) for part in "qkv")
    attended = v @ (q.mT @ k / width**0.5).softmax(-1).mT
    x = x + w.convolved(attended.view_as(x), f"{name}.attn_1.proj_out", width, 1)
    return _residual(w, x, f"{name}.block_2", width)


def _modulated(w: Weights, x: Tensor, style: Tensor, name: str, outputs: int, *, demodulate: bool) -> Tensor:
    inputs, width = x.shape[1], len(style)
    weight, bias = w.layer(f"{name}.conv.modulation", inputs, width)
    matrix = w.of(f"{name}.conv.weight", 1, outputs, inputs, 1, 1)[0, :, :, 0, 0] / inputs**0.5
    matrix = matrix * F.linear(style, weight / width**0.5, bias)
    if demodulate:
        matrix = matrix / (matrix.square().sum(1, keepdim=True) + 1e-8).sqrt()
    return torch.einsum("oi,bihw->bohw", matrix, x)


def _styled(w: Weights, x: Tensor, style: Tensor, name: str, width: int) -> Tensor:
    h = x
    for layer in (1, 2, 3):
        h = _modulated(w, h, style, f"{name}.conv{layer}", width, demodulate=True)
        w.of(f"{name}.conv{layer}.noise.weight", 1)  # published, and off
        bias = w.of(f"{name}.conv{layer}.activate.bias", width)
        h = F.leaky_relu(h + bias.view(-1, 1, 1), 0.2) * 2**0.5
    if x.shape[1] != width:
        x = F.conv2d(x, w.of(f"{name}.skip.0.weight", width, x.shape[1], 1, 1) / x.shape[1] ** 0.5)
    return (h + x) / 2**0.5


def _timed_residual(w: Weights, x: Tensor, time: Tensor, name: str, width: int) -> Tensor:
    h = w.convolved(F.silu(w.normalised(x, f"{name}.in_layers.0", 1e-5)), f"{name}.in_layers.2", width)
    h = h + F.linear(F.silu(time), *w.layer(f"{name}.emb_layers.1", width, time.shape[1]))[..., None, None]
    h = w.convolved(F.silu(w.normalised(h, f"{name}.out_layers.0", 1e-5)), f"{name}.out_layers.3", width)
    return h + (x if x.shape[1] == width else w.convolved(x, f"{name}.skip_connection", width, 1))


def _attended(w: Weights, x: Tensor, name: str) -> Tensor:
    count, width, head = len(x), x.shape[1], CONFIG["unetconfig"]["num_head_channels"]
    flat = x.flatten(2)
    h = F.conv1d(w.normalised(flat, f"{name}.norm", 1e-5), *w.layer(f"{name}.qkv", 3 * width, width, 1))
    q, k, v = h.view(count * width // head, 3 * head, -1).split(head, dim=1)
    h = (v @ (q.mT @ k / head**0.5).softmax(-1).mT).reshape(count, width, -1)
    return (flat + F.conv1d(h, *w.layer(f"{name}.proj_out", width, width, 1))).view_as(x)


def _timed(w: Weights, x: Tensor, time: Tensor, name: str, width: int, *, attends: bool) -> Tensor:
    x = _timed_residual(w, x, time, f"{name}.0", width)
    return _attended(w, x, f"{name}.1") if attends else x
