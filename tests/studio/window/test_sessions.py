"""What is found again at the next start."""

from __future__ import annotations

import shutil
from functools import partial

import numpy as np

from ddmi_core.support.paths import user_data
from studio.state.kept_steps import read_steps, steps_file
from studio.state.paused import PausedWork
from studio.state.session import read_session, session_file
from studio.state.tags import retagged
from studio.window import MainWindow

PATIENCE = 30_000
PICTURE = np.zeros((8, 8, 4), np.uint8)


def calm(window: MainWindow) -> bool:
    return not window.state.jobs.active(quiet=True)


def make(qtbot, window: MainWindow, prompt: str) -> None:
    window.state.update_form(prompt=prompt)
    window.generation.generate()
    qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)


def test_rooms_come_back_with_prompt_and_stage_when_they_are_entered(qtbot, make_window):
    window = make_window()
    make(qtbot, window, "a chair")
    chair = window.state.shown
    window.show_room_of("image")
    make(qtbot, window, "rings")
    rings = window.state.shown
    window.state.update_form(prompt="a prompt just typed", steps=5)
    window.close()
    again = make_window()
    assert again.state.domain == "image" and again.inspector.prompt.text() == "a prompt just typed"
    assert again.state.form.steps == 5
    qtbot.waitUntil(lambda: again.items.is_seen(rings), timeout=PATIENCE)
    assert again.state.shown_in("shape") is None  # nothing is drawn that nobody looks at
    again.close()
    last = make_window()  # what was not entered meanwhile is not forgotten
    last.show_room_of("shape")
    qtbot.waitUntil(lambda: last.items.is_seen(chair), timeout=PATIENCE)
    assert last.state.form.prompt == "a chair"


def test_panels_and_switches_are_found_again_though_the_studio_never_closed(qtbot, make_window):
    window = make_window()
    for name, on in (("parallel", True), ("grid", False), ("history_grid", True)):
        window.actions_[name].setChecked(on)
    file = user_data() / "settings.ini"
    qtbot.waitUntil(lambda: file.exists() and "history_grid=true" in file.read_text(), timeout=PATIENCE)
    again = make_window()  # beside the one that was killed
    assert again.actions_["history_grid"].isChecked() and not again.actions_["grid"].isChecked()
    assert again.stage_of("shape").viewer.view.is_parallel


def test_an_item_that_went_meanwhile_leaves_the_stage_empty(qtbot, make_window):
    window = make_window()
    make(qtbot, window, "a chair")
    window.close()
    window.state.library.delete(window.state.shown)
    again = make_window()
    qtbot.wait(50)
    qtbot.waitUntil(lambda: calm(again), timeout=PATIENCE)
    assert again.state.shown is None


def test_what_was_deleted_is_brought_back_by_undo_unless_the_trash_was_emptied(qtbot, make_window):
    window = make_window()
    for prompt in ("a chair", "a sofa", "a table"):
        make(qtbot, window, prompt)
    for _ in range(2):
        window.actions_["delete"].trigger()
        qtbot.waitUntil(lambda: window.state.shown is not None and calm(window), timeout=PATIENCE)
    window.close()
    sofa, table = (window.state.library.get(step.items[0]) for step in reversed(read_steps(steps_file())))
    shutil.rmtree(table.folder)
    again = make_window()
    again.actions_["undo"].trigger()
    assert again.state.shown.id == sofa.id and not again.actions_["undo"].isEnabled()
    qtbot.waitUntil(lambda: calm(again), timeout=PATIENCE)


def test_tags_and_forms_are_undone_in_their_order_after_a_crash(qtbot, make_window):
    window = make_window()
    make(qtbot, window, "a chair")
    chair = window.state.shown
    window.state.update_form(prompt="a long prompt just typed", steps=5)
    window.generation.use_recipe()
    window.tagging._change([chair], partial(retagged, add=["kitchen"]), room="shape")
    qtbot.waitUntil(lambda: len(read_steps(steps_file())) == 2, timeout=PATIENCE)  # and then the process is killed
    again = make_window()
    again.show_room_of("image")
    again.actions_["undo"].trigger()
    assert again.state.domain == "shape" and again.state.library.get(chair.id).tags == ()
    assert again.actions_["undo"].text() == "Undo recipe"
    again.actions_["undo"].trigger()
    assert again.state.form.prompt == "a long prompt just typed" and again.state.form.steps == 5
    assert not again.actions_["undo"].isEnabled()
    again.actions_["redo"].trigger()
    again.actions_["redo"].trigger()
    assert again.state.form.prompt == "a chair" and again.state.library.get(chair.id).tags == ("kitchen",)
    qtbot.waitUntil(lambda: calm(again), timeout=PATIENCE)


def test_what_was_to_be_generated_waits_paused_and_is_resumed_without_what_is_there(qtbot, make_window, pipeline):
    window = make_window()
    window.state.update_form(prompt="a chair", seed=7, seed_locked=True)
    make(qtbot, window, "a chair")
    pipeline.delay = 0.2
    window.state.update_form(count=2, steps=19)
    window.generation.generate()
    window.state.update_form(prompt="a sofa")
    window.generation.generate()
    window.sessions.keep()  # and then the process is killed
    left = read_session(session_file())
    window.engine.cancel_all()
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    pipeline.delay = 0.0
    again = make_window()
    assert [work.title for work in left.waiting] == ["a chair × 2", "a sofa × 2"]
    _, sofa = again.queue.paused_rows()
    assert not again.queue.isHidden() and not again.state.jobs.active()
    sofa.drop.click()
    qtbot.waitUntil(lambda: not again.queue._settling.isActive())
    assert [work.title for work in again.state.paused.list()] == ["a chair × 2"]
    recipe = again.state.library.items()[0].recipe.model_copy(update={"steps": 19})
    again.state.library.add(again.state.library.load_latent(again.state.library.items()[0]), recipe, PICTURE)
    again.queue.paused_rows()[0].resume.click()
    qtbot.waitUntil(lambda: calm(again), timeout=PATIENCE)
    assert sorted(item.recipe.seed for item in again.state.library.items() if item.recipe.steps == 19) == [7, 8]
    assert not again.state.paused and again.queue.isHidden()
    again.sessions.keep()
    assert not read_session(session_file()).waiting


def test_all_that_is_paused_goes_on_at_once_and_of_several_prompts_those_that_lack(qtbot, make_window):
    window = make_window()
    make(qtbot, window, "a blue chair")
    settings = window.state.form.settings
    blue = window.state.shown.recipe
    prompts = "a {red|blue|green} chair", "a sofa", "a bed"
    works = [
        PausedWork(
            title=prompt,
            domain="shape",
            model=blue.model,
            model_hash=blue.model_hash,
            settings=settings.model_copy(update={"prompt": prompt}),
            seeds=(blue.seed,),
        )
        for prompt in prompts
    ]
    window.state.paused.add(works[:1])
    assert window.queue.resume_all.isHidden()
    window.state.paused.add(works[1:])
    assert not window.queue.resume_all.isHidden()
    window.state.models_known = False
    window.queue.resume_all.click()
    window.queue.resume_all.click()
    assert len(window.state.paused) == 3
    window.state.set_models(window.state.models)
    qtbot.waitUntil(lambda: not window.state.paused)
    assert window.queue.resume_all.isHidden()
    qtbot.waitUntil(lambda: calm(window), timeout=PATIENCE)
    made = [item.recipe.prompt for item in window.state.library.items()]
    assert sorted(made) == ["a bed", "a blue chair", "a green chair", "a red chair", "a sofa"]
