"""The networks that features of pictures and clips come from, by name, and what a distance between them may be called.

A distance is called FID or FVD only where the network that defines it made the features; otherwise its name says which
network did. One works offline and comes from a package; the others read a weight file that a person puts into
`weights_folder`.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ddmi_core.metrics.pictures import BACKBONE, FEATURES, SIDE, Backbone
from ddmi_core.support._torchvision import ensure_torchvision
from ddmi_core.support.errors import ModelError
from ddmi_core.support.files import file_digest
from ddmi_core.support.paths import user_data

Takes = Literal["pictures", "clip"]
Extract = Callable[[Tensor], Tensor]
_AT_ONCE = 32


@dataclass(frozen=True)
class FeatureNetwork:
    """What is known of a network before it is loaded.

    `takes` says whether features are taken of single pictures or of a clip, `width` how many there are of each.
    """

    name: str
    title: str
    takes: Takes
    width: int
    resize: str
    load: Callable[[Path | None, torch.device], Extract]
    file: str | None = None
    """Its weight file in `weights_folder`; None where the weights come in a package."""
    source: str = ""
    """Where the weight file is to be had."""
    digest: str | None = None
    """How the SHA-256 of the standard weights begins; None: none was published."""
    distance: str | None = None
    """What the Fréchet distance of its features is called."""


class LoadedNetwork:
    """A network that is ready to take features, and what it has to say of itself in a report."""

    def __init__(self, network: FeatureNetwork, extract: Extract, sha256: str | None) -> None:
        self.network = network
        self.sha256 = sha256
        self._extract = extract

    @torch.no_grad()
    def features(self, shown: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "m f"]:
        """Return the features of values in [0, 1], on the CPU: of each picture, or one of the clip that they make."""
        if self.network.takes == "clip":
            return self._extract(shown).cpu()
        return torch.cat([self._extract(part).cpu() for part in shown.split(_AT_ONCE)])

    @property
    def is_standard(self) -> bool:
        """Whether its weights are those that the literature's figures stand on."""
        known = self.network.digest
        return self.network.distance is not None and (known is None or str(self.sha256).startswith(known))

    @property
    def frechet_name(self) -> str:
        """What the Fréchet distance of its features may be called."""
        standard = self.network.distance
        return standard if standard and self.is_standard else self.named("Fréchet distance")

    def named(self, figure: str) -> str:
        """Return the name of a figure that carries the network's."""
        unknown = self.sha256 is not None and not self.is_standard
        return f"{figure} ({self.network.title}{f', weights {self.sha256:.8}' if unknown else ''})"

    def facts(self) -> dict[str, Any]:
        """Return what a report says of it."""
        network = self.network
        return {
            "name": network.name,
            "title": network.title,
            "features": network.width,
            "resize": network.resize,
            "weights": network.file or "from its package",
            "sha256": self.sha256,
            "standard": self.is_standard,
        }


def weights_folder() -> Path:
    """Return where a person puts weight files of networks that do not come along."""
    return user_data() / "metrics"


def weights_file(network: str, file: str, source: str) -> Path:
    """Return a weight file that a person has put into `weights_folder`.

    Raises:
        ModelError: it is not there; the message names it and the folder.
    """
    path = weights_folder() / file
    if not path.is_file():
        raise ModelError(
            f"{network} needs its weights: there is no {path}. Get {file} from {source} and put it into {path.parent}."
        )
    return path


def load_network(name: str, device: torch.device | str = "cpu") -> LoadedNetwork:
    """Load one of `NETWORKS`.

    Raises:
        ModelError: there is none of that name, its weight file is missing, or it cannot be read.
    """
    network = NETWORKS.get(name)
    if network is None:
        raise ModelError(f"There is no feature network {name!r}; there are: {', '.join(NETWORKS)}.")
    path = None if network.file is None else weights_file(network.title, network.file, network.source)
    try:
        extract = network.load(path, torch.device(device))
    except Exception as error:  # torch raises many kinds: a damaged archive, other weights, other code
        raise ModelError(
            f"{path or network.title} could not be read as weights of {network.title} ({error}). "
            f"Get it again{f' from {network.source}' if network.source else ''}."
        ) from error
    return LoadedNetwork(network, extract, None if path is None else file_digest(path))


def _efficientnet(_: Path | None, device: torch.device) -> Extract:
    backbone = Backbone().to(device)
    return lambda pictures: backbone(pictures.to(device))


def _efficientnet_of_clips(_: Path | None, device: torch.device) -> Extract:
    from ddmi_core.metrics.videos import clip_features

    backbone = Backbone().to(device)
    return lambda frames: torch.cat(clip_features(frames.to(device), backbone)).unsqueeze(0)


def _inception(path: Path | None, device: torch.device) -> Extract:
    ensure_torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    assert path is not None
    torch.load(path, weights_only=True)  # torch-fidelity would run whatever is in it: this refuses all but tensors
    network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path))
    network = network.eval().requires_grad_(False).to(device)
    return lambda pictures: network(_bytes(pictures).to(device))[0]


def _i3d(path: Path | None, device: torch.device) -> Extract:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is, but the weights are published so
        network = torch.jit.load(str(path), map_location=device).eval()

    def extract(frames: Float[Tensor, "t 3 h w"]) -> Float[Tensor, "1 400"]:
        clip = _bytes(frames).to(device).float().movedim(0, 1).unsqueeze(0)
        return network(clip, rescale=True, resize=True, return_features=True)

    return extract


def _bytes(pictures: Tensor) -> Tensor:
    return (pictures.clamp(0, 1) * 255 + 0.5).byte()


_BILINEAR = f"{SIDE}×{SIDE}, bilinear with antialiasing"
OFFLINE: dict[Takes, str] = {"pictures": "efficientnet-lite0", "clip": "efficientnet-lite0-clip"}
"""The networks that come along."""

NETWORKS: dict[str, FeatureNetwork] = {
    network.name: network
    for network in (
        FeatureNetwork(OFFLINE["pictures"], BACKBONE, "pictures", FEATURES, _BILINEAR, _efficientnet),
        FeatureNetwork(
            OFFLINE["clip"],
            f"{BACKBONE}, mean and change over the frames",
            "clip",
            2 * FEATURES,
            _BILINEAR,
            _efficientnet_of_clips,
        ),
        FeatureNetwork(
            "inception-v3",
            "Inception-v3",
            "pictures",
            2048,
            "8 bits a channel, then 299×299, bilinear as TensorFlow 1 does it",
            _inception,
            "weights-inception-2015-12-05-6726825d.pth",
            "https://github.com/toshas/torch-fidelity/releases",
            "6726825d",
            "FID",
        ),
        FeatureNetwork(
            "i3d",
            "I3D",
            "clip",
            400,
            "8 bits a channel, then 224×224 as the network does it itself",
            _i3d,
            "i3d_torchscript.pt",
            "https://github.com/universome/fvd-comparison",
            None,
            "FVD",
        ),
    )
}
"""All networks by name."""
