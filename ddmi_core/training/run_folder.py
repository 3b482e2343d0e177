"""The run folder: the contract between a training and everything that watches it."""

import json
import os
import time
from pathlib import Path
from typing import Any, Literal, get_args

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import write_json, write_text
from ddmi_core.support.parsing import parse_json
from ddmi_core.training.history import parse_events

LONGEST_NOTES = 2**16
"""Bytes that notes on a run may take."""

Command = Literal["pause", "resume", "sample", "checkpoint", "stop"]


class Stopped(Exception):
    """The run was told to stop; its checkpoint is written."""


class RunFolder:
    """Reads and writes `run.yaml`, `events.jsonl`, `control`, and names everything else in the folder."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.config_file = self.path / "run.yaml"
        self.events_file = self.path / "events.jsonl"
        self.control_file = self.path / "control"
        self.status_file = self.path / "status.json"
        self.lock_file = self.path / "lock"
        self.log_file = self.path / "log.txt"
        self.crash_file = self.path / "crash.txt"
        self.console_file = self.path / "console.txt"
        self.notes_file = self.path / "notes.txt"
        self.checkpoints = self.path / "checkpoints"
        self.samples = self.path / "samples"
        self.cache = self.path / "cache"
        self.tensorboard = self.path / "tensorboard"
        self.model = self.path / "model"

    def create(self, configuration: str) -> None:
        """Make the folder and write the configuration, YAML as `RunConfig.to_yaml` gives it.

        Raises:
            DDMIError: that is not possible there.
        """
        try:
            for folder in (self.checkpoints, self.samples, self.cache, self.tensorboard):
                folder.mkdir(parents=True, exist_ok=True)
            write_text(self.config_file, configuration)
        except OSError as error:
            raise DDMIError(
                f"The run folder {self.path} cannot be written ({error.strerror}). Allow it, make room, or choose "
                "another place."
            ) from error

    def settled(self, what: str) -> Any:
        """Return what was settled where a stage began, such as `threads-diffusion`; None if it was not yet."""
        file = self._settled(what)
        return parse_json(file.read_text(encoding="utf-8")) if file.exists() else None

    def settle(self, what: str, value: dict[str, Any]) -> None:
        """Keep something for when the run goes on."""
        write_json(self._settled(what), value)

    def _settled(self, what: str) -> Path:
        return self.cache / f"{what}.json"

    def prepare(self) -> None:
        """Make ready for a training that starts or goes on: tidy up after one that was killed."""
        self.control_file.unlink(missing_ok=True)  # a command that nobody obeyed is void
        self.crash_file.unlink(missing_ok=True)
        for folder in (self.cache, self.samples):
            for half_written in folder.glob(".*"):
                half_written.unlink()
        with self.events_file.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read() != b"\n":
                    file.write(b"\n")

    def last_written(self) -> float:
        """Return when the run went on last, in seconds since 1970."""
        for file in (self.events_file, self.config_file):
            try:
                return file.stat().st_mtime
            except OSError:
                continue
        return 0.0

    def record(self, **event: Any) -> None:
        """Append one event; numbers that are not finite are written as null, since JSON has none."""
        clean = {key: _finite(value) for key, value in event.items()}
        with self.events_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": round(time.time(), 3), **clean}) + "\n")

    def events(self) -> list[dict[str, Any]]:
        """Return all events so far; a line that is still being written is left out."""
        return parse_events(self.events_file.read_bytes()) if self.events_file.exists() else []

    def notes(self) -> str | None:
        """Return what people noted on the run; None if that is no text, too long, or cannot be read."""
        try:
            with self.notes_file.open("rb") as file:
                found = file.read(LONGEST_NOTES + 1)
            return found.decode("utf-8").replace("\r\n", "\n") if len(found) <= LONGEST_NOTES else None
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError):
            return None

    def write_notes(self, text: str) -> None:
        """Keep notes on the run, in place of those before; without any the file goes.

        Raises:
            DDMIError: they are too long, or the folder cannot be written.
        """
        if len(text.encode()) > LONGEST_NOTES:
            raise DDMIError(f"Notes take up to {LONGEST_NOTES // 1024} kB: put what is longer into a file of its own.")
        try:
            if text.strip():
                write_text(self.notes_file, text)
            else:
                self.notes_file.unlink(missing_ok=True)
        except OSError as error:
            raise DDMIError(
                f"The notes cannot be kept in {self.path} ({error.strerror}). Allow writing there, or make room."
            ) from error

    def command(self, command: Command) -> None:
        """Ask the training that owns this folder for something."""
        write_text(self.control_file, command)

    def take_command(self) -> Command | None:
        """Return and remove the waiting command, if there is one."""
        try:
            text = self.control_file.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None
        self.control_file.unlink(missing_ok=True)
        return text if text in get_args(Command) else None  # type: ignore[return-value]


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return value
