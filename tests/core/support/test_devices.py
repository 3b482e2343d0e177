import pytest
import torch

from ddmi_core.support.devices import autocast, fastest_precision, pick_device, precision_of, sampling_precision
from ddmi_core.support.errors import ModelError


@pytest.mark.parametrize(("name", "what"), [("cuda:2", "cuda:1"), ("gpu", "no device"), ("mps", "Apple")])
def test_devices_that_are_not_there_are_named(name: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ModelError, match=what):
        pick_device(name)


@pytest.mark.parametrize(("cuda", "mps", "kind"), [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_auto_takes_the_best_there_is(cuda: bool, mps: bool, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto").type == kind


@pytest.mark.parametrize(("has_bfloat16", "precision"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_that_would_emulate_bfloat16_trains_in_float16(
    has_bfloat16: bool, precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or has_bfloat16
    )
    monkeypatch.setattr(torch.cuda.device, "__enter__", lambda self: None)
    monkeypatch.setattr(torch.cuda.device, "__exit__", lambda self, *_: False)
    assert fastest_precision(torch.device("cuda:0")) == precision
    assert precision_of("float32", torch.device("cuda:0")) == torch.float32


def test_only_drafts_are_rounded_as_is_fastest_for_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert sampling_precision(torch.device("cpu")) == torch.float32
    assert sampling_precision(torch.device("cpu"), draft=True) == torch.bfloat16


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16, torch.float16])
def test_products_are_computed_in_the_precision(precision: torch.dtype) -> None:
    with autocast(torch.device("cpu"), precision):
        assert torch.nn.functional.linear(torch.ones(2, 2), torch.ones(2, 2)).dtype == precision
