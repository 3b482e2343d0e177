"""Which networks there are, what is said where a weight file is missing, and what a figure may be called."""

import hashlib
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ddmi_core.metrics.feature_networks import NETWORKS, load_network, weights_folder
from ddmi_core.metrics.pictures import FEATURES, features
from ddmi_core.support.errors import ModelError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DDMI_HOME", str(tmp_path))
    weights_folder().mkdir(parents=True)
    return tmp_path


class Pooled(nn.Module):
    """Takes what I3D takes."""

    def forward(
        self, clip: Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False
    ) -> Tensor:
        assert rescale and resize and return_features
        return clip.mean([2, 3, 4]).repeat(1, 134)[:, :400]


def test_the_offline_network_carries_its_name() -> None:
    network = load_network("efficientnet-lite0")
    pictures = torch.rand(3, 3, 40, 40)
    assert torch.allclose(network.features(pictures), features(pictures), atol=1e-5)
    assert network.frechet_name == "Fréchet distance (EfficientNet-lite0)"
    assert network.named("Precision") == "Precision (EfficientNet-lite0)"
    assert network.facts()["features"] == FEATURES and network.facts()["standard"] is False


def test_a_clip_has_one_feature() -> None:
    assert load_network("efficientnet-lite0-clip").features(torch.rand(4, 3, 32, 32)).shape == (1, 2 * FEATURES)


@pytest.mark.parametrize("name", [name for name, network in NETWORKS.items() if network.file])
def test_a_missing_weight_file_is_named_with_its_place(name: str, home: Path) -> None:
    with pytest.raises(ModelError) as error:
        load_network(name)
    assert str(NETWORKS[name].file) in str(error.value) and str(home / "metrics") in str(error.value)


@pytest.mark.parametrize("name", [name for name, network in NETWORKS.items() if network.file])
def test_a_damaged_weight_file_is_named(name: str) -> None:
    (weights_folder() / str(NETWORKS[name].file)).write_bytes(b"nothing")
    with pytest.raises(ModelError, match="could not be read"):
        load_network(name)


def test_only_the_published_weights_make_an_fid(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_fidelity import feature_extractor_inceptionv3 as fidelity

    class Small(nn.Module):
        def __init__(self, name: str, wanted: list[str], feature_extractor_weights_path: str) -> None:
            super().__init__()

        def forward(self, pictures: Tensor) -> tuple[Tensor]:
            assert pictures.dtype == torch.uint8
            return (pictures.float().mean((2, 3)).repeat(1, 683)[:, :2048],)

    monkeypatch.setattr(fidelity, "FeatureExtractorInceptionV3", Small)
    path = weights_folder() / str(NETWORKS["inception-v3"].file)
    torch.save({"weight": torch.zeros(2)}, path)
    network = load_network("inception-v3")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert network.features(torch.rand(2, 3, 8, 8)).shape == (2, 2048)
    assert network.frechet_name == f"Fréchet distance (Inception-v3, weights {digest[:8]})"
    network.sha256 = "6726825d" + digest[8:]
    assert network.frechet_name == "FID"


def test_i3d_is_torchscript_and_sees_bytes() -> None:
    with pytest.warns(DeprecationWarning):
        torch.jit.script(Pooled()).save(str(weights_folder() / "i3d_torchscript.pt"))
    network = load_network("i3d")
    found = network.features(torch.full((5, 3, 8, 8), 0.2))
    assert found.shape == (1, 400) and torch.allclose(found, torch.full((1, 400), 51.0))
    assert network.frechet_name == "FVD" and network.facts()["sha256"]


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ModelError, match="efficientnet-lite0"):
        load_network("vgg")
