from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh
from pytestqt.qtbot import QtBot

from ddmi_core.export.options import ShapeExport
from ddmi_core.recipe import Denoising
from ddmi_core.support.errors import DataError, ModelError
from ddmi_core.support.progress import Progress
from studio.engine.engine import Engine
from studio.engine.pipelines import PipelineCache
from studio.engine.reports import ModelLoaded
from studio.engine.work.exporting import ExportDone, ExportRequest
from studio.engine.work.fitting import ReconstructRequest, SpanWanted
from studio.engine.work.items import ItemReady
from studio.engine.work.machine import EvaluateRequest, EvaluationDone, PreloadRequest
from studio.engine.work.viewing import DetailReady, DetailRequest, ViewReady, ViewRequest
from studio.state.app_state import AppState
from studio.state.form import GenerateForm
from studio.state.jobs import Job
from studio.state.library import Item, Library
from studio.state.memory import MemoryBudget
from studio.widgets.orbit_camera import View, key_frame
from tests.studio.window.fakes import MODEL, FakePipeline
from tests.tiny_model import save_tiny_model

PATIENCE = 60_000  # ms; a busy machine needs a while for what takes a moment


class Gate:
    """Stops a pipeline in the middle of its work until it is opened."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def wait(self, progress: Progress | None) -> None:
        self.reached.set()
        while not self._open.wait(0.01):
            if progress is not None:
                progress(0.5, "waiting")

    def open(self) -> None:
        self._open.set()


class GatedPipeline(FakePipeline):
    """Does what its prompt says: "wait" for the gate, "crash", run "out of memory" above two seeds, make "nan"."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.batches: list[tuple[int, ...]] = []
        self.order: list[str] = []

    def sample_each(
        self, prompts: Sequence[str], seeds: Sequence[int], denoising: Denoising, **kwargs: Any
    ) -> list[torch.Tensor]:
        prompt = prompts[0]
        self.batches.append(tuple(seeds))
        self.order.append(prompt)
        if prompt == "wait":
            self.gate.wait(kwargs["progress"])
        if prompt == "crash":
            raise ZeroDivisionError("division by zero")
        if prompt == "memory" and len(seeds) > 2:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory")
        latents = super().sample_each(prompts, seeds, denoising, **kwargs)
        return [torch.full_like(latent, torch.nan) for latent in latents] if prompt == "nan" else latents


