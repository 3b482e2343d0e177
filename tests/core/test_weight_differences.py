import torch

from ddmi_core.weight_differences import differences, restored


def test_what_was_trained_on_comes_back_within_a_14th_of_the_largest_difference_near_it() -> None:
    torch.manual_seed(0)
    base = {"filter": torch.randn(8, 5, 3, 3).half(), "bias": torch.randn(8).half(), "same": torch.randn(3, 5).half()}
    apart = {name: 0.01 * torch.randn(tensor.shape) for name, tensor in base.items()}
    apart["filter"].flatten()[:64] *= 100  # values that differ far more spoil no others
    apart["same"].zero_()
    weights = {name: base[name].float() + apart[name] for name in base}
    found = differences(weights, base)
    assert found["filter"].dtype == torch.uint8 and found["filter"].numel() == 6 * 32  # of 360 values
    assert found["bias"].dtype == torch.float16
    again = restored(found, base)
    assert again.keys() == weights.keys() and torch.equal(again["same"], weights["same"])
    assert torch.allclose(again["bias"], weights["bias"], atol=1e-5)
    off, true = (again["filter"] - weights["filter"]).flatten().abs(), apart["filter"].flatten().abs()
    for part in (slice(0, 64), slice(64, 128), slice(320, 360)):
        assert 0 < off[part].max() <= true[part].max() / 13.9


def test_what_is_kept_again_stays_as_it_is() -> None:
    torch.manual_seed(0)
    base = {"matrix": torch.randn(40, 70)}
    once = restored(differences({"matrix": base["matrix"] + 0.01 * torch.randn(40, 70)}, base), base)
    assert torch.allclose(restored(differences(once, base), base)["matrix"], once["matrix"], atol=1e-6)


def test_differences_in_8_bits_are_read_as_before() -> None:
    base = {"matrix": torch.zeros(2, 3)}
    found = {
        "matrix": torch.tensor([[1, -2, 127], [0, 4, -127]], dtype=torch.int8),
        "matrix.scale": torch.tensor([0.5, 2.0]).half(),
    }
    assert restored(found, base)["matrix"].tolist() == [[0.5, -1, 63.5], [0, 8, -254]]
