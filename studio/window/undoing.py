"""Undo: its actions, and the messages that offer it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from studio.state.kept_steps import KeptStep
from studio.state.notifications import Action, Notification
from studio.state.undo import Step
from studio.window.shell import Shell

_K = TypeVar("_K", bound=KeptStep)


class Undoing:
    """What can be undone, as the menu and messages say it."""

    def __init__(self, shell: Shell) -> None:
        self._shell, self._state = shell, shell.state
        self._offers: dict[Step, Notification] = {}
        """What was said of steps, with a button that undoes them."""
        self._makers: dict[type, Callable[[Any], Step | None]] = {}
        shell.actions_.on("undo", lambda: shell.attempt(self._state.undo.undo))
        shell.actions_.on("redo", lambda: shell.attempt(self._state.undo.redo))
        self._state.undo.changed.connect(self._show)
        self._state.domain_changed.connect(lambda _domain: self._show())
        self._show()

    def make_again(self, kind: type[_K], make: Callable[[_K], Step | None]) -> None:
        """Say how a step of an earlier session is made of what was written down; None if it cannot be undone now."""
        self._makers[kind] = make

    def bring_back(self, steps: Iterable[KeptStep]) -> None:
        """Let steps of an earlier session be undone, the last one at the end."""
        for kept in steps:
            if (step := self._makers[type(kept)](kept)) is not None:
                self._state.undo.push(step)

    def offer(self, step: Step, text: str) -> None:
        """Say what was done, with a button that undoes it."""
        undo = Action("Undo", lambda: self._shell.attempt(lambda: self._state.undo.undo(step)))
        self._offers[step] = self._state.notifications.info(text, action=undo)

    def withdraw(self, step: Step) -> None:
        """Take the offer to undo a step away: it was undone."""
        if (offer := self._offers.pop(step, None)) is not None:
            self._state.notifications.withdraw(offer)

    def forget(self, text: str) -> None:
        """Let steps of that name be undone no more."""
        self._state.undo.forget(text)
        for step in [step for step in self._offers if step.text == text]:
            self.withdraw(step)

    def _show(self) -> None:
        """Say in the menu what undo and redo would do."""
        undo, actions = self._state.undo, self._shell.actions_
        for name, text, step in (("undo", "Undo", undo.next_undo), ("redo", "Redo", undo.next_redo)):
            actions[name].setText(f"{text} {step.text}" if step is not None else text)
            actions[name].setEnabled(step is not None)