class Studio:
    """An engine on a state, and what it has said."""

    def __init__(self, folder: Path, load: Callable[[Path, str], Any], qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.library = Library(folder)
        self.state = AppState(self.library, GenerateForm(seed=1, seed_locked=True))
        self.state.set_models([MODEL])
        self.engine = Engine(self.state, PipelineCache(load=load))
        self.items: list[ItemReady] = []
        self.views: list[ViewReady] = []
        self.exports: list[ExportDone] = []
        self.engine.answers(ItemReady).connect(self.items.append)
        self.engine.answers(ViewReady).connect(self.views.append)
        self.engine.answers(ExportDone).connect(self.exports.append)

    def generate(self, prompt: str, **form: object) -> Job:
        self.state.update_form(prompt=prompt, **form)
        return self.engine.generate()

    def export(self, item: Item, path: Path) -> Job:
        return self.engine.ask(ExportRequest(item=item, path=path, options=ShapeExport(resolution=64)))

    def wait(self, *jobs: Job) -> None:
        self.qtbot.waitUntil(lambda: not any(job.is_active for job in jobs), timeout=PATIENCE)

    def make(self, prompt: str = "a table") -> Item:
        self.wait(self.generate(prompt))
        return self.items[-1].item

    @property
    def errors(self) -> list[str]:
        return [one.text for one in self.state.notifications.list() if one.level == "error"]


@pytest.fixture
def pipeline() -> GatedPipeline:
    return GatedPipeline()


@pytest.fixture
def studio(tmp_path: Path, pipeline: GatedPipeline, qtbot: QtBot) -> Iterator[Studio]:
    made = Studio(tmp_path / "library", lambda _folder, _device: pipeline, qtbot)
    yield made
    pipeline.gate.open()
    assert made.engine.shutdown()
    made.library.close()


def test_variations_arrive_one_by_one_and_are_in_the_library(studio: Studio, pipeline: GatedPipeline) -> None:
    job = studio.generate("a table", count=3, seed=5)
    studio.wait(job)
    assert job.status == "done" and job.fraction == 1.0
    assert [(one.index, one.item.recipe.seed) for one in studio.items] == [(0, 5), (1, 6), (2, 7)]
    assert pipeline.batches == [(5, 6, 7)]
    assert studio.library.items() == [one.item for one in reversed(studio.items)]
    first = studio.items[0]
    assert first.view["vertices"].dtype == np.float32 and first.thumbnail.shape == (256, 256, 4)
    assert studio.library.load_latent(first.item)[0, 0, 0] == 5.0
    assert (first.item.recipe.prompt, first.item.recipe.model) == ("a table", "furniture")


def test_a_prompt_with_alternatives_is_one_job_that_makes_each_of_them(studio: Studio, pipeline: GatedPipeline) -> None:
    job = studio.generate("a {red|blue} table", count=2, seed=5)
    assert job.title == "a {red|blue} table × 4"
    studio.wait(job)
    assert [(one.index, one.item.recipe.prompt, one.item.recipe.seed) for one in studio.items] == [
        (0, "a red table", 5), (1, "a red table", 6), (2, "a blue table", 5), (3, "a blue table", 6),
    ]  # fmt: skip
    assert pipeline.batches == [(5, 6, 5, 6)]
    assert set(studio.state.made_already()) == {5, 6}  # with all alternatives
    studio.library.delete(studio.items[-1].item)
    assert set(studio.state.made_already()) == {5}
    with pytest.raises(DataError, match="100 prompts"):
        studio.generate("{0|1|2|3|4|5|6|7|8|9}" * 2)
    assert not studio.state.jobs.active()


def test_what_waits_is_done_before_the_others_or_held(studio: Studio, pipeline: GatedPipeline) -> None:
    jobs = [studio.generate(prompt) for prompt in ("wait", "one", "two")]
    studio.qtbot.waitUntil(pipeline.gate.reached.is_set, timeout=PATIENCE)
    studio.engine.hurry(jobs[2].id)
    assert [job.title for job in studio.state.jobs.active()] == ["wait", "two", "one"]
    studio.engine.hold(True)
    pipeline.gate.open()
    studio.wait(jobs[0])
    studio.qtbot.wait(50)
    assert pipeline.order == ["wait"] and studio.state.jobs.is_held
    studio.engine.hold(False)
    studio.wait(*jobs)
    assert pipeline.order == ["wait", "two", "one"]


def test_a_job_names_the_model_that_it_waits_for_until_that_is_loaded(
    tmp_path: Path, pipeline: GatedPipeline, qtbot: QtBot
) -> None:
    gate = Gate()

    def load(_folder: Path, _device: str) -> GatedPipeline:
        gate.wait(None)
        return pipeline

    studio = Studio(tmp_path / "library", load, qtbot)
    loading: list[str] = []
    studio.state.jobs.changed.connect(lambda job: loading.append(job.loading))
    preload = studio.engine.ask(PreloadRequest(model=MODEL.folder))
    qtbot.waitUntil(lambda: gate.reached.is_set(), timeout=PATIENCE)
    assert not any(loading)  # nobody waits for it
    job = studio.generate("a table")
    qtbot.waitUntil(lambda: job.loading == "furniture", timeout=PATIENCE)
    gate.open()
    studio.wait(preload, job)
    assert job.loading == "" and loading[-1] == ""
    loading.clear()
    studio.make("a chair")
    assert not any(loading)  # it is in memory
    assert studio.engine.shutdown()
    studio.library.close()


def test_a_prompt_in_another_script_is_told_that_the_encoder_reads_english(studio: Studio) -> None:
    studio.make("круглый стол с одной ножкой")
    (said,) = [one.text for one in studio.state.notifications.list()]
    assert "reads English" in said and "too long" not in said
    studio.state.notifications.clear()
    studio.make("a table " * 40)
    assert "too long" in studio.state.notifications.list()[0].text


def test_a_prompt_for_a_model_without_texts_is_told_that_it_says_nothing(
    studio: Studio, pipeline: GatedPipeline
) -> None:
    pipeline.text_encoder.reads_texts = False
    studio.make("a table")
    assert "trained without texts" in studio.state.notifications.list()[0].text


def test_an_unlocked_seed_is_drawn_anew_and_stands_in_the_form(studio: Studio) -> None:
    studio.wait(studio.generate("a table", seed_locked=False))
    assert studio.state.form.seed == studio.items[0].item.recipe.seed


def test_jobs_run_in_the_order_they_were_asked_for(studio: Studio, pipeline: GatedPipeline) -> None:
    jobs = [studio.generate(prompt) for prompt in ("wait", "first", "second")]
    assert pipeline.gate.reached.wait(5)
    pipeline.gate.open()
    studio.wait(*jobs)
    assert pipeline.order == ["wait", "first", "second"]


def test_cancelling_takes_effect_at_the_next_report_and_the_next_job_runs(
    studio: Studio, pipeline: GatedPipeline
) -> None:
    job, following = studio.generate("wait"), studio.generate("a table")
    studio.qtbot.waitUntil(lambda: job.status == "running", timeout=PATIENCE)
    assert pipeline.gate.reached.wait(5)
    studio.engine.cancel(job)
    assert job.cancelling
    studio.wait(job)
    assert job.status == "cancelled"  # though the gate is shut
    studio.wait(following)
    assert following.status == "done" and len(studio.items) == 1 and studio.errors == []


def test_a_waiting_job_is_cancelled_at_once_and_never_begins(studio: Studio, pipeline: GatedPipeline) -> None:
    running, waiting = studio.generate("wait"), studio.generate("never")
    assert pipeline.gate.reached.wait(5)
    studio.engine.cancel(waiting.id)
    assert waiting.status == "cancelled"
    pipeline.gate.open()
    studio.wait(running, studio.generate("last"))
    assert pipeline.order == ["wait", "last"]


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("crash", "Something went wrong while generating: division by zero"),
        ("fail", "The fake pipeline was asked to fail."),
        ("nan", "not numbers"),
    ],
)
def test_a_failed_job_says_why_and_the_next_one_runs(studio: Studio, prompt: str, message: str) -> None:
    failing, following = studio.generate(prompt), studio.generate("a table")
    studio.wait(failing, following)
    assert failing.status == "failed" and message in failing.error
    assert studio.errors == [failing.error]
    assert following.status == "done" and len(studio.library.items()) == 1


