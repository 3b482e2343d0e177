"""Checkpoints: all that a resume needs, as safetensors and JSON, each written in full or not at all."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddmi_core.errors import DDMIError
from ddmi_core.files import write_json
from ddmi_core.training.averaging import AveragedWeights


class Progressed(NamedTuple):
    """How far a stage has come. Draws are numbered, so `step` is the data position and the randomness as well."""

    step: int
    rate_factor: float
    """By how much the NaN guard has lowered the learning rate."""


class DamagedCheckpoint(DDMIError):
    """A checkpoint is incomplete, or its files are not what was written."""


_WEIGHTS, _AVERAGE, _OPTIMISER = "weights.safetensors", "average.safetensors", "optimiser.safetensors"
_PROGRESS = "progress.json"


class Checkpoints:
    """The checkpoints of one stage; the newest two are kept."""

    def __init__(self, folder: Path, stage: str) -> None:
        self.folder = folder
        self.stage = stage

    def newest_first(self) -> list[Path]:
        """Return the stage's checkpoints."""
        return sorted(self.folder.glob(f"{self.stage}-[0-9]*"), reverse=True)

    def save(
        self, progressed: Progressed, module: nn.Module, average: AveragedWeights, optimiser: torch.optim.Optimizer
    ) -> Path:
        """Write a checkpoint and drop all but the newest two.

        Raises:
            DDMIError: it cannot be written; the ones before stay.
        """
        target = self.folder / f"{self.stage}-{progressed.step:08d}"
        temporary = self.folder / f".{target.name}"
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            temporary.mkdir(parents=True)
            checksums = {
                name: _saved(tensors, temporary / name)
                for name, tensors in (
                    (_WEIGHTS, module.state_dict()),
                    (_AVERAGE, average.weights),
                    (_OPTIMISER, _optimiser_tensors(optimiser)),
                )
            }
            write_json(temporary / _PROGRESS, {**progressed._asdict(), "sha256": checksums})
            shutil.rmtree(target, ignore_errors=True)
            temporary.rename(target)
        except (OSError, SafetensorError) as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise DDMIError(
                f"The checkpoint of step {progressed.step} cannot be written to {self.folder} ({error}). "
                "The one before is kept: make room, or allow writing there, and resume."
            ) from error
        for old in self.newest_first()[2:]:
            shutil.rmtree(old)
        return target

    def put_aside(self, path: Path) -> Path:
        """Rename a damaged checkpoint so that it is neither read again nor counted."""
        aside = path.with_name(f"damaged-{path.name}")
        shutil.rmtree(aside, ignore_errors=True)
        return path.rename(aside)

    def restore(
        self, path: Path, module: nn.Module, average: AveragedWeights, optimiser: torch.optim.Optimizer
    ) -> Progressed:
        """Read a checkpoint into module, average and optimiser, one file at a time.

        Raises:
            DamagedCheckpoint: it is not what was written; nothing was changed.
        """
        try:
            progress = json.loads((path / _PROGRESS).read_text(encoding="utf-8"))
            checksums = progress.pop("sha256", {})  # checkpoints of the first version have none
            progressed = Progressed(**progress)
            for name in (_WEIGHTS, _AVERAGE, _OPTIMISER):
                if checksums and _sha256(path / name) != checksums[name]:
                    raise DamagedCheckpoint(f"The checkpoint {path.name} is damaged: {name} has changed.")
                with safe_open(path / name, framework="pt"):
                    pass  # the header is sound and the file as long as it says
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise DamagedCheckpoint(f"The checkpoint {path.name} is damaged ({error}).") from error
        module.load_state_dict(load_file(path / _WEIGHTS))
        average.weights = load_file(path / _AVERAGE, device=str(next(module.parameters()).device))
        _restore_optimiser(optimiser, load_file(path / _OPTIMISER))
        return progressed


def _saved(tensors: dict[str, Tensor], path: Path) -> str:
    """Write tensors so that they outlast a power failure; return the file's SHA-256."""
    save_file(_contiguous(tensors), path)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _contiguous(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.contiguous() for name, tensor in state.items()}


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimiser.state_dict()["state"]
    return {f"{index}.{key}": value.contiguous() for index, parts in state.items() for key, value in parts.items()}


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".")
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
