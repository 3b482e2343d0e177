"""What scattered coordinates cannot tell: how a patch of neighbouring samples looks (optional terms beside eq. 9)."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from typing_extensions import override

from ddmi_core.metrics.feature_networks import weights_file
from ddmi_core.metrics.pictures import backbone
from ddmi_core.support._torchvision import ensure_torchvision
from ddmi_core.support.errors import ModelError
from ddmi_core.training.config import PerceptualNetwork, StageOneConfig

ensure_torchvision()

from torchmetrics.functional.image.lpips import _LPIPS  # noqa: E402

CRITIC_BETAS = (0.5, 0.9)
"""AdamW's of the critic in a phase of its own, the official code's."""

_VGG_FILE = "vgg16-397923af.pth"
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


class LpipsDistance(nn.Module):
    """LPIPS (Zhang et al. 2018) by VGG-16, the paper's.

    Raises:
        ModelError: VGG's weights are not where a person puts them; the message says where, and where to get them.
    """

    def __init__(self) -> None:
        super().__init__()
        path = weights_file("LPIPS by VGG-16", _VGG_FILE, f"https://download.pytorch.org/models/{_VGG_FILE}")
        network = _LPIPS(net="vgg", pnet_rand=True)  # whose last layers come along
        try:
            known = torch.load(path, map_location="cpu", weights_only=True)
            places = (name.split(".") for name in network.net.state_dict())  # such as slice2.5.weight
            network.net.load_state_dict(
                {f"{part}.{layer}.{kind}": known[f"features.{layer}.{kind}"] for part, layer, kind in places}
            )
        except Exception as error:  # torch raises many kinds: a damaged archive, other weights, other code
            raise ModelError(f"{path} could not be read as weights of VGG-16 ({error}). Get it again.") from error
        self._network = network

    @override
    def forward(self, made: Float[Tensor, "b 3 h w"], true: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
        """Return the mean distance of patches in [0, 1]."""
        return self._network(made, true, normalize=True).mean()


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


class PublishedCritic(Critic):
    """The official code's: normalised over the batch, a level deeper, scores (b, 1, h / 8 + 1, w / 8 + 1)."""

    def __init__(self, channels: tuple[int, ...] = (64, 128, 256, 512)) -> None:
        blocks: list[nn.Module] = []
        widths = (3, *channels)
        for level, (narrower, width) in enumerate(pairwise(widths)):
            stride = 2 if level < len(channels) - 1 else 1
            layers: list[nn.Module] = [nn.Conv2d(narrower, width, 4, stride=stride, padding=2)]
            if level:  # statistics of the batch alone, never of earlier ones: true and made ones take turns
                layers.append(nn.BatchNorm2d(width, track_running_stats=False))
            blocks.append(nn.Sequential(*layers, nn.LeakyReLU(0.2)))
        nn.Sequential.__init__(self, *blocks, nn.Conv2d(channels[-1], 1, 4, padding=2))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)

    def levels(self, patches: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b _c _h _w"]]:
        """Return what every level makes of patches in [0, 1], the scores last; the critic's weights get no gradient."""
        x, found = 2 * patches - 1, []
        for block in self:
            fixed = {name: weight.detach() for name, weight in block.named_parameters()}
            x = functional_call(block, fixed, (x,))
            found.append(x)
        return found


class PatchTerms(nn.Module):
    """The terms of stage one that look at patches. The critic's weights are trained along with the autoencoder's."""

    def __init__(self, settings: StageOneConfig) -> None:
        super().__init__()
        self._settings = settings
        self.critic: Critic | None = None
        if settings.second_phase is not None:
            self.critic = PublishedCritic()
        elif settings.adversarial_weight:
            self.critic = Critic()
        # Held in a tuple: the network is nobody's to train, to average or to keep in a checkpoint.
        self._distance = (_distance(settings.perceptual_network),) if settings.perceptual_weight else ()

    @staticmethod
    def are_in(settings: StageOneConfig) -> bool:
        """Whether a run has any of them."""
        return bool(settings.perceptual_weight or settings.adversarial_weight or settings.second_phase)

    @override
    def forward(
        self, made: Float[Tensor, "b 3 h w"], true: Float[Tensor, "b 3 h w"], share: float, *, second_phase: bool
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return what is added to the loss, and figures worth recording.

        Args:
            made: patches of the reconstruction, in [0, 1].
            true: the same patches of the data.
            share: of lambda (0..1), by which a critic without a phase of its own is heard; it learns from the start.
            second_phase: whether one with a phase of its own learns and is heard.
        """
        loss = made.new_zeros(())
        figures: dict[str, Tensor] = {}
        for distance in self._distance:
            perceptual = distance.to(made.device)(made, true)
            loss = loss + self._settings.perceptual_weight * perceptual
            figures["perceptual"] = perceptual.detach()
        critic, phase = self.critic, self._settings.second_phase
        if critic is None:
            return loss, figures
        if phase is None:
            learned, objection = critic.loss(made, true), critic.objection(made)
            loss = loss + learned + share * self._settings.adversarial_weight * objection
        elif not second_phase:  # processes exchange the gradients of all weights: these are none
            return loss + 0 * torch.stack([weight.sum() for weight in critic.parameters()]).sum(), figures
        else:
            assert isinstance(critic, PublishedCritic)
            learned = critic.loss(made, true)
            *seen, scores = critic.levels(made)
            objection = -scores.mean()
            pairs = zip(seen, critic.levels(true)[:-1], strict=True)
            apart = torch.stack([F.l1_loss(a, b) for a, b in pairs]).sum()
            loss = loss + learned + phase.adversarial_weight * objection + phase.feature_weight * apart
            figures["critic_features"] = apart.detach()
        return loss, figures | {"critic": learned.detach(), "objection": objection.detach()}


def _distance(network: PerceptualNetwork) -> nn.Module:
    return FeatureDistance() if network == "efficientnet" else LpipsDistance()