def test_when_memory_runs_out_fewer_are_made_at_a_time(studio: Studio, pipeline: GatedPipeline) -> None:
    job = studio.generate("memory", count=4, seed=0)
    studio.wait(job)
    assert job.status == "done"
    assert pipeline.batches == [(0, 1, 2, 3), (0, 1), (2, 3)]
    assert [one.item.recipe.seed for one in studio.items] == [0, 1, 2, 3]
    assert any("not enough memory" in one.text for one in studio.state.notifications.list())


def test_an_item_opens_while_another_is_being_made(studio: Studio, pipeline: GatedPipeline) -> None:
    item = studio.make()
    job = studio.generate("wait")
    assert pipeline.gate.reached.wait(5)
    studio.engine.ask(ViewRequest(item=item))
    studio.qtbot.waitUntil(lambda: bool(studio.views), timeout=PATIENCE)
    assert studio.views[0].item == item and job.status == "running"
    pipeline.gate.open()
    studio.wait(job)
    assert studio.items[-1].request.generation < studio.state.generation  # it does not take the stage


def test_views_that_are_stale_are_held_back(studio: Studio) -> None:
    item, other = studio.make(), studio.make()
    studio.engine.ask(ViewRequest(item=item))
    studio.engine.ask(ViewRequest(item=other))
    studio.qtbot.waitUntil(lambda: not studio.state.jobs.active(quiet=True), timeout=PATIENCE)
    assert [view.item for view in studio.views] == [other]


CAMERA = key_frame(View())


def test_a_surface_comes_roughly_and_then_finely_for_the_view_asked_for_last(studio: Studio) -> None:
    item = studio.make()
    details: list[DetailReady] = []
    studio.engine.answers(DetailReady).connect(details.append)
    for serial in (1, 2):
        studio.engine.ask(DetailRequest(item=item, camera=CAMERA, aspect=1.5, serial=serial))
    studio.qtbot.waitUntil(lambda: not studio.state.jobs.active(quiet=True), timeout=PATIENCE)
    rough, fine = (detail for detail in details if detail.request.serial == 2)
    assert rough.rough and not fine.rough and rough.resolution < fine.resolution
    assert 0 < sum(len(piece.faces) for piece in rough.pieces) < sum(len(piece.faces) for piece in fine.pieces)


def test_a_surface_of_what_has_left_the_stage_is_held_back(studio: Studio) -> None:
    item = studio.make()
    details: list[DetailReady] = []
    studio.engine.answers(DetailReady).connect(details.append)
    studio.engine.ask(DetailRequest(item=item, camera=CAMERA, aspect=1.5, serial=1))
    studio.state.next_generation()
    studio.qtbot.waitUntil(lambda: not studio.state.jobs.active(quiet=True), timeout=PATIENCE)
    assert not details


