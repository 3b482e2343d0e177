"""What the studio remembers between starts, in an INI file in the user's folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import TypeAdapter
from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

from ddmi_core.fidelity import FIDELITIES, Fidelity
from ddmi_core.support.device_names import is_device_name
from ddmi_core.support.paths import user_data
from studio.state.export_choice import Choice
from studio.state.form import COUNTS
from studio.state.memory import LEAST, MemoryBudget
from studio.theme.theme import ThemeChoice

FolderKind = Literal["files", "exports", "data", "reports", "models", "runs"]
"""Files to reconstruct; what is exported; data to learn from or to measure against; reports; model and run folders."""
TEXT_SIZES = (100, 125, 150, 175, 200)
"""Per cent."""
TRASH_DAYS = (7, 30, 90, 0)
"""After how many days what was deleted may go for good; 0: never by itself."""
_USUAL_TRASH_DAYS = 30
_USUAL_VARIATIONS = 9

_KEYS = TypeAdapter(dict[str, list[str]])
_MEGABYTE = 2**20
_MOST_MEGABYTES = 2**24
_C = TypeVar("_C", bound=Choice)


class Settings:
    """Typed access; what is missing or unreadable falls back to the default."""

    def __init__(self) -> None:
        folder = user_data()
        with suppress(OSError):  # then nothing is remembered; that the library cannot be made is said by itself
            folder.mkdir(parents=True, exist_ok=True)
        self._store = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)

    @property
    def theme(self) -> ThemeChoice:
        """The chosen theme."""
        value = self._store.value("theme")
        return value if value in ("system", "dark", "light") else "system"

    @theme.setter
    def theme(self, choice: ThemeChoice) -> None:
        self._store.setValue("theme", choice)

    @property
    def device(self) -> str:
        """Where models compute."""
        value = self._store.value("device")
        return value if isinstance(value, str) and is_device_name(value) else "auto"

    @device.setter
    def device(self, choice: str) -> None:
        self._store.setValue("device", choice)

    @property
    def threads(self) -> int:
        """How many threads models compute with on the CPU; 0: as many as torch chooses."""
        return self._number("threads", 0, 0, os.cpu_count() or 1)

    @threads.setter
    def threads(self, count: int) -> None:
        self._store.setValue("threads", count)

    @property
    def memory(self) -> MemoryBudget:
        """How much may be kept in memory. Stored in MB."""
        usual = MemoryBudget().total // _MEGABYTE
        return MemoryBudget(_MEGABYTE * self._number("memory", usual, LEAST // _MEGABYTE, _MOST_MEGABYTES))

    @memory.setter
    def memory(self, budget: MemoryBudget) -> None:
        self._store.setValue("memory", budget.total // _MEGABYTE)

    @property
    def library(self) -> Path | None:
        """The folder of the library; None: the usual one."""
        value = self._store.value("library")
        return Path(value) if isinstance(value, str) and Path(value).is_absolute() else None

    @library.setter
    def library(self, folder: Path | None) -> None:
        self._store.setValue("library", "" if folder is None else str(folder))

    @property
    def trash_days(self) -> int:
        """One of `TRASH_DAYS`."""
        days = self._number("trash_days", _USUAL_TRASH_DAYS, min(TRASH_DAYS), max(TRASH_DAYS))
        return days if days in TRASH_DAYS else _USUAL_TRASH_DAYS

    @trash_days.setter
    def trash_days(self, days: int) -> None:
        self._store.setValue("trash_days", days)

    @property
    def fidelity(self) -> Fidelity:
        """How closely a file that is brought in is represented."""
        value = self._store.value("fidelity")
        return value if value in FIDELITIES else "faithful"

    @fidelity.setter
    def fidelity(self, fidelity: Fidelity) -> None:
        self._store.setValue("fidelity", fidelity)

    @property
    def text_size(self) -> int:
        """One of `TEXT_SIZES`: how large everything is drawn, in per cent."""
        size = self._number("text_size", 100, TEXT_SIZES[0], TEXT_SIZES[-1])
        return size if size in TEXT_SIZES else 100

    @text_size.setter
    def text_size(self, size: int) -> None:
        self._store.setValue("text_size", size)

    @property
    def shortcuts(self) -> dict[str, list[str]]:
        """The keys by action that differ from the usual ones. They may not fit the actions any longer."""
        value = self._store.value("shortcuts")
        try:
            return _KEYS.validate_json(value) if isinstance(value, str) else {}
        except ValueError:
            return {}

    @shortcuts.setter
    def shortcuts(self, keys: Mapping[str, Iterable[str]]) -> None:
        self._store.setValue("shortcuts", _KEYS.dump_json({name: list(one) for name, one in keys.items()}).decode())

    @property
    def tour(self) -> str:
        """Whether the tour was "done" or "skipped"; empty while the person has not answered."""
        value = self._store.value("tour")
        return value if isinstance(value, str) else ""

    @tour.setter
    def tour(self, answer: str) -> None:
        self._store.setValue("tour", answer)

    @property
    def models_listed(self) -> str:
        """The domain whose models the Models room lists; empty: all. It may not be one of a room any longer."""
        value = self._store.value("models_listed")
        return value if isinstance(value, str) else ""

    @models_listed.setter
    def models_listed(self, domain: str) -> None:
        self._store.setValue("models_listed", domain)

    def folder(self, kind: FolderKind) -> Path:
        """Where the file dialog for a kind of files begins: in the folder used last, else among the documents."""
        value = self._store.value(f"folder/{kind}")
        if isinstance(value, str) and Path(value).is_absolute() and Path(value).is_dir():
            return Path(value)
        documents = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
        return documents if documents.is_dir() else Path.home()

    def set_folder(self, kind: FolderKind, folder: Path) -> None:
        """Remember a folder in which a file was found or written."""
        self._store.setValue(f"folder/{kind}", str(folder.absolute()))

    def flag(self, name: str, default: bool) -> bool:
        """A remembered switch, such as whether the grid is shown."""
        value = self._store.value(f"show/{name}")
        return default if value is None else str(value).lower() == "true"

    def set_flag(self, name: str, on: bool) -> None:
        """Remember a switch."""
        self._store.setValue(f"show/{name}", on)

    def geometry(self, window: Literal["window", "guide"]) -> QByteArray | None:
        """A window's place and size as `QWidget.saveGeometry` gave it."""
        value = self._store.value(f"{window}/geometry")
        return value if isinstance(value, QByteArray) else None

    def set_geometry(self, window: Literal["window", "guide"], geometry: QByteArray) -> None:
        """Remember a window's place and size."""
        self._store.setValue(f"{window}/geometry", geometry)

    def export_choice(self, kind: type[_C]) -> _C:
        """The choices of the last export with a room's dialog."""
        default = kind()
        try:
            values = {
                field.name: self._store.value(f"{kind.KEPT_AS}/{field.name}", value, type=type(value))
                for field in fields(default)
                for value in (getattr(default, field.name),)
            }
            return replace(default, **values)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return default

    def keep_export_choice(self, choice: Choice) -> None:
        """Remember the choices of an export."""
        for name, value in asdict(choice).items():
            self._store.setValue(f"{choice.KEPT_AS}/{name}", value)

    @property
    def variations(self) -> int:
        """How many variations are shown at a glance; one of `COUNTS`."""
        count = self._number("variations", _USUAL_VARIATIONS, min(COUNTS), max(COUNTS))
        return count if count in COUNTS else _USUAL_VARIATIONS

    @variations.setter
    def variations(self, count: int) -> None:
        self._store.setValue("variations", count)

    def _number(self, name: str, default: int, low: int, high: int) -> int:
        try:
            number = int(str(self._store.value(name)))
        except ValueError:
            return default
        return number if low <= number <= high else default

    def save(self) -> None:
        """Write the file now."""
        self._store.sync()
