"""Checkpoints: all that a resume needs, as safetensors and JSON, each written in full or not at all."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import file_digest, write_json
from ddmi_core.support.parsing import parse_json
from ddmi_core.training.averaging import AveragedWeights
from ddmi_core.training.early_end import Course
from ddmi_core.training.sharding import as_spread, whole
from ddmi_core.training.tensor_file import read_tensors, write_tensors


class Progressed(NamedTuple):
    """How far a stage has come. Draws are numbered, so `step` is the data position and the randomness as well."""

    step: int
    rate_factor: float
    """By how much the NaN guard has lowered the learning rate."""
    held_out: float | None = None
    """The held-out figure by which checkpoints are compared, lower is better; None where it was not measured."""
    scaler: dict[str, float] = {}  # noqa: RUF012 - a default that nobody changes
    """State of the gradient scaler of a run in float16."""
    course: Course = Course()
    """How the held-out figures went so far."""


class DamagedCheckpoint(DDMIError):
    """A checkpoint is incomplete, or its files are not what was written."""


_WEIGHTS, _AVERAGE, _OPTIMISER = "weights.safetensors", "average.safetensors", "optimiser.safetensors"
_PROGRESS = "progress.json"
_DAMAGES = (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError)
"""What reading a damaged checkpoint raises."""


class Checkpoints:
    """The checkpoints of one stage: the newest few are kept, and the best one by the held-out figure."""

    def __init__(self, folder: Path, stage: str, keep: int = 2) -> None:
        self.folder = folder
        self.stage = stage
        self._keep = keep

    def newest_first(self) -> list[Path]:
        """Return the stage's checkpoints."""
        return sorted(self.folder.glob(f"{self.stage}-[0-9]*"), reverse=True)

    def best(self) -> tuple[Path, float] | None:
        """Return the checkpoint with the lowest held-out figure, and the figure; None if none was measured."""
        measured = [(path, figure) for path in self.newest_first() if (figure := _held_out(path)) is not None]
        return min(measured, key=lambda one: one[1], default=None)

    def save(
        self,
        progressed: Progressed,
        module: nn.Module,
        average: AveragedWeights,
        optimiser: torch.optim.Optimizer,
        *,
        write: bool = True,
    ) -> Path:
        """Write a checkpoint, then drop all but the newest few and the best one.

        Weights that are spread over processes are put together first, in the machine's memory: then it is to be called
        in all processes, one of which writes.

        Raises:
            DDMIError: it cannot be written; the ones before stay.
        """
        target = self.folder / f"{self.stage}-{progressed.step:08d}"
        files = {
            name: _whole(tensors, keep=write)
            for name, tensors in (
                (_WEIGHTS, module.state_dict()),
                (_AVERAGE, average.weights),
                (_OPTIMISER, _optimiser_tensors(optimiser)),
            )
        }
        if not write:
            return target
        temporary, replaced = self.folder / f".{target.name}", self.folder / f".{target.name}-replaced"
        try:
            for left in self.folder.glob(f".{self.stage}-*"):  # by a process that was killed
                shutil.rmtree(left)
            temporary.mkdir(parents=True)
            checksums = {name: write_tensors(temporary / name, tensors) for name, tensors in files.items()}
            write_json(temporary / _PROGRESS, {**progressed._asdict(), "sha256": checksums})
            if target.exists():
                target.rename(replaced)
            temporary.rename(target)
            shutil.rmtree(replaced, ignore_errors=True)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise DDMIError(
                f"The checkpoint of step {progressed.step} cannot be written to {self.folder} ({error}). "
                "The one before is kept: make room, or allow writing there, and resume."
            ) from error
        best = self.best()
        for old in self.newest_first()[self._keep :]:
            if best is None or old != best[0]:
                shutil.rmtree(old)
        return target

    def put_aside(self, path: Path) -> Path:
        """Rename a damaged checkpoint so that it is neither read again nor counted."""
        aside = path.with_name(f"damaged-{path.name}")
        shutil.rmtree(aside, ignore_errors=True)
        return path.rename(aside)

    def progressed(self, path: Path) -> Progressed:
        """Return how far a checkpoint says that it came.

        Raises:
            DamagedCheckpoint: it does not say.
        """
        try:
            return _noted(path)[0]
        except _DAMAGES as error:
            raise DamagedCheckpoint(f"The checkpoint {path.name} is damaged ({error}).") from error

    def verify(self, path: Path) -> Progressed:
        """Return how far a checkpoint came.

        Raises:
            DamagedCheckpoint: it is not what was written.
        """
        try:
            progressed, checksums = _noted(path)
            for name in (_WEIGHTS, _AVERAGE, _OPTIMISER):
                if checksums and file_digest(path / name) != checksums[name]:
                    raise DamagedCheckpoint(f"The checkpoint {path.name} is damaged: {name} has changed.")
                with safe_open(path / name, framework="pt"):
                    pass  # the header is sound and the file as long as it says
        except _DAMAGES as error:
            raise DamagedCheckpoint(f"The checkpoint {path.name} is damaged ({error}).") from error
        return progressed

    def restore(
        self, path: Path, module: nn.Module, average: AveragedWeights, optimiser: torch.optim.Optimizer
    ) -> Progressed:
        """Read a checkpoint into module, average and optimiser, one tensor at a time.

        Raises:
            DamagedCheckpoint: it is not what was written; nothing was changed.
            DDMIError: it is of a model of other sizes.
        """
        progressed = self.verify(path)
        _copy(path / _WEIGHTS, module.state_dict())
        _copy(path / _AVERAGE, average.weights)
        _restore_optimiser(optimiser, path / _OPTIMISER)
        return progressed