def test_surfaces_are_kept_within_the_budget_of_decoded_items(studio: Studio) -> None:
    item = studio.make()
    cache = studio.engine._worker._fields

    def look() -> None:
        studio.engine.ask(DetailRequest(item=item, camera=CAMERA, aspect=1.5, serial=1))
        studio.qtbot.waitUntil(lambda: not studio.state.jobs.active(quiet=True), timeout=PATIENCE)

    look()
    name = (item.id, "surface", None)
    kept = cache.get(MODEL.hash, name, lambda: None)
    look()
    assert kept is not None and cache.get(MODEL.hash, name, lambda: None) is kept
    studio.engine.set_memory(MemoryBudget(total=0))
    assert len(cache._fields) == 1


def test_views_are_quiet_and_what_has_ended_leaves_no_trace_in_the_queue(studio: Studio) -> None:
    item = studio.make()
    assert studio.engine.ask(ViewRequest(item=item)).quiet
    studio.qtbot.waitUntil(lambda: bool(studio.views), timeout=PATIENCE)
    studio.qtbot.waitUntil(lambda: len(studio.state.jobs) == 0, timeout=PATIENCE)


def test_export_writes_the_file_and_says_what_is_in_it(studio: Studio, tmp_path: Path) -> None:
    target = tmp_path / "table.obj"
    job = studio.export(studio.make(), target)
    studio.wait(job)
    [done] = studio.exports
    assert done.request.path == target and done.facts["faces"] == len(trimesh.load(target, force="mesh").faces)


def test_export_where_nothing_can_be_written_fails_readably(studio: Studio, tmp_path: Path) -> None:
    job = studio.engine.ask(
        ExportRequest(item=studio.make(), path=tmp_path / "missing" / "table.obj", options=ShapeExport(resolution=64))
    )
    studio.wait(job)
    assert job.status == "failed" and "cannot be written" in studio.errors[0]


def test_reconstruction_makes_an_item_that_names_its_source(studio: Studio, tmp_path: Path) -> None:
    job = studio.engine.ask(ReconstructRequest(path=tmp_path / "chair.obj"))
    studio.wait(job)
    assert studio.library.items()[0].recipe.source == str(tmp_path / "chair.obj")


