"""The Models room: what is installed, what each model knows, and where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.evaluation.known_reports import KnownReport
from ddmi_core.model_folder import ModelInfo
from studio.engine.models import ModelFolders
from studio.state.app_state import AppState
from studio.theme.theme import Theme
from studio.theme.tokens import CONTROL_HEIGHT, GRID
from studio.widgets.basics import breakable, label, plain_tip, styled

_WIDTH = 800
_PREVIEW = 112  # px


class ModelsRoom(QWidget):
    """A card per model. `used` carries the one to generate with, `opened` a folder to show.

    `import_asked`: a model is to be chosen; `save_asked` carries one to be written as one file, `evaluate_asked` one to
    measure, `report_asked` the page of what was measured, `rename_asked` and `delete_asked` one of the person's own.

    Args:
        state: knows the models.
        folders: finds previews.
        folder: that of the person's own models.
        nouns: what a signal of each domain is called.
        theme: of the icons.
        titles: of the rooms, by their domains, of which one can be asked for.
    """

    guide: ClassVar[str] = "13-models.md"
    """The file of the guide's page about it."""

    used = Signal(object)
    opened = Signal(object)
    refreshed = Signal()
    import_asked = Signal()
    save_asked = Signal(object)
    evaluate_asked = Signal(object)
    report_asked = Signal(object)
    rename_asked = Signal(object)
    delete_asked = Signal(object)

    def __init__(
        self,
        state: AppState,
        folders: ModelFolders,
        folder: Path,
        nouns: Mapping[str, str],
        theme: Theme,
        titles: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._state = state
        self._folders = folders
        self._nouns = nouns
        self._theme = theme
        styled(self, "stage")
        content = QWidget()
        content.setMaximumWidth(_WIDTH)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 4 * GRID, 0, 4 * GRID)
        column.setSpacing(GRID * 2)
        heading = QHBoxLayout()
        heading.addWidget(label("Models", "title"))
        heading.addStretch(1)
        self.import_button = QPushButton("Import a model…")
        self.import_button.setToolTip("Copy a model from elsewhere; you can also drop it here")
        self.import_button.clicked.connect(self.import_asked)
        heading.addWidget(self.import_button)
        refresh = QPushButton("Look again")
        refresh.setToolTip("Read the list of installed models anew")
        refresh.clicked.connect(self.refreshed)
        heading.addWidget(refresh)
        show = QPushButton("Open the models folder")
        show.setToolTip(plain_tip(str(folder)))
        show.clicked.connect(lambda: self.opened.emit(folder))
        heading.addWidget(show)
        column.addLayout(heading)
        column.addWidget(
            label(
                "A model turns prompts into signals of one kind. What training has finished, what is imported, and "
                "what is put into the models folder appears here.",
                "muted",
                wrap=True,
            )
        )
        self._choices = QButtonGroup(self)
        self._by_domain: dict[str, QToolButton] = {}
        if titles:
            column.addWidget(self._filter(titles))
        self._cards = QVBoxLayout()
        self._cards.setSpacing(GRID * 2)
        column.addLayout(self._cards)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(4 * GRID, 0, 4 * GRID, 0)
        row.addStretch(1)
        row.addWidget(content, 100)
        row.addStretch(1)
        area.setWidget(middle)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        state.models_changed.connect(self._on_models)
        state.form_changed.connect(lambda _form: self._mark())
        folders.preview_ready.connect(self._show_preview)
        folders.reports_ready.connect(self._show_reports)
        self._buttons: dict[ModelInfo, QPushButton] = {}
        self._previews: dict[Path, QLabel] = {}
        self._measured: dict[ModelInfo, _Measured] = {}
        self._on_models(state.models)

    def _filter(self, titles: Mapping[str, str]) -> QWidget:
        """A button for the models of each room, and one for all."""
        filter_ = QWidget()
        row = QHBoxLayout(filter_)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        for domain, title in {"": "All", **titles}.items():
            button = QToolButton()
            button.setText(title)
            button.setCheckable(True)
            button.setChecked(not domain)
            button.setFixedHeight(CONTROL_HEIGHT)
            button.setProperty("look", "control")
            button.setAccessibleName(f"{title}, models of the room" if domain else "All models")
            button.setToolTip(f"Only the models of the room {title}" if domain else "The models of all rooms")
            button.toggled.connect(lambda on: self._on_models(self._state.models) if on else None)
            self._choices.addButton(button)
            self._by_domain[domain] = button
            row.addWidget(button)
        row.addStretch(1)
        return filter_

    @property
    def domain(self) -> str:
        """Of which domain models are listed; empty: of all."""
        return next((domain for domain, button in self._by_domain.items() if button.isChecked()), "")

    @domain.setter
    def domain(self, domain: str) -> None:
        if domain in self._by_domain:
            self._by_domain[domain].setChecked(True)

    def _on_models(self, models: list[ModelInfo]) -> None:
        while (entry := self._cards.takeAt(0)) is not None:
            if (widget := entry.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._buttons, self._previews, self._measured = {}, {}, {}
        listed = [model for model in models if self.domain in ("", model.domain)]
        for model in listed:
            self._cards.addWidget(self._card(model))
        if not listed:
            self._cards.addWidget(label(self._lacking(), "muted", wrap=True))
        self._folders.reports()
        self._mark()

    def _lacking(self) -> str:
        """What is said where nothing is listed."""
        if not self._state.models:
            return "No model is installed."
        title = self._by_domain[self.domain].text()
        return f"No model of the room {title} is installed. Train one, import one, or choose All to see the others."

    def _card(self, model: ModelInfo) -> QWidget:
        card = QWidget()
        styled(card, "card")
        preview = label("No preview", "small")
        preview.setFixedSize(_PREVIEW, _PREVIEW)
        preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._previews[model.folder] = preview
        self._folders.preview(model.folder)
        noun = self._nouns.get(model.domain, model.domain)
        size = f"{model.size_bytes / 1e6:.1f} MB"
        base = self._state.base_of(model) or model.base
        changes = f"changes to {base.name}" if base is not None else ""
        encoder = f"text encoder {model.text_encoder}"
        facts = "  ·  ".join(filter(None, (f"{noun.capitalize()} model", size, changes, encoder)))
        identity = "  ·  ".join(filter(None, (model.origin, f"hash {model.hash}")))
        rows = QVBoxLayout()
        rows.setSpacing(GRID // 2)
        rows.addWidget(label(breakable(model.name), "heading", wrap=True))
        for text in (facts, identity, str(model.folder)):
            rows.addWidget(label(breakable(text), "small", wrap=True, selectable=True))
        if model.base is not None and self._state.lacks_base(model):
            rows.addWidget(
                label(
                    f"The model {breakable(model.base.name)} that it goes with (hash {model.base.hash}) is not here. "
                    "Import that one, too: until then this one cannot be used.",
                    "error",
                    wrap=True,
                )
            )
        self._measured[model] = measured = _Measured(model)
        measured.asked.connect(self.report_asked)
        rows.addWidget(measured)
        rows.addSpacing(GRID // 2)
        rows.addLayout(self._card_buttons(model))
        rows.addStretch(1)
        whole = QHBoxLayout(card)
        whole.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        whole.setSpacing(2 * GRID)
        whole.addWidget(preview, 0, Qt.AlignmentFlag.AlignTop)
        whole.addLayout(rows, 1)
        return card

    def _card_buttons(self, model: ModelInfo) -> QHBoxLayout:
        use = QPushButton("Use")
        use.clicked.connect(lambda: self.used.emit(model))
        self._buttons[model] = use
        buttons = [use]
        for text, tip, act in (
            ("Card", "What it was trained on, how, and its licence", lambda: self._folders.card(model)),
            (
                "Evaluate…",
                "Measure it against a data set, and write a report",
                lambda: self.evaluate_asked.emit(model),
            ),
            ("Show folder", str(model.folder), lambda: self.opened.emit(model.folder)),
            ("Save…", "Write it as one file, to be sent to someone", lambda: self.save_asked.emit(model)),
            ("Rename…", "Call it something else", lambda: self.rename_asked.emit(model)),
            ("Delete…", "Move it to the trash", lambda: self.delete_asked.emit(model)),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setAccessibleName(f"{text.rstrip('…')}, {model.name}")
            button.clicked.connect(act)
            buttons.append(button)
        if model.is_shipped:
            for button in buttons[-2:]:
                button.setEnabled(False)
                button.setToolTip("It came along and stays as it is")
        row = QHBoxLayout()
        row.setSpacing(GRID)
        for button in buttons:
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _show_preview(self, folder: Path, image: QImage) -> None:
        if folder in self._previews:
            self._previews[folder].setPixmap(
                QPixmap.fromImage(image).scaled(
                    _PREVIEW,
                    _PREVIEW,
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
            )

    def _show_reports(self, reports: Mapping[str, KnownReport]) -> None:
        for model, measured in self._measured.items():
            measured.show_report(reports.get(model.hash))

    def _mark(self) -> None:
        for model, button in self._buttons.items():
            in_use = self._state.is_in_use(model)
            button.setText("In use" if in_use else "Use")
            button.setEnabled(not in_use and not self._state.lacks_base(model))


class _Measured(QWidget):
    """Some figures of a model's newest report, if it has one, and a link to it; `asked` carries its page."""

    asked = Signal(object)

    def __init__(self, model: ModelInfo) -> None:
        super().__init__()
        self._page: Path | None = None
        self._figures = label("", "small", wrap=True, selectable=True)
        button = QPushButton("Report")
        button.setProperty("look", "link")
        button.setToolTip("All that was measured, and how")
        button.setAccessibleName(f"Report, {model.name}")
        button.clicked.connect(lambda: self.asked.emit(self._page))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._figures, 1)
        row.addWidget(button)
        self.hide()

    def show_report(self, report: KnownReport | None) -> None:
        """Show what was measured, if something was."""
        if report is not None:
            self._page = report.page
            about = f"Measured on {Path(report.data).name} with {report.samples:,} samples, {report.made[:10]}"
            self._figures.setText(breakable("  ·  ".join((about, *report.figures))))
            self._figures.setToolTip(plain_tip(str(report.page)))
        self.setVisible(report is not None)
