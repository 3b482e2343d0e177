"""The file of what can be undone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.state.form import GenerateForm
from studio.state.kept_steps import Deletion, FormChange, TagChange, read_steps, write_steps
from studio.state.undo import Step, UndoStack

STEPS = [
    Deletion(items=("1", "2")),
    TagChange(room="shape", before={"1": ()}, after={"1": ("kitchen", "für Anna")}),
    FormChange(text="recipe", domain="image", form=GenerateForm(prompt="a chair", seed=5)),
]


def test_steps_come_back_as_they_were(tmp_path: Path) -> None:
    assert write_steps(STEPS, tmp_path / "undo.json")
    assert read_steps(tmp_path / "undo.json") == STEPS
    assert read_steps(tmp_path / "none.json") == []


@pytest.mark.parametrize("content", [b"", b'{"kind": "delete"}', b"[", b"\xff\xfe", b"null"])
def test_a_damaged_file_has_nothing_to_undo(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "undo.json").write_bytes(content)
    assert read_steps(tmp_path / "undo.json") == []


@pytest.mark.parametrize("strange", [1, {}, {"kind": "of a later version"}, {"kind": "delete", "items": []}])
def test_a_step_that_cannot_be_read_does_not_cost_the_others(tmp_path: Path, strange: object) -> None:
    path = tmp_path / "undo.json"
    write_steps(STEPS, path)
    path.write_text(json.dumps([*json.loads(path.read_text()), strange]))
    assert read_steps(path) == STEPS


def test_what_was_undone_or_cannot_be_written_down_is_not_kept() -> None:
    stack = UndoStack()
    for kept in STEPS:
        stack.push(Step("a step", list, list, kept=lambda kept=kept: kept))
    stack.push(Step("of this session alone", list, list))
    assert stack.kept() == STEPS
    stack.undo()
    stack.undo()
    assert stack.kept() == STEPS[:2]
    stack.redo()
    assert stack.kept() == STEPS
