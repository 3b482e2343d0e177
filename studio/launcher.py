"""Opening folders, pages and links in the programs that the system has for them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from studio.state.notifications import Action, Notifications


def open_outside(target: Path | QUrl, notifications: Notifications) -> None:
    """Open a file, a folder or a link elsewhere; where nothing can, say where it is and offer to copy that."""
    url = target if isinstance(target, QUrl) else QUrl.fromLocalFile(str(target))
    if QDesktopServices.openUrl(url):
        return
    place = url.toLocalFile() if url.isLocalFile() else url.toString()
    what = "a link" if not url.isLocalFile() else "a folder" if Path(place).is_dir() else "such a file"
    notifications.warning(
        f"The system has no program that opens {what}. It is {place}",
        action=Action("Copy the path" if url.isLocalFile() else "Copy the link", lambda: _copy(place)),
    )


def open_folder(folder: Path, notifications: Notifications) -> None:
    """Open a folder elsewhere, made if need be; say so where that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        notifications.error(f"The folder {folder} cannot be opened: {error.strerror or error}.")
        return
    open_outside(folder, notifications)


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
