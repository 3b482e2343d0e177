"""What a person can take back, and do again after all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psygnal import Signal

from studio.state.kept_steps import KeptStep

_KEPT = 100


@dataclass(frozen=True, eq=False)
class Step:
    """Something that was done. ``text`` says what, to go after "Undo", such as "delete".

    ``undo`` takes it back and ``redo`` does it again; both may raise `DDMIError`. ``kept`` is what is written down of
    it for the next start; None: nothing.
    """

    text: str
    undo: Callable[[], object]
    redo: Callable[[], object]
    kept: Callable[[], KeptStep | None] = lambda: None


class UndoStack:
    """The steps done, and those taken back. A step that fails to be undone or done again is forgotten."""

    changed = Signal()

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []

    def kept(self) -> list[KeptStep]:
        """What is written down of the steps that can be taken back, the last one at the end."""
        return [kept for step in self._done if (kept := step.kept()) is not None]

    @property
    def next_undo(self) -> Step | None:
        """The step that :meth:`undo` takes back."""
        return self._done[-1] if self._done else None

    @property
    def next_redo(self) -> Step | None:
        """The step that :meth:`redo` does again."""
        return self._undone[-1] if self._undone else None

    def push(self, step: Step) -> None:
        """A step was done; what had been taken back before cannot be done again."""
        self._done = [*self._done, step][-_KEPT:]
        self._undone.clear()
        self.changed.emit()

    def undo(self, step: Step | None = None) -> None:
        """Take back the step done last, or one of those before it; nothing if it was taken back already."""
        step = step or self.next_undo
        if step in self._done:
            self._done.remove(step)
            self._move(step, step.undo, self._undone)

    def redo(self) -> None:
        """Do again what was taken back last."""
        if self._undone:
            step = self._undone.pop()
            self._move(step, step.redo, self._done)

    def forget(self, text: str) -> None:
        """Forget all steps of a kind: there is nothing left to take back."""
        self._done = [step for step in self._done if step.text != text]
        self._undone = [step for step in self._undone if step.text != text]
        self.changed.emit()

    def _move(self, step: Step, act: Callable[[], object], to: list[Step]) -> None:
        try:
            act()
            to.append(step)
        finally:
            self.changed.emit()
