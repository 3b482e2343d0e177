"""Files for another program that may still be being written when it asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMetaType, QMimeData, QUrl

FILES = "text/uri-list"


class LateFiles(QMimeData):
    """What is dragged: files, which are asked for only where it is dropped, or by who wants to know what they are.

    Args:
        files: returns those that are there, once there is no more to wait for.
    """

    def __init__(self, files: Callable[[], Sequence[Path]]) -> None:
        super().__init__()
        self._files = files

    def formats(self) -> list[str]:
        """Files alone."""
        return [FILES]

    def hasFormat(self, mime_type: str) -> bool:
        """Whether that is what there is; nothing is written for the answer."""
        return mime_type == FILES

    def retrieveData(self, mime_type: str, preferred: QMetaType | QMetaType.Type) -> object:
        """The addresses of the files."""
        return urls_of(self._files()) if mime_type == FILES else None


def urls_of(files: Sequence[Path]) -> list[QUrl]:
    """The addresses of files."""
    return [QUrl.fromLocalFile(str(path)) for path in files]
