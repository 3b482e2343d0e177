"""Obeying the commands that arrive in the run folder, in all processes at the same step."""

import time
from collections.abc import Callable, Mapping
from typing import get_args

from accelerate import Accelerator

from ddmi_core.support.processes import from_first
from ddmi_core.training.ownership import RunState, set_state
from ddmi_core.training.run_folder import Command, RunFolder, Stopped

PAUSE_SECONDS = 0.25
"""Seconds between two looks at the control file while paused."""

_COMMANDS: tuple[Command, ...] = get_args(Command)


class Control:
    """Takes commands between two pieces of work.

    Args:
        run: the folder that they arrive in.
        accelerator: the first process reads them and tells the others.
        say: puts a message on record.
        actions: what to do for `sample`, `checkpoint` and, before it is obeyed, `stop`; what is not there is ignored.
    """

    def __init__(
        self,
        run: RunFolder,
        accelerator: Accelerator,
        say: Callable[[str], None],
        actions: Mapping[Command, Callable[[], None]],
    ) -> None:
        self._run, self._accelerator, self._say, self._actions = run, accelerator, say, actions

    def obey(self) -> float:
        """Do what was asked; return the seconds spent paused.

        Raises:
            Stopped: that was asked.
        """
        command = self._take()
        if command == "pause":
            return self._pause()
        self._do(command)
        return 0.0

    def _take(self) -> Command | None:
        command = self._run.take_command() if self._accelerator.is_main_process else None
        number = from_first(self._accelerator, _COMMANDS.index(command) if command else -1)
        return _COMMANDS[number] if number >= 0 else None

    def _do(self, command: Command | None) -> None:
        if command is not None and command in self._actions:
            self._actions[command]()
        if command == "stop":
            raise Stopped

    def _pause(self) -> float:
        """Wait for word to go on, obeying meanwhile; return the seconds that it took."""
        began = time.monotonic()
        self._tell("paused", "paused")
        while (command := self._take()) != "resume":
            self._do(command)
            time.sleep(PAUSE_SECONDS)
        self._tell("resumed", "running")
        return time.monotonic() - began

    def _tell(self, message: str, state: RunState) -> None:
        if self._accelerator.is_main_process:
            self._say(message)
            set_state(self._run, state)
