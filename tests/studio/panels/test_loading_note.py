from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.engine.work.viewing import ViewRequest
from studio.panels.loading_note import LoadingNote
from studio.state.jobs import JobQueue
from studio.state.library import Item

LONG = "furniture of the eighteenth century, retrained with more steps than anybody should"


def test_the_stage_names_the_model_that_its_room_waits_for(qtbot: QtBot) -> None:
    jobs, canvas = JobQueue(), QWidget()
    qtbot.addWidget(canvas)
    canvas.resize(600, 400)
    note = LoadingNote(jobs, "shape", canvas)
    canvas.show()
    elsewhere = jobs.add(jobs.new_id(), "Open", None, quiet=True, room="image")
    here = jobs.add(jobs.new_id(), "Open", None, quiet=True, room="shape")
    jobs.loads(elsewhere.id, "emoji")
    jobs.loads(here.id, "furniture")
    qtbot.waitUntil(note.isVisible)
    assert note.text.text() == "Loading the model furniture…"
    assert canvas.rect().contains(note.geometry()) and note.geometry().center().x() in range(295, 306)
    canvas.resize(900, 400)
    assert note.geometry().center().x() in range(445, 456)
    jobs.loads(here.id, LONG)
    canvas.resize(300, 400)
    assert LONG in note.text.text() and canvas.rect().contains(note.geometry())
    jobs.cancelled(here.id)
    assert not note.isVisible()


def test_what_is_loaded_in_a_moment_needs_no_words(qtbot: QtBot) -> None:
    jobs, canvas = JobQueue(), QWidget()
    qtbot.addWidget(canvas)
    note = LoadingNote(jobs, "shape", canvas)
    canvas.show()
    job = jobs.add(jobs.new_id(), "Open", None, room="shape")
    jobs.loads(job.id, "furniture")
    assert not note.isVisible()
    jobs.loads(job.id, "")
    qtbot.wait(600)
    assert not note.isVisible()


def test_the_stage_names_the_item_that_is_being_opened(qtbot: QtBot, add_item: Callable[..., Item]) -> None:
    jobs, canvas = JobQueue(), QWidget()
    qtbot.addWidget(canvas)
    canvas.resize(600, 400)
    note = LoadingNote(jobs, "shape", canvas)
    canvas.show()
    for prompt in ("a chair", "a sofa"):
        request = ViewRequest(
            job_id=jobs.new_id(), generation=1, model=None, item=add_item(prompt=prompt), resolution=64
        )
        jobs.add(request.job_id, "Open", request, quiet=True, room="shape")
    qtbot.waitUntil(note.isVisible)
    assert note.text.text() == "Opening a sofa…"
    for job in jobs.active(quiet=True):
        jobs.finish(job.id)
    assert not note.isVisible()
