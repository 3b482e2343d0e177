"""Safetensors files written and read one tensor at a time: a large model is never in memory twice.

`safetensors.torch.save_file` wants all tensors at once, on the CPU and laid out in rows, so weights on a GPU or in the
channels-last layout would all be copied first.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from typing_extensions import override

_DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_READ_AS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}


class Layout(NamedTuple):
    """What a tensor is like, from which byte of its file its values lie, rows first, and how many bytes they take."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    nbytes: int

    @property
    def row_bytes(self) -> int:
        """Bytes of what one index of the first axis has."""
        return self.nbytes // max(1, self.shape[0])


@runtime_checkable
class Rows(Protocol):
    """A tensor that is looked at one row, an index of its first axis, at a time: in memory or in a file."""

    @property
    def shape(self) -> torch.Size:
        """Sizes of all axes."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, index: Any, /) -> Tensor:
        """Return a row, or a tensor of the rows of a slice."""


class StoredRows(Rows):
    """A tensor of a file, mapped into memory: only the rows that are asked for are read.

    Other processes get the place of the file and not what is in it.

    Raises:
        SafetensorError, OSError: the file is damaged or cannot be read.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._layout = layouts(path)[name]
        self._mapped: np.ndarray | None = None

    @property
    @override
    def shape(self) -> torch.Size:
        return torch.Size(self._layout.shape)

    @override
    def __len__(self) -> int:
        return self._layout.shape[0]

    @override
    def __getitem__(self, index: Any, /) -> Tensor:
        if self._mapped is None:
            layout = self._layout
            self._mapped = np.memmap(self._path, _READ_AS[layout.dtype], "r", layout.start, layout.shape)
        return torch.from_numpy(np.array(self._mapped[index]))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_mapped": None}


class PartsFile:
    """A safetensors file that grows in parts: what it will hold is laid out first, rows are written one after another.

    Values are written and never mapped: on a full disk that is an error, where a map would end the process.

    Args:
        path: of the file; one that has begun goes on.
        tensors: of each tensor its type and shape.
        metadata: goes into the header.

    Raises:
        OSError: as the file system gives it.
    """

    def __init__(
        self, path: Path, tensors: Mapping[str, tuple[torch.dtype, tuple[int, ...]]], metadata: Mapping[str, str]
    ) -> None:
        self.path = path
        if not path.exists() or not path.stat().st_size:
            path.write_bytes(_header(tensors, metadata))
        self._layouts = layouts(path, whole=False)

    def write(self, name: str, start: int, rows: Tensor) -> None:
        """Write rows from index `start` on; they outlast a power failure once `flush` has returned.

        Raises:
            OSError: as the file system gives it, such as for a full disk.
        """
        layout = self._layouts[name]
        with self.path.open("r+b") as file:
            file.seek(layout.start + start * layout.row_bytes)
            file.write(tensor_bytes(rows))

    def flush(self) -> None:
        """Make what has been written outlast a power failure.

        Raises:
            OSError: as the file system gives it.
        """
        with self.path.open("r+b") as file:
            os.fsync(file.fileno())


def layouts(path: Path, *, whole: bool = True) -> dict[str, Layout]:
    """Return where the tensors of a file lie.

    Args:
        path: of the file.
        whole: whether all of it must be there.

    Raises:
        SafetensorError: it is no such file, or it is cut short.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= path.stat().st_size - 8:
            raise SafetensorError(f"{path} is cut short, or no safetensors file")
        try:
            header = json.loads(file.read(length))
            found = {
                name: Layout(entry["dtype"], tuple(entry["shape"]), 8 + length + begin, end - begin)
                for name, entry in header.items()
                if name != "__metadata__"
                for begin, end in (entry["data_offsets"],)
            }
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise SafetensorError(f"{path} has a damaged header ({error!r})") from error
    end = max((layout.start + layout.nbytes for layout in found.values()), default=0)
    if whole and path.stat().st_size < end:
        raise SafetensorError(f"{path} is cut short: it has {path.stat().st_size:,} of {end:,} bytes")
    return found


def metadata_of(path: Path) -> dict[str, str]:
    """Return the metadata in a file's header, whether or not all of the file is there.

    Raises:
        SafetensorError, OSError: the file is damaged or cannot be read.
    """
    layouts(path, whole=False)
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return {str(name): str(value) for name, value in header.get("__metadata__", {}).items()}


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write tensors so that they outlast a power failure; return the file's SHA-256.

    Raises:
        OSError: as the file system gives it.
    """
    header = _header({name: (one.dtype, tuple(one.shape)) for name, one in tensors.items()}, {})
    digest = hashlib.sha256()
    with path.open("wb") as file:
        digest.update(header)
        file.write(header)
        for part in map(tensor_bytes, tensors.values()):
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def read_tensors(path: Path) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a file, on the CPU, one at a time.

    Raises:
        SafetensorError, OSError: the file is damaged or cannot be read.
    """
    with safe_open(path, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118 - not a mapping
            yield name, file.get_tensor(name)


def _header(tensors: Mapping[str, tuple[torch.dtype, tuple[int, ...]]], metadata: Mapping[str, str]) -> bytes:
    """Return what a file begins with that holds tensors of these types and shapes, in this order."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, (dtype, shape) in tensors.items():
        start, end = end, end + math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": _DTYPES[dtype], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the data begins at a multiple of 8
    return len(text).to_bytes(8, "little") + text


def tensor_bytes(tensor: Tensor) -> memoryview:
    """Return a tensor's values as they lie in the file: rows first, little-endian."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data
