"""The published checkpoints: of both stages as `torch.save` wrote them, or all weights of a model as safetensors."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ddmi_core.official.pickled import TorchFile, open_torch_file
from ddmi_core.support.errors import ModelError

Weights = dict[str, Tensor]
_LAYOUTS = (
    "ldm-last.pt of the second stage (vaemodel, mlp, ema), model-last.pt of the first (model, mlp), "
    "or safetensors (vae., mlp. and ldm. before the names)"
)
_ARCHIVE, _OLD_PICKLE = b"PK", b"\x80"


class Checkpoint(NamedTuple):
    """Weights by their published names; of the first stage alone there is no denoiser.

    The denoiser is the averaged one, with its schedule and its mixing.
    """

    autoencoder: Weights
    readout: Weights
    denoiser: Weights | None


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a published checkpoint. Nothing in it is executed, whatever it holds beside weights.

    Raises:
        ModelError: it cannot be read, or is of another layout.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(2)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    if begin == _ARCHIVE:
        with open_torch_file(path) as found:
            return _of_torch(path, found)
    if begin.startswith(_OLD_PICKLE):
        raise ModelError(f"{path} was saved by a torch before version 1.6. Load and save it with a newer one.")
    return _of_safetensors(path)


def _of_torch(path: Path, found: TorchFile) -> Checkpoint:
    contents = found.contents if isinstance(found.contents, dict) else {}
    names = next((one for one in (("vaemodel", "mlp", "ema"), ("model", "mlp")) if set(one) <= set(contents)), None)
    if names is None or not all(isinstance(contents[name], dict) for name in names):
        raise _other_layout(path, map(str, contents))
    autoencoder, readout, *averaged = (found.tensors(contents[name]) for name in names)
    denoiser = _below("ema_model.", averaged[0]) if averaged else None
    if denoiser is not None and not denoiser:
        raise ModelError(f"{path} has no averaged weights: nothing in ema is named ema_model.")
    return Checkpoint(autoencoder, readout, denoiser)


def _of_safetensors(path: Path) -> Checkpoint:
    try:
        weights = {name: tensor.float() for name, tensor in load_file(path).items()}
    except SafetensorError as error:
        raise ModelError(f"{path} is no checkpoint, or damaged ({error}). There are: {_LAYOUTS}.") from error
    found = Checkpoint(_below("vae.", weights), _below("mlp.", weights), _below("ldm.", weights) or None)
    if not found.autoencoder or not found.readout:
        raise _other_layout(path, {name.partition(".")[0] for name in weights})
    return found


def _below(prefix: str, weights: Weights) -> Weights:
    return {name.removeprefix(prefix): one for name, one in weights.items() if name.startswith(prefix)}


def _other_layout(path: Path, names: Iterable[str]) -> ModelError:
    held = ", ".join(sorted(names)[:10]) or "nothing by a name"
    return ModelError(f"{path} is of another layout: it holds {held}. There are: {_LAYOUTS}.")
