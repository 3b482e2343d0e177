"""While one types, the stage follows with a sketch; Generate makes and keeps it."""

from __future__ import annotations

import pytest

from studio.engine.work.sketching import SKETCH_STEPS, SketchReady
from studio.state.library import Item
from studio.window import MainWindow
from studio.window.live import DECIDED, PAUSE_MS
from tests.studio.window.fakes import FakePipeline

pytestmark = pytest.mark.gl
PATIENCE = 60_000  # ms
A_WHILE = 4 * PAUSE_MS  # in which whatever waits for a pause has begun


class Watched:
    """A window, and the sketches that it showed."""

    def __init__(self, qtbot, window: MainWindow) -> None:
        self.qtbot, self.window, self.state = qtbot, window, window.state
        self.sketches: list[SketchReady] = []
        window.engine.answers(SketchReady).connect(self.sketches.append)

    def switch(self, on: bool) -> None:
        if self.window.actions_["live"].isChecked() != on:
            self.window.actions_["live"].trigger()

    def type(self, text: str) -> None:
        self.qtbot.keyClicks(self.window.inspector.prompt, text)

    def wait_for_sketch(self) -> SketchReady:
        self.qtbot.waitUntil(lambda: self.window.live.shows_form and self.is_calm(), timeout=PATIENCE)
        return self.sketches[-1]

    def wait_for_item(self) -> Item:
        self.qtbot.waitUntil(lambda: self.state.shown is not None and self.is_calm(), timeout=PATIENCE)
        assert self.state.shown is not None
        return self.state.shown

    def rest(self) -> None:
        self.qtbot.wait(A_WHILE)
        self.qtbot.waitUntil(self.is_calm, timeout=PATIENCE)

    def is_calm(self) -> bool:
        return not self.state.jobs.active(quiet=True)

    def generate(self) -> Item:
        self.window.generation.generate()
        return self.wait_for_item()


@pytest.fixture
def studio(qtbot, window: MainWindow) -> Watched:
    watched = Watched(qtbot, window)
    watched.switch(True)
    return watched


def test_the_stage_follows_what_is_typed_and_generate_keeps_it(studio: Watched) -> None:
    studio.type("a round table")
    sketch = studio.wait_for_sketch()
    assert sketch.request.settings.prompt == "a round table"
    stage = studio.window.stage
    assert stage.empty.isHidden() and "faces" in stage.facts.text()
    assert not studio.state.library.items() and studio.state.shown is None
    assert not studio.window.actions_["export"].isEnabled()
    assert "Generate makes and keeps it" in studio.window.inspector.hint.text()
    item = studio.generate()
    assert item.recipe.seed == sketch.request.seed and not studio.state.form.seed_locked
    assert item.recipe.steps == studio.state.form.steps
    assert studio.generate().recipe.seed != item.recipe.seed  # another one, as ever


def test_a_sketch_takes_few_steps(studio: Watched, pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    sample = FakePipeline.sample
    monkeypatch.setattr(
        FakePipeline,
        "sample",
        lambda self, settings, *args, **named: asked.append(settings) or sample(self, settings, *args, **named),
    )
    studio.type("a table")
    studio.wait_for_sketch()
    assert {settings.steps for settings in asked} == {SKETCH_STEPS}
    assert {settings.quality for settings in asked} == {"best"}
    asked.clear()
    monkeypatch.setattr(pipeline, "student", object())
    studio.type("a chair")
    studio.wait_for_sketch()
    assert {settings.quality for settings in asked} == {"fast"}


def test_guidance_and_seed_are_followed_too_and_emptiness_is_not(studio: Watched) -> None:
    studio.type("a table")
    first = studio.wait_for_sketch()
    studio.state.update_form(guidance=5.0)
    assert studio.wait_for_sketch().request.settings.guidance == 5.0
    studio.window.actions_["dice"].trigger()
    assert studio.wait_for_sketch().request.seed != first.request.seed
    count = len(studio.sketches)
    studio.state.update_form(prompt="")
    studio.rest()
    assert len(studio.sketches) == count and not studio.window.stage.empty.isVisible()


def test_switched_off_nothing_follows(studio: Watched) -> None:
    studio.switch(False)
    studio.type("a table")
    studio.rest()
    assert not studio.sketches and studio.window.inspector.hint.text() == ""
    studio.switch(True)  # what is there is sketched at once
    assert studio.wait_for_sketch().request.settings.prompt == "a table"


def test_what_is_made_or_recalled_is_not_sketched(studio: Watched) -> None:
    studio.window.generation.generate_example("a round table")
    item = studio.wait_for_item()
    studio.rest()
    studio.state.update_form(prompt="a chair")
    studio.wait_for_sketch()
    studio.window.items.open(item)
    studio.wait_for_item()
    count = len(studio.sketches)
    studio.window.generation.use_recipe_of(item)
    studio.rest()
    assert len(studio.sketches) == count and studio.state.shown == item


def test_coming_back_into_a_room_sketches_where_nothing_else_is_shown(studio: Watched) -> None:
    studio.type("a table")
    studio.wait_for_sketch()
    studio.window.show_room(1)
    assert not studio.window.live.shows_form
    studio.window.show_room(0)
    studio.wait_for_sketch()
    item = studio.generate()
    studio.state.update_form(prompt="a chair")
    studio.wait_for_sketch()
    studio.window.items.open(item)
    studio.wait_for_item()
    count = len(studio.sketches)
    studio.window.show_room(1)
    studio.window.show_room(0)
    studio.rest()
    assert len(studio.sketches) == count and studio.state.shown == item


def test_what_fails_switches_it_off(studio: Watched) -> None:
    studio.type("fail")
    studio.qtbot.waitUntil(lambda: not studio.window.actions_["live"].isChecked(), timeout=PATIENCE)
    assert [one.level for one in studio.state.notifications.list()] == ["error"]


@pytest.mark.parametrize(("delay", "fast"), [(0.0, True), (0.1, False)])
def test_a_first_result_decides_how_it_begins(
    qtbot, window: MainWindow, pipeline: FakePipeline, delay: float, fast: bool
) -> None:
    pipeline.delay = delay
    window.settings.set_flag(DECIDED, False)
    studio = Watched(qtbot, window)
    assert not window.actions_["live"].isChecked()
    studio.state.update_form(prompt="a table")
    studio.generate()
    assert window.actions_["live"].isChecked() == fast
    assert any("Live is on" in one.text for one in studio.state.notifications.list()) == fast
    studio.switch(not fast)
    studio.generate()
    assert window.actions_["live"].isChecked() != fast  # a person's word stays
