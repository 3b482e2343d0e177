import copy

import pytest
import torch
from torch import Tensor, nn

from ddmi_core.diffusion import DenoiserConfig, LatentDiffusion
from ddmi_core.networks.low_rank import adapt, add_changes, changes
from ddmi_core.text import TextEmbedding

_KINDS = {
    "uvit": DenoiserConfig(kind="uvit", channels=(32, 32), blocks=(1, 1, 1), text_channels=16, prediction="v"),
    "unet2d": DenoiserConfig(kind="unet2d", channels=(32, 32), text_channels=16, mixed=True),
}


@pytest.fixture(params=_KINDS)
def denoiser(request: pytest.FixtureRequest) -> LatentDiffusion:
    torch.manual_seed(0)
    return LatentDiffusion(_KINDS[request.param], (4, 8, 8)).eval()


def _predicted(denoiser: LatentDiffusion) -> Tensor:
    noise = torch.Generator().manual_seed(0)
    text = TextEmbedding(
        torch.randn(2, 3, 16, generator=noise), torch.ones(2, 3).bool(), torch.randn(2, 16, generator=noise)
    )
    return denoiser.predict(torch.randn(2, 4, 8, 8, generator=noise), torch.tensor([3, 700]), text)


def _learned(denoiser: LatentDiffusion) -> None:
    for parameter in denoiser.parameters():
        nn.init.normal_(parameter, std=0.02)


def test_changes_are_none_at_first(denoiser: LatentDiffusion) -> None:
    before = _predicted(denoiser)
    adapt(denoiser, 2)
    assert torch.equal(_predicted(denoiser), before)


def test_changes_that_were_added_predict_what_they_predicted_beside_the_weights(denoiser: LatentDiffusion) -> None:
    for parameter in denoiser.parameters():  # what begins as silence is to be heard, too
        nn.init.normal_(parameter, std=0.1)
    beside = copy.deepcopy(denoiser)
    adapt(beside, 2)
    _learned(beside)
    before = _predicted(denoiser)
    add_changes(denoiser, changes(beside))
    torch.testing.assert_close(_predicted(denoiser), _predicted(beside), atol=1e-5, rtol=1e-5)
    assert (_predicted(denoiser) - before).abs().max() > 1e-3


def test_what_is_learned_is_small_and_all_of_the_state(denoiser: LatentDiffusion) -> None:
    own = sum(parameter.numel() for parameter in denoiser.parameters())
    before = copy.deepcopy(denoiser.state_dict())
    adapt(denoiser, 1)
    learned = changes(denoiser)
    assert 0 < sum(factor.numel() for factor in learned.values()) < own / 8
    assert denoiser.state_dict().keys() == {*learned, "latent_mean", "latent_std"}
    _predicted(denoiser).sum().backward()
    assert all(parameter.grad is not None for parameter in denoiser.parameters())
    buffers = dict(denoiser.named_buffers())
    assert all(torch.equal(buffers[name], tensor) for name, tensor in before.items())


def test_changes_of_another_network_or_in_part_are_refused(denoiser: LatentDiffusion) -> None:
    with pytest.raises(AttributeError):
        add_changes(
            denoiser, {"unet.nowhere.change.down": torch.ones(1, 2), "unet.nowhere.change.up": torch.ones(2, 1)}
        )
    beside = copy.deepcopy(denoiser)
    adapt(beside, 2)
    learned = changes(beside)
    learned.pop(next(name for name in learned if name.endswith("up")))
    with pytest.raises(KeyError):
        add_changes(denoiser, learned)


def test_a_change_that_would_be_larger_than_the_weights_is_left_out() -> None:
    network = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 2))
    adapt(network, 4)
    assert {name.split(".")[0] for name in changes(network)} == {"0"}
