"""What a model is to be measured against, and where the report goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.evaluation.known_reports import reports_folder
from ddmi_core.model_folder import ModelInfo
from studio.settings import Settings
from studio.theme.tokens import GRID
from studio.widgets.basics import breakable, decision, figure_box, label
from studio.widgets.dialog import Dialog

_WIDTH = 480
_SAMPLES, _MOST = 200, 50_000


class EvaluateDialog(Dialog):
    """Asks for the data, the number of samples, and the folder.

    Args:
        model: what is measured.
        starter_sets: names of the data sets that come along for its kind of signals.
        settings: remember the folders.
        parent: the window.
    """

    def __init__(
        self, model: ModelInfo, starter_sets: Sequence[str], settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Evaluate the model")
        self.setFixedWidth(_WIDTH)
        self._model, self._settings = model, settings
        self.sets = QComboBox()
        self.sets.setAccessibleName("Data")
        for name in starter_sets:
            self.sets.addItem(name, name)
        self.sets.currentIndexChanged.connect(self._propose)
        choose_data = QPushButton("Choose…")
        choose_data.setToolTip("A folder of your own data")
        choose_data.setAccessibleName("Choose a folder of data")
        choose_data.clicked.connect(self._choose_data)
        self.samples = figure_box("Samples", 1, _MOST, _SAMPLES)
        self.samples.valueChanged.connect(self._propose)
        self.target = QLineEdit()
        self.target.setAccessibleName("Folder of the report")
        choose_folder = QPushButton("Choose…")
        choose_folder.setAccessibleName("Choose the folder of the report")
        choose_folder.clicked.connect(self._choose_folder)

        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(1, 1)
        rows = (("Data", self.sets, choose_data), ("Samples", self.samples, None))
        for row, (name, field, button) in enumerate((*rows, ("Report", self.target, choose_folder))):
            grid.addWidget(label(name, "muted"), row, 0)
            grid.addWidget(field, row, 1)
            if button is not None:
                grid.addWidget(button, row, 2)
        measure = QPushButton("Evaluate")
        measure.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(label(breakable(model.name), "heading", wrap=True))
        layout.addWidget(
            label(
                "Samples are compared with the training part of the data, and held-out signals with what the model "
                "makes of them. It goes on in the background, and after an interruption where it stopped.",
                "muted",
                wrap=True,
            )
        )
        layout.addLayout(grid)
        layout.addLayout(decision(self, measure))
        self._propose()

    def data(self) -> str:
        """A starter set's name, or a folder."""
        return str(self.sets.currentData())

    def folder(self) -> Path:
        """Where the report goes."""
        return Path(self.target.text()).expanduser()

    def _propose(self) -> None:
        # Of the same settings always the same folder, so that what was interrupted is gone on with
        name = f"{self._model.name}-{Path(self.data()).name}-{self.samples.value()}-{self._model.hash[:6]}"
        self.target.setText(str(reports_folder() / name.replace("/", "-")))

    def _choose_data(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Data to measure against", str(self._settings.folder("data")))
        if chosen:
            self._settings.set_folder("data", Path(chosen))
            self.sets.addItem(Path(chosen).name, chosen)
            self.sets.setCurrentIndex(self.sets.count() - 1)

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the report", str(self._settings.folder("reports")))
        if chosen:
            self._settings.set_folder("reports", Path(chosen))
            self.target.setText(chosen)
