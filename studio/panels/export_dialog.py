"""What the rooms' export dialogs have in common: format, file, and what is wrong with either."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.export.options import ExportOptions
from ddmi_core.model_folder import ModelInfo
from ddmi_core.support.errors import ExportError
from studio.panels.credit import Credit
from studio.state.export_choice import Choice
from studio.theme.tokens import CONTROL_HEIGHT, GRID
from studio.widgets.basics import ElidedLabel, breakable, decision, label, line
from studio.widgets.dialog import Dialog
from studio.widgets.saving import browse, format_in, free_path, may_replace, with_format

_WIDTH = 480
_SUFFIX = re.compile(r"(?<=\w)\.[A-Za-z]\w{1,4}$")


@dataclass(frozen=True)
class Place:
    """Where a file may go: the folder that is proposed, and whether a path is being written just now.

    ``others``: how many items more are to be written beside it, with the same choices. ``models``: those that made
    something of what is written.
    """

    folder: Path
    is_being_written: Callable[[Path], bool] = lambda _path: False
    others: int = 0
    models: tuple[ModelInfo, ...] = ()


@dataclass(frozen=True)
class Order:
    """What is to be written: where to, how, and whether a file of that name may be replaced."""

    path: Path
    options: ExportOptions
    replace: bool = False


_C = TypeVar("_C", bound=Choice)


class ExportDialog(Dialog, Generic[_C]):
    """Asks for a format and a file. After `accept`, `order()` and `choice()` hold the answer.

    A room's dialog makes its own fields in `_add_options` and fills them in `_show_choice`.

    Args:
        title: of what is exported.
        choice: of the last export.
        place: where the file may go.
        parent: the window.
    """

    formats: ClassVar[Mapping[str, str]]
    """Suffix and name."""

    card_asked = Signal(object)
    """The model whose card is wanted, at its licence."""

    def __init__(self, title: str, choice: _C, place: Place, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setFixedWidth(_WIDTH)
        self._place, self._replace = place, False

        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        for suffix, name in self.formats.items():
            self.format.addItem(name, suffix)
        self.file = QLineEdit()
        self.file.setAccessibleName("File")
        choose = QPushButton("Browse…")
        choose.clicked.connect(self._browse)
        self.remark = label("", "muted", wrap=True)
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.as_last_time = QPushButton("As last time")
        self.as_last_time.setToolTip("Take the size and the fineness of the last export")
        self.as_last_time.setFixedHeight(CONTROL_HEIGHT + GRID)
        self.as_last_time.clicked.connect(lambda: self._show_choice(choice))
        self.export = QPushButton(f"Export {place.others + 1:,}" if place.others else "Export")
        self.export.clicked.connect(self._on_export)

        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID + GRID // 2)
        grid.setColumnStretch(1, 1)
        file_row = QHBoxLayout()
        file_row.setSpacing(GRID)
        file_row.addWidget(self.file, 1)
        file_row.addWidget(choose)
        grid.addWidget(label("Format", "muted"), 0, 0)
        grid.addWidget(self.format, 0, 1)
        self._add_options(grid)
        row = grid.rowCount()
        grid.addWidget(label("File", "muted"), row, 0)
        grid.addLayout(file_row, row, 1)
        self.folder = ElidedLabel(look="small", elide=Qt.TextElideMode.ElideMiddle)
        self.file.textChanged.connect(lambda: self.folder.setText(f"In {self.path().parent}"))
        grid.addWidget(self.folder, row + 1, 1)
        grid.addWidget(self.remark, row + 2, 1)
        if place.models:
            self.credit = Credit(place.models)
            self.credit.asked.connect(self.card_asked)
            grid.addWidget(self.credit, row + 3, 0, 1, 2)
        heading = label(breakable(title if len(title) <= 120 else title[:119] + "…"), "heading", wrap=True)
        buttons = decision(self, self.export)
        buttons.insertWidget(0, self.as_last_time)
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(heading)
        layout.addLayout(grid)
        if place.others:
            text = f"{place.others:,} more with the same choices, beside it, named after their prompts and seeds."
            layout.addWidget(label(text, "muted", wrap=True))
        layout.addWidget(self.problem)
        layout.addWidget(line())
        layout.addLayout(buttons)

        self.format.setCurrentIndex(max(0, self.format.findData(choice.suffix)))
        usual = self._usual(choice)
        self._show_choice(usual)
        self.as_last_time.setVisible(choice != usual)
        self.file.setText(str(free_path(place.folder / f"{file_stem(title)}{self.suffix()}", self._is_taken)))
        self.format.currentIndexChanged.connect(self._on_format)
        self.file.textEdited.connect(self._follow_name)
        self._refresh()

    def suffix(self) -> str:
        """The chosen format's suffix."""
        suffix: str = self.format.currentData()
        return suffix

    def path(self) -> Path:
        """The file to write; a bare name lies in the folder that was proposed."""
        return self._place.folder / Path(self.file.text().strip()).expanduser()

    def order(self) -> Order:
        """The answer."""
        return Order(self.path(), self.options(), self._replace)

    def ask(self) -> Order | None:
        """Show the dialog and wait for the answer; None if the person thinks better of it. The dialog goes."""
        answer = self.order() if self.exec() else None
        self.deleteLater()
        return answer

    def _usual(self, choice: _C) -> _C:
        """What the dialog begins with, after a choice."""
        return choice.afresh()

    @abstractmethod
    def options(self) -> ExportOptions:
        """What to export with.

        Raises:
            ExportError: a choice does not fit.
        """

    @abstractmethod
    def choice(self) -> _C:
        """What to remember for the next time."""

    @abstractmethod
    def _add_options(self, grid: QGridLayout) -> None:
        """Make the domain's own fields, from row 1 of the grid on; changes of them call `_refresh`."""

    @abstractmethod
    def _show_choice(self, choice: _C) -> None:
        """Fill the domain's own fields."""

    def _remark(self) -> str:
        """What a person should know beforehand, as it stands."""
        return ""

    def _refresh(self) -> None:
        """Show what counts for the format, and what is to be known."""
        try:
            remark = self._remark()
        except ExportError:  # is said when Export is pressed
            remark = ""
        self.remark.setText(remark)
        self.remark.setVisible(bool(remark))
        self._fit_height()

    def _fit_height(self) -> None:
        """Be as high as what is shown wants, lines that wrap included."""
        self._layout.activate()
        self.setFixedHeight(self._layout.totalHeightForWidth(_WIDTH))

    def _on_format(self) -> None:
        if self.file.text().strip():
            named = with_format(self.path(), self.suffix(), self.formats)
            with suppress(ExportError):  # a choice that does not fit is said when Export is pressed
                named = free_path(named, self._is_taken)
            self.file.setText(str(named))
        self._refresh()

    def _follow_name(self) -> None:
        """A suffix that is typed chooses its format."""
        typed = format_in(self.path().name, self.formats)
        if typed and typed != self.suffix():
            self.format.blockSignals(True)
            self.format.setCurrentIndex(self.format.findData(typed))
            self.format.blockSignals(False)
            self._refresh()

    def _is_taken(self, path: Path) -> bool:
        return self._place.is_being_written(path) or any(target.exists() for target in self.options().targets(path))

    def _browse(self) -> None:
        chosen = browse(self, "Export to", self.path(), self.formats, self.suffix())
        if chosen is not None:
            self.file.setText(str(chosen))
            self._follow_name()

    def _on_export(self) -> None:
        problem = self._find_problem()
        self.problem.setText(breakable(problem))
        self.problem.setVisible(bool(problem))
        self._fit_height()
        if problem:
            return
        there = next((target for target in self.options().targets(self.path()) if target.exists()), None)
        self._replace = there is not None and may_replace(there, self)
        if there is None or self._replace:
            self.accept()

    def _find_problem(self) -> str:
        if not self.file.text().strip():
            return "Choose a file to write."
        self._follow_name()
        path = with_format(self.path(), self.suffix(), self.formats)
        self.file.setText(str(path))
        if path.is_dir():
            return f"{path} is a folder. Choose a file name."
        if not path.parent.is_dir():
            return f"The folder {path.parent} does not exist."
        try:
            targets = self.options().targets(path)
        except ExportError as error:
            return str(error)
        for target in targets:
            if target.is_dir():
                return f"The folder {target} is there already. Choose another name."
        if self._place.is_being_written(path):
            return f"{path.name} is being written just now. Choose another name."
        return ""


def file_stem(title: str) -> str:
    """A file name without suffix made from a title: letters, digits and hyphens, at most 48 characters.

    The suffix of a title that is itself the name of a file is left out.
    """
    title = _SUFFIX.sub("", title)
    words = "".join(character if character.isalnum() else " " for character in title.lower()).split()
    return "-".join(words)[:48].strip("-") or "untitled"
