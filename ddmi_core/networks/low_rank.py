"""Changes of low rank to a network whose own weights stay as they are (LoRA; Hu et al. 2021).

A layer's W x becomes W x + U (D x), where D makes `rank` channels of what the layer reads, and U makes of these as many
as it gives. Only D and U are learned: of a denoiser a few parts in a hundred of its weights. Learned, they are added to
W, so that a changed network is as fast as the one it was made of.
"""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import override

_DOWN, _UP = ".change.down", ".change.up"


def adapt(module: nn.Module, rank: int) -> None:
    """Let a network learn changes of its linear layers and convolutions alone, which are none at first.

    Its own weights become buffers that are not among its state: parameters, state, averages and checkpoints are those
    of the changes, and of the buffers that were part of the state before. Layers for which the changes would be more
    numbers than the weights are left out.
    """
    layers = [
        part
        for part in module.modules()
        if isinstance(part, nn.Linear | nn.Conv2d)
        and rank * (len(part.weight) + part.weight[0].numel()) < part.weight.numel()
        and (isinstance(part, nn.Linear) or (part.groups == 1 and part.padding_mode == "zeros"))
    ]
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            delattr(part, name)
            part.register_buffer(name, parameter.detach(), persistent=False)
    for layer in layers:
        layer.change = _Change(layer, rank)
        layer.register_forward_hook(_with_change)


def changes(module: nn.Module) -> dict[str, Tensor]:
    """Return what a network that was adapted has learned, by the names of its state."""
    return {name: parameter.detach() for name, parameter in module.named_parameters()}


@torch.no_grad()
def add_changes(module: nn.Module, learned: Mapping[str, Tensor]) -> None:
    """Add changes to the weights of the network that they were learned for, which was not adapted.

    Raises:
        AttributeError, KeyError, RuntimeError: they are of another network, or not all there.
    """
    for name in learned.keys() - {name.removesuffix(_DOWN) + _UP for name in learned}:
        weight = module.get_submodule(name.removesuffix(_DOWN)).weight
        assert isinstance(weight, Tensor)
        down, up = (learned[name.removesuffix(_DOWN) + end].to(weight) for end in (_DOWN, _UP))
        weight.add_((up @ down.flatten(1)).view(weight.shape))


class _Change(nn.Module):
    """What one layer learns."""

    def __init__(self, layer: nn.Linear | nn.Conv2d, rank: int) -> None:
        super().__init__()
        # So large that a step changes the product by about as much as it would have changed the weights: learning
        # rates mean the same, whatever the rank
        self.down = nn.Parameter(torch.randn(rank, *layer.weight.shape[1:]) / math.sqrt(rank))
        self.up = nn.Parameter(torch.zeros(len(layer.weight), rank))

    @override
    def forward(self, layer: nn.Linear | nn.Conv2d, x: Tensor) -> Tensor:
        if isinstance(layer, nn.Linear):
            return F.linear(F.linear(x, self.down), self.up)
        few = F.conv2d(x, self.down, None, layer.stride, layer.padding, layer.dilation)
        return F.conv2d(few, self.up[:, :, None, None])


def _with_change(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    change: _Change = layer.change  # type: ignore[assignment]
    return output + change(layer, inputs[0])
