"""The runs that this machine knows: those in the user's folder of runs, and those elsewhere that were registered.

Needs no torch: finished models are looked for among the runs.
"""

from pathlib import Path

from ddmi_core.support.known_folders import KnownFolders
from ddmi_core.support.paths import user_data


def runs_folder() -> Path:
    """Return the folder of runs that are started without naming a place."""
    return user_data() / "runs"


_RUNS = KnownFolders(
    runs_folder,
    "run.yaml",
    "{folder} is not a run folder: it has no run.yaml. Choose the folder that training writes to.",
)


def register(folder: Path) -> None:
    """Remember a run folder that lies elsewhere, so that `known_runs` lists it.

    Raises:
        DDMIError: it is no run folder.
    """
    _RUNS.register(folder)


def forget(folder: Path) -> None:
    """Take a run folder off the list; the folder itself stays."""
    _RUNS.forget(folder)


def known_runs() -> list[Path]:
    """Return the folders of all known runs, by name; those that cannot be reached now are left out."""
    return _RUNS.all()