def test_the_log_does_not_name_the_files_of_the_person(
    studio: Studio, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    studio.wait(
        studio.engine.ask(
            ExportRequest(
                item=studio.make(), path=tmp_path / "missing" / "secret.obj", options=ShapeExport(resolution=64)
            )
        )
    )
    assert "secret.obj" in studio.errors[0]
    assert "exporting a file.obj failed" in caplog.text and "secret" not in caplog.text


def test_of_a_film_a_span_is_wanted(studio: Studio, tmp_path: Path) -> None:
    wanted: list[SpanWanted] = []
    studio.engine.answers(SpanWanted).connect(wanted.append)
    studio.wait(studio.engine.ask(ReconstructRequest(path=tmp_path / "film.mp4")))
    [one] = wanted
    assert (one.seconds, one.longest) == (3600, 30) and not studio.library.items() and not studio.errors
    studio.wait(studio.engine.ask(ReconstructRequest(path=one.request.path, span=(61.0, 70.0))))
    assert studio.library.load_latent(studio.library.items()[0]).max() == 61


def test_without_its_model_an_item_cannot_be_opened(studio: Studio) -> None:
    item = studio.make()
    studio.state.set_models([])
    with pytest.raises(ModelError, match="not installed"):
        studio.engine.ask(ViewRequest(item=item))
    with pytest.raises(ModelError, match="No model"):
        studio.engine.generate()


def test_a_changed_model_is_pointed_out(studio: Studio) -> None:
    item = studio.make()
    studio.state.set_models([replace(MODEL, hash="other")])
    studio.engine.ask(ViewRequest(item=item))
    assert any("has changed" in one.text for one in studio.state.notifications.list())


def test_a_model_of_another_domain_is_refused(studio: Studio) -> None:
    studio.state.set_models([replace(MODEL, domain="image")])
    job = studio.generate("a table")
    studio.wait(job)
    assert "for Shapes, not for Images" in job.error


def test_loading_can_be_cancelled_and_goes_on_for_the_next_job(
    tmp_path: Path, pipeline: GatedPipeline, qtbot: QtBot
) -> None:
    loads: list[Path] = []
    may_load = threading.Event()

    def load(folder: Path, _device: str) -> GatedPipeline:
        loads.append(folder)
        may_load.wait(5)
        return pipeline

    studio = Studio(tmp_path / "library", load, qtbot)
    job = studio.generate("a table")
    qtbot.waitUntil(lambda: bool(loads), timeout=PATIENCE)
    studio.engine.cancel(job)
    studio.wait(job)
    assert job.status == "cancelled"
    may_load.set()
    studio.wait(studio.generate("a table"))
    assert len(loads) == len(studio.items) == 1
    assert studio.engine.shutdown()
    studio.library.close()


def test_shutdown_in_the_midst_of_work_is_quick_and_keeps_what_was_made(
    tmp_path: Path, pipeline: GatedPipeline, qtbot: QtBot
) -> None:
    studio = Studio(tmp_path / "library", lambda _folder, _device: pipeline, qtbot)
    studio.make()
    studio.generate("wait")
    assert pipeline.gate.reached.wait(5)
    began = time.monotonic()
    assert studio.engine.shutdown()
    assert time.monotonic() - began < 2.0
    studio.library.close()
    again = Library(tmp_path / "library")
    assert len(again.items()) == 1
    again.close()


def test_generating_tells_the_device_too_and_how_far_a_long_prompt_is_read(studio: Studio) -> None:
    with studio.qtbot.waitSignal(studio.engine.answers(ModelLoaded), timeout=PATIENCE):
        studio.make("a round table " * 100)
    assert any("reads only as far as" in one.text for one in studio.state.notifications.list())


def test_preloading_warms_up_and_tells_the_device(studio: Studio, pipeline: GatedPipeline) -> None:
    with studio.qtbot.waitSignal(studio.engine.answers(ModelLoaded), timeout=PATIENCE) as device:
        job = studio.engine.ask(PreloadRequest(model=MODEL.folder))
    assert device.args[0].device == "cpu"
    studio.wait(job)
    assert pipeline.batches == [(0,)] and studio.items == [] and studio.state.jobs.active() == []


# With the library's own models


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def real(tmp_path: Path, tiny_model: Path, qtbot: QtBot) -> Iterator[Studio]:
    from studio.engine.pipelines import load_pipeline

    made = Studio(tmp_path / "library", load_pipeline, qtbot)
    made.state.set_models([replace(MODEL, name="tiny", folder=tiny_model)])
    yield made
    assert made.engine.shutdown()
    made.library.close()


def test_a_real_model_generates_opens_and_exports(real: Studio, tmp_path: Path) -> None:
    real.state.update_form(steps=2)
    item = real.make("a ball")
    view = real.items[0].view
    assert np.abs(np.linalg.norm(view["vertices"], axis=1) - 0.6).max() < 0.2
    real.state.set_models([replace(real.state.models[0], hash=item.recipe.model_hash)])
    real.engine.ask(ViewRequest(item=item))
    real.qtbot.waitUntil(lambda: bool(real.views), timeout=PATIENCE)
    np.testing.assert_allclose(real.views[0].view["vertices"], view["vertices"], atol=1e-5)
    real.wait(real.engine.ask(ExportRequest(item=item, path=tmp_path / "ball.ply", options=ShapeExport(resolution=64))))
    assert trimesh.load(tmp_path / "ball.ply").is_watertight


@pytest.mark.slow
def test_a_model_is_measured_in_another_process_and_stopped(real: Studio, tmp_path: Path) -> None:
    data, report = tmp_path / "data", tmp_path / "report"
    data.mkdir()
    for side in (1.0, 1.5, 2.0):
        trimesh.creation.box((side, 1.0, 1.0)).export(data / f"box {side}.obj")
    (model,) = real.state.models
    patience = 10 * PATIENCE  # it gives way to everything else on the machine
    job = real.engine.ask(EvaluateRequest(model=model.folder, data=str(data), samples=8, path=report))
    real.qtbot.waitUntil(lambda: job.fraction > 0, timeout=patience)
    real.engine.cancel(job)
    real.wait(job)
    assert job.status == "cancelled" and not (report / "report.html").exists()
    with real.qtbot.waitSignal(real.engine.answers(EvaluationDone), timeout=patience) as done:
        real.engine.ask(EvaluateRequest(model=model.folder, data=str(data), samples=8, path=report))
    assert done.args[0].page == report / "report.html"
    assert "tiny" in done.args[0].page.read_text(encoding="utf-8")


@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign", "nan"])
def test_unusable_models_fail_readably(real: Studio, tiny_model: Path, tmp_path: Path, damage: str) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    weights = folder / "autoencoder" / "weights.safetensors"
    match damage:
        case "missing":
            shutil.rmtree(folder)
        case "truncated":
            weights.write_bytes(weights.read_bytes()[:500])
        case "foreign":
            (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
        case _:
            tensors = load_file(weights)
            next(iter(tensors.values())).fill_(torch.nan)
            save_file(tensors, weights)
    real.state.set_models([replace(MODEL, folder=folder)])
    job = real.generate("a ball")
    real.wait(job)
    assert job.status == "failed" and str(folder) in job.error and "Something went wrong" not in job.error
