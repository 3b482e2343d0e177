"""Latents of stage two: kept in a file that is never in memory, made in parts that outlast a kill and a full disk."""

import json
import os
import pickle
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.data.items import ItemSource, Mixture
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.support.errors import DDMIError
from ddmi_core.text import load_text_encoder
from ddmi_core.training import latents as module
from ddmi_core.training import run as run_module
from ddmi_core.training.config import RunConfig
from ddmi_core.training.diffusion_stage import DiffusionStage
from ddmi_core.training.latent_scale import ChannelStatistics, LatentScale
from ddmi_core.training.latents import CachedLatents, CaptionedLatents, cached_latents, remove_latents
from ddmi_core.training.run import train
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.tensor_file import PartsFile, StoredRows
from tests.core.training.quick import quick


class _Killed(BaseException):
    pass


class _Points(ItemSource):
    """Signals that take no time to draw."""

    def __len__(self) -> int:
        return 5

    def sample(self, index: int, rng: np.random.Generator, *, augment: str) -> dict[str, np.ndarray]:
        return {"points": (rng.random((64, 3)) * (index + 1) / 5).astype(np.float32)}

    def captions(self, index: int) -> list[str]:
        return [f"number {index}", "some points\nin space"][: index % 3]

    def thumbnail(self, index: int, size: int) -> np.ndarray:
        raise NotImplementedError


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    mixture = Mixture([_Points()], [1.0])
    held_out = {"points": torch.rand(3, 64, 3, generator=torch.Generator().manual_seed(0))}
    monkeypatch.setattr(module, "open_mixture", lambda *_, **__: mixture)
    monkeypatch.setattr(module, "held_out_batch", lambda *_: held_out)
    monkeypatch.setattr(module, "HELD_OUT", 3)
    monkeypatch.setattr(module, "ENCODE_BATCH", 2)


@pytest.fixture(scope="module")
def encoder() -> Any:
    return load_text_encoder(quick().text_encoder)


class _Maker:
    """Makes the latents of a run with an autoencoder that always has the same weights."""

    def __init__(self, folder: Path, encoder: Any, *settings: str) -> None:
        self.config: RunConfig = quick("stage2.cached_latents=7", *settings)
        self.run = RunFolder(folder)
        self.run.create(self.config.to_yaml())
        torch.manual_seed(0)
        self.autoencoder = D2CVAE(self.config.autoencoder).eval()
        self.encoder = encoder
        self.said: list[str] = []

    def make(self, between: Callable[[], object] = lambda: None) -> CachedLatents:
        return cached_latents(
            self.config,
            self.autoencoder,
            self.encoder,
            self.run,
            Accelerator(cpu=True),
            say=self.said.append,
            between=between,
        )

    def killed_after(self, batches: int) -> None:
        left = iter(range(batches))

        def kill() -> None:
            if next(left, None) is None:
                raise _Killed

        with pytest.raises(_Killed):
            self.make(kill)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.run.cache.iterdir())}


@pytest.fixture
def maker(tmp_path: Path, encoder: Any, quickly: None) -> Callable[..., _Maker]:
    return lambda name, *settings: _Maker(tmp_path / name, encoder, *settings)


def test_encoding_goes_on_where_it_was_killed(maker: Callable[..., _Maker]) -> None:
    whole, parts = maker("whole"), maker("parts")
    whole.make()
    parts.killed_after(2)
    partial = parts.run.cache / "latents.partial"
    assert partial.exists() and not (parts.run.cache / "latents.safetensors").exists()
    # A part that was being written when the process ended
    with partial.open("ab") as file:
        file.write(b"half")
    with (parts.run.cache / "captions.jsonl").open("a") as lines:
        lines.write('["half of a line')
    encoded: list[int] = []
    parts.make(lambda: encoded.append(1))
    assert len(encoded) == 2 + 1  # and a batch of captions
    assert parts.said[-2] == "4 of 7 examples are encoded already"
    made = load_file(whole.run.cache / "latents.safetensors")
    assert made["latents"].shape == (7, *whole.autoencoder.canvas_shape) and made["latents"].float().std() > 0
    assert parts.files() == whole.files()


