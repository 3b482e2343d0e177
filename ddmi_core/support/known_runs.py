"""The runs that this machine knows: those in the user's folder of runs, and those elsewhere that were registered.

Needs no torch: finished models are looked for among the runs.
"""

import hashlib
from pathlib import Path

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import write_text
from ddmi_core.support.paths import user_data

_LINK = ".link"
_MARK = "run.yaml"  # what makes a folder a run


def runs_folder() -> Path:
    """Return the folder of runs that are started without naming a place."""
    return user_data() / "runs"


def register(folder: Path) -> None:
    """Remember a run folder that lies elsewhere, so that `known_runs` lists it.

    Raises:
        DDMIError: it is no run folder.
    """
    folder = Path(folder).resolve()
    if not (folder / _MARK).is_file():
        raise DDMIError(f"{folder} is not a run folder: it has no run.yaml. Choose the folder that training writes to.")
    if folder.parent != runs_folder().resolve():
        runs_folder().mkdir(parents=True, exist_ok=True)
        write_text(_link(folder), str(folder))


def forget(folder: Path) -> None:
    """Take a run folder off the list; the folder itself stays."""
    _link(Path(folder).resolve()).unlink(missing_ok=True)


def known_runs() -> list[Path]:
    """Return the folders of all known runs, by name; those that cannot be reached now are left out."""
    if not runs_folder().is_dir():
        return []
    found = []
    for entry in runs_folder().iterdir():
        try:
            folder = Path(entry.read_text(encoding="utf-8")) if entry.suffix == _LINK else entry
            if (folder / _MARK).is_file():
                found.append(folder)
        except (OSError, ValueError):  # a damaged entry must not hide the others
            continue
    return sorted(found)


def _link(folder: Path) -> Path:
    # One file for each: processes that register at the same time do not overwrite each other's entries
    return runs_folder() / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}{_LINK}"
