"""Exponential moving average of a module's weights (EMA)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AveragedWeights:
    """The average of all floating-point tensors of a module's state; the rest is copied."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move towards the module's weights; early steps count for more, so that the start is soon forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, tensor in module.state_dict().items():
            average = self.weights[name]
            if tensor.is_floating_point():
                average.lerp_(tensor.to(average.dtype), 1 - decay)
            else:
                average.copy_(tensor)

    @contextmanager
    def applied(self, module: nn.Module) -> Iterator[None]:
        """Run with the averaged weights in the module, then put its own back."""
        own: dict[str, Tensor] = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
        module.load_state_dict(self.weights)
        try:
            yield
        finally:
            module.load_state_dict(own)
