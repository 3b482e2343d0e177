"""What all exports share: a format by the suffix, a file that is written in full or not at all."""

import errno
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ddmi_core.support.errors import ExportError
from ddmi_core.support.files import atomic_write


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary name to write to; the file appears under its own name only when all went well.

    Missing folders are made.

    Raises:
        ExportError: a place that cannot be written to, and why.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        with atomic_write(path) as temporary:
            yield temporary
    except OSError as error:
        raise ExportError(f"Could not write {path}: {_reason(error)}") from error


def in_the_way(targets: Iterable[Path], *, replace: bool) -> Path | None:
    """Return the first target that is there already; files are not, if they may be replaced. Folders never are."""
    return next((path for path in targets if path.is_dir() or (path.exists() and not replace)), None)


def format_of(path: Path, known: Collection[str], kind: str) -> str:
    """Return the format suffix of a path, in lower case.

    Args:
        path: the file to write.
        known: suffixes that can be written.
        kind: what is written, such as "mesh".

    Raises:
        ExportError: the suffix is none of them.
    """
    suffix = path.suffix.lower()
    if suffix not in known:
        problem = f'"{suffix}" is not a {kind} format' if suffix else "the name has no suffix"
        raise ExportError(f"Cannot export to {path}: {problem}. Use one of {', '.join(known)}.")
    return suffix


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full. Free some space or choose another place."
        case errno.EACCES | errno.EPERM | errno.EROFS | errno.ENOENT:
            return "nothing can be written there. Choose another folder."
        case errno.EISDIR:
            return "that is a folder. Give a file name."
        case errno.ENOTDIR | errno.EEXIST:
            return "a part of its path is a file, not a folder."
        case errno.ENAMETOOLONG:
            return "the name is too long."
    return f"{error.strerror or error}."
