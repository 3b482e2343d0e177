"""What helps to find a fault: versions, the machine, the installed models and the log. Nothing that the user made."""

from __future__ import annotations

import json
import os
import platform
import zipfile
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil

from ddmi_core.model_folder import ModelInfo
from ddmi_core.support.errors import ExportError
from ddmi_core.support.files import atomic_write

_LOGS = ("studio.log*", "crash.txt")


def save_diagnostics(path: Path, logs: Path, models: Sequence[ModelInfo]) -> None:
    """Write a zip of `facts.json` and the files of the log folder, the home folder's path written as ~.

    Raises:
        ExportError: the file cannot be written.
    """
    try:
        with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("facts.json", json.dumps(_facts(models), indent=2))
            for pattern in _LOGS:
                for file in sorted(logs.glob(pattern)):
                    archive.writestr(f"logs/{file.name}", _without_home(file.read_text("utf-8", errors="replace")))
    except OSError as error:
        raise ExportError(
            f"The diagnostics cannot be written to {path}: {error}. Check the folder and the space left."
        ) from error


def _facts(models: Sequence[ModelInfo]) -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "python": platform.python_version(),
        "packages": dict(sorted((one.name, one.version) for one in distributions())),
        "models": [
            {"name": one.name, "domain": one.domain, "hash": one.hash, "size_bytes": one.size_bytes} for one in models
        ],
    }


def _without_home(text: str) -> str:
    return text.replace(str(Path.home()), "~")
