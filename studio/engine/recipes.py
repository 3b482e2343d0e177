"""Putting a training together: presets, a look through a folder, a trial on this machine, and the run folder."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from jaxtyping import UInt8
from numpy import ndarray
from PySide6.QtCore import QObject, Signal

from ddmi_core.data.user_folder import FEW, other_files, scan_folder
from ddmi_core.domains import domain_names, get_domain
from ddmi_core.model_folder import INDEX, PREVIEW, ModelInfo
from ddmi_core.support.cached import release
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.known_runs import runs_folder
from ddmi_core.support.paths import assets
from ddmi_core.support.progress import Cancelled, Progress
from ddmi_core.training.adapting import USUAL_RANK, changes_bytes
from ddmi_core.training.config import RunConfig, preset_file, preset_names, save_preset
from ddmi_core.training.fine_tuning import further
from ddmi_core.training.run_folder import RunFolder
from studio.engine.lanes import Lane
from studio.state.recipes import (
    BatchReport,
    DataReport,
    DomainChoice,
    LargestBatch,
    PresetChoice,
    TextEncoderChoice,
    TrialReport,
)

__all__ = ["FEW", "TRIAL_SECONDS", "USUAL_RANK", "Recipes"]

TRIAL_SECONDS = 20

_THUMBNAILS = 60
_STARTER_THUMBNAILS = 24  # some sets are drawn, which takes a moment each
_THUMBNAIL_SIZE = 96  # px
_DECIDES_STEPS = ("domain", "autoencoder", "denoiser", "precision", "device", "compile", "adapter_rank")
"""Settings that decide how long a step takes, beside its batch and its queries."""
_TEXT_ENCODERS = (
    ("all-MiniLM-L6-v2, works offline", "minilm", "all-MiniLM-L6-v2", None, 384, 24),
    ("CLIP ViT-B-32, is downloaded", "open_clip", "ViT-B-32-quickgelu", "openai", 512, 77),
    ("CLIP ViT-L-14, is downloaded", "open_clip", "ViT-L-14-quickgelu", "openai", 768, 77),
)


class Recipes(QObject):
    """Answers the wizard. What takes time is done in a thread; call :meth:`shutdown` when the wizard closes."""

    scan_progressed = Signal(float, str)
    scanned = Signal(object)
    """DataReport of what was asked for last."""
    scan_failed = Signal(str)
    tried = Signal(object)
    """TrialReport."""
    trial_failed = Signal(str)
    batches_found = Signal(object)
    """BatchReport."""
    search_failed = Signal(str)
    changes_sized = Signal(int)
    """Bytes of the model folder of a run that keeps only changes."""

    def __init__(self) -> None:
        super().__init__()
        self._lane = Lane("recipes")
        self._wanted: tuple[str, str] | None = None
        self._trial: subprocess.Popen[str] | None = None
        self._trials_asked = 0
        self._stopping = False

    # At once

    def domains(self) -> list[DomainChoice]:
        """The kinds of signals that there are presets for."""
        known = {preset.domain for preset in self.presets()}
        return [
            DomainChoice(
                name, domain.title, domain.about, domain.import_formats, domain.starter_sets, _picture_of(name)
            )
            for name in domain_names()
            if name in known and (domain := get_domain(name))
        ]

    def text_encoders(self) -> list[TextEncoderChoice]:
        """The text encoders that are offered; any other one can be written into the configuration."""
        return [
            TextEncoderChoice(
                title,
                name,
                {
                    "text_encoder": {
                        "kind": kind,
                        "name": name,
                        "pretrained": pretrained,
                        "max_tokens": tokens,
                    },
                    "denoiser.text_channels": channels,
                },
            )
            for title, kind, name, pretrained, channels, tokens in _TEXT_ENCODERS
        ]

    def unusable_presets(self) -> list[str]:
        """Why presets cannot be used, such as those of a newer version; one sentence each."""
        reasons = []
        for name in preset_names():
            try:
                RunConfig.from_preset(name)
            except DDMIError as error:
                reasons.append(str(error))
        return reasons

    def presets(self) -> list[PresetChoice]:
        """All presets that can be used."""
        found = []
        for name in preset_names():
            text = preset_file(name).read_text(encoding="utf-8")
            try:
                config = RunConfig.from_text(text, name)
            except DDMIError:
                continue
            first = text.partition("\n")[0]
            about = first.removeprefix("#").strip() if first.startswith("#") else "A preset of yours"
            found.append(PresetChoice(name, config.domain, about, config.to_yaml()))
        return found

    def further(self, models: Sequence[ModelInfo]) -> list[PresetChoice]:
        """A recipe that goes on from each of these models, but for those that cannot be gone on from."""
        found = []
        for model in models:
            try:
                text = further(model).to_yaml()
            except DDMIError:
                continue
            about = f"Goes on from the model {model.name}, at its size: the soonest to be good. {model.origin}"
            found.append(PresetChoice(f"{model.name}-further", model.domain, about, text))
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

    def run_seconds(self, text: str, tried: str, report: TrialReport) -> float | None:
        """How long the run of a configuration should take, by the trial of another one.

        None where the two differ in more than steps, batches and what costs nothing. A larger batch is taken to cost as
        much more.
        """
        one, other = (RunConfig.from_text(each, "recipe") for each in (text, tried))
        if any(getattr(one, name) != getattr(other, name) for name in _DECIDES_STEPS):
            return None
        if one.stage1.queries != other.stage1.queries:
            return None
        return one.seconds(
            report.autoencoder_step_seconds * one.stage1.batch / other.stage1.batch,
            report.denoiser_step_seconds * one.stage2.batch / other.stage2.batch,
        )

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
        RunFolder(folder).create(config.to_yaml())
        return folder

    # In the background

    def scan(self, domain: str, source: str) -> None:
        """Look through a starter set or a folder, instead of the one asked for before."""
        self._wanted = wanted = (domain, source)

        def progress(fraction: float, text: str) -> None:
            if self._wanted != wanted or self._stopping:
                raise Cancelled
            self.scan_progressed.emit(fraction, text)

        def look() -> None:
            of_ours = source in get_domain(domain).starter_sets
            try:
                report = (_starter_set if of_ours else _folder)(domain, source, progress)
            except Cancelled:
                return
            except DDMIError as error:
                if self._wanted == wanted:
                    self.scan_failed.emit(str(error))
                return
            finally:
                release()
            if self._wanted == wanted:
                self.scanned.emit(report)

        self._lane.submit(look)

    def try_out(self, text: str) -> None:
        """Train for some seconds in a process of its own, and tell what it takes."""
        self._ask_trial(
            text,
            ["--seconds", str(TRIAL_SECONDS)],
            lambda answer: self.tried.emit(TrialReport(**answer)),
            self.trial_failed.emit,
        )

    def find_batches(self, text: str) -> None:
        """Find the largest batches that fit into memory, in a process of its own."""
        self._ask_trial(
            text,
            ["--largest-batch", "--seconds", str(TRIAL_SECONDS)],
            lambda answer: self.batches_found.emit(
                BatchReport(**{stage: LargestBatch(**found) for stage, found in answer.items()})
            ),
            self.search_failed.emit,
        )

    def size_changes(self, text: str) -> None:
        """Find out how large the model becomes of a run that keeps only changes."""
        config = RunConfig.from_text(text, "recipe")

        def find() -> None:
            if config.adapter_rank is not None:
                self.changes_sized.emit(changes_bytes(config, config.adapter_rank))

        self._lane.submit(find)

    def cancel_trial(self) -> None:
        """End what was asked for last of :meth:`try_out` and :meth:`find_batches`; nothing more is heard of it."""
        self._trials_asked += 1
        if self._trial is not None:
            self._trial.kill()

    def _ask_trial(
        self,
        text: str,
        options: list[str],
        answered: Callable[[dict[str, Any]], None],
        failed: Callable[[str], None],
    ) -> None:
        """Run `ddmi trial`, whose memory is given back when it ends."""
        self._trials_asked = asked = self._trials_asked + 1

        def cancelled() -> bool:
            return self._stopping or self._trials_asked != asked

        def run() -> None:
            if cancelled():
                return
            with tempfile.TemporaryDirectory() as place:
                config = Path(place) / "run.yaml"
                config.write_text(text, encoding="utf-8")
                self._trial = subprocess.Popen(
                    [sys.executable, "-m", "ddmi_core.cli", "trial", "--config", str(config), *options],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                if cancelled():  # while it started
                    self._trial.kill()
                out, errors = self._trial.communicate()
            if cancelled():
                return
            if self._trial.returncode:
                said = errors.strip().splitlines()
                failed(
                    said[-1].removeprefix("ddmi: ") if said else "The trial was killed: there was too little memory."
                )
            else:
                answered(json.loads(out.splitlines()[-1]))

        self._lane.submit(run)

    def shutdown(self, timeout: float = 2.0) -> bool:
        """End what is going on, within ``timeout`` seconds; whether it has ended."""
        self._stopping = True
        self._lane.stop()
        if self._trial is not None:
            self._trial.kill()
        return self._lane.join(timeout)


def _starter_set(domain: str, source: str, progress: Progress) -> DataReport:
    """Look through a set that came along; all of it has captions, by which its pictures are named."""
    kind = get_domain(domain)
    train, held_out = (kind.items(source, split, seed=0, queries=1) for split in ("train", "held_out"))
    count = len(train) + len(held_out)
    drawn: dict[str, UInt8[ndarray, "s s 4"]] = {}
    for number in range(_STARTER_THUMBNAILS):
        progress(number / _STARTER_THUMBNAILS, f"Drawing {number + 1} of {_STARTER_THUMBNAILS}")
        index = number * len(train) // _STARTER_THUMBNAILS
        drawn[train.captions(index)[0]] = train.thumbnail(index, _THUMBNAIL_SIZE)
    return DataReport(source, count, len(held_out), count, (), drawn, 0)


def _folder(domain: str, source: str, progress: Progress) -> DataReport:
    """Look through a folder of a user's."""
    kind, folder = get_domain(domain), Path(source)
    found = scan_folder(
        lambda split, share: kind.folder(folder, split, share), progress, thumbnails=_THUMBNAILS, size=_THUMBNAIL_SIZE
    )
    unusable = [(str(one.path.relative_to(folder)), one.reason) for one in found.unusable]
    unusable += _of_other_kinds(domain, folder)
    files = [folder / name for name in found.names]
    taken = sum(file.stat().st_size for file in files if file.is_file())
    return DataReport(
        source, len(found.names), found.held_out, found.captioned, tuple(unusable), found.thumbnails, taken
    )


def _picture_of(domain: str) -> Path | None:
    """Return the preview of a model of the domain that came along."""
    for index in sorted((assets() / "models").glob(f"*/{INDEX}")):
        try:
            found = json.loads(index.read_text(encoding="utf-8")).get("domain") == domain
        except (OSError, ValueError, AttributeError):
            continue
        if found and index.with_name(PREVIEW).is_file():
            return index.with_name(PREVIEW)
    return None


def _of_other_kinds(domain: str, folder: Path) -> list[tuple[str, str]]:
    """Say which files of a folder belong to another kind of signal, or to none."""
    own = get_domain(domain)
    domains = [get_domain(name) for name in domain_names()]
    said = []
    for suffix, count in other_files(folder, own.import_formats).most_common():
        if suffix == ".tar":
            continue
        kind = " or ".join(domain.title for domain in domains if suffix in domain.import_formats)
        reason = (
            f"They are for {kind}: a run learns from one kind of signal, so train those in a run of their own."
            if kind
            else f"They are of no kind that {own.title} are learned from."
        )
        said.append((f"{count:,} × {suffix}", reason))
    return said
