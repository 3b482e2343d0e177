import pytest
import torch

from ddmi_core.noise import Noise

SHAPE = (4, 32, 32)


def _angle(one: torch.Tensor, other: torch.Tensor) -> float:
    return torch.nn.functional.cosine_similarity(one.flatten(), other.flatten(), dim=0).arccos().item()


def test_a_seed_alone_is_what_its_generator_draws() -> None:
    generator, noise = torch.Generator().manual_seed(7), Noise(7)
    for _ in range(2):
        assert torch.equal(noise.draw(SHAPE), torch.randn(SHAPE, generator=generator))


def test_it_leads_from_one_seed_to_another_and_stays_standard_normal() -> None:
    start, end = Noise(7).draw(SHAPE), Noise(9).draw(SHAPE)
    for difference in (0.1, 0.35, 0.8):
        between = Noise(9, [(7, difference)]).draw(SHAPE)
        assert _angle(start, between) == pytest.approx(difference * _angle(start, end), rel=0.05)
        assert between.std().item() == pytest.approx(1.0, abs=0.03) and abs(between.mean().item()) < 0.03


def test_the_ends_are_the_seeds_themselves() -> None:
    assert torch.equal(Noise(9, [(7, 0.0)]).draw(SHAPE), Noise(7).draw(SHAPE))
    assert torch.equal(Noise(9, [(7, 1.0)]).draw(SHAPE), Noise(9).draw(SHAPE))


def test_what_was_varied_can_be_varied_again() -> None:
    first, second = Noise(9, [(7, 0.3)]).draw(SHAPE), Noise(11, [(7, 0.3), (9, 0.2)]).draw(SHAPE)
    assert _angle(first, second) == pytest.approx(0.2 * _angle(first, Noise(11).draw(SHAPE)), rel=0.05)
    assert torch.equal(Noise(11, [(7, 0.3), (9, 0.0)]).draw(SHAPE), first)


def test_other_attempts_begin_alike_and_go_on_differently() -> None:
    usual, other, again = Noise(9, [(7, 0.3)]), Noise(9, [(7, 0.3)], attempt=1), Noise(9, [(7, 0.3)], attempt=1)
    first = usual.draw(SHAPE)
    assert torch.equal(first, other.draw(SHAPE)) and torch.equal(first, again.draw(SHAPE))
    second = other.draw(SHAPE)
    assert torch.equal(second, again.draw(SHAPE)) and _angle(usual.draw(SHAPE), second) == pytest.approx(1.57, abs=0.05)
    assert _angle(second, Noise(9, [(7, 0.3)], attempt=2).draw(SHAPE)) > 1.5
    assert not torch.equal(second, other.draw(SHAPE))
