"""Model folders as the Models room sees them: their cards and previews, and what a person does with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image
from PySide6.QtCore import QFile, QObject, Signal
from PySide6.QtGui import QImage

from ddmi_core.evaluation.known_reports import newest_reports
from ddmi_core.model_file import import_path, save_as_file
from ddmi_core.model_folder import PREVIEW, ModelInfo, read_card, rename_model
from ddmi_core.rendering.picture_layout import contact_sheet, pictures_on
from ddmi_core.support.errors import DDMIError
from studio.engine.gallery import exhibition, opaque_image
from studio.engine.lanes import Lane

_GAP = 4  # px


class ModelFolders(QObject):
    """Reads and changes model folders in a thread. Call :meth:`shutdown` before the application ends."""

    changed = Signal()
    """Which models there are, or what they are called, is different now."""
    imported = Signal(object)
    """ModelInfo of a model that was copied."""
    saved = Signal(object, object)
    """ModelInfo of a model that was written as one file, and the file."""
    preview_ready = Signal(object, object)
    """Folder, and a square QImage of pictures that the model made."""
    card_ready = Signal(object, str)
    """ModelInfo and the text of its card, Markdown; empty where it has none."""
    reports_ready = Signal(object)
    """The newest KnownReport of each model that was measured, by the model's hash."""
    gallery_ready = Signal(object)
    """Exhibitions, a list: one of each of the models that were asked about."""
    failed = Signal(str)
    """What was asked for and could not be done."""

    def __init__(self) -> None:
        super().__init__()
        self._lane = Lane("model-folders")

    def preview(self, folder: Path) -> None:
        """Bring the preview of a model that has one."""

        def read() -> None:
            try:
                with Image.open(folder / PREVIEW) as file:
                    sheet = np.asarray(file.convert("RGB"))
            except (OSError, ValueError):
                return
            self.preview_ready.emit(folder, _mosaic(sheet))

        self._lane.submit(read, priority=1)

    def reports(self) -> None:
        """Bring what was measured of models."""
        self._lane.submit(lambda: self.reports_ready.emit(newest_reports()), priority=1)

    def gallery(self, models: Sequence[ModelInfo]) -> None:
        """Bring what there is to be seen of models."""
        self._lane.submit(lambda: self.gallery_ready.emit([exhibition(model) for model in models]), priority=1)

    def starter_sets(self, domain: str) -> tuple[str, ...]:
        """Return the names of the data sets that come along for a domain."""
        from ddmi_core.domains import get_domain

        return get_domain(domain).starter_sets

    def card(self, model: ModelInfo) -> None:
        """Bring a model's card."""

        def read() -> None:
            self.card_ready.emit(model, read_card(model))

        self._lane.submit(read)

    def add(self, path: Path) -> None:
        """Copy a model, in a folder or in one file, among the person's own."""

        def copy() -> None:
            self.imported.emit(import_path(path))

        self._change(copy)

    def save(self, model: ModelInfo, file: Path) -> None:
        """Write a model as one file."""

        def write() -> None:
            try:
                save_as_file(model, file)
            except DDMIError as error:
                self.failed.emit(str(error))
            else:
                self.saved.emit(model, file)

        self._lane.submit(write)

    def rename(self, model: ModelInfo, name: str) -> None:
        """Call a model something else."""
        self._change(lambda: rename_model(model, name))

    def delete(self, model: ModelInfo) -> None:
        """Move a model's folder to the trash."""

        def move() -> None:
            if not QFile(str(model.folder)).moveToTrash() and model.folder.exists():
                raise DDMIError(f"{model.folder} could not be moved to the trash. Delete the folder by hand.")

        self._change(move)

    def shutdown(self, timeout: float = 2.0) -> bool:
        """End the thread within ``timeout`` seconds; whether it has ended."""
        self._lane.stop()
        return self._lane.join(timeout)

    def _change(self, work: Callable[[], None]) -> None:
        def attempt() -> None:
            try:
                work()
            except DDMIError as error:
                self.failed.emit(str(error))
                return
            self.changed.emit()

        self._lane.submit(attempt)


def _mosaic(sheet: UInt8[ndarray, "h w 3"]) -> QImage:
    """Four pictures from all over a sheet, two a row; of fewer the first one."""
    pictures = pictures_on(sheet)
    count = len(pictures)
    shown = [pictures[place * count // 4] for place in range(4)] if count >= 4 else pictures[:1]
    return opaque_image(contact_sheet(shown, columns=2, gap=_GAP) if len(shown) > 1 else shown[0])
