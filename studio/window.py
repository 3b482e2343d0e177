"""The main window: puts the panels together and connects what they ask to the engine, and what it answers to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.fidelity import Fidelity
from ddmi_core.model_folder import ModelInfo
from ddmi_core.placement import Up
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import DDMIError, RecipeError
from ddmi_core.support.paths import assets, user_data
from studio.actions import Actions
from studio.engine.diagnostics import save_diagnostics
from studio.engine.engine import Engine
from studio.engine.models import ModelFolders
from studio.engine.training import Training
from studio.engine.trash import Trash
from studio.engine.work.clips import SequenceDone, SequenceRequest
from studio.engine.work.exporting import ExportDone, ExportRequest
from studio.engine.work.fitting import FitReady, FitRequest, ReconstructRequest, SpanWanted
from studio.engine.work.items import ItemReady, View
from studio.engine.work.latents import WalkDone
from studio.engine.work.machine import MODELS_ROOM, EvaluateRequest, EvaluationDone, ModelsRequest, PreloadRequest
from studio.engine.work.viewing import ViewReady, ViewRequest
from studio.keymap import Keymap
from studio.launcher import open_folder, open_outside
from studio.panels.about import AboutDialog
from studio.panels.evaluate_dialog import EvaluateDialog
from studio.panels.export_dialog import Order, Place, file_stem
from studio.panels.fidelity import nearness
from studio.panels.guide import GuideWindow
from studio.panels.history import HistoryPanel
from studio.panels.inspector import Inspector, item_title
from studio.panels.messages import MessagesDialog
from studio.panels.model_card import ModelCard
from studio.panels.models import ModelsRoom
from studio.panels.palette import Entry, Palette
from studio.panels.queue import QueuePanel, duration
from studio.panels.rail import Rail
from studio.panels.room import Stage
from studio.panels.settings_dialog import SettingsDialog
from studio.panels.shortcut_sheet import ShortcutSheet
from studio.panels.span_dialog import SpanDialog
from studio.panels.status import StatusBar
from studio.panels.tour import Tour
from studio.panels.training import TrainingRoom
from studio.rooms import ROOMS, Room, actions_of
from studio.settings import FolderKind, Settings
from studio.state.app_state import AppState
from studio.state.form import GenerateForm
from studio.state.guide import read_guide
from studio.state.jobs import Job
from studio.state.library import Item, TrashContent
from studio.state.notifications import Action, Notification
from studio.state.runs import RunSummary
from studio.state.undo import Step
from studio.theme.theme import Theme, ThemeChoice
from studio.widgets.basics import line
from studio.widgets.drop_overlay import DropOverlay
from studio.widgets.saving import ask_where
from studio.widgets.toasts import Toast, ToastArea

_FIRST_SIZE, _LEAST_SIZE = QSize(1280, 800), QSize(960, 600)
_FRAME = 40  # px, that a window's title bar may take
_SMALL = QSize(900, 560)
"""A window with less room than that has no place for every panel at once, as on a small screen with large text."""
_NARROW_INSPECTOR = 288  # px
_PANES = ("look_pane", "slices")  # beside a stage
_BOTTOM_HEIGHT = 148  # px
_MUTE_ABOUT_UP = (".obj", ".ply", ".stl", ".off")
"""Kinds of files that do not say which axis is up."""
_DELETE = "delete"  # a step that can be undone until the trash is emptied
_ASK_AFTER_SECONDS = 10.0
_KNOWN = {"psnr": 24.0, "iou": 0.8}
"""What a model makes of a file that is like what it was taught comes nearer to it than that."""
_PROSPECTS = 4  # files of which it is said what becomes of each
_TITLE = 60
"""Characters of a title in a message."""


class MainWindow(QMainWindow):
    """One window, one stage. Owns no data: `state` does; computes nothing: `engine` does."""

    def __init__(
        self,
        state: AppState,
        engine: Engine,
        training: Training,
        theme: Theme,
        settings: Settings,
        rooms: Sequence[Room] = ROOMS,
    ) -> None:
        super().__init__()
        self.state, self.engine, self.training, self.theme, self.settings = state, engine, training, theme, settings
        self.setWindowTitle("DDMI Studio")
        self.setMinimumSize(_LEAST_SIZE.boundedTo(self.screen().availableSize()))
        self.setAcceptDrops(True)
        self.actions_ = Actions(self, theme, Keymap(actions_of(rooms), settings.shortcuts))
        self._warmed: set[str] = set()
        self._seen: dict[str, Item] = {}
        """What the stages really show, by domain: an item that was chosen may still be on its way."""
        self._postponed: list[Callable[[], object]] = []
        self._toasts: dict[int, Toast] = {}
        self._sheet: ShortcutSheet | None = None
        self._guide: GuideWindow | None = None
        self._build(rooms)
        self._bind_actions()
        self._bind_state()
        self._restore()
        for setting in ("device", "threads", "memory"):
            self.take_setting(setting)

    # Building

    def _build(self, rooms: Sequence[Room]) -> None:
        state, actions, theme = self.state, self.actions_, self.theme
        actions.fill_menus()
        self.rail = Rail(theme)
        self.stages = [stage(state, self.engine, actions, theme, self.settings) for stage in rooms]
        self.model_folders = ModelFolders()
        self.trash = Trash(state.library)
        nouns = {stage.room.words.domain: stage.room.words.noun for stage in self.stages}
        self.models = ModelsRoom(state, self.model_folders, user_data() / "models", nouns, theme)
        self.rooms = QStackedWidget()
        for stage in self.stages:
            self.rail.add(stage.room.title, stage.room.icon, stage.room.tip)
            self.rooms.addWidget(stage)
            state.add_room(stage.room.words.domain)
        self.runs = TrainingRoom(self.training, theme)
        self.rail.add("Training", "training", "Train models and watch how they fare")
        self.rooms.addWidget(self.runs)
        self.rail.add("Models", "models", "The installed models")
        self.rooms.addWidget(self.models)
        self.rail.chosen.connect(self.show_room)
        self.inspector = Inspector(state, actions, theme)
        self.history = HistoryPanel(state, actions, theme)
        self.queue = QueuePanel(state.jobs, theme)
        self.status = StatusBar(state, actions)
        self.setStatusBar(self.status)

        self._inspector_line, self._history_line, self._queue_line = line(vertical=True), line(), line(vertical=True)
        lower = _row(self.history, self._queue_line, self.queue)
        lower.setStretch(0, 1)
        lower.setAlignment(self.queue, Qt.AlignmentFlag.AlignRight)  # in its place where there is no history too
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
        self.toasts.crowded_out.connect(self.status.say)
        self.rooms.setMinimumSize(160, 120)  # rooms that need more are shown without the inspector
        self.tour = Tour(self)
        self.drop = DropOverlay(self, self.theme)

    def _bind_actions(self) -> None:
        on, on_toggled = self.actions_.on, self.actions_.on_toggled
        handlers: dict[str, Callable[[], object]] = {
            "import": self.choose_import,
            "export": self.choose_export,
            "screenshot": self.choose_screenshot,
            "train": self.new_run,
            "settings": self.open_settings,
            "empty_trash": self.empty_trash,
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
            "undo": lambda: self._try(self.state.undo.undo),
            "redo": lambda: self._try(self.state.undo.redo),
            "messages": self.show_messages,
            "palette": lambda: Palette(self.actions_, self.stage.room.words, self._ways(), self).open_over(self),
            "guide": self.show_guide,
            "shortcuts": self.show_shortcuts,
            "tour": self.tour.start,
            "diagnostics": self.choose_diagnostics,
            "about": lambda: AboutDialog(self.theme, self).exec(),
        }
        for name, handler in handlers.items():
            on(name, handler)
        on("lock", lambda: self.state.update_form(seed_locked=self.actions_["lock"].isChecked()))
        on("full_screen", lambda: self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen))
        on_toggled("inspector", lambda _on: self._show_parts())
        for name in ("inspector", *_PANES):
            on_toggled(name, partial(self._make_room_for, name))
        on_toggled("history", lambda _on: self._show_parts())
        for choice in ("system", "dark", "light"):
            on(f"theme_{choice}", partial(self.set_theme, choice))
        self.inspector.generate_clicked.connect(self.generate)
        self.inspector.cancel_clicked.connect(self.cancel)
        self.inspector.export_clicked.connect(self.choose_export)
        for stage in self.stages:
            stage.example_chosen.connect(self.generate_example)
            stage.refit_asked.connect(self.reconstruct)
            stage.model_asked.connect(self.choose_model)
        self.history.chosen.connect(self.open_item)
        self.history.recipe_asked.connect(self.use_recipe_of)
        self.queue.cancelled.connect(self.engine.cancel)
        self.models.used.connect(self._use_model)
        self.models.opened.connect(self._open_folder)
        self.models.refreshed.connect(self.look_for_models)
        self.models.import_asked.connect(self.choose_model)
        self.models.evaluate_asked.connect(self.evaluate_model)
        self.models.rename_asked.connect(self.rename_model)
        self.models.delete_asked.connect(self.delete_model)
        self.model_folders.changed.connect(self.look_for_models)
        self.model_folders.imported.connect(
            lambda model: self.state.notifications.info(f"{model.name} is imported and can be used.")
        )
        self.model_folders.card_ready.connect(
            lambda model, text: ModelCard(model, text, self.state.notifications, self).open()
        )
        self.model_folders.failed.connect(self.state.notifications.error)
        self.runs.new_asked.connect(self.new_run)
        self.runs.add_asked.connect(self.choose_run)
        self.runs.discard_asked.connect(self.discard_run)
        self.runs.folder_asked.connect(self._open_folder)
        self._asks_to_empty = False
        self.trash.measured.connect(self._on_trash_measured)
        self._has_offered = False
        self.training.failed.connect(self.state.notifications.error)
        self.training.finished.connect(self._on_trained)
        self.training.runs_changed.connect(self._offer_to_watch_or_resume)
        self.engine.answers(ItemReady).connect(self.on_item_ready)
        self.engine.answers(FitReady).connect(self.on_fit_ready)
        self.engine.answers(SpanWanted).connect(self.ask_span)
        self.engine.answers(ViewReady).connect(self.on_view_ready)
        self.engine.answers(ExportDone).connect(self.on_export_done)
        self.engine.answers(EvaluationDone).connect(self.on_evaluation_done)
        for written in (self.engine.answers(WalkDone), self.engine.answers(SequenceDone)):
            written.connect(lambda result: self._say_written(result.path))

    def _bind_state(self) -> None:
        state = self.state
        state.form_changed.connect(self._on_form)
        state.models_changed.connect(self._on_models)
        state.shown_changed.connect(self._on_shown)
        state.domain_changed.connect(self._on_domain)
        state.undo.changed.connect(self._show_undo)
        for signal in (state.jobs.added, state.jobs.changed):
            signal.connect(self._on_jobs)
        state.jobs.changed.connect(self._on_view_ended)
        state.notifications.added.connect(self._on_notification)
        state.notifications.removed.connect(self._on_notification_gone)
        for notification in state.notifications.list():
            self._on_notification(notification)
        self._recalled: GenerateForm | None = None
        """The form as the last recipe left it."""
        self._new_seed: Notification | None = None
        """What was said of a recipe that would only make the same again."""
        self._offers: dict[Step, Notification] = {}
        """What was said of steps, with a button that undoes them."""
        self.show_room(0)
        self._on_models(state.models)

    def _restore(self) -> None:
        settings = self.settings
        self.resize(_first_size(self.screen().availableSize()))
        if (geometry := settings.geometry("window")) is not None:
            self.restoreGeometry(geometry)
        for name, default in self._switches().items():
            self.actions_[name].setChecked(settings.flag(name, default))
        if self._is_small():
            self.inspector.setFixedWidth(_NARROW_INSPECTOR)
            for name in ("history", *_PANES):
                self.actions_[name].setChecked(False)
        self.actions_[f"theme_{self.theme.choice}"].setChecked(True)
        self.show_room_of(settings.room)
        self._on_jobs()
        self.inspector.focus_prompt()
        self.training.start()

    def _switches(self) -> dict[str, bool]:
        """The actions that are remembered, and whether they begin checked."""
        rooms = [stage.room for stage in self.stages]
        return {"inspector": True, "history": True} | {
            name: name not in room.switches_off for room in rooms for name in room.switches
        }

    # Rooms

    @property
    def stage(self) -> Stage[Any]:
        """The stage of the room that the person is in, or was in before going to the models."""
        return self.stage_of(self.state.domain or "")

    def stage_of(self, domain: str) -> Stage[Any]:
        """The stage of a domain's room."""
        return self.stages[self._domains().index(domain)]

    def _domains(self) -> list[str]:
        return [stage.room.words.domain for stage in self.stages]

    def show_room(self, place: int) -> None:
        """Go to a room of the rail."""
        focused = self.focusWidget()
        if place < len(self.stages):
            self.state.enter(self._domains()[place])
        self.rooms.setCurrentIndex(place)
        self.rail.select(place)
        self._on_jobs()
        if focused is not None and not focused.isVisibleTo(self):  # Qt would choose whatever comes next in the window
            self._focus_room()

    def _focus_room(self) -> None:
        """Put the cursor into the prompt, or, where a room has none, onto the stage or where Tab begins."""
        if not self.inspector.isHidden():
            self.inspector.focus_prompt()
            return
        room = self.rooms.currentWidget()
        assert room is not None
        stops = [
            part
            for part in room.findChildren(QWidget)
            if part.isVisibleTo(room) and part.isEnabled() and part.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        stops.sort(key=lambda part: not part.property("canvas"))
        if stops:
            stops[0].setFocus(Qt.FocusReason.TabFocusReason)

    def _room(self) -> str:
        """What the jobs call the room that the person is in."""
        shown = self.rooms.currentWidget()
        if isinstance(shown, Stage):
            return shown.room.words.domain
        return MODELS_ROOM if shown is self.models else ""

    def show_room_of(self, domain: str) -> None:
        """Go to the room of a domain, if there is one."""
        if domain in self._domains():
            self.show_room(self._domains().index(domain))

    def show_training(self) -> None:
        """Go to the training runs."""
        self.show_room(self.rooms.indexOf(self.runs))

    def show_stage(self) -> None:
        """Go back from the models to the room that the person was in."""
        self.show_room(self.stages.index(self.stage))

    def _ways(self) -> list[Entry]:
        """The rooms, for the palette. They are found by their signals too."""
        also = [f"{words.domain} {words.noun} {words.source}" for words in (stage.room.words for stage in self.stages)]
        ways = []
        for place in range(self.rooms.count()):
            button = self.rail.button(place)
            names = " ".join((button.toolTip(), *also[place : place + 1]))
            state = "shown" if place == self.rooms.currentIndex() else ""
            ways.append(Entry(button.text(), "Room", names, do=partial(self.show_room, place), state=state))
        return ways

    # What a person asks

    def go_to_prompt(self) -> None:
        """Put the cursor into the prompt, wherever the person is."""
        self.show_stage()
        self.actions_["inspector"].setChecked(True)
        self.inspector.focus_prompt()

    def _with_models(self, work: Callable[[], object]) -> None:
        """Do what needs a model; while they are still being listed, do it after that, unless the room is left."""
        if self.state.models_known:
            work()
        else:
            self._postponed.append(work)
            self.status.say("The installed models are still being read. What you asked for follows.")

    def _do_postponed(self) -> None:
        """Do what waited for the list of models."""
        postponed, self._postponed = self._postponed, []
        if postponed:
            self.status.clearMessage()
        for work in postponed:
            work()

    def generate(self) -> None:
        """Generate what the form says, but for what is there already; a seed that is not kept is rolled first."""
        self._with_models(self._generate)

    def _generate(self) -> None:
        if self.state.selected_model is None:
            noun = self.stage.room.words.noun
            self.state.notifications.warning(
                f"No model for {noun}s is installed, so nothing can be generated. Open Models to add one."
            )
            return
        self.show_stage()
        form = self.state.form
        made = self.state.made_already() if form.seed_locked else {}
        making = self.engine.being_made() if form.seed_locked else set()
        if known := made.keys() | making:
            self._say_it_is_there(made, making)
        if known != set(form.seeds()):
            self._try(lambda: self.engine.generate(self.stage.room.preview_resolution, without=known))
        elif made and (self.state.shown is None or self.state.shown.id not in {item.id for item in made.values()}):
            self.open_item(next(iter(made.values())))

    def generate_anew(self) -> None:
        """Let go of a kept seed, and generate."""
        self.state.update_form(seed_locked=False)
        self.generate()

    def _say_it_is_there(self, made: Mapping[int, Item], making: Collection[int]) -> None:
        """Say of what seeds Generate would only make the same again, and offer another one."""
        noun, count, known = self.stage.room.words.noun, self.state.form.count, len(made.keys() | making)
        if count > 1:
            what = f"{known} of these {count} {noun}s {'is' if known == 1 else 'are'} there already"
        else:
            what = f"This {noun} is {'being made' if making else 'in the history'} already"
        text = f"{what}: the same recipe and seed make the same again."
        self._withdraw_new_seed()
        self._new_seed = self.state.notifications.info(text, action=Action("New seed", self.generate_anew))

    def generate_example(self, prompt: str) -> None:
        """Take an example prompt and generate it."""
        self._change_form("example", lambda: self.state.update_form(prompt=prompt))
        self.generate()

    def cancel(self) -> None:
        """Cancel what was started last in this room, asking first where that would lose more than a moment's work."""
        jobs = self.state.jobs
        job = jobs.newest(self._room())
        if job is None:
            return
        if jobs.seconds(job) >= _ASK_AFTER_SECONDS and not self._may_cancel(job):
            return
        if jobs.get(job.id) is not None:  # it may have ended while the question stood
            self.engine.cancel(job)
            self.state.notifications.info(f"Cancelled “{_short(job.title)}”.")

    def open_item(self, item: Item) -> None:
        """Show an item on the stage of its room; the form stays as it is."""
        self.show_room_of(item.recipe.domain)
        self._with_models(partial(self._open_item, item))

    def _open_item(self, item: Item) -> None:
        """Have an item shown. It counts at once, so that what is asked next, such as to delete it, is meant for it."""
        domain = item.recipe.domain
        request = ViewRequest(item=item, resolution=self.stage_of(domain).room.preview_resolution)
        if self.state.lacks_model(item.recipe):
            self._seen.pop(domain, None)
            self.stage_of(domain).show_without_model(item)
        elif not self._try(lambda: self.engine.ask(request)):
            self._empty_stage(domain)
        self.state.show(item)

    def _empty_stage(self, domain: str) -> None:
        """Show nothing on a stage."""
        self._seen.pop(domain, None)
        self.stage_of(domain).show_view(None, None)

    def _is_seen(self, item: Item) -> bool:
        """Whether an item is what its stage shows, and not still on its way there."""
        seen = self._seen.get(item.recipe.domain)
        return seen is not None and seen.id == item.id

    def _on_view_ended(self, job: Job) -> None:
        """An item that did not come after all is not the one on the stage: that is still the one before it."""
        request = job.request
        if job.is_active or not isinstance(request, ViewRequest) or self._is_seen(request.item):
            return
        item, domain = request.item, request.item.recipe.domain
        shown = self.state.shown_in(domain)
        views = [one.request for one in self.state.jobs.active(quiet=True) if isinstance(one.request, ViewRequest)]
        if shown is None or shown.id != item.id or any(view.item.id == item.id for view in views):
            return
        if job.status == "failed":
            self._empty_stage(domain)
        elif (before := self._seen.get(domain)) is None or not self._try(
            lambda: self.state.show(self.state.library.get(before.id))
        ):
            self.state.clear(domain)

    def use_recipe(self) -> None:
        """Bring the recipe of the item on the stage back into the form."""
        if self.state.shown is not None:
            self.use_recipe_of(self.state.shown)

    def use_recipe_of(self, item: Item) -> None:
        """Bring the recipe of an item into the form; if that replaces what was typed, offer to undo it."""
        if item.recipe.source is not None:
            self.state.notifications.info(
                f"{item_title(item)} was reconstructed from a file: it has no prompt and no seed to bring back."
            )
            return
        self._with_models(lambda: self._use_recipe_of(item))

    def _use_recipe_of(self, item: Item) -> None:
        before = self.state.form
        step = self._recall(item.recipe)
        if step is not None and before.prompt.strip() not in ("", item.recipe.prompt) and before != self._recalled:
            self._offer_undo(step, f"The form holds the recipe of {_quoted(item)} instead of what was in it.")

    def _recall(self, recipe: Recipe) -> Step | None:
        """Bring a recipe into the form of its room; return the step, None if it was there already."""
        self.show_room_of(recipe.domain)
        step = self._change_form("recipe", lambda: self.state.recall(recipe))
        self._recalled = self.state.form
        self.go_to_prompt()
        return step

    def _change_form(self, text: str, change: Callable[[], object]) -> Step | None:
        """Change the form of this room at once, so that it can be undone; return the step, None if it is the same."""
        before, domain = self.state.form, self.state.domain or ""
        change()
        self.inspector.prompt.forget_typing()
        if self.state.form == before:
            return None

        def swap() -> None:
            nonlocal before
            self.show_room_of(domain)
            before = self.state.replace_form(before)  # redo brings back what has been typed since
            self.inspector.prompt.forget_typing()
            self._withdraw_offer(step)

        step = Step(text, swap, swap)
        self.state.undo.push(step)
        return step

    def _offer_undo(self, step: Step, text: str) -> None:
        undo = Action("Undo", lambda: self._try(lambda: self.state.undo.undo(step)))
        self._offers[step] = self.state.notifications.info(text, action=undo)

    def _withdraw_offer(self, step: Step) -> None:
        """Take the offer to undo a step away: it was undone."""
        if (offer := self._offers.pop(step, None)) is not None:
            self.state.notifications.withdraw(offer)

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

        def restore() -> None:
            self._withdraw_offer(step)
            self.open_item(self.state.library.restore(item))

        def delete() -> None:
            self.show_room_of(item.recipe.domain)
            row = self.history.model.row_of(item)
            self.state.library.delete(item)
            seed = "" if item.recipe.source is not None else f", seed {item.recipe.seed}"
            self._offer_undo(step, f"Deleted {_quoted(item)}{seed}.")
            neighbour = self.history.model.item(min(row, self.history.model.rowCount() - 1))
            if neighbour is not None:
                self.open_item(neighbour)

        step = Step(_DELETE, undo=restore, redo=delete)
        if self._try(delete):
            self.state.undo.push(step)

    def empty_trash(self) -> None:
        """Ask, once it is known how much is in it, and delete what was deleted for good."""
        self._asks_to_empty = True
        self.trash.measure()

    def _on_trash_measured(self, content: TrashContent) -> None:
        if not self._asks_to_empty:
            return
        self._asks_to_empty = False
        if not content.count:
            self.state.notifications.info("The trash is empty.")
            return
        question = self._question(
            "Empty the trash?", f"The trash holds {content}.", "What is deleted now cannot be brought back."
        )
        delete = question.addButton("Delete for good", QMessageBox.ButtonRole.DestructiveRole)
        keep = question.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(keep)
        question.setEscapeButton(keep)
        if self._answer(question) is delete:
            self.trash.empty()
            self.state.undo.forget(_DELETE)
            for step in [step for step in self._offers if step.text == _DELETE]:
                self._withdraw_offer(step)

    def choose_import(self) -> None:
        """Ask for a file to bring in, as if it had been dropped."""
        room = self.stage.room
        patterns = " ".join(f"*{suffix}" for suffix in room.import_formats)
        path, _ = QFileDialog.getOpenFileName(
            self, room.import_title, str(self.settings.folder("files")), f"{room.import_kind} ({patterns})"
        )
        if path:
            self.settings.set_folder("files", Path(path).parent)
            self.bring_in(Path(path))

    def bring_in(self, *paths: Path) -> None:
        """Take files that were dropped or opened: one made here brings its recipe back, any other is encoded."""
        for path in paths:
            self._with_models(partial(self._bring_in, path))

    def _bring_in(self, path: Path) -> None:
        stage = self._stage_for(path)
        fits = stage is not None and self._fits(stage)
        encode = Action("Fit the file" if fits else "Encode the file", lambda: self.reconstruct(path))
        recipe = None
        if stage is not None:
            try:
                recipe = stage.recipe_in(path)
            except RecipeError as error:
                self.state.notifications.warning(str(error), action=encode)
                return
            except DDMIError:
                pass  # encoding it will say what is wrong with it
        if stage is None or recipe is None or recipe.source is not None:
            self.reconstruct(path)
            return
        self._recall(recipe)  # in its own room: pictures of a radiance field carry a recipe too
        self.state.notifications.info(
            f"The recipe of {path.name} is in the form. "
            + (
                "Generate makes it again."
                if self.state.model_for(recipe)
                else f"Its model, {recipe.model}, is not installed here, so another one makes something else of it."
            ),
            action=encode,
        )

    def _fits(self, stage: Stage[Any]) -> bool:
        """Whether files of a room are fitted, and not only encoded."""
        return stage.room.fits_at_once and self.settings.fidelity != "small"

    def _foretell(self, paths: Sequence[Path]) -> None:
        """Say over the window what will become of files that are dragged over it."""
        prospects = [self._prospect(path) for path in paths]
        title = prospects[0].title if len(paths) == 1 else f"Drop {len(paths)} files"
        lines = [prospect.text for prospect in prospects[:_PROSPECTS]]
        if len(prospects) > _PROSPECTS:
            lines.append(f"and {len(prospects) - _PROSPECTS} more")
        self.drop.say(title, lines, possible=any(prospect.is_possible for prospect in prospects))

    def _prospect(self, path: Path) -> Prospect:
        """What will become of a file that is dropped, as :meth:`bring_in` takes it."""
        stage = self._stage_for(path)
        if stage is None:
            return Prospect("This file cannot be read", self._unreadable(path), is_possible=False)
        words = stage.room.words
        recipe = None
        with suppress(DDMIError):
            recipe = stage.recipe_in(path)
        if recipe is not None and recipe.source is None:
            return Prospect(
                "Drop to bring its recipe back", f"{path.name} was made here: its recipe goes into the form."
            )
        if self.state.models_known and not any(model.domain == words.domain for model in self.state.models):
            text = f"No model for {words.noun}s is installed, so {path.name} cannot be encoded."
            return Prospect("No model takes this file", text, is_possible=False)
        where = "here" if stage is self.stage and self._room() == words.domain else f"in the room {stage.room.title}"
        done = "encoded"
        if self._fits(stage):
            done = "fitted"
        elif self.settings.fidelity != "small" and stage.room.fits_afterwards:
            done = "encoded, then fitted"
        return Prospect(
            f"Drop to reconstruct a {words.noun}",
            f"{path.name} is {done}, and its continuous reconstruction appears {where}.",
        )

    def _unreadable(self, path: Path) -> str:
        """That a file is of no kind that can be read, and which are."""
        room = self.stage.room
        known = ", ".join(suffix[1:].upper() for suffix in room.import_formats)
        return f"{path.name} cannot be read as a {room.words.noun}. Files of these kinds can: {known}."

    def reconstruct(self, path: Path, fidelity: Fidelity | None = None) -> None:
        """Encode a file or fit to it, as closely as is usual if not told; show it in the room that takes such files."""
        stage = self._stage_for(path)
        if stage is None:
            self.state.notifications.error(self._unreadable(path))
            return
        self.show_room(self.stages.index(stage))
        if self.state.selected_model is None:
            self.state.notifications.warning(
                f"No model for {stage.room.words.noun}s is installed, so nothing can be reconstructed. "
                "Open Models to add one."
            )
            return
        request = ReconstructRequest(
            path=path,
            fidelity=fidelity or self.settings.fidelity,
            preview_resolution=stage.room.preview_resolution,
        )
        self._try(lambda: self.engine.ask(request))

    def ask_span(self, wanted: SpanWanted) -> None:
        """Ask which part of a film to encode that is too long as a whole, and encode it."""
        request = wanted.request
        dialog = SpanDialog(request.path, wanted.seconds, wanted.longest, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self._ask_again(request, span=dialog.span())
        dialog.deleteLater()

    def _stage_for(self, path: Path) -> Stage[Any] | None:
        """The stage that takes such files, that of this room before the others."""
        suffix = path.suffix.lower()
        return next((one for one in (self.stage, *self.stages) if suffix in one.room.import_formats), None)

    def choose_export(self) -> None:
        """Ask how to export the item on the stage, and do so."""
        item = self.state.shown
        if item is None:
            return
        if self.state.lacks_model(item.recipe):
            self.status.say(f"{_quoted(item)} cannot be exported without its model, {item.recipe.model}.")
            return
        if not self._is_seen(item):
            self.status.say(f"{_quoted(item)} is still being opened. Export it once it is on the stage.")
            return
        place = Place(self.settings.folder("exports"), self._is_being_written)
        order = self.stage.ask_export(item, place, self)
        if order is not None:
            self.export(item, order)

    def _is_being_written(self, path: Path) -> bool:
        """Whether an export that waits or runs writes a file."""
        requests = (job.request for job in self.state.jobs.active())
        return any(isinstance(one, ExportRequest | SequenceRequest) and one.path == path for one in requests)

    def export(self, item: Item, order: Order) -> None:
        """Export an item in the background."""
        self._try(lambda: self.stage_of(item.recipe.domain).export(item, order))

    def choose_screenshot(self) -> None:
        """Save the view as it stands now under a name to choose."""
        try:
            image = self.stage.screenshot()
        except DDMIError as error:
            self.state.notifications.error(str(error))
            return
        proposal = self.settings.folder("exports") / f"{file_stem(self.stage.room.words.noun)}.png"
        target = ask_where(self, "Save the view", proposal, "PNG picture")
        if target is None:
            return
        if image.save(str(target)):
            self._say_written(target)
        else:
            self.state.notifications.error(
                f"The picture could not be written to {target}. Check the folder and the space left."
            )

    def choose_diagnostics(self) -> None:
        """Save what helps to find a fault under a name to choose."""
        proposal = self.settings.folder("reports") / "ddmi-studio-diagnostics.zip"
        target = ask_where(self, "Save diagnostics", proposal, "Zip")
        if target is not None and self._try(lambda: save_diagnostics(target, user_data() / "logs", self.state.models)):
            self._say_written(target, kind="reports")

    def new_run(self) -> None:
        """Put a new training run together, and start it."""
        from studio.wizard.wizard import TrainingWizard  # loads torch, which would keep the window from opening

        wizard = TrainingWizard(self.settings, self)
        wizard.started.connect(self.start_run)
        wizard.exec()
        wizard.deleteLater()

    def start_run(self, folder: Path) -> None:
        """Start the training of a run folder, or go on with it, and watch."""
        self.training.go_on(folder)
        self._show_run(folder)

    def choose_run(self) -> None:
        """Ask for the folder of a run that was started elsewhere, and list it."""
        path = QFileDialog.getExistingDirectory(self, "Watch a run", str(self.settings.folder("runs")))
        if path:
            self.settings.set_folder("runs", Path(path).parent)
            self.training.add(Path(path))

    def discard_run(self, run: RunSummary) -> None:
        """Ask, then stop a run if it is alive and move its folder to the trash."""
        question = self._question(
            "Discard the run?",
            f"Discard {run.name}?",
            ("The training is stopped. " if run.is_alive else "")
            + "Its checkpoints, pictures and curves go to the trash, and so does its model.",
        )
        discard = question.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
        keep = question.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(keep)
        question.setEscapeButton(keep)
        if self._answer(question) is discard:
            self.training.discard(run.folder)

    def choose_model(self) -> None:
        """Ask for a model folder and copy it among the person's own models."""
        path = QFileDialog.getExistingDirectory(self, "Import a model folder", str(self.settings.folder("models")))
        if path:
            self.settings.set_folder("models", Path(path).parent)
            self.model_folders.import_folder(Path(path))

    def look_for_models(self) -> None:
        """Look which models are installed."""
        self.engine.ask(ModelsRequest())

    def evaluate_model(self, model: ModelInfo) -> None:
        """Ask what a model is to be measured against, and measure it in the background."""
        dialog = EvaluateDialog(model, self.model_folders.starter_sets(model.domain), self.settings, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(
            lambda: self.engine.ask(
                EvaluateRequest(
                    model=model.folder, data=dialog.data(), samples=dialog.samples.value(), path=dialog.folder()
                )
            )
        )
        dialog.open()

    def rename_model(self, model: ModelInfo) -> None:
        """Ask for another name of a model."""
        name, agreed = QInputDialog.getText(self, "Rename the model", "Name", text=model.name)
        if agreed and name.strip() != model.name:
            self.model_folders.rename(model, name)

    def delete_model(self, model: ModelInfo) -> None:
        """Ask, then move a model's folder to the trash."""
        question = self._question(
            "Delete the model?",
            f"Delete {model.name}?",
            "Its folder goes to the trash. What was made with it stays in the history, but only as thumbnails: it "
            "cannot be drawn or exported without the model.",
        )
        delete = question.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        keep = question.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(keep)
        question.setEscapeButton(keep)
        if self._answer(question) is delete:
            self.model_folders.delete(model)

    def set_theme(self, choice: ThemeChoice) -> None:
        """Choose dark, light, or the system's."""
        self.theme.choice = self.settings.theme = choice
        self.actions_[f"theme_{choice}"].setChecked(True)

    def show_guide(self) -> None:
        """Open the guide beside the work, or bring it to the front."""
        if self._guide is None:
            self._guide = GuideWindow(read_guide(assets() / "guide"), self.theme, self)
            if (geometry := self.settings.geometry("guide")) is not None:
                self._guide.restoreGeometry(geometry)
        self._guide.show()
        self._guide.raise_()
        self._guide.activateWindow()

    def show_messages(self) -> None:
        """Open the list of what was said, or bring it to the front."""
        messages = self.findChild(MessagesDialog) or MessagesDialog(self.state.notifications, self.theme, self)
        messages.show()
        messages.raise_()
        messages.activateWindow()

    def show_shortcuts(self) -> None:
        """Open the sheet of shortcuts beside the work."""
        if self._sheet is None:
            self._sheet = ShortcutSheet(self.stage.room, self.actions_.keymap, self)
        self._sheet.show()
        self._sheet.raise_()

    def open_settings(self) -> None:
        """Let the person change the settings."""
        rooms = [stage.room for stage in self.stages]
        dialog = SettingsDialog(
            self.settings,
            self.state.library.folder,
            self.engine,
            self.trash,
            self.actions_,
            self.theme,
            rooms,
            self.stage.room.words,
            self,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.changed.connect(self.take_setting)
        dialog.empty_trash_asked.connect(self.empty_trash)
        dialog.open()

    def take_setting(self, name: str) -> None:
        """Let a setting take effect: theme, device, threads, memory or shortcuts."""
        settings = self.settings
        match name:
            case "theme":
                self.set_theme(settings.theme)
            case "device":
                self.engine.set_device(settings.device)
                self._warmed.clear()
                self._warm_up()
            case "threads":
                self.engine.set_threads(settings.threads)
            case "memory":
                self.engine.set_memory(settings.memory)
                self.history.model.set_memory(settings.memory.thumbnails)
                for stage in self.stages:
                    stage.limit_tiles(settings.memory.tiles)
            case "shortcuts":
                self._forget_sheet()

    # What the engine answers

    def on_evaluation_done(self, result: EvaluationDone) -> None:
        """Open the report, and say where it is."""
        show = partial(open_outside, result.page, self.state.notifications)
        self.state.notifications.info(f"The report is {result.page}.", action=Action("Open report", show))
        show()

    def on_item_ready(self, result: ItemReady) -> None:
        """Show the first variation, unless the person went on to something else meanwhile."""
        item = result.item
        if result.index == 0 and result.request.generation == self.state.generation_in(item.recipe.domain):
            self._show(item, result.view, result.resolution)
        if isinstance(result.request, ReconstructRequest):
            self._offer_other_axis(result.request, item)
            self._fit_or_offer(result.request, item)

    def _fit_or_offer(self, request: ReconstructRequest, item: Item) -> None:
        """Fit to a file that was encoded, if that is wanted; else say if the model makes little of it, and offer to."""
        facts = item.recipe.fit
        if facts is None or item.recipe.is_fitted:
            return
        if request.fidelity != "small":
            self._fit(item, request.fidelity)
        elif any(value < _KNOWN[name] for name, value in facts.figures.items()):
            afterwards = self.stage_of(item.recipe.domain).room.fits_afterwards
            fit = partial(self._fit, item) if afterwards else partial(self.reconstruct, request.path, "faithful")
            self.state.notifications.warning(
                f"{item.recipe.model} makes little of {request.path.name} ({nearness(facts)}): it is unlike what the "
                "model was taught.",
                action=Action("Fit it faithfully", fit),
            )

    def _fit(self, item: Item, fidelity: Fidelity = "faithful") -> None:
        """Fit to the file that an item stands for."""
        resolution = self.stage_of(item.recipe.domain).room.preview_resolution
        self.engine.ask(FitRequest(item=item, fidelity=fidelity, preview_resolution=resolution))

    def on_fit_ready(self, result: FitReady) -> None:
        """Let the item that was fitted be seen as it is now, if it is still on its stage."""
        item, domain = result.item, result.item.recipe.domain
        shown = self.state.shown_in(domain)
        if shown is not None and shown.id == item.id:
            self._show(item, result.view, result.resolution)

    def _offer_other_axis(self, request: ReconstructRequest, item: Item) -> None:
        """Most files do not say which axis is up: say which one was taken, and offer the other."""
        placement = item.recipe.placement
        if placement is None or placement.up != request.up or request.path.suffix.lower() not in _MUTE_ABOUT_UP:
            return
        other: Up = "z" if request.up == "y" else "y"
        self.state.notifications.info(
            f"{request.path.name} was read with {request.up} up.",
            action=Action(
                f"{other} is up",
                lambda: self._read_again(request, item, other),
            ),
        )

    def _read_again(self, request: ReconstructRequest, item: Item, up: Up) -> None:
        """Reconstruct a file once more, with another axis up than in an item that was made of it."""
        self.engine.stop_fit(item)
        self._ask_again(request, up=up)

    def _ask_again(self, request: ReconstructRequest, **changed: Any) -> None:
        """Have a file made an item of as before, but for what is changed; with the model that is chosen now."""
        self._try(lambda: self.engine.ask(replace(request, model=None, **changed)))

    def on_view_ready(self, result: ViewReady) -> None:
        """Show an item that was opened."""
        item, domain = result.item, result.item.recipe.domain
        if result.request.generation == self.state.generation_in(domain):
            self._show(item, result.view, result.resolution)

    def _show(self, item: Item, view: View, resolution: int) -> None:
        """Put an item on the stage of its room."""
        domain = item.recipe.domain
        self._seen[domain] = item
        self.stage_of(domain).show_view(item, view, resolution)
        self.state.show(item)
        self._enable_what_is_seen()

    def on_export_done(self, result: ExportDone) -> None:
        """Say where the file is."""
        facts = result.facts
        figures = f" ({facts['vertices']:,} vertices, {facts['faces']:,} faces)" if "vertices" in facts else ""
        self._say_written(Path(facts.get("path", result.request.path)), figures)

    def _on_trained(self, run: RunSummary) -> None:
        self.look_for_models()
        self.state.notifications.info(
            f"{run.name} is trained, its model is ready.", action=Action("Watch", partial(self._show_run, run.folder))
        )

    def _offer_to_watch_or_resume(self, runs: list[RunSummary]) -> None:
        """Say once what the start has found.

        No single-shot connection: Qt would undo it in the thread that emits, under a lock, and wait for Python's own
        lock there, which this thread may hold while it waits for the first.
        """
        if self._has_offered:
            return
        self._has_offered = True
        alive = [run for run in runs if run.is_alive]
        if alive:
            one = len(alive) == 1
            self.state.notifications.info(
                f"{alive[0].name} is training." if one else f"{len(alive)} training runs are going on.",
                action=Action("Watch", partial(self._show_run, alive[0].folder)),
            )
        interrupted = [run for run in runs if run.state == "interrupted"]
        if len(interrupted) == 1:
            (run,) = interrupted
            self.state.notifications.warning(
                f"The training of {run.name} was interrupted. It can go on from its newest checkpoint.",
                action=Action("Resume", partial(self.start_run, run.folder)),
            )
        elif interrupted:
            self.state.notifications.warning(
                f"{len(interrupted)} training runs were interrupted. They can go on from their newest checkpoints.",
                action=Action("Show", self.show_training),
            )

    def _show_run(self, folder: Path) -> None:
        self.show_training()
        self.runs.choose(folder)

    def _say_written(self, path: Path, figures: str = "", *, kind: FolderKind = "exports") -> None:
        """Say where a file is, and begin there the next time; where writing fails, the folder is not remembered."""
        self.settings.set_folder(kind, path.parent)
        self.state.notifications.info(
            f"Saved {path.name}{figures}.", action=Action("Show in folder", lambda: self._open_folder(path.parent))
        )

    # What the state announces

    def _withdraw_new_seed(self) -> None:
        """Take the offer of a new seed away: it was for a form that has changed meanwhile."""
        if self._new_seed is not None:
            self.state.notifications.withdraw(self._new_seed)
            self._new_seed = None

    def _on_form(self, _form: object) -> None:
        self._withdraw_new_seed()
        self.actions_["lock"].setChecked(self.state.form.seed_locked)
        self._warm_up()

    def _on_domain(self, domain: str) -> None:
        room = self.stage_of(domain).room
        self.actions_.enter(room.words)
        self._show_undo()
        self.inspector.enter(room.words, room.placeholder)
        self.history.enter(room.words)
        self._forget_sheet()
        self._postponed.clear()
        self._on_models(self.state.models)

    def _on_models(self, models: list[ModelInfo]) -> None:
        self._warm_up()
        for stage in self.stages:
            fitting = any(model.domain == stage.room.words.domain for model in models)
            stage.set_can_generate(fitting or not self.state.models_known)
            waiting = stage.missing.item
            if waiting is not None and not self.state.lacks_model(waiting.recipe):
                self._open_item(waiting)
        self.actions_["generate"].setEnabled(bool(self.state.usable_models()) or not self.state.models_known)
        if self.state.models_known and self._postponed:
            QTimer.singleShot(0, self, self._do_postponed)  # once all know of the models, and the form has one

    def _on_shown(self, item: Item | None) -> None:
        for name in ("copy_prompt", "star", "delete"):
            self.actions_[name].setEnabled(item is not None)
        self._enable_what_is_seen()
        self.actions_["recipe"].setEnabled(item is not None and item.recipe.source is None)
        self.actions_["star"].setChecked(item is not None and item.starred)
        if item is None:
            self._empty_stage(self.stage.room.words.domain)

    def _enable_what_is_seen(self) -> None:
        """What is on its way to the stage cannot be exported from there yet."""
        shown = self.state.shown
        for name in ("export", "screenshot"):
            self.actions_[name].setEnabled(shown is not None and self._is_seen(shown))

    def _show_undo(self) -> None:
        """Say in the menu what undo and redo would do."""
        undo = self.state.undo
        for name, text, step in (("undo", "Undo", undo.next_undo), ("redo", "Redo", undo.next_redo)):
            self.actions_[name].setText(f"{text} {step.text}" if step is not None else text)
            self.actions_[name].setEnabled(step is not None)

    def _on_jobs(self, _job: Job | None = None) -> None:
        active = self.state.jobs.active()
        can_cancel = self.state.jobs.newest(self._room()) is not None
        self.actions_["cancel"].setEnabled(can_cancel)
        self.inspector.set_working(bool(active), can_cancel)
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

    def _forget_sheet(self) -> None:
        """Make the sheet of shortcuts anew when it is asked for again."""
        if self._sheet is not None:
            self._sheet.deleteLater()
            self._sheet = None

    def _warm_up(self) -> None:
        """Load the chosen model while nobody waits for it."""
        model = self.state.selected_model
        if model is not None and model.hash not in self._warmed:
            self._warmed.add(model.hash)
            self.engine.ask(PreloadRequest(model=model.folder))

    def _try(self, work: Callable[[], object]) -> bool:
        """Do it; a failure becomes a message. Whether it went well."""
        try:
            work()
        except DDMIError as error:
            self.state.notifications.error(str(error))
            return False
        return True

    def _use_model(self, model: ModelInfo) -> None:
        self.state.use_model(model)

    def _open_folder(self, folder: Path) -> None:
        open_folder(folder, self.state.notifications)

    def _is_small(self) -> bool:
        """Whether the screen has no room for all panels."""
        room = self.screen().availableSize()
        return room.width() < _SMALL.width() or room.height() < _SMALL.height()

    def _make_room_for(self, name: str, on: bool) -> None:
        """Let the inspector and a pane beside the stage take turns where there is no room for both."""
        if on and self.width() < _SMALL.width():
            for other in _PANES if name == "inspector" else ("inspector",):
                self.actions_[other].setChecked(False)

    def _show_parts(self) -> None:
        on_stage = isinstance(self.rooms.currentWidget(), Stage)
        inspector = on_stage and self.actions_["inspector"].isChecked()
        history = on_stage and self.actions_["history"].isChecked()
        queue = bool(self.state.jobs.active())
        self.inspector.setVisible(inspector)
        self._inspector_line.setVisible(inspector)
        self.history.setVisible(history)
        self._queue_line.setVisible(history and queue)
        self._history_line.setVisible(history or queue)
        self._bottom.setVisible(history or queue)

    # Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files, and say what will become of them."""
        if paths := _files(event.mimeData()):
            self._foretell(paths)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """They are not dropped here after all."""
        self.drop.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the files that were dropped."""
        self.drop.hide()
        self.bring_in(*_files(event.mimeData()))
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask when work is going on; remember how things were left."""
        if (
            (self.state.jobs.active() and not self._may_quit())
            or not self._may_leave_runs()
            or not self._may_lose_unsaved()
        ):
            event.ignore()
            return
        settings = self.settings
        settings.set_geometry("window", self.saveGeometry())
        if self._guide is not None:
            settings.set_geometry("guide", self._guide.saveGeometry())
        settings.forms = self.state.forms()
        settings.room = self.state.domain or ""
        for name in self._switches():
            if not (self._is_small() and name in ("history", "inspector", *_PANES)):  # that was for want of room
                settings.set_flag(name, self.actions_[name].isChecked())
        settings.save()
        self.model_folders.shutdown()
        self.trash.shutdown()
        super().closeEvent(event)

    def _may_leave_runs(self) -> bool:
        """Ask what becomes of the runs that go on; whether the window may close."""
        alive = self.runs.alive()
        if not alive:
            return True
        one = len(alive) == 1
        question = self._question(
            "Quit DDMI Studio?",
            f"{alive[0].name} is training." if one else f"{len(alive)} training runs are going on.",
            f"{'It' if one else 'They'} can go on without the window, which shows {'it' if one else 'them'} again when "
            f"you come back. What is stopped is saved first and can be resumed.",
        )
        go_on = question.addButton("Go on in the background", QMessageBox.ButtonRole.AcceptRole)
        stop = question.addButton("Stop and quit", QMessageBox.ButtonRole.DestructiveRole)
        stay = question.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(go_on)
        question.setEscapeButton(stay)
        answer = self._answer(question)
        if answer is stop:
            return self._try(lambda: self.training.stop([run.folder for run in alive]))
        return answer is go_on

    def _may_lose_unsaved(self) -> bool:
        """Save what could not be saved so far; ask if that still fails. Whether the window may close."""
        count = self.state.library.save_held()
        if not count:
            return True
        what = "One result" if count == 1 else f"{count} results"
        question = self._question(
            "Quit DDMI Studio?",
            f"{what} could not be saved.",
            f"There is no room in {self.state.library.folder}, or it cannot be written. Make room first, or export "
            "what you want to keep.",
        )
        leave = question.addButton("Quit without saving", QMessageBox.ButtonRole.DestructiveRole)
        stay = question.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(stay)
        question.setEscapeButton(stay)
        return self._answer(question) is leave

    def _question(self, title: str, text: str, more: str) -> QMessageBox:
        """A question that only lacks its buttons."""
        question = QMessageBox(self)
        question.setWindowTitle(title)
        question.setTextFormat(Qt.TextFormat.PlainText)  # names of runs and models may be anything
        question.setText(text)
        question.setInformativeText(more)
        return question

    @staticmethod
    def _answer(question: QMessageBox) -> QAbstractButton:
        """Ask, and return the button that was clicked; the question goes, which the window would keep."""
        question.exec()
        answer = question.clickedButton()
        question.deleteLater()
        return answer

    def _may_cancel(self, job: Job) -> bool:
        """Ask whether a job that has run for a while is to be given up."""
        question = self._question(
            "Cancel?",
            f"Cancel “{_short(job.title)}”?",
            f"It has been worked on for {duration(self.state.jobs.seconds(job))}, and what is not finished is lost.",
        )
        cancel = question.addButton("Cancel it", QMessageBox.ButtonRole.DestructiveRole)
        keep = question.addButton("Keep working", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(keep)
        question.setEscapeButton(keep)
        return self._answer(question) is cancel

    def _may_quit(self) -> bool:
        count = len(self.state.jobs.active())
        work = "A job is" if count == 1 else f"{count} jobs are"
        question = self._question(
            "Quit DDMI Studio?",
            f"{work} still going on.",
            f"Quitting cancels {'it' if count == 1 else 'them'}. What is finished is in the history.",
        )
        leave = question.addButton("Quit", QMessageBox.ButtonRole.DestructiveRole)
        stay = question.addButton("Keep working", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(stay)
        question.setEscapeButton(stay)
        return self._answer(question) is leave


def _first_size(room: QSize) -> QSize:
    """How large the window is at first, on a screen with so much room: all of it is seen, with its frame."""
    return _FIRST_SIZE.boundedTo(room - QSize(0, _FRAME))


def _quoted(item: Item) -> str:
    """What an item is called, within a sentence."""
    return f"“{_short(item_title(item))}”"


@dataclass(frozen=True)
class Prospect:
    """What will become of a file that is dragged over the window."""

    title: str
    text: str
    is_possible: bool = True


def _files(data: QMimeData) -> list[Path]:
    """The files among what is dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def _short(title: str) -> str:
    """A title that fits into a message."""
    return title if len(title) <= _TITLE else title[: _TITLE - 1] + "…"


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    for widget in widgets:
        row.addWidget(widget)
    return row
