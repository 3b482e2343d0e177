"""Asking where a file goes, and whether it may take another one's place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

_OTHER_NAMES = {".jpeg": ".jpg", ".tiff": ".tif"}


def format_in(name: str, formats: Mapping[str, str]) -> str:
    """The format that a file name's suffix stands for; empty if it is none of them."""
    suffix = Path(name).suffix.lower()
    suffix = _OTHER_NAMES.get(suffix, suffix)
    return suffix if suffix in formats else ""


def with_format(path: Path, suffix: str, formats: Mapping[str, str]) -> Path:
    """A path with a format's suffix, in place of another format's; what else has a dot in it stays."""
    known = format_in(path.name, formats)
    if known == suffix and suffix:
        return path
    return path.with_suffix(suffix) if known else path.with_name(path.name + suffix)


def free_path(path: Path, is_taken: Callable[[Path], bool] = Path.exists) -> Path:
    """A path that is not taken: the one given, or one with a number."""
    found, number = path, 2
    while is_taken(found):
        found, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return found


def may_replace(path: Path, parent: QWidget) -> bool:
    """Ask whether a file may be replaced."""
    question = QMessageBox(parent)
    question.setWindowTitle("Replace the file?")
    question.setTextFormat(Qt.TextFormat.PlainText)  # names of files may be anything
    question.setText(f"Replace {path.name}?")
    question.setInformativeText(f"There is a file of that name in {path.parent}. What it holds will be gone.")
    replace = question.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    keep = question.addButton("Keep it", QMessageBox.ButtonRole.RejectRole)
    question.setDefaultButton(keep)
    question.setEscapeButton(keep)
    question.exec()
    agreed = question.clickedButton() is replace
    question.deleteLater()
    return agreed


def browse(parent: QWidget, title: str, path: Path, formats: Mapping[str, str], chosen: str) -> Path | None:
    """Let a person choose a name with the system's dialog; whether it may be replaced is not asked yet.

    Args:
        parent: the window.
        title: of the dialog.
        path: where it begins.
        formats: suffix and name.
        chosen: the format that is offered first.
    """
    filters = {f"{name} (*{suffix})": suffix for suffix, name in formats.items()}
    first = next(text for text, suffix in filters.items() if suffix == chosen)
    found, used = QFileDialog.getSaveFileName(
        parent, title, str(path), ";;".join(filters), first, QFileDialog.Option.DontConfirmOverwrite
    )
    if not found:
        return None
    wanted = format_in(found, formats) or filters.get(used, chosen)
    return with_format(Path(found), wanted, formats)


def ask_where(parent: QWidget, title: str, proposal: Path, kind: str) -> Path | None:
    """Let a person choose where a file of the proposal's suffix goes; one that is there is replaced only if they agree.

    Args:
        parent: the window.
        title: of the dialog.
        proposal: a folder, and a name with a suffix.
        kind: what such files are called.
    """
    formats = {proposal.suffix: kind}
    path = free_path(proposal)
    while (chosen := browse(parent, title, path, formats, proposal.suffix)) is not None:
        if chosen.is_dir():
            QMessageBox.information(parent, title, f"{chosen} is a folder already. Choose another name.")
        elif not chosen.exists() or may_replace(chosen, parent):
            break
        path = chosen
    return chosen
