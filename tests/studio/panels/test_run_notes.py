from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from ddmi_core.support.errors import DDMIError
from ddmi_core.training import run_folder
from ddmi_core.training.run_folder import LONGEST_NOTES, RunFolder
from studio.engine.training import Training
from studio.panels.run_notes import RunNotes
from studio.panels.training import TrainingRoom
from studio.state.runs import RunSummary

PATIENCE = 60_000


@pytest.fixture
def notes(qtbot, training: Training) -> RunNotes:
    notes = RunNotes(training)
    qtbot.addWidget(notes)
    notes.show()
    return notes


def run_called(name: str, home: Path) -> RunFolder:
    run = RunFolder(home / "runs" / name)
    run.create(f"name: {name}\ndomain: shape\n")
    return run


def summary(run: RunFolder) -> RunSummary:
    return RunSummary(run.path, run.path.name, "shape", "stopped", notes=run.notes() or "")


def test_what_is_typed_is_kept_and_shown_in_the_list(qtbot, training: Training, theme, home: Path) -> None:
    chairs, tables = (run_called(name, home) for name in ("chairs", "tables"))
    room = TrainingRoom(training, theme)
    qtbot.addWidget(room)
    room.show()
    training.start()
    qtbot.waitUntil(lambda: room.list.list.count() == 2, timeout=PATIENCE)
    room.choose(chairs.path)
    edit = room.monitor.notes.edit
    assert edit.placeholderText() and not edit.toPlainText()
    qtbot.keyClicks(edit, "a smaller batch")
    qtbot.waitUntil(lambda: chairs.notes() == "a smaller batch", timeout=PATIENCE)

    qtbot.waitUntil(lambda: _tip(room, "chairs").endswith("chairs\n\na smaller batch"), timeout=PATIENCE)
    room.choose(tables.path)
    assert not edit.toPlainText()
    room.choose(chairs.path)
    assert edit.toPlainText() == "a smaller batch"
    edit.selectAll()
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: not chairs.notes_file.exists(), timeout=PATIENCE)
    assert not tables.notes_file.exists()


def _tip(room: TrainingRoom, name: str) -> str:
    items = [room.list.list.item(row) for row in range(room.list.list.count())]
    return next(item.toolTip() for item in items if item.text().startswith(name))


def test_another_run_is_shown_only_after_the_notes_on_this_one_are_on_their_way(
    qtbot, notes: RunNotes, home: Path
) -> None:
    chairs, tables = (run_called(name, home) for name in ("chairs", "tables"))
    tables.write_notes("theirs")
    notes.show_run(summary(chairs))
    notes.edit.insertPlainText("mine")
    notes.show_run(summary(tables))
    assert notes.edit.toPlainText() == "theirs"
    qtbot.waitUntil(lambda: chairs.notes() == "mine", timeout=PATIENCE)
    assert tables.notes() == "theirs"


def test_notes_changed_elsewhere_are_shown_but_not_over_what_is_typed(qtbot, notes: RunNotes, home: Path) -> None:
    run = run_called("chairs", home)
    before = summary(run)
    notes.show_run(before)
    run.write_notes("from another window")
    notes.show_run(summary(run))
    assert notes.edit.toPlainText() == "from another window"
    notes.edit.setPlainText("typed")
    notes.show_run(summary(run))  # read before that was written
    assert notes.edit.toPlainText() == "typed"
    notes.show_run(replace(before, notes="from a third one"))
    assert notes.edit.toPlainText() == "typed"
    qtbot.waitUntil(lambda: run.notes() == "typed", timeout=PATIENCE)


def test_what_cannot_be_written_is_said_remembered_and_tried_again(
    qtbot, notes: RunNotes, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chairs, tables = (run_called(name, home) for name in ("chairs", "tables"))
    notes.show_run(summary(chairs))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "write_text", full)
        notes.edit.setPlainText("mine")
        qtbot.waitUntil(notes.problem.isVisible, timeout=PATIENCE)
        assert "No space left on device" in notes.problem.text()
        with pytest.raises(DDMIError, match="No space left"):
            notes.keep_at_once()
        notes.show_run(summary(tables))
        assert not notes.problem.isVisible() and not notes.edit.toPlainText()
        notes.show_run(summary(chairs))
        assert notes.edit.toPlainText() == "mine"
    qtbot.waitUntil(lambda: chairs.notes() == "mine", timeout=PATIENCE)
    qtbot.waitUntil(lambda: not notes.problem.isVisible(), timeout=PATIENCE)
    notes.edit.setPlainText("mine, at the last moment")
    notes.keep_at_once()
    assert chairs.notes() == "mine, at the last moment"


def test_notes_on_a_run_that_is_gone_are_let_go(notes: RunNotes, home: Path) -> None:
    run = run_called("chairs", home)
    notes.show_run(summary(run))
    notes.edit.setPlainText("mine")
    notes.forget_all_but([])
    notes.keep_at_once()
    assert not run.notes_file.exists()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a" * (LONGEST_NOTES + 1)])
def test_a_file_that_is_no_note_stays_as_it_is(
    qtbot, notes: RunNotes, training: Training, home: Path, content: bytes
) -> None:
    run = run_called("chairs", home)
    run.notes_file.write_bytes(content)
    with qtbot.waitSignal(training.runs_changed, timeout=PATIENCE) as changed:
        training.start()
    notes.show_run(changed.args[0][0])
    assert notes.edit.isReadOnly() and "No notes can be kept here" in notes.edit.placeholderText()
    qtbot.keyClicks(notes.edit, "typed")
    assert not notes.edit.toPlainText() and run.notes_file.read_bytes() == content


def test_a_folder_that_cannot_be_written_takes_no_notes(
    qtbot, notes: RunNotes, training: Training, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_called("chairs", home).write_notes("old ones")
    monkeypatch.setattr(os, "access", lambda *_: False)  # whoever runs the tests may be allowed everything
    with qtbot.waitSignal(training.runs_changed, timeout=PATIENCE) as changed:
        training.start()
    notes.show_run(changed.args[0][0])
    assert notes.edit.isReadOnly() and notes.edit.toPlainText() == "old ones"
