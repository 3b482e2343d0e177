"""CIFAR10's batches (Krizhevsky 2009): the pickles of its Python version, and its binary version.

The pickles are taken apart by an unpickler that makes nothing but numbers, words, containers and NumPy arrays: a
crafted file cannot run code.
"""

import io
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from typing_extensions import override

from ddmi_core.support.errors import DataError

SIDE = 32
CLASSES = 10

_ROW = 1 + 3 * SIDE * SIDE  # of the binary version: the label, then red, green and blue
_LONGEST_FILE = 64 * 2**20  # bytes; a batch has 31 MB
_RECONSTRUCT = np.zeros(0).__reduce__()[0]
_ADMITTED = {  # the published files were written by NumPy 1
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class Batch(NamedTuple):
    """Pictures and the numbers of their classes."""

    pixels: UInt8[np.ndarray, "n 32 32 3"]
    labels: UInt8[np.ndarray, " n"]


def read_batch(file: Path) -> Batch:
    """Read a batch: `data_batch_1` and the like, or `data_batch_1.bin`.

    Raises:
        DataError: it cannot be read, or is no such batch.
    """
    if file.suffix == ".bin":
        rows = np.frombuffer(_content(file), np.uint8)
        if not len(rows) or len(rows) % _ROW:
            raise DataError(f"{file} is cut short: {len(rows):,} bytes are no multiple of {_ROW:,}. Fetch it again.")
        rows = rows.reshape(-1, _ROW)
        pixels: Any = rows[:, 1:]
        labels = rows[:, 0]
    else:
        table = _unpickled(file)
        pixels, labels = table.get(b"data"), np.asarray(table.get(b"labels", []))
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.uint8
        or pixels.shape != (len(labels), _ROW - 1)
        or not len(labels)
        or labels.dtype.kind not in "iu"
        or labels.min() < 0
        or labels.max() >= CLASSES
    ):
        raise DataError(f"{file} is no batch of CIFAR10: it needs {_ROW - 1:,} bytes a picture, and a label for each.")
    channels_last = pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return Batch(np.ascontiguousarray(channels_last), labels.astype(np.uint8))


def label_names(folder: Path) -> list[str]:
    """Return the words for the ten classes, from `batches.meta` or `batches.meta.txt`.

    Raises:
        DataError: neither is there, or it does not name ten classes.
    """
    if (folder / "batches.meta").is_file():
        found = _unpickled(folder / "batches.meta").get(b"label_names", [])
        names = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in found]
    elif (folder / "batches.meta.txt").is_file():
        names = _content(folder / "batches.meta.txt").decode("utf-8", "replace").split()
    else:
        raise DataError(f"{folder} has no batches.meta, which names the classes. Fetch the data set again.")
    if len(names) != CLASSES or not all(names):
        raise DataError(f"The batches.meta of {folder} names {len(names)} classes, not {CLASSES}. Fetch it again.")
    return names


class _ArraysOnly(pickle.Unpickler):
    @override
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no data needs")
        return _ADMITTED[module, name]


def _unpickled(file: Path) -> dict[bytes, Any]:
    try:
        table = _ArraysOnly(io.BytesIO(_content(file)), encoding="bytes").load()
    except DataError:
        raise
    except Exception as error:  # a damaged pickle fails in every way
        raise DataError(f"{file} is no batch of CIFAR10: {error}. Fetch it again from its publisher.") from error
    if not isinstance(table, dict):
        raise DataError(f"{file} is no batch of CIFAR10: it holds no table. Fetch it again from its publisher.")
    return table


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > _LONGEST_FILE:
            raise DataError(f"{file} is too long for a batch of CIFAR10.")
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error}).") from error
