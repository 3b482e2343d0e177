"""The export dialog: format, resolution, simplification, and where to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.export_options import ShapeExport
from studio.theme.tokens import GRID
from studio.widgets.basics import SliderField, breakable, inset, label, line

MIN_RESOLUTION, MAX_RESOLUTION = 64, 512
MIN_FACES, MAX_FACES = 100, 5_000_000
_WIDTH = 480


@dataclass(frozen=True)
class ExportChoice:
    """What the dialog asks for and remembers. `faces` counts only if `simplify`; `folder` is the last file's."""

    suffix: str = ".glb"
    resolution: int = 256
    simplify: bool = False
    faces: int = 20_000
    folder: str = ""


class ExportDialog(QDialog):
    """Asks how to export one item. After `accept`, `path()` and `choice()` hold the answer."""

    def __init__(
        self, title: str, formats: Mapping[str, str], choice: ExportChoice, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setFixedWidth(_WIDTH)
        self._stem = file_stem(title)

        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        for suffix, name in formats.items():
            self.format.addItem(name, suffix)
        self.format.setCurrentIndex(max(0, self.format.findData(choice.suffix)))
        self.format.currentIndexChanged.connect(self._on_format)

        self.resolution = SliderField("Resolution", MIN_RESOLUTION, MAX_RESOLUTION, step=16)
        self.resolution.setToolTip("Samples along each axis; the shape itself has no resolution")
        self.resolution.set_value(choice.resolution)

        self.simplify = QCheckBox("Simplify to")
        self.simplify.setChecked(choice.simplify)
        self.faces = QSpinBox()
        inset(self.faces)
        self.faces.setRange(MIN_FACES, MAX_FACES)
        self.faces.setSingleStep(1000)
        self.faces.setGroupSeparatorShown(True)
        self.faces.setSuffix(" faces")
        self.faces.setAccessibleName("Faces")
        self.faces.setValue(choice.faces)
        self.faces.setEnabled(choice.simplify)
        self.simplify.toggled.connect(self.faces.setEnabled)

        self.file = QLineEdit(str(self._proposal(Path(choice.folder or Path.home()), self.suffix())))
        self.file.setAccessibleName("File")
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)

        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.export = QPushButton("Export")
        self.export.setProperty("look", "primary")
        self.export.setDefault(True)
        self.export.clicked.connect(self._on_export)
        cancel = QPushButton("Cancel")
        cancel.setFixedHeight(40)
        cancel.clicked.connect(self.reject)

        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID + GRID // 2)
        grid.setColumnStretch(1, 1)
        file_row = QHBoxLayout()
        file_row.setSpacing(GRID)
        file_row.addWidget(self.file, 1)
        file_row.addWidget(browse)
        grid.addWidget(label("Format", "muted"), 0, 0)
        grid.addWidget(self.format, 0, 1)
        grid.addWidget(label("Resolution", "muted"), 1, 0)
        grid.addWidget(self.resolution, 1, 1)
        grid.addWidget(self.simplify, 2, 0)
        grid.addWidget(self.faces, 2, 1)
        grid.addWidget(label("File", "muted"), 3, 0)
        grid.addLayout(file_row, 3, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.export)
        heading = label(breakable(title if len(title) <= 120 else title[:119] + "…"), "heading", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(heading)
        layout.addLayout(grid)
        layout.addWidget(self.problem)
        layout.addWidget(line())
        layout.addLayout(buttons)

    def suffix(self) -> str:
        """The chosen format's suffix."""
        suffix: str = self.format.currentData()
        return suffix

    def path(self) -> Path:
        """The file to write."""
        return Path(self.file.text().strip()).expanduser()

    def options(self) -> ShapeExport:
        """What to export with."""
        faces = self.faces.value() if self.simplify.isChecked() else None
        return ShapeExport(resolution=int(self.resolution.value()), faces=faces)

    def choice(self) -> ExportChoice:
        """What to remember for the next time."""
        return ExportChoice(
            suffix=self.suffix(),
            resolution=int(self.resolution.value()),
            simplify=self.simplify.isChecked(),
            faces=self.faces.value(),
            folder=str(self.path().parent),
        )

    def _proposal(self, folder: Path, suffix: str) -> Path:
        """A file of that name that does not exist yet."""
        path, number = folder / f"{self._stem}{suffix}", 2
        while path.exists():
            path, number = folder / f"{self._stem}-{number}{suffix}", number + 1
        return path

    def _on_format(self) -> None:
        path = self.path()
        if path.name:
            self.file.setText(str(path.with_suffix(self.suffix())))

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Export to", str(self.path()), f"{self.format.currentText()} (*{self.suffix()})"
        )
        if chosen:
            self.file.setText(str(Path(chosen).with_suffix(self.suffix())))

    def _on_export(self) -> None:
        problem = self._find_problem()
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        if not problem:
            self.accept()

    def _find_problem(self) -> str:
        path = self.path()
        if not path.name:
            return "Choose a file to write."
        if path.suffix.lower() != self.suffix():
            self.file.setText(str(path.with_name(path.name + self.suffix())))
            path = self.path()
        if path.is_dir():
            return f"{path} is a folder. Choose a file name."
        if not path.parent.is_dir():
            return f"The folder {path.parent} does not exist."
        return ""


def file_stem(title: str) -> str:
    """A file name without suffix made from a title: letters, digits and hyphens, at most 48 characters."""
    words = "".join(character if character.isalnum() else " " for character in title.lower()).split()
    return "-".join(words)[:48].strip("-") or "shape"