def _noted(path: Path) -> tuple[Progressed, dict[str, str]]:
    """Return how far a checkpoint came, and the checksums of its files; those of the first version have none."""
    progress = parse_json((path / _PROGRESS).read_text(encoding="utf-8"))
    checksums = progress.pop("sha256", {})
    course = Course(*progress.pop("course", ()))
    return Progressed(**progress, course=course), checksums


def _held_out(path: Path) -> float | None:
    try:
        figure = parse_json((path / _PROGRESS).read_text(encoding="utf-8")).get("held_out")
    except (OSError, ValueError, AttributeError):
        return None
    return float(figure) if isinstance(figure, int | float) else None


@torch.no_grad()
def _copy(path: Path, tensors: dict[str, Tensor]) -> None:
    """Copy a file's tensors into those of the same names."""
    left = set(tensors)
    for name, tensor in read_tensors(path):
        if name not in tensors or tensors[name].shape != tensor.shape:
            raise DDMIError(
                f"{path} is of a model of other sizes than run.yaml says ({name}). Change run.yaml back, or start anew."
            )
        tensors[name].copy_(as_spread(tensor, tensors[name]))
        left.discard(name)
    if left:
        raise DDMIError(f"{path} lacks {min(left)}, which run.yaml asks for. Change run.yaml back, or start anew.")


def _whole(tensors: Mapping[str, Tensor], *, keep: bool) -> dict[str, Tensor]:
    """Return tensors as wholes, in a process that keeps them; the others give their parts."""
    found = {}
    for name, tensor in tensors.items():
        all_of_it = whole(tensor)
        if keep:
            found[name] = tensor if all_of_it is tensor else all_of_it.cpu()
    return found


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{index}.{key}": value
        for index, parameter in enumerate(_parameters(optimiser))
        for key, value in optimiser.state.get(parameter, {}).items()
    }


def _restore_optimiser(optimiser: torch.optim.Optimizer, path: Path) -> None:
    optimiser.state.clear()
    parameters = _parameters(optimiser)
    for name, tensor in read_tensors(path):
        index, key = name.split(".")
        parameter = parameters[int(index)]
        if not tensor.dim():  # the count of steps, which a fused optimiser wants where the weights are
            optimiser.state[parameter][key] = tensor.to(parameter.device)
            continue
        moment = torch.empty_like(parameter, dtype=tensor.dtype)  # lies as its parameter does
        optimiser.state[parameter][key] = moment.copy_(as_spread(tensor, moment))
