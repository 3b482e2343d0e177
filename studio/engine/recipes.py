"""Putting a training together: presets, a look through a folder, a trial on this machine, and the run folder."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from PySide6.QtCore import QObject, Signal

from ddmi_core.data.user_folder import scan_folder
from ddmi_core.domains import domain_names, get_domain
from ddmi_core.errors import DDMIError
from ddmi_core.progress import Cancelled
from ddmi_core.training.config import RunConfig, preset_file, preset_names, save_preset
from ddmi_core.training.known_runs import runs_folder
from ddmi_core.training.run_folder import RunFolder
from studio.engine.lanes import Lane
from studio.state.recipes import DomainChoice, FolderReport, PresetChoice, TrialReport

TRIAL_SECONDS = 20


class Recipes(QObject):
    """Answers the wizard. What takes time is done in a thread; call :meth:`shutdown` when the wizard closes."""

    scan_progressed = Signal(float, str)
    scanned = Signal(object)
    """FolderReport of the folder asked for last."""
    scan_failed = Signal(str)
    tried = Signal(object)
    """TrialReport."""
    trial_failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._lane = Lane("recipes")
        self._wanted: tuple[str, Path] | None = None
        self._trial: subprocess.Popen[str] | None = None
        self._stopping = False

    # At once

    def domains(self) -> list[DomainChoice]:
        """The kinds of signals that there are presets for."""
        known = {preset.domain for preset in self.presets()}
        return [
            DomainChoice(name, domain.title, domain.import_formats, domain.starter_sets)
            for name in domain_names()
            if name in known and (domain := get_domain(name))
        ]

    def presets(self) -> list[PresetChoice]:
        """All presets that can be read."""
        found = []
        for name in preset_names():
            text = preset_file(name).read_text(encoding="utf-8")
            try:
                config = RunConfig.from_text(text, name)
            except DDMIError:  # one of another version
                continue
            first = text.partition("\n")[0]
            about = first.removeprefix("#").strip() if first.startswith("#") else "A preset of yours"
            found.append(PresetChoice(name, config.domain, about, config.to_yaml()))
        return found

    def values(self, text: str) -> dict[str, object]:
        """The settings of a valid configuration, as plain values."""
        values: dict[str, object] = yaml.safe_load(text)
        return values

    def changed(self, text: str, settings: dict[str, object]) -> str:
        """A configuration with dotted settings replaced. Raises DDMIError where one is unknown or out of range."""
        assignments = [f"{key}={json.dumps(value)}" for key, value in settings.items()]
        return RunConfig.from_text(text, "recipe").with_overrides(assignments).to_yaml()

    def problem_with(self, text: str) -> str:
        """What is wrong with a configuration; empty if nothing is."""
        try:
            RunConfig.from_text(text, "above")
        except DDMIError as error:
            return str(error)
        return ""

    def save_preset(self, name: str, text: str) -> None:
        """Keep a configuration as a preset. Raises DDMIError where that is impossible."""
        save_preset(name, text)

    def create_run(self, text: str) -> Path:
        """Make a run folder for a configuration and return it. Raises DDMIError where that is impossible."""
        config = RunConfig.from_text(text, "above")
        stem = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in config.name) or "run"
        folder, number = runs_folder() / stem, 2
        while folder.exists():
            folder, number = runs_folder() / f"{stem}-{number}", number + 1
        try:
            RunFolder(folder).create(config.to_yaml())
        except OSError as error:
            raise DDMIError(f"The run folder {folder} cannot be made: {error.strerror}.") from error
        return folder

    # In the background

    def scan(self, domain: str, folder: Path) -> None:
        """Look through a folder, instead of the one asked for before."""
        self._wanted = wanted = (domain, folder)

        def progress(fraction: float, text: str) -> None:
            if self._wanted != wanted or self._stopping:
                raise Cancelled
            self.scan_progressed.emit(fraction, text)

        def look() -> None:
            kind = get_domain(domain)
            try:
                found = scan_folder(lambda split, told: kind.folder(folder, split, told), progress)
            except Cancelled:
                return
            except DDMIError as error:
                if self._wanted == wanted:
                    self.scan_failed.emit(str(error))
                return
            unusable = tuple((str(one.path.relative_to(folder)), one.reason) for one in found.unusable)
            self.scanned.emit(FolderReport(folder, found.names, found.held_out, found.captioned, unusable))

        self._lane.submit(look)

    def try_out(self, text: str) -> None:
        """Train for some seconds in a process of its own, and tell what it takes."""

        def run() -> None:
            with tempfile.TemporaryDirectory() as place:
                config = Path(place) / "run.yaml"
                config.write_text(text, encoding="utf-8")
                command = [sys.executable, "-m", "ddmi_core.cli", "trial", "--config", str(config)]
                self._trial = subprocess.Popen(
                    [*command, "--seconds", str(TRIAL_SECONDS)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                out, errors = self._trial.communicate()
            if self._stopping:
                return
            if self._trial.returncode:
                said = errors.strip().splitlines()
                self.trial_failed.emit(said[-1].removeprefix("ddmi: ") if said else "The trial was killed.")
            else:
                self.tried.emit(TrialReport(**json.loads(out.splitlines()[-1])))

        self._lane.submit(run)

    def shutdown(self, timeout: float = 2.0) -> bool:
        """End what is going on, within ``timeout`` seconds; whether it has ended."""
        self._stopping = True
        self._lane.stop()
        if self._trial is not None:
            self._trial.kill()
        return self._lane.join(timeout)
