"""Folders of a kind that this machine knows: those in a place of the user's, and those registered elsewhere."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import write_text

_LINK = ".link"


@dataclass(frozen=True)
class KnownFolders:
    """What is in a place, or named by a link there. `mark` is the file that each has, `lacking` is said of others."""

    place: Callable[[], Path]
    mark: str
    lacking: str

    def register(self, folder: Path) -> None:
        """Remember a folder that lies elsewhere, so that `all` lists it.

        Raises:
            DDMIError: it is none of this kind.
        """
        folder, place = Path(folder).resolve(), self.place()
        if not (folder / self.mark).is_file():
            raise DDMIError(self.lacking.format(folder=folder))
        if folder.parent != place.resolve():
            place.mkdir(parents=True, exist_ok=True)
            write_text(self._link(folder), str(folder))

    def forget(self, folder: Path) -> None:
        """Take a folder off the list; the folder itself stays."""
        self._link(Path(folder).resolve()).unlink(missing_ok=True)

    def all(self) -> list[Path]:
        """Return all folders, by name; those that cannot be reached now are left out."""
        if not self.place().is_dir():
            return []
        found = []
        for entry in self.place().iterdir():
            try:
                folder = Path(entry.read_text(encoding="utf-8")) if entry.suffix == _LINK else entry
                if (folder / self.mark).is_file():
                    found.append(folder)
            except (OSError, ValueError):  # a damaged entry must not hide the others
                continue
        return sorted(found)

    def _link(self, folder: Path) -> Path:
        # One file for each: processes that register at the same time do not overwrite each other's entries
        return self.place() / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}{_LINK}"
