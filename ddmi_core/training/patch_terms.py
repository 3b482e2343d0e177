"""What scattered coordinates cannot tell: how a patch of neighbouring samples looks (optional terms beside eq. 9)."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from typing_extensions import override

from ddmi_core.metrics.pictures import backbone

_LEVELS = (0, 2, 4, 7)
"""Blocks of EfficientNet-lite0 whose outputs are compared, at ever smaller shares of the side: 1/2, 1/4, 1/8, 1/16."""


class FeatureDistance(nn.Module):
    """How differently two patches look to EfficientNet-lite0, which stays as it is.

    The squared distance of the features, normalised at every place, averaged over places and summed over levels: LPIPS
    (Zhang et al. 2018) with another network and all channels alike. Distances between sets of pictures that stand on
    the same network (`ddmi_core.metrics.pictures`) flatter a model that was trained with this term.
    """

    def __init__(self) -> None:
        super().__init__()
        self._network = backbone().network

    @override
    def forward(self, made: Float[Tensor, "b 3 h w"], true: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
        """Return the mean distance of patches in [0, 1]."""
        levels = zip(self._features(made), self._features(true), strict=True)
        return torch.stack([(a - b).square().sum(1).mean() for a, b in levels]).sum()

    def _features(self, pictures: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b _c _h _w"]]:
        network = self._network
        x = network._swish(network._bn0(network._conv_stem((pictures * 255 - 127) / 128)))
        found = []
        for index, block in enumerate(network._blocks[: _LEVELS[-1] + 1]):
            x = block(x)
            if index in _LEVELS:
                found.append(F.normalize(x, dim=1))
        return found


class Critic(nn.Sequential):
    """Tells true patches from made ones, piece by piece: (b, 3, h, w) to scores (b, 1, h / 8, w / 8), high for true.

    A PatchGAN (Isola et al. 2017) without normalisation, whose statistics would tell the two batches apart.
    """

    def __init__(self, channels: tuple[int, ...] = (32, 64, 128)) -> None:
        layers: list[nn.Module] = []
        for narrower, width in pairwise((3, *channels)):
            layers += [nn.Conv2d(narrower, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Conv2d(channels[-1], 1, 3, padding=1))

    def loss(self, made: Float[Tensor, "b 3 h w"], true: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
        """Return the hinge loss that teaches the critic; `made` gets no gradient."""
        return F.relu(1 - self(2 * true - 1)).mean() + F.relu(1 + self(2 * made.detach() - 1)).mean()

    def objection(self, made: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
        """Return the loss that teaches whoever made the patches; the critic's weights get no gradient."""
        fixed = {name: weight.detach() for name, weight in self.named_parameters()}
        return -functional_call(self, fixed, (2 * made - 1,)).mean()


class PatchTerms(nn.Module):
    """The terms of stage one that look at patches. The critic's weights are trained along with the autoencoder's.

    Args:
        perceptual_weight: of the feature distance.
        adversarial_weight: of the critic's objections.
    """

    def __init__(self, perceptual_weight: float, adversarial_weight: float) -> None:
        super().__init__()
        self.perceptual_weight, self.adversarial_weight = perceptual_weight, adversarial_weight
        self.critic = Critic() if adversarial_weight else None
        # Held in a tuple: the network is nobody's to train, to average or to keep in a checkpoint.
        self._distance = (FeatureDistance(),) if perceptual_weight else ()

    @override
    def forward(
        self, made: Float[Tensor, "b 3 h w"], true: Float[Tensor, "b 3 h w"], share: float
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return what is added to the loss, and figures worth recording.

        Args:
            made: patches of the reconstruction, in [0, 1].
            true: the same patches of the data.
            share: of the adversarial weight (0..1); the critic learns from the start, but is heard only later.
        """
        loss = made.new_zeros(())
        figures: dict[str, Tensor] = {}
        for distance in self._distance:
            perceptual = distance.to(made.device)(made, true)
            loss = loss + self.perceptual_weight * perceptual
            figures["perceptual"] = perceptual.detach()
        if self.critic is not None:
            learned, objection = self.critic.loss(made, true), self.critic.objection(made)
            loss = loss + learned + share * self.adversarial_weight * objection
            figures |= {"critic": learned.detach(), "objection": objection.detach()}
        return loss, figures