def test_captions_tell_their_progress_and_can_be_stopped(
    maker: Callable[..., _Maker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAY_SECONDS", 0.0)
    monkeypatch.setattr(module, "_EMBED_BATCH", 2)
    made = maker("run")
    made.killed_after(4)  # batches of latents; then after the first one of captions
    assert re.fullmatch(r"encoded 2 of \d captions, about 1 min left", made.said[-1])
    assert sorted(made.files()) == ["captions.jsonl", "latents.json", "latents.safetensors"]
    latents = made.make()
    words = latents.texts.mask[:].sum(1)
    assert words.tolist() == sorted(words.tolist()) and words[0] == 2  # shortest first, before all the empty text


def test_nothing_is_encoded_twice(maker: Callable[..., _Maker], monkeypatch: pytest.MonkeyPatch) -> None:
    one = maker("run")
    first = one.make()
    monkeypatch.setattr(module, "encoded", lambda *_: pytest.fail("encoded again"))
    monkeypatch.setattr(one.encoder, "encode", lambda _: pytest.fail("captions encoded again"))
    again = one.make()
    assert torch.equal(first.latents[3], again.latents[3]) and torch.equal(first.scale.std, again.scale.std)


def test_a_kill_before_the_last_name_is_survived(maker: Callable[..., _Maker], monkeypatch: pytest.MonkeyPatch) -> None:
    one = maker("run")
    with monkeypatch.context() as patch:
        patch.setattr(module._Store, "complete", lambda _: (_ for _ in ()).throw(_Killed))
        with pytest.raises(_Killed):
            one.make()
    monkeypatch.setattr(module, "_encode", lambda *_: pytest.fail("encoded again"))
    assert len(one.make().latents) == 7


def test_latents_of_another_autoencoder_or_other_data_are_made_anew(maker: Callable[..., _Maker]) -> None:
    one = maker("run")
    before = one.make().latents[0].clone()
    with torch.no_grad():
        next(one.autoencoder.parameters()).add_(0.5)
    after = one.make().latents[0]
    assert not torch.equal(before, after) and any(
        "of another autoencoder or of other data" in text for text in one.said
    )
    other = maker("run", "seed=5")
    other.autoencoder = one.autoencoder
    other.make()
    assert any("latents.safetensors is of another autoencoder" in text for text in other.said)


def test_a_part_of_another_autoencoder_is_not_gone_on_with(maker: Callable[..., _Maker]) -> None:
    one = maker("run")
    one.killed_after(2)
    with torch.no_grad():
        next(one.autoencoder.parameters()).add_(0.5)
    fresh = maker("fresh")
    fresh.autoencoder = one.autoencoder
    fresh.make()
    one.make()
    assert any("latents.partial is of another autoencoder" in text for text in one.said)
    assert one.files() == fresh.files()


@pytest.mark.parametrize("name", ["latents.partial", "latents.json", "captions.jsonl"])
def test_a_damaged_part_is_made_anew(maker: Callable[..., _Maker], name: str) -> None:
    whole, damaged = maker("whole"), maker("damaged")
    whole.make()
    damaged.killed_after(2)
    (damaged.run.cache / name).write_bytes(b"{}")
    damaged.make()
    assert any("damaged" in text and "made anew" in text for text in damaged.said)
    assert damaged.files() == whole.files()


def test_a_file_that_was_cut_short_is_made_anew(maker: Callable[..., _Maker]) -> None:
    one = maker("run")
    one.make()
    path = one.run.cache / "latents.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    one.make()
    assert path.read_bytes() == content and any("cut short" in text for text in one.said)


def test_a_full_disk_stops_cleanly_and_encoding_resumes(
    maker: Callable[..., _Maker], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, filled = maker("whole"), maker("filled")
    whole.make()
    original, room = PartsFile.write, iter(range(3))  # the held-out part and two batches

    def write(self: PartsFile, name: str, start: int, rows: torch.Tensor) -> None:
        if next(room, None) is None:
            raise OSError(28, "No space left on device")
        original(self, name, start, rows)

    with monkeypatch.context() as patch:
        patch.setattr(PartsFile, "write", write)
        with pytest.raises(DDMIError, match=r"No space left on device.*4 of 7 are kept: make room"):
            filled.make()
    filled.make()
    assert "4 of 7 examples are encoded already" in filled.said
    assert filled.files() == whole.files()


def test_a_disk_that_is_full_at_any_write_loses_nothing(
    maker: Callable[..., _Maker], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = maker("whole")
    synced: list[int] = []
    original = os.fsync

    def counted(file: int) -> None:
        synced.append(file)
        original(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted)
        whole.make()
    for successes in range(len(synced)):
        one, left = maker(f"full-{successes}"), iter(range(successes))

        def full(file: int, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise OSError(28, "No space left on device")
            original(file)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(DDMIError, match=r"No space left on device.*make room"):
                one.make()
        one.make()
        assert one.files() == whole.files(), f"after {successes} writes"


def test_too_little_room_is_said_before_the_work(maker: Callable[..., _Maker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    monkeypatch.setattr(module, "encoded", lambda *_: pytest.fail("worked"))
    with pytest.raises(DDMIError, match=r"GB left\. Make room, then resume; or take fewer"):
        maker("run").make()


def test_latents_of_old_runs_are_read(maker: Callable[..., _Maker], monkeypatch: pytest.MonkeyPatch) -> None:
    one, original = maker("run"), module._encode
    shape = (7, *one.autoencoder.canvas_shape)
    old = {"latents": torch.randn(shape) * 2 + 1, "held_out": torch.randn(3, *shape[1:])}
    old = {name: tensor.half() for name, tensor in old.items()} | {"captions": torch.tensor([[2, 1]] * 7)}
    save_file(old, one.run.cache / "latents.safetensors", {"texts": "\na chair\na low chair"})
    monkeypatch.setattr(module, "_encode", lambda *_: pytest.fail("encoded again"))
    made = one.make()
    assert torch.equal(made.latents[2], old["latents"][2])
    torch.testing.assert_close(made.scale.mean, old["latents"].float().mean((0, 2, 3)))
    torch.testing.assert_close(made.scale.std, old["latents"].float().std((0, 2, 3)))
    chair = one.encoder.encode(["a low chair"])
    torch.testing.assert_close(made.texts.pooled[int(made.captions[0][0])], chair.pooled[0].half())
    fewer = maker("fewer", "stage2.cached_latents=5")
    shutil.copy(one.run.cache / "latents.safetensors", fewer.run.cache)
    monkeypatch.setattr(module, "_encode", original)
    fewer.make()
    assert "holds no 5 latents as run.yaml asks for: the latents are made anew" in fewer.said[0]


def _large(tmp_path: Path, rows: int) -> CachedLatents:
    shape = (rows, 64, 32, 32)
    file = PartsFile(tmp_path / "large", {"latents": (torch.float16, shape)}, {})
    file.write("latents", rows - 1, torch.ones(1, *shape[1:]).half())  # before it the file has holes, which are zero
    texts = module.EmbeddedTexts(torch.zeros(1, 4, 8), torch.ones(1, 4).bool(), torch.zeros(1, 8))
    latents = StoredRows(tmp_path / "large", "latents")
    captions = torch.zeros(rows, 1, dtype=torch.int64)
    return CachedLatents(latents, None, captions, texts, latents, LatentScale(torch.zeros(64), torch.ones(64)))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is counted by Linux")
def test_neither_the_file_nor_a_copy_is_in_memory(tmp_path: Path) -> None:
    made = _large(tmp_path, 4000)  # half a gigabyte
    draws = CaptionedLatents(made, 0, 0.1)

    def own_memory() -> int:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
        assert found is not None
        return int(found[1]) * 1024

    draws[0]
    before = own_memory()
    for number in range(100):
        draws[number]
    assert own_memory() - before < 2**25
    assert len(pickle.dumps(draws)) < 100_000  # what a worker process is given
    assert (pickle.loads(pickle.dumps(made.latents))[3999] == 1).all()


def test_posterior_samples_vary_about_the_mean_as_they_should(maker: Callable[..., _Maker]) -> None:
    means, samples = maker("means"), maker("samples", "stage2.posterior_samples=true")
    stages = []
    for one in (means, samples):
        diffusion = LatentDiffusion(one.config.denoiser, one.autoencoder.canvas_shape)
        stages.append(DiffusionStage(one.config, one.autoencoder, diffusion, one.encoder, one.make()))
    plain, drawn = stages
    fixed, varied = (stage.draws.latents for stage in stages)
    assert varied.log_variances is not None and torch.equal(fixed.latents[4], varied.latents[4])
    assert (varied.scale.std >= fixed.scale.std).all() and (varied.scale.std > fixed.scale.std).any()
    learned: list[torch.Tensor] = []
    for stage in stages:
        stage.module.loss = lambda latents, *_: learned.append(latents) or latents.mean()  # type: ignore[method-assign]
    device = torch.device("cpu")
    a, b, again = plain.batch(range(200), device), drawn.batch(range(200), device), drawn.batch(range(200), device)
    assert all(torch.equal(b[name], again[name]) for name in b)
    assert all(torch.equal(a[name], b[name]) for name in a)
    plain.loss(a, 0)
    drawn.loss(b, 0)
    apart = (learned[1] - learned[0]) / (b["log_variance"].float() / 2).exp()
    assert apart.mean().abs() < 0.01 and apart.std() == pytest.approx(1, abs=0.01)


@pytest.mark.slow
def test_a_run_learns_from_posterior_samples_and_leaves_none_behind(tmp_path: Path) -> None:
    run, kept = RunFolder(tmp_path / "run"), []

    def remove(folder: RunFolder) -> int:
        kept.append(sorted(load_file(folder.cache / "latents.safetensors")))
        return remove_latents(folder)

    settings = ("stage2.posterior_samples=true", "stage1.steps=1", "stage2.steps=1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "remove_latents", remove)
        model = train(quick(*settings), run.path, device="cpu")
    assert kept == [["held_out", "latents", "log_variances"]] and (model / "model_index.json").exists()
    assert not list(run.cache.glob("latents*")) and not list(run.cache.glob("captions*"))
    assert "MB, were removed" in run.events()[-1]["message"]
    # One that has ended is not encoded for again
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "cached_latents", lambda *_, **__: pytest.fail("encoded again"))
        assert train(quick(*settings), run.path, resume=True, device="cpu") == model


def test_statistics_of_parts_are_those_of_the_whole() -> None:
    values = torch.randn(90, 3, 4, 5) * torch.tensor([0.1, 1.0, 20.0]).view(3, 1, 1) + 1000
    log_variances = torch.randn(90, 3, 4, 5)
    statistics, with_spread = ChannelStatistics(3), ChannelStatistics(3)
    for part in (slice(0, 1), slice(1, 33), slice(33, 90)):
        statistics.add(values[part])
        with_spread.add(values[part], log_variances[part])
        statistics = ChannelStatistics.resumed(json.loads(json.dumps(statistics.state())))
    torch.testing.assert_close(statistics.scale().mean, values.double().mean((0, 2, 3)).float())
    torch.testing.assert_close(statistics.scale().std, values.double().std((0, 2, 3)).float())
    variance = values.double().var((0, 2, 3)) + log_variances.double().exp().mean((0, 2, 3))
    torch.testing.assert_close(with_spread.scale().std, variance.sqrt().float())


@pytest.mark.parametrize(
    ("first", "second", "drawn"),
    [("full", None, "captioned"), ("paper", None, "paper"), ("none", None, "none"), ("full", "none", "none")],
)
def test_what_is_encoded_is_changed_as_the_second_stage_says(
    maker: Callable[..., _Maker], monkeypatch: pytest.MonkeyPatch, first: str, second: str | None, drawn: str
) -> None:
    changes = []
    sample = _Points.sample
    monkeypatch.setattr(
        _Points, "sample", lambda *args, augment: changes.append(augment) or sample(*args, augment=augment)
    )
    settings = [f"stage1.augment={first}"] + [f"stage2.augment={second}"] * (second is not None)
    maker("run", *settings, "threads=1", "loader_workers=0").make()
    assert set(changes) == {drawn}


def test_latents_of_examples_changed_otherwise_are_made_anew(maker: Callable[..., _Maker]) -> None:
    before = maker("run", "stage1.augment=full")
    before.make()
    after = maker("run", "stage1.augment=full", "stage2.augment=none")
    after.make()
    assert not any("anew" in line for line in before.said)
    assert any("the latents are made anew" in line for line in after.said)
