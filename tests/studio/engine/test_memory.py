from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings
from studio.engine.decoded import FieldCache
from studio.engine.pipelines import PipelineCache, load_pipeline
from studio.engine.thread_limit import ThreadLimit
from tests.tiny_model import save_tiny_model

PATIENCE = 30.0  # seconds


@pytest.fixture
def make_cache() -> Iterator[Callable[..., tuple[PipelineCache, list[tuple[str, str]]]]]:
    """Caches of models of 100 bytes each, and what was loaded: folder and device."""
    made: list[PipelineCache] = []

    def make(device: str = "auto") -> tuple[PipelineCache, list[tuple[str, str]]]:
        loaded: list[tuple[str, str]] = []

        def load(folder: Path, where: str) -> Any:
            loaded.append((folder.name, where))
            return SimpleNamespace(nbytes=100, hash=folder.name)

        made.append(PipelineCache(device, load))
        return made[-1], loaded

    yield make
    for cache in made:
        cache.stop()
        assert cache.join(PATIENCE)


def fetch(cache: PipelineCache, *names: str) -> None:
    for name in names:
        cache.get(Path(name), lambda: None)


def settle(cache: PipelineCache) -> None:
    """Wait until the loading thread has measured what it has loaded last."""
    done = threading.Event()
    cache._lane.submit(done.set)
    assert done.wait(PATIENCE)


def test_as_many_models_stay_as_fit_into_the_budget(make_cache) -> None:
    cache, loaded = make_cache()
    cache.set_budget(250)
    fetch(cache, "a", "b", "a", "c")
    settle(cache)
    fetch(cache, "a", "c")
    assert [name for name, _ in loaded] == ["a", "b", "c"]
    fetch(cache, "b")
    assert [name for name, _ in loaded] == ["a", "b", "c", "b"]


def test_a_model_that_goes_takes_its_decoded_items_along(make_cache) -> None:
    cache, _ = make_cache()
    fields = FieldCache(10_000)
    cache.on_dropped = lambda pipeline: fields.forget(pipeline.hash)
    cache.set_budget(100)
    fetch(cache, "a")
    for model in ("a", "b"):
        fields.put(model, "item", SimpleNamespace(nbytes=1))
    fetch(cache, "b")
    settle(cache)
    assert fields.get("a", "item", lambda: SimpleNamespace(nbytes=1, anew=True)).anew
    assert not hasattr(fields.get("b", "item", lambda: SimpleNamespace(nbytes=1)), "anew")


def test_decoded_items_keep_to_a_budget_that_shrinks() -> None:
    fields = FieldCache(100)
    decoded: list[int] = []

    def look(number: int) -> None:
        fields.get("model", number, lambda: decoded.append(number) or SimpleNamespace(nbytes=30))

    for number in (1, 2, 3, 1, 2, 3):
        look(number)
    assert decoded == [1, 2, 3]
    fields.set_budget(60)
    look(1)
    assert decoded == [1, 2, 3, 1]
    fields.forget()
    look(1)
    assert decoded == [1, 2, 3, 1, 1]


def test_another_device_loads_models_anew(make_cache) -> None:
    cache, loaded = make_cache("auto")
    fetch(cache, "a")
    cache.set_device("cpu")
    fetch(cache, "a", "a")
    assert loaded == [("a", "auto"), ("a", "cpu")]


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_cuda_device_that_is_gone_leaves_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    pipeline = load_pipeline(save_tiny_model(tmp_path / "tiny"), device)
    assert pipeline.device.type == "cpu"


def test_models_and_fields_say_what_they_take(tmp_path: Path) -> None:
    pipeline = Pipeline.from_pretrained(save_tiny_model(tmp_path / "tiny"), device="cpu")
    weights = [*pipeline.autoencoder.parameters(), *pipeline.diffusion.parameters()]
    assert pipeline.nbytes == pipeline.text_encoder.nbytes + 4 * sum(one.numel() for one in weights)
    field = pipeline.decode(pipeline.sample(SamplingSettings(steps=1), [0])[0])
    assert field.nbytes == 4 * sum(plane.numel() for planes in field.basis for plane in planes) > 0


def test_threads_are_counted_in_each_lane() -> None:
    limit = ThreadLimit()
    found: list[tuple[int, int, int]] = []

    def lane() -> None:
        limit.count = 0
        limit.apply()
        usual = torch.get_num_threads()
        limit.count = 2
        limit.apply()
        chosen = torch.get_num_threads()
        limit.count = 0
        limit.apply()
        found.append((usual, chosen, torch.get_num_threads()))

    for _ in range(2):
        thread = threading.Thread(target=lane)
        thread.start()
        thread.join(PATIENCE)
    assert found == [(1, 2, 1), (1, 2, 1)]
