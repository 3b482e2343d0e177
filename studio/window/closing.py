"""Closing: what is asked before the window goes, and what is remembered of it."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox

from ddmi_core.support.errors import DDMIError
from studio.window.help import Help
from studio.window.questions import agrees, answer, question
from studio.window.sessions import Sessions
from studio.window.shell import Shell


class Closing:
    """What happens before the window closes."""

    def __init__(self, shell: Shell, help_: Help, sessions: Sessions) -> None:
        self._shell, self._state, self._settings, self._training = shell, shell.state, shell.settings, shell.training
        self._help, self._sessions = help_, sessions

    def may_close(self) -> bool:
        """Ask when work is going on, or something would be lost; whether the window may close."""
        return (
            (not self._state.jobs.active() or self._may_quit())
            and self._may_leave_runs()
            and self._may_lose_notes()
            and self._may_lose_unsaved()
        )

    def remember(self) -> None:
        """Remember how things were left, and end what goes on behind the window."""
        if self._help.guide is not None:
            self._settings.set_geometry("guide", self._help.guide.saveGeometry())
        self._sessions.keep_all()
        self._settings.save()
        self._shell.model_folders.shutdown()
        self._shell.trash.shutdown()
        self._shell.tag_files.shutdown()

    def _may_quit(self) -> bool:
        count = len(self._state.jobs.active())
        work = "A job is" if count == 1 else f"{count} jobs are"
        return agrees(
            self._shell,
            "Quit DDMI Studio?",
            f"{work} still going on.",
            "What is finished is in the history. What is to be generated waits in the queue, paused, at the next "
            "start; other work is cancelled.",
            do="Quit",
            keep="Keep working",
        )

    def _may_leave_runs(self) -> bool:
        """Ask what becomes of the runs that go on; whether the window may close."""
        alive = self._shell.runs.alive()
        if not alive:
            return True
        one = len(alive) == 1
        asked = question(
            self._shell,
            "Quit DDMI Studio?",
            f"{alive[0].name} is training." if one else f"{len(alive)} training runs are going on.",
            f"{'It' if one else 'They'} can go on without the window, which shows {'it' if one else 'them'} again when "
            f"you come back. What is stopped is saved first and can be resumed.",
        )
        go_on = asked.addButton("Go on in the background", QMessageBox.ButtonRole.AcceptRole)
        stop = asked.addButton("Stop and quit", QMessageBox.ButtonRole.DestructiveRole)
        stay = asked.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
        asked.setDefaultButton(go_on)
        asked.setEscapeButton(stay)
        chosen = answer(asked)
        if chosen is stop:
            return self._shell.attempt(lambda: self._training.stop([run.folder for run in alive]))
        return chosen is go_on

    def _may_lose_notes(self) -> bool:
        """Keep what was just noted on runs; ask if that fails. Whether the window may close."""
        try:
            self._shell.runs.monitor.notes.keep_at_once()
        except DDMIError as error:
            return agrees(
                self._shell,
                "Quit DDMI Studio?",
                "Notes on a run could not be kept.",
                str(error),
                do="Quit without them",
                keep="Stay",
            )
        return True

    def _may_lose_unsaved(self) -> bool:
        """Save what could not be saved so far; ask if that still fails. Whether the window may close."""
        count = self._state.library.save_held()
        if not count:
            return True
        what = "One result" if count == 1 else f"{count} results"
        return agrees(
            self._shell,
            "Quit DDMI Studio?",
            f"{what} could not be saved.",
            f"There is no room in {self._state.library.folder}, or it cannot be written. Make room first, or export "
            "what you want to keep.",
            do="Quit without saving",
            keep="Stay",
        )
