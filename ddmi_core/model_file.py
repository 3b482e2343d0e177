"""A model as one file, to be sent to someone: the files of its folder in an archive of the kind zip."""

import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from ddmi_core.model_folder import FILES, INDEX, ModelInfo, import_model
from ddmi_core.support.errors import ModelError
from ddmi_core.support.files import atomic_write

SUFFIX = ".ddmi"


def proposed_name(model: ModelInfo) -> str:
    """Return a file name made of a model's name."""
    return (re.sub(r"[^\w.-]+", "-", model.name).strip("-.") or "model") + SUFFIX


def save_as_file(model: ModelInfo, file: Path) -> None:
    """Write a model as one file.

    Raises:
        ModelError: its folder cannot be read, or the file cannot be written.
    """
    try:
        with atomic_write(file) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name in FILES:
                if (model.folder / name).is_file():
                    archive.write(model.folder / name, name)
    except OSError as error:
        raise ModelError(f"{model.name} cannot be written to {file} ({error}). Make room, or allow it.") from error


def import_path(path: Path) -> ModelInfo:
    """Copy a model among the user's own: a folder, its `model_index.json`, or a file that `save_as_file` wrote.

    Of a file only what belongs into a model folder is taken.

    Raises:
        ModelError: it is no complete model, it is there already, or it cannot be copied.
    """
    if path.is_dir() or path.name == INDEX:
        return import_model(path if path.is_dir() else path.parent)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / path.stem
        try:
            with zipfile.ZipFile(path) as archive:
                _take_out(archive, folder)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise ModelError(f"{path} is no model in a file, or it is damaged ({error}). Copy it again.") from error
        return import_model(folder, origin=path)


def is_model(path: Path) -> bool:
    """Whether something can be meant as a model: see `import_path`."""
    return path.suffix.lower() == SUFFIX or path.name == INDEX or (path / INDEX).is_file()


def _take_out(archive: zipfile.ZipFile, folder: Path) -> None:
    wanted = [entry for entry in archive.infolist() if entry.filename in FILES]
    needed, free = sum(entry.file_size for entry in wanted), shutil.disk_usage(folder.parent).free
    if needed > free:
        raise OSError(f"it takes {needed / 1e6:,.0f} MB, and {folder.parent} has {free / 1e6:,.0f} MB left")
    for entry in wanted:
        target = folder / entry.filename
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
