from __future__ import annotations

import pytest

from studio.state.undo import Step, UndoStack


def step(name: str, log: list[str]) -> Step:
    return Step(name, lambda: log.append(f"-{name}"), lambda: log.append(f"+{name}"))


def test_steps_are_undone_and_done_again_last_first() -> None:
    stack, log = UndoStack(), []
    for name in "ab":
        stack.push(step(name, log))
    stack.undo()
    stack.undo()
    stack.undo()  # nothing is left
    stack.redo()
    assert log == ["-b", "-a", "+a"]
    assert stack.next_undo is not None and stack.next_undo.text == "a"
    assert stack.next_redo is not None and stack.next_redo.text == "b"
    stack.push(step("c", log))
    assert stack.next_redo is None


def test_one_step_of_several_is_undone_once() -> None:
    stack, log = UndoStack(), []
    first, second = step("a", log), step("b", log)
    stack.push(first)
    stack.push(second)
    stack.undo(first)
    stack.undo(first)
    assert log == ["-a"] and stack.next_undo is second


def test_steps_of_a_kind_are_forgotten_done_and_undone() -> None:
    stack, log = UndoStack(), []
    for name in "abab":
        stack.push(step(name, log))
    stack.undo()
    stack.forget("b")
    assert stack.next_redo is None and stack.next_undo is not None and stack.next_undo.text == "a"
    stack.undo()
    stack.undo()
    assert log == ["-b", "-a", "-a"] and stack.next_undo is None


def test_what_cannot_be_undone_is_in_nobodys_way() -> None:
    def fail() -> None:
        raise OSError("gone")

    stack, log, said = UndoStack(), [], []
    stack.changed.connect(lambda: said.append(stack.next_undo))
    stack.push(step("a", log))
    stack.push(Step("b", fail, fail))
    with pytest.raises(OSError, match="gone"):
        stack.undo()
    assert stack.next_redo is None and said[-1].text == "a"
    stack.undo()
    assert log == ["-a"]
