"""The main window: puts the panels together and connects what they ask to the engine, and what it answers to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QMessageBox, QStackedWidget, QVBoxLayout, QWidget

from ddmi_core.errors import DDMIError
from ddmi_core.export_options import ExportOptions
from ddmi_core.model_folder import ModelInfo
from ddmi_core.paths import user_data
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.results import ExportDone, ItemReady, ViewReady
from studio.panels import shapes
from studio.panels.about import AboutDialog
from studio.panels.export_dialog import ExportDialog
from studio.panels.history import HistoryPanel
from studio.panels.inspector import Inspector, item_title
from studio.panels.models import ModelsRoom
from studio.panels.queue import QueuePanel
from studio.panels.rail import Rail
from studio.panels.shapes import ShapeStage
from studio.panels.shortcut_sheet import ShortcutSheet
from studio.panels.status import StatusBar
from studio.settings import Settings
from studio.state.app_state import AppState
from studio.state.jobs import Job
from studio.state.library import Item
from studio.state.notifications import Action, Notification
from studio.theme.theme import Theme, ThemeChoice
from studio.widgets.basics import line
from studio.widgets.toasts import Toast, ToastArea

_FIRST_SIZE = QSize(1280, 800)
_BOTTOM_HEIGHT = 148  # px
_REFINE_AFTER_MS = 350
_SHAPES, _MODELS = 0, 1


class MainWindow(QMainWindow):
    """One window, one stage. Owns no data: `state` does; computes nothing: `engine` does."""

    def __init__(self, state: AppState, engine: Engine, theme: Theme, settings: Settings) -> None:
        super().__init__()
        self.state, self.engine, self.theme, self.settings = state, engine, theme, settings
        self.setWindowTitle("DDMI Studio")
        self.setMinimumSize(960, 600)
        self.setAcceptDrops(True)
        self.actions_ = Actions(self, theme)
        self._warmed = ""
        self._toasts: dict[int, Toast] = {}
        self._sheet: ShortcutSheet | None = None
        self._build()
        self._bind_actions()
        self._bind_state()
        self._restore()

    # Building

    def _build(self) -> None:
        state, actions, theme = self.state, self.actions_, self.theme
        actions.fill_menus()
        self.rail = Rail(theme)
        self.rail.add("Shapes", "shapes", "Generate 3D shapes")
        self.rail.add("Models", "models", "The installed models")
        self.rail.chosen.connect(self.show_room)
        self.stage = ShapeStage(actions, theme)
        self.models = ModelsRoom(state, user_data() / "models", theme)
        self.rooms = QStackedWidget()
        self.rooms.addWidget(self.stage)
        self.rooms.addWidget(self.models)
        self.inspector = Inspector(state, actions, theme)
        self.history = HistoryPanel(state, shapes.DOMAIN, actions, theme)
        self.queue = QueuePanel(state.jobs, theme)
        self.status = StatusBar(state)
        self.setStatusBar(self.status)

        self._inspector_line, self._history_line, self._queue_line = line(vertical=True), line(), line(vertical=True)
        lower = _row(self.history, self._queue_line, self.queue)
        lower.setStretch(0, 1)
        self._bottom = QWidget()
        self._bottom.setLayout(lower)
        self._bottom.setFixedHeight(_BOTTOM_HEIGHT)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rooms, 1)
        middle.addWidget(self._history_line)
        middle.addWidget(self._bottom)
        whole = _row(self.rail, line(vertical=True))
        whole.addLayout(middle, 1)
        whole.addWidget(self._inspector_line)
        whole.addWidget(self.inspector)
        central = QWidget()
        central.setLayout(whole)
        self.setCentralWidget(central)
        self.toasts = ToastArea(self.rooms)
        # A native window that holds an OpenGL widget is composited as a whole whenever anything in it is repainted,
        # 10 ms and more under software OpenGL. With a native window for the rooms alone, the panels stay cheap.
        QGuiApplication.setAttribute(Qt.ApplicationAttribute.AA_DontCreateNativeWidgetSiblings)
        self.rooms.setAttribute(Qt.WidgetAttribute.WA_DontCreateNativeAncestors)
        self.rooms.setAttribute(Qt.WidgetAttribute.WA_NativeWindow)

    def _bind_actions(self) -> None:
        on, on_toggled = self.actions_.on, self.actions_.on_toggled
        handlers: dict[str, Callable[[], object]] = {
            "import": self.choose_import,
            "export": self.choose_export,
            "screenshot": self.choose_screenshot,
            "quit": self.close,
            "prompt": self.go_to_prompt,
            "generate": self.generate,
            "cancel": self.cancel,
            "dice": self.state.roll_seed,
            "newer": lambda: self.history.step(-1),
            "older": lambda: self.history.step(1),
            "recipe": self.use_recipe,
            "copy_prompt": self.copy_prompt,
            "star": self.toggle_star,
            "delete": self.delete,
            "undo_delete": self.undo_delete,
            "shortcuts": self.show_shortcuts,
            "about": lambda: AboutDialog(self.theme, self).exec(),
        }
        for name, handler in handlers.items():
            on(name, handler)
        on("lock", lambda: self.state.update_form(seed_locked=self.actions_["lock"].isChecked()))
        on("full_screen", lambda: self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen))
        on_toggled("inspector", lambda _on: self._show_parts())
        on_toggled("history", lambda _on: self._show_parts())
        for choice in ("system", "dark", "light"):
            on(f"theme_{choice}", partial(self.set_theme, choice))
        self.inspector.generate_clicked.connect(self.generate)
        self.inspector.cancel_clicked.connect(self.cancel)
        self.inspector.export_clicked.connect(self.choose_export)
        self.stage.example_chosen.connect(self.generate_example)
        self.history.chosen.connect(self.open_item)
        self.queue.cancelled.connect(self.engine.cancel)
        self.models.used.connect(self._use_model)
        self.models.opened.connect(self._open_folder)
        self.models.refreshed.connect(self.engine.refresh_models)
        self.engine.item_ready.connect(self.on_item_ready)
        self.engine.view_ready.connect(self.on_view_ready)
        self.engine.export_done.connect(self.on_export_done)

    def _bind_state(self) -> None:
        state = self.state
        state.form_changed.connect(self._on_form)
        state.models_changed.connect(self._on_models)
        state.shown_changed.connect(self._on_shown)
        for signal in (state.jobs.added, state.jobs.changed, state.jobs.removed):
            signal.connect(self._on_jobs)
        state.notifications.added.connect(self._on_notification)
        state.notifications.removed.connect(self._on_notification_gone)
        for notification in state.notifications.list():
            self._on_notification(notification)
        self._refine_timer = QTimer(self, singleShot=True, interval=_REFINE_AFTER_MS)
        self._refine_timer.timeout.connect(self._refine)
        self._deleted: list[Item] = []
        self._on_form(state.form)
        self._on_models(state.models)
        self._on_shown(state.shown)

    def _restore(self) -> None:
        settings = self.settings
        self.resize(_FIRST_SIZE)
        if settings.geometry is not None:
            self.restoreGeometry(settings.geometry)
        for name in ("inspector", "history", "grid", "axes", "wireframe"):
            self.actions_[name].setChecked(settings.flag(name, name != "wireframe"))
        self.actions_[f"theme_{self.theme.choice}"].setChecked(True)
        self.show_room(_SHAPES)
        self._on_jobs()
        self.inspector.focus_prompt()

    # What a person asks

    def show_room(self, place: int) -> None:
        """Go to a room of the rail."""
        self.rooms.setCurrentIndex(place)
        self.rail.select(place)
        self._show_parts()

    def go_to_prompt(self) -> None:
        """Put the cursor into the prompt, wherever the person is."""
        self.show_room(_SHAPES)
        self.actions_["inspector"].setChecked(True)
        self.inspector.focus_prompt()

    def generate(self) -> None:
        """Generate what the form says; a seed that is not kept is rolled first."""
        if self.state.selected_model is None:
            self.state.notifications.warning(
                "No model is installed, so nothing can be generated. Open Models to add one."
            )
            return
        self.show_room(_SHAPES)
        self._try(self.engine.generate)

    def generate_example(self, prompt: str) -> None:
        """Take an example prompt and generate it."""
        self.state.update_form(prompt=prompt)
        self.generate()

    def cancel(self) -> None:
        """Cancel the job that is running, or the next one that waits."""
        active = self.state.jobs.active()
        going = [job for job in active if not job.cancelling]
        running = [job for job in going if job.status == "running"]
        if going:
            self.engine.cancel((running or going)[0].id)

    def open_item(self, item: Item) -> None:
        """Bring an item back: its shape to the stage and its recipe into the form."""
        self.show_room(_SHAPES)
        self.state.recall(item)
        self._try(lambda: self.engine.open(item))

    def use_recipe(self) -> None:
        """Bring the recipe of the item on the stage back into the form."""
        if self.state.shown is not None:
            self.state.recall(self.state.shown)
            self.go_to_prompt()

    def copy_prompt(self) -> None:
        """Copy the prompt of the item on the stage."""
        if self.state.shown is not None:
            QGuiApplication.clipboard().setText(self.state.shown.recipe.prompt)

    def toggle_star(self) -> None:
        """Star or unstar the item on the stage."""
        shown = self.state.shown
        if shown is not None:
            self._try(lambda: self.state.library.star(shown, not shown.starred))
        self._on_shown(self.state.shown)

    def delete(self) -> None:
        """Delete the item on the stage; a message offers to undo that, and its neighbour takes its place."""
        item = self.state.shown
        if item is None:
            return
        row = self.history.model.row_of(item)
        if not self._try(lambda: self.state.library.delete(item)):
            return
        self._deleted.append(item)
        self.actions_["undo_delete"].setEnabled(True)
        title = item_title(item)
        title = title if len(title) <= 60 else title[:59] + "…"
        self.state.notifications.info(
            f"Deleted “{title}”, seed {item.recipe.seed}.", action=Action("Undo", self.undo_delete)
        )
        neighbour = self.history.model.item(min(row, self.history.model.rowCount() - 1))
        if neighbour is not None:
            self.open_item(neighbour)

    def undo_delete(self) -> None:
        """Bring the item deleted last back."""
        if self._deleted:
            item = self._deleted.pop()
            self.actions_["undo_delete"].setEnabled(bool(self._deleted))
            if self._try(lambda: self.state.library.restore(item)):
                self.open_item(self.state.library.get(item.id))

    def choose_import(self) -> None:
        """Ask for a mesh or point cloud to reconstruct."""
        patterns = " ".join(f"*{suffix}" for suffix in shapes.IMPORT_FORMATS)
        path, _ = QFileDialog.getOpenFileName(
            self, "Reconstruct a mesh or point cloud", "", f"Meshes and point clouds ({patterns})"
        )
        if path:
            self.reconstruct(Path(path))

    def reconstruct(self, path: Path) -> None:
        """Encode a file and show its continuous reconstruction."""
        if path.suffix.lower() not in shapes.IMPORT_FORMATS:
            known = ", ".join(suffix[1:].upper() for suffix in shapes.IMPORT_FORMATS)
            self.state.notifications.error(f"{path.name} cannot be read as a shape. Files of these kinds can: {known}.")
            return
        if self.state.selected_model is None:
            self.state.notifications.warning(
                "No model is installed, so nothing can be reconstructed. Open Models to add one."
            )
            return
        self.show_room(_SHAPES)
        self._try(lambda: self.engine.reconstruct(path))

    def choose_export(self) -> None:
        """Ask how to export the item on the stage, and do so."""
        item = self.state.shown
        if item is None:
            return
        dialog = ExportDialog(item_title(item), shapes.EXPORT_FORMATS, self.settings.export, self)
        if dialog.exec():
            self.settings.export = dialog.choice()
            self.export(item, dialog.path(), dialog.options())
        dialog.deleteLater()

    def export(self, item: Item, path: Path, options: ExportOptions) -> None:
        """Export an item in the background."""
        self._try(lambda: self.engine.export(item, path, options))

    def choose_screenshot(self) -> None:
        """Save the view as it stands now under a name to choose."""
        image = self.stage.screenshot()
        path, _ = QFileDialog.getSaveFileName(self, "Save the view", "shape.png", "PNG (*.png)")
        if not path:
            return
        target = Path(path).with_suffix(".png")
        if image.save(str(target)):
            self._say_written(target)
        else:
            self.state.notifications.error(
                f"The picture could not be written to {target}. Check the folder and the space left."
            )

    def set_theme(self, choice: ThemeChoice) -> None:
        """Choose dark, light, or the system's."""
        self.theme.choice = self.settings.theme = choice
        self.actions_[f"theme_{choice}"].setChecked(True)

    def show_shortcuts(self) -> None:
        """Open the sheet of shortcuts beside the work."""
        if self._sheet is None:
            self._sheet = ShortcutSheet(self)
        self._sheet.show()
        self._sheet.raise_()

    # What the engine answers

    def on_item_ready(self, result: ItemReady) -> None:
        """Show the first variation, unless the person went on to something else meanwhile."""
        if result.index == 0 and result.request.generation == self.state.generation:
            self.state.show(result.item)
            self.stage.show_view(result.view, result.resolution)
            self._refine_timer.start()

    def on_view_ready(self, result: ViewReady) -> None:
        """Show an item that was opened, or the finer view of the one that is still on the stage."""
        shown = self.state.shown
        refining = result.request.refining
        if result.request.generation != self.state.generation:
            return
        if refining and (shown is None or shown.id != result.item.id):
            return
        self.state.show(result.item)
        self.stage.show_view(result.view, result.resolution, finer=refining)
        if not refining:
            self._refine_timer.start()

    def on_export_done(self, result: ExportDone) -> None:
        """Say where the file is."""
        facts = result.facts
        figures = f" ({facts['vertices']:,} vertices, {facts['faces']:,} faces)" if "vertices" in facts else ""
        self._say_written(result.request.path, figures)

    def _refine(self) -> None:
        """Ask for a finer view of what is on the stage, once nothing else is being worked on."""
        item = self.state.shown
        if item is None:
            return
        if self.state.jobs.active():
            self._refine_timer.start()
        else:
            self._try(lambda: self.engine.refine(item))

    def _say_written(self, path: Path, figures: str = "") -> None:
        self.state.notifications.info(
            f"Saved {path.name}{figures}.", action=Action("Show in folder", lambda: self._open_folder(path.parent))
        )

    # What the state announces

    def _on_form(self, _form: object) -> None:
        self.actions_["lock"].setChecked(self.state.form.seed_locked)
        self._warm_up()

    def _on_models(self, models: list[ModelInfo]) -> None:
        self._warm_up()
        self.stage.set_can_generate(bool(models))
        self.actions_["generate"].setEnabled(bool(models))

    def _on_shown(self, item: Item | None) -> None:
        for name in ("export", "recipe", "copy_prompt", "star", "delete", "screenshot"):
            self.actions_[name].setEnabled(item is not None)
        self.actions_["star"].setChecked(item is not None and item.starred)
        self.actions_["undo_delete"].setEnabled(bool(self._deleted))
        if item is None:
            self._refine_timer.stop()
            self.stage.show_view(None)

    def _on_jobs(self, _job: Job | None = None) -> None:
        active = self.state.jobs.active()
        self.actions_["cancel"].setEnabled(bool(active))
        self.inspector.set_working(bool(active))
        self._show_parts()

    def _on_notification(self, notification: Notification) -> None:
        action = notification.action
        toast = Toast(
            self.theme,
            notification.level,
            notification.text,
            details=notification.details,
            action=(action.label, action.run) if action is not None else None,
        )
        toast.dismissed.connect(lambda: self.state.notifications.dismiss(notification))
        self._toasts[notification.id] = toast
        self.toasts.add(toast)

    def _on_notification_gone(self, notification: Notification) -> None:
        toast = self._toasts.pop(notification.id, None)
        if toast is not None:
            self.toasts.remove(toast)

    # Helpers

    def _warm_up(self) -> None:
        """Load the chosen model while nobody waits for it."""
        model = self.state.selected_model
        if model is not None and model.hash != self._warmed:
            self._warmed = model.hash
            self.engine.preload(model)

    def _try(self, work: Callable[[], object]) -> bool:
        """Do it; a failure becomes a message. Whether it went well."""
        try:
            work()
        except DDMIError as error:
            self.state.notifications.error(str(error))
            return False
        return True

    def _use_model(self, name: str) -> None:
        self.state.update_form(model=name)

    def _open_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _show_parts(self) -> None:
        in_shapes = self.rooms.currentIndex() == _SHAPES
        inspector = in_shapes and self.actions_["inspector"].isChecked()
        history = in_shapes and self.actions_["history"].isChecked()
        queue = bool(self.state.jobs.active())
        self.inspector.setVisible(inspector)
        self._inspector_line.setVisible(inspector)
        self.history.setVisible(history)
        self._queue_line.setVisible(history and queue)
        self._history_line.setVisible(history or queue)
        self._bottom.setVisible(history or queue)

    # Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Reconstruct the files that were dropped."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.reconstruct(Path(url.toLocalFile()))
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask when work is going on; remember how things were left."""
        if self.state.jobs.active() and not self._may_quit():
            event.ignore()
            return
        settings = self.settings
        settings.geometry = self.saveGeometry()
        settings.form = self.state.form
        for name in ("inspector", "history", "grid", "axes", "wireframe"):
            settings.set_flag(name, self.actions_[name].isChecked())
        settings.save()
        self._refine_timer.stop()
        super().closeEvent(event)

    def _may_quit(self) -> bool:
        count = len(self.state.jobs.active())
        work = "A job is" if count == 1 else f"{count} jobs are"
        question = QMessageBox(self)
        question.setWindowTitle("Quit DDMI Studio?")
        question.setText(f"{work} still going on.")
        question.setInformativeText(
            "Quitting cancels it. What is finished is in the history."
            if count == 1
            else "Quitting cancels them. What is finished is in the history."
        )
        leave = question.addButton("Quit", QMessageBox.ButtonRole.DestructiveRole)
        stay = question.addButton("Keep working", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(stay)
        question.setEscapeButton(stay)
        question.exec()
        return question.clickedButton() is leave


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    for widget in widgets:
        row.addWidget(widget)
    return row
