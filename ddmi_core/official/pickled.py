"""What `torch.save` wrote, read without running anything of it.

A pickle names functions and asks for them to be called. Here none is ever imported: the few that make dictionaries and
tensors have stand-ins of their own, and whatever else is named becomes a `Skipped`, which takes everything and does
nothing. So a file may hold a configuration of whatever kind beside its weights. Tensors are read when they are asked
for.
"""

import pickle
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

from ddmi_core.support.errors import ModelError

_PICKLE = "data.pkl"
_LARGEST_PICKLE = 2**28
"""Bytes; that of a thousand million parameters has less than one in a hundred of it."""
_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class Stored(NamedTuple):
    """Numbers of a file that tensors are views of: their type, their entry and how many there are."""

    dtype: torch.dtype
    key: str
    numbers: int


class StoredTensor(NamedTuple):
    """A tensor of a file, not read yet."""

    storage: Stored
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class Skipped:
    """What stands for anything that is neither plain values nor tensors: it can be made, called and filled."""

    def __new__(cls, *_: Any, **__: Any) -> "Skipped":
        """Make one of whatever it is made of."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __call__(self, *_: Any, **__: Any) -> "Skipped":
        """Take a call."""
        return self

    def __setstate__(self, _: Any) -> None: ...

    def __setitem__(self, _: Any, __: Any) -> None: ...

    def append(self, _: Any) -> None:
        """Take an item of what would be a list."""

    def extend(self, _: Any) -> None:
        """Take items of what would be a list."""

    def add(self, _: Any) -> None:
        """Take an item of what would be a set."""


class _Plain(dict[Any, Any]):
    """A dictionary; what a state dictionary says of versions is not kept."""

    def __setstate__(self, _: Any) -> None: ...


class TorchFile:
    """A file of `torch.save`: what lies in it, and its tensors."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        self._folder = next(name for name in archive.namelist() if name.endswith(_PICKLE))[: -len(_PICKLE)]
        self.contents = self._unpickled()

    def tensors(self, found: Mapping[Any, Any]) -> dict[str, Tensor]:
        """Return the tensors among the values of a dictionary, as float32.

        Raises:
            ModelError: the file is damaged.
        """
        return {str(name): self._tensor(one) for name, one in found.items() if isinstance(one, StoredTensor)}

    def _unpickled(self) -> Any:
        entry = self._archive.getinfo(self._folder + _PICKLE)
        if entry.file_size > _LARGEST_PICKLE:
            raise ModelError(f"{self._path} names far more than a model has: it is damaged or forged.")
        with self._archive.open(entry) as file:
            return _Unpickler(file, encoding="utf-8").load()

    def _tensor(self, one: StoredTensor) -> Tensor:
        dtype, key, numbers = one.storage
        data = bytearray(self._archive.read(f"{self._folder}data/{key}"))
        if len(data) != numbers * dtype.itemsize:
            raise ModelError(f"{self._path} is damaged: entry {key} has {len(data):,} bytes. Copy it again.")
        flat = torch.frombuffer(data, dtype=dtype) if numbers else torch.empty(0, dtype=dtype)
        return flat.as_strided(one.shape, one.stride, one.offset).float().contiguous()


@contextmanager
def open_torch_file(path: Path) -> Iterator[TorchFile]:
    """Open a file of `torch.save`.

    Raises:
        ModelError: it is no such file, of a torch before version 1.6, or damaged; reading its tensors may say so too.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if not any(name.endswith(_PICKLE) for name in names):
                raise ModelError(f"{path} is an archive, but none that torch.save wrote.")
            order = next((archive.read(name) for name in names if name.endswith("byteorder")), b"little")
            if order.decode("ascii", "replace") != sys.byteorder:
                raise ModelError(
                    f"{path} was written by a machine with another order of bytes. Save it anew on this one."
                )
            yield TorchFile(path, archive)
    except zipfile.BadZipFile as error:
        raise ModelError(
            f"{path} is not what torch.save writes since version 1.6, or it is cut short ({error}). "
            "Copy it again, or load and save it with a newer torch."
        ) from error
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ModelError(f"{path} is damaged, or no checkpoint ({error}). Copy it again.") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error}).") from error


class _Unpickler(pickle.Unpickler):
    @override
    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        return _KNOWN.get((module, name), Skipped)

    @override
    def persistent_load(self, pid: Any) -> Any:
        _, dtype, key, _, count = pid
        return Stored(dtype, str(key), int(count)) if isinstance(dtype, torch.dtype) else Skipped()


def _rebuilt(storage: Any, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Any:
    """Stands for `torch._utils._rebuild_tensor_v2`."""
    return StoredTensor(storage, offset, shape, stride) if isinstance(storage, Stored) else Skipped()


def _parameter(data: Any, *_: Any) -> Any:
    """Stands for `torch._utils._rebuild_parameter`."""
    return data


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Plain,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
