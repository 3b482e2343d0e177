"""Handing over: items become files for other programs, dragged there or pasted from the clipboard."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QEventLoop, QMimeData, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QDrag, QGuiApplication, QImage, QPixmap

from studio.engine.work.exporting import HandOverRequest
from studio.panels.export_dialog import file_stem
from studio.panels.inspector import item_title
from studio.state.jobs import Job
from studio.state.library import Item
from studio.theme.tokens import THUMBNAIL
from studio.widgets.drag_picture import drag_picture
from studio.widgets.late_files import LateFiles, urls_of
from studio.widgets.saving import free_path
from studio.window.shell import Shell, quoted

_PATIENCE = 3000  # ms; other programs give up after five seconds or later
_COPIED_FILES = "x-special/gnome-copied-files"
"""What file managers of Linux desktops paste."""


class Parcel(QObject):
    """Files for another program, and the jobs that still write some of them. `complete`: none does any longer."""

    complete = Signal()

    def __init__(self, items: Sequence[Item], paths: Sequence[Path], jobs: set[str]) -> None:
        super().__init__()
        self.items, self.paths, self.jobs = items, paths, jobs

    def files(self) -> list[Path]:
        """Those that are there."""
        return [path for path in self.paths if path.is_file()]

    def wait(self, patience: int) -> bool:
        """Let the window go on until all that will be written is, or for so many milliseconds; whether it is."""
        if self.jobs:
            loop = QEventLoop()
            self.complete.connect(loop.quit)
            QTimer.singleShot(patience, loop, loop.quit)
            loop.exec()
        return not self.jobs


class HandingOver:
    """What other programs get. The files lie in a folder that goes with the window."""

    def __init__(self, shell: Shell) -> None:
        self._shell, self._state, self._engine = shell, shell.state, shell.engine
        self._folder: TemporaryDirectory[str] | None = None
        self._known: dict[str, tuple[Item, Path]] = {}
        """The file of each item, written or being written, and the item as it was then."""
        self._parcels: list[Parcel] = []
        """Those that are not complete."""
        self._copied: Parcel | None = None
        """What goes into the clipboard, once it is complete."""
        shell.history.dragged.connect(self.drag)
        shell.actions_.on("copy_files", self.copy)
        shell.state.jobs.changed.connect(self._on_job)

    def drag(self, items: Sequence[Item]) -> None:
        """Let items be dragged into another program. Their files are begun now, and waited for where they are dropped.

        The window itself does not take them.
        """
        parcel = self._packed(items)
        if parcel is None:
            return
        drag = QDrag(self._shell.history.view)
        drag.setMimeData(LateFiles(lambda: self._delivered(parcel)))
        picture = drag_picture(QPixmap(str(parcel.items[0].thumbnail)), len(parcel.items), self._shell.theme.colours)
        drag.setPixmap(picture)
        drag.setHotSpot(QPoint(THUMBNAIL // 2, THUMBNAIL // 2))
        if drag.exec(Qt.DropAction.CopyAction) == Qt.DropAction.IgnoreAction:
            self._give_up(parcel)

    def copy(self) -> None:
        """Put what is selected into the clipboard as files, once they are written."""
        parcel = self._packed(self._shell.history.selected())
        if parcel is None:
            return
        self._copied = parcel
        if parcel.jobs:
            self._shell.status.say(f"Being written for the clipboard: {self._named(parcel)}.")
        else:
            self._put_into_clipboard(parcel)

    def end(self) -> None:
        """Remove the files; the clipboard no longer names them."""
        if self._folder is None:
            return
        self._engine.stop(HandOverRequest)
        clipboard, folder = QGuiApplication.clipboard(), Path(self._folder.name)
        clipboard.dataChanged.disconnect(self._on_clipboard)
        copied: QMimeData | None = clipboard.mimeData()  # there may be nothing
        if copied and any(Path(url.toLocalFile()).is_relative_to(folder) for url in copied.urls()):
            clipboard.clear()
        self._known.clear()
        self._folder.cleanup()
        self._folder = None

    def _packed(self, items: Sequence[Item]) -> Parcel | None:
        """Have files of items written, unless they are; nothing if that is possible for none of them."""
        able = [item for item in items if not self._state.lacks_model(item.recipe)]
        if items and not able:
            first = items[0]
            self._shell.status.say(f"{quoted(first)} cannot be handed over without its model, {first.recipe.model}.")
        paths: list[Path] = []
        if not able or not self._shell.attempt(lambda: paths.extend(self._begun(item) for item in able)):
            return None
        parcel = Parcel(able, paths, {job.id for path in paths for job in self._writing(path)})
        if parcel.jobs:
            self._parcels.append(parcel)
        return parcel

    def _begun(self, item: Item) -> Path:
        """The file of an item, which is there, or is being written from now on."""
        before, path = self._known.pop(item.id, (None, Path()))
        if before is not None and before.recipe == item.recipe and (path.is_file() or self._writing(path)):
            self._known[item.id] = before, path
            return path
        handed = self._shell.stage_of(item.recipe.domain).room.handed_over
        path = self._free(f"{file_stem(item_title(item))}-{item.recipe.seed}{handed.suffix}")
        self._engine.ask(HandOverRequest(item=item, path=path, options=handed.options))
        self._known[item.id] = item, path
        return path

    def _free(self, name: str) -> Path:
        """A path in the folder for other programs that no other file has."""
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="ddmi-studio-", ignore_cleanup_errors=True)
            QGuiApplication.clipboard().dataChanged.connect(self._on_clipboard)
        taken = {path for _, path in self._known.values()}
        return free_path(Path(self._folder.name) / name, lambda path: path in taken or path.exists())

    def _delivered(self, parcel: Parcel) -> list[Path]:
        """The files that another program asks for; none while some are missing, which would be taken for all."""
        if parcel.wait(_PATIENCE):
            return parcel.files()
        self._state.notifications.warning(
            f"Not written yet: {self._named(parcel)}. Drag it again once that has left the queue."
        )
        return []

    def _give_up(self, parcel: Parcel) -> None:
        """Stop writing what was not dropped, and nobody else waits for."""
        if parcel in self._parcels:
            self._parcels.remove(parcel)
        wanted = set().union(*(other.jobs for other in self._parcels))
        for job_id in parcel.jobs - wanted:
            self._engine.cancel(job_id)

    def _on_job(self, job: Job) -> None:
        if job.is_active or not isinstance(job.request, HandOverRequest):
            return
        for parcel in [one for one in self._parcels if job.id in one.jobs]:
            parcel.jobs.remove(job.id)
            if not parcel.jobs:
                self._parcels.remove(parcel)
                parcel.complete.emit()
                if parcel is self._copied:
                    self._put_into_clipboard(parcel)

    def _on_clipboard(self) -> None:
        """Something was copied since: what is not written yet does not take its place."""
        self._copied = None

    def _put_into_clipboard(self, parcel: Parcel) -> None:
        self._copied = None
        files = parcel.files()
        if not files:  # the reason was told
            return
        data, urls = QMimeData(), urls_of(files)
        data.setUrls(urls)
        if sys.platform == "linux":
            data.setData(_COPIED_FILES, b"\n".join([b"copy", *(bytes(url.toEncoded().data()) for url in urls)]))
        if len(files) == 1 and files[0].suffix == ".png":
            data.setImageData(QImage(str(files[0])))
        QGuiApplication.clipboard().setMimeData(data)
        self._shell.status.say(f"In the clipboard: {self._named(parcel)}.")

    def _named(self, parcel: Parcel) -> str:
        """What a parcel holds."""
        if len(parcel.paths) > 1:
            return f"{len(parcel.paths):,} files"
        item = parcel.items[0]
        return f"{quoted(item)} as {self._shell.stage_of(item.recipe.domain).room.words.handed_as}"

    def _writing(self, path: Path) -> list[Job]:
        """The jobs that write a file."""
        return [
            job
            for job in self._state.jobs.active()
            if isinstance(job.request, HandOverRequest) and job.request.path == path and not job.cancelling
        ]
