"""Checkpoints: all that a resume needs, as safetensors and JSON, each written in full or not at all."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ddmi_core.files import write_json
from ddmi_core.training.averaging import AveragedWeights


class Progressed(NamedTuple):
    """How far a stage has come. Draws are numbered, so `step` is the data position and the randomness as well."""

    step: int
    rate_factor: float
    """By how much the NaN guard has lowered the learning rate."""


class Checkpoints:
    """The checkpoints of one stage; the newest two are kept."""

    def __init__(self, folder: Path, stage: str) -> None:
        self.folder = folder
        self.stage = stage

    def latest(self) -> Path | None:
        """Return the newest complete checkpoint."""
        found = sorted(self.folder.glob(f"{self.stage}-[0-9]*"))
        return found[-1] if found else None

    def save(
        self, progressed: Progressed, module: nn.Module, average: AveragedWeights, optimiser: torch.optim.Optimizer
    ) -> Path:
        """Write a checkpoint and drop all but the newest two."""
        target = self.folder / f"{self.stage}-{progressed.step:08d}"
        temporary = self.folder / f".{target.name}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        save_file(_contiguous(module.state_dict()), temporary / "weights.safetensors")
        save_file(_contiguous(average.weights), temporary / "average.safetensors")
        save_file(_optimiser_tensors(optimiser), temporary / "optimiser.safetensors")
        write_json(temporary / "progress.json", progressed._asdict())
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
        for old in sorted(self.folder.glob(f"{self.stage}-[0-9]*"))[:-2]:
            shutil.rmtree(old)
        return target

    def restore(
        self, path: Path, module: nn.Module, average: AveragedWeights, optimiser: torch.optim.Optimizer
    ) -> Progressed:
        """Read a checkpoint into module, average and optimiser."""
        module.load_state_dict(load_file(path / "weights.safetensors"))
        average.weights = load_file(path / "average.safetensors", device=str(next(module.parameters()).device))
        _restore_optimiser(optimiser, load_file(path / "optimiser.safetensors"))
        return Progressed(**json.loads((path / "progress.json").read_text(encoding="utf-8")))


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
