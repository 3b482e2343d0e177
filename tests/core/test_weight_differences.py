import torch

from ddmi_core.weight_differences import differences, restored


def test_what_was_trained_on_comes_back_within_a_254th_of_each_rows_largest_difference() -> None:
    torch.manual_seed(0)
    base = {"filter": torch.randn(8, 4, 3, 3).half(), "bias": torch.randn(8).half(), "same": torch.randn(3, 5).half()}
    apart = {name: 0.01 * torch.randn(tensor.shape) for name, tensor in base.items()}
    apart["filter"][0] *= 100  # one row that differs far more spoils no other
    apart["same"].zero_()
    weights = {name: base[name].float() + apart[name] for name in base}
    found = differences(weights, base)
    assert found["filter"].dtype == torch.int8 and found["bias"].dtype == torch.float16
    again = restored(found, base)
    assert again.keys() == weights.keys() and torch.equal(again["same"], weights["same"])
    for name, most in (("filter", apart["filter"].abs().amax(dim=(1, 2, 3), keepdim=True)), ("bias", torch.ones(8))):
        assert ((again[name] - weights[name]).abs() <= most / 250 + 1e-6).all()
