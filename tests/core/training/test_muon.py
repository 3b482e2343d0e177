"""What Muon does to matrices, and that all else is AdamW's."""

import pytest
import torch
from torch import nn

from ddmi_core.networks.uvit import UViT
from ddmi_core.training.muon import Muon, hidden_matrices, orthogonal


@pytest.mark.parametrize("sides", [(48, 96), (96, 48), (64, 64)])
def test_all_directions_count_alike(sides: tuple[int, int]) -> None:
    matrices = torch.randn(3, *sides) * torch.logspace(-1.0, 1.0, sides[1])
    turned = orthogonal(matrices).float()
    values = torch.linalg.svdvals(turned)
    assert turned.shape == matrices.shape
    assert values.max() < 1.4
    assert values.median() > 0.6
    # What the matrix did to a vector, the nearest orthogonal one does in nearly the same direction
    assert (torch.einsum("nab,nab->n", turned, matrices) > 0).all()


def test_the_narrow_ends_of_a_network_and_its_norms_are_not_matrices() -> None:
    network = UViT(8, (8, 8), channels=(32, 64), blocks=(1, 1, 1), head_width=32, text_channels=48)
    found = {id(weight) for weight in hidden_matrices(network)}
    names = {name for name, weight in network.named_parameters() if id(weight) in found}
    assert {"down.0.first.weight", "inside.0.ask.weight", "grow.project.weight"} <= names
    assert not names & {"leave.weight", "place", "norm.norm.weight", "inside.0.norm.weight"}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_convolution_is_a_matrix_of_its_outputs_however_it_lies(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 40, 3, bias=False)
    before = layer.weight.detach().clone()
    layer.to(memory_format=layout)  # type: ignore[call-overload]
    muon = Muon(layer.parameters(), matrices=[layer.weight], lr=0.1, weight_decay=0.0)
    layer.weight.grad = torch.randn(before.shape, generator=torch.Generator().manual_seed(1)).to(memory_format=layout)
    gradient = layer.weight.grad.clone()
    muon.step()
    moved = (before - layer.weight).detach().reshape(1, 40, -1)
    expected = 0.1 * 0.2 * (9 * 32) ** 0.5 * orthogonal(gradient.reshape(1, 40, -1)).float()
    assert torch.allclose(moved, expected, atol=0.02)
    assert layer.weight.grad is None


def test_what_is_no_matrix_takes_the_steps_of_adamw() -> None:
    layers = [nn.Linear(40, 40) for _ in range(2)]
    layers[1].load_state_dict(layers[0].state_dict())
    first = Muon(layers[0].parameters(), matrices=[layers[0].weight], lr=0.01, weight_decay=0.1)
    second = torch.optim.AdamW(layers[1].parameters(), lr=0.01, weight_decay=0.1)
    for layer, optimiser in zip(layers, (first, second), strict=True):
        layer(torch.ones(3, 40)).square().sum().backward()
        optimiser.step()
    assert torch.equal(layers[0].bias, layers[1].bias)
    assert not torch.allclose(layers[0].weight, layers[1].weight, atol=1e-3)


def test_a_step_whose_gradients_overflow_changes_no_matrix() -> None:
    layer, scaler = nn.Linear(40, 40), torch.amp.GradScaler("cpu")
    before = layer.weight.detach().clone()
    muon = Muon(layer.parameters(), matrices=[layer.weight], lr=0.1, fused=True)
    scaler.scale(layer(torch.full((1, 40), 1e30)).square().sum()).backward()
    scaler.unscale_(muon)
    scaler.step(muon)
    assert torch.equal(layer.weight, before)
