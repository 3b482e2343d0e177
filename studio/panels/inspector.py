"""The inspector: the prompt, Generate, and the recipe of what comes next; below, what is on the stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ddmi_core.prompt_matrix import prompt_matrix
from ddmi_core.recipe import MOST_GUIDANCE, MOST_STEPS, MOST_TRIES, NOISY_SAMPLERS, Inpainting, Like, Recipe, Sketch
from ddmi_core.support.errors import DataError
from studio.actions import Actions, shown_keys
from studio.facts import RoomFacts
from studio.panels.fidelity import figures, is_unlike, made_of_file, nearness_tip, unlike
from studio.state.app_state import AppState
from studio.state.form import MAX_COUNT, GenerateForm
from studio.state.library import Item
from studio.state.parts import measured_from
from studio.theme.theme import Theme
from studio.theme.tokens import CONTROL_HEIGHT, GRID, INSPECTOR_WIDTH
from studio.widgets.basics import (
    ElidedLabel,
    Fold,
    SliderField,
    action_button,
    breakable,
    icon_button,
    inset,
    label,
    line,
    plain_tip,
    styled,
)
from studio.widgets.number_boxes import WholeBox
from studio.widgets.prompt_edit import PromptEdit
from studio.widgets.seed_box import SeedBox

_LONG_TITLE = 140  # characters
_MARGIN = 2 * GRID
_SHARES = (10, 90)  # per cent of a signal that are drawn anew
_QUALITIES = {
    "best": ("Best", "All the steps that are set under Advanced"),
    "fast": ("Fast", "Four steps of a student of the model: in a fraction of the time, and much the same"),
}
_SAMPLERS = {
    "sde-dpm++": ("DPM-Solver++ SDE", "Mends its own errors with new noise on the way; 20 to 30 steps are enough"),
    "dpm++": ("DPM-Solver++", "The same without noise: nearest to the sketch of live typing; good from 6 steps"),
    "ddim": ("DDIM", "Deterministic; good from about 30 steps"),
    "ddpm": ("DDPM", "The paper's ancestral sampler; wants hundreds of steps"),
}


class Inspector(QWidget):
    """Edits `state.form`; what is generated is always the form as it stands."""

    generate_clicked = Signal()
    cancel_clicked = Signal()
    export_clicked = Signal()

    def __init__(self, state: AppState, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self._state = state
        self._theme = theme
        self._actions = actions
        self._noun, self._file, self._is_live = "signal", "a file", False
        self._room: RoomFacts | None = None
        styled(self, "panel")
        self.setFixedWidth(INSPECTOR_WIDTH)

        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(GRID)
        self._add_prompt(column)
        column.addSpacing(GRID)
        self._add_recipe(column, actions)
        column.addSpacing(GRID // 2)
        column.addWidget(line())
        self._add_advanced(column)
        column.addWidget(line())
        self._add_shown(column)
        column.addStretch(1)

        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

        state.form_changed.connect(self._on_form)
        state.models_changed.connect(self._on_models)
        state.shown_changed.connect(self._on_shown)
        state.domain_changed.connect(self._on_models)
        actions.keys_changed.connect(self._show_keys)
        self._on_models()
        self._show_keys()
        self._on_shown(state.shown)
        self.set_working(False, False)

    def focus_prompt(self) -> None:
        """Put the cursor into the prompt."""
        self.prompt.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def enter(self, room: RoomFacts) -> None:
        """Speak as a room does."""
        words = room.words
        self.prompt.describe(room.placeholder)
        self.count.setToolTip(f"How many {words.noun}s to make from this prompt, each with the next seed")
        self.seed.setToolTip(f"The same seed and recipe give the same {words.noun}")
        self.difference.setToolTip(
            f"0 % is the {words.noun} itself, 100 % one that shares only the prompt; each seed differs in its own way"
        )
        self._noun, self._file = words.noun, words.file
        self._room = room
        self.side.clear()
        for side in room.sides:
            self.side.addItem(side.name, side)
        self.side.setToolTip(f"From which side the part of the {words.noun} is measured")
        self.share.setToolTip(f"How much of the {words.noun} is drawn anew; the rest is kept")
        self._show_keys()

    def _show_keys(self) -> None:
        """Name the shortcuts, as they are now."""
        hint = self._actions.hint
        self.export.setToolTip(hint(f"Write it as {self._file}", "export"))
        self.recipe.setToolTip(f"{self._actions['recipe'].toolTip()}; so does a double click in the history")
        self.cancel.setToolTip(hint("Cancel what was started last in this room", "cancel"))
        self.dice.setToolTip(hint("Roll a new seed", "dice"))
        keys = self._actions.keymap.keys("generate")
        self._generate_keys.setText(shown_keys(keys[0]) if keys else "")
        self._generate_keys.setVisible(bool(keys))
        self._on_form(self._state.form)

    def set_working(self, working: bool, can_cancel: bool) -> None:
        """Say what Generate does now: start at once, or wait in the queue; and whether there is something to cancel."""
        self.generate.setText("Add to queue" if working else "Generate")
        self.cancel.setVisible(can_cancel)

    def say_live(self, on: bool) -> None:
        """Say whether the stage follows what is typed."""
        self._is_live = on
        self._show_hint(self._state.form.prompt)

    # Building

    def _add_prompt(self, column: QVBoxLayout) -> None:
        heading = QHBoxLayout()
        heading.addWidget(label("Prompt", "heading"))
        heading.addStretch(1)
        heading.addWidget(self._live_button())
        self._generate_keys = label("", "key")
        heading.addWidget(self._generate_keys)
        column.addLayout(heading)
        self.prompt = PromptEdit("")
        self.prompt.edited.connect(self._on_prompt)
        column.addWidget(self.prompt)
        self.hint = ElidedLabel(look="small")
        column.addWidget(self.hint)

        self.generate = QPushButton("Generate")
        self.generate.setProperty("look", "primary")
        self.generate.setIconSize(QSize(18, 18))
        self._theme.bind_icon(self.generate, "spark", "on_accent")
        self.generate.clicked.connect(self.generate_clicked)
        self.cancel = QPushButton("Cancel")
        self.cancel.setFixedHeight(CONTROL_HEIGHT + 8)
        self.cancel.clicked.connect(self.cancel_clicked)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.generate, 1)
        variations = action_button(self._actions["variations"])
        variations.setProperty("look", "control")
        variations.setFixedSize(CONTROL_HEIGHT + GRID, CONTROL_HEIGHT + GRID)
        row.addWidget(variations)
        row.addWidget(self.cancel)
        column.addLayout(row)

    def _live_button(self) -> QToolButton:
        """A small switch with a word: an icon alone would not say what is live."""
        self._actions["live"].setIconText("Live")
        button = action_button(self._actions["live"])
        button.setProperty("look", "tiny")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(16, 16))
        return button

    def _add_recipe(self, column: QVBoxLayout, actions: Actions) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnMinimumWidth(0, 80)
        grid.setColumnStretch(1, 1)

        self.count = WholeBox()
        self.count.setRange(1, MAX_COUNT)
        inset(self.count)
        self.count.setAccessibleName("Variations")
        self.count.valueChanged.connect(lambda value: self._state.update_form(count=value))
        grid.addWidget(_field_label("Variations", self.count), 0, 0)
        grid.addWidget(self.count, 0, 1)

        self.seed = SeedBox()
        self.seed.setMinimumWidth(80)
        self.seed.changed.connect(lambda value: self._state.update_form(seed=value))
        self.lock = icon_button(self._theme, "unlock", "Keep the seed")
        self.lock.setCheckable(True)
        self.lock.toggled.connect(lambda on: self._state.update_form(seed_locked=on))
        self.dice = icon_button(self._theme, "dice", "Roll a new seed")
        self.dice.clicked.connect(actions["dice"].trigger)
        seed_row = QHBoxLayout()
        seed_row.setSpacing(GRID // 2)
        seed_row.addWidget(self.seed, 1)
        seed_row.addWidget(self.lock)
        seed_row.addWidget(self.dice)
        grid.addWidget(_field_label("Seed", self.seed), 1, 0)
        grid.addLayout(seed_row, 1, 1)

        grid.addWidget(self._likeness_box(), 2, 0, 1, 2)
        grid.addWidget(self._part_box(), 3, 0, 1, 2)
        grid.addWidget(self._sketch_box(), 4, 0, 1, 2)

        self.model = QComboBox()
        self.model.setAccessibleName("Model")
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.model.setMinimumContentsLength(8)
        self.model.activated.connect(self._on_model_chosen)
        self.encoder = ElidedLabel(look="small")
        grid.addWidget(_field_label("Model", self.model), 5, 0)
        grid.addWidget(self.model, 5, 1)
        grid.addWidget(self.encoder, 6, 1)
        self.quality = _choices("Quality", _QUALITIES)
        self.quality.activated.connect(lambda index: self._state.update_form(quality=self.quality.itemData(index)))
        self._quality_label = _field_label("Quality", self.quality)
        grid.addWidget(self._quality_label, 7, 0)
        grid.addWidget(self.quality, 7, 1)
        column.addLayout(grid)

    def _likeness_box(self) -> QWidget:
        """What it shall be more like, and how different; there only while it shall be like something."""
        self._likeness, rows = _rows()
        self.like = ElidedLabel(look="muted")
        self.unlike = icon_button(self._theme, "close", "Begin with the seed alone again", look="tiny", side=14)
        self.unlike.clicked.connect(lambda: self._state.update_form(like=()))
        rows.addLayout(_beside(self.like, self.unlike))
        self.difference = SliderField("How different", 0, 100)
        self.difference.box.setSuffix(" %")
        self.difference.changed.connect(self._on_difference)
        rows.addWidget(self.difference)
        return self._likeness

    def _part_box(self) -> QWidget:
        """Of what a part is drawn anew, and which; there only while one is."""
        self._part, rows = _rows()
        self.changed_part = ElidedLabel(look="muted")
        self.whole = icon_button(self._theme, "close", "Draw all of it anew", look="tiny", side=14)
        self.whole.clicked.connect(lambda: self._state.update_form(inpaint=None))
        rows.addLayout(_beside(self.changed_part, self.whole))
        self.side = QComboBox()
        self.side.setAccessibleName("Which part")
        self.side.setPlaceholderText("Another part")
        self.side.activated.connect(self._on_part)
        self.share = SliderField("How much of it", *_SHARES)
        self.share.box.setSuffix(" %")
        self.share.changed.connect(self._on_part)
        rows.addWidget(self.side)
        rows.addWidget(self.share)
        return self._part

    def _sketch_box(self) -> QWidget:
        """What it is drawn after, and how close to it; there only while it is."""
        self._sketch, rows = _rows()
        self.sketch = ElidedLabel(look="muted")
        self.freely = icon_button(self._theme, "close", "Draw it after nothing again", look="tiny", side=14)
        self.freely.clicked.connect(lambda: self._state.update_form(sketch=None))
        rows.addLayout(_beside(self.sketch, self.freely))
        self.closeness = SliderField("How close", 0, 100)
        self.closeness.box.setSuffix(" %")
        self.closeness.setToolTip(
            "25 % takes over layout and colours, 50 % most of the forms as well; near 100 % it stays what it is"
        )
        self.closeness.changed.connect(self._on_closeness)
        rows.addWidget(self.closeness)
        return self._sketch

    def _add_advanced(self, column: QVBoxLayout) -> None:
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 0, GRID)
        rows.setSpacing(GRID // 2)

        self.steps = SliderField("Steps", 1, MOST_STEPS, slider_high=100)
        self.steps.setToolTip(
            f"Denoising steps, 1 to {MOST_STEPS}. More is slower; past 30 little changes with DPM-Solver++"
        )
        self.steps.changed.connect(lambda value: self._state.update_form(steps=int(value)))
        rows.addWidget(_field_label("Steps", self.steps.box))
        rows.addWidget(self.steps)

        self.guidance = SliderField("Guidance", 0.0, MOST_GUIDANCE, decimals=1, step=0.5, slider_high=10.0)
        self.guidance.setToolTip(
            f"How closely to follow the prompt, 0 to {MOST_GUIDANCE:g}. 1 is the model's own view; 2 to 5 works well; "
            "high values look alike"
        )
        self.guidance.changed.connect(lambda value: self._state.update_form(guidance=value))
        rows.addWidget(_field_label("Guidance", self.guidance.box))
        rows.addWidget(self.guidance)

        self.sampler = _choices("Sampler", _SAMPLERS)
        self.sampler.activated.connect(lambda index: self._state.update_form(sampler=self.sampler.itemData(index)))
        rows.addWidget(_field_label("Sampler", self.sampler))
        rows.addWidget(self.sampler)

        self.tries = SliderField("Tries", 1, MOST_TRIES)
        self.tries.setToolTip(
            "What comes out torn is drawn again, so many times at most in all, and the soundest is kept. Only by "
            "samplers with noise on the way. 1 takes things as they come; else frayed edges of shapes are mended first"
        )
        self.tries.changed.connect(lambda value: self._state.update_form(tries=int(value)))
        self._tries_label = _field_label("Tries", self.tries.box)
        rows.addWidget(self._tries_label)
        rows.addWidget(self.tries)
        self._sampling = (self.steps, self.guidance, self.sampler)
        self.advanced = Fold(self._theme, "Advanced", content)
        column.addWidget(self.advanced)

    def _add_shown(self, column: QVBoxLayout) -> None:
        self._shown = QWidget()
        rows = QVBoxLayout(self._shown)
        rows.setContentsMargins(0, GRID // 2, 0, 0)
        rows.setSpacing(GRID // 2)
        rows.addWidget(label("On the stage", "heading"))
        self.shown_title = label(wrap=True)
        rows.addWidget(self.shown_title)
        self.shown_facts = label(look="small", wrap=True, selectable=True)
        rows.addWidget(self.shown_facts)
        rows.addSpacing(GRID // 2)
        self.export = QPushButton("Export…")
        self.export.setIconSize(QSize(18, 18))
        self._theme.bind_icon(self.export, "export")
        self.export.clicked.connect(self.export_clicked)
        self.recipe = QPushButton("Use its recipe")
        self.recipe.setIconSize(QSize(18, 18))
        self._theme.bind_icon(self.recipe, "recipe")
        self.recipe.clicked.connect(self._actions["recipe"].trigger)
        self.akin = self._follower("more_like_this", "akin")
        self.part = self._follower("change_part", "part")
        self.after = self._follower("draw_after", "sketch")
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(self.recipe, 1)
        buttons.addWidget(self.export, 1)
        others = QHBoxLayout()
        others.setSpacing(GRID)
        others.addWidget(self.akin, 1)
        others.addWidget(self.part, 1)
        rows.addLayout(others)
        rows.addWidget(self.after)
        rows.addLayout(buttons)
        column.addWidget(self._shown)

    def _follower(self, name: str, icon: str) -> QPushButton:
        """A button that is what an action is."""
        action = self._actions[name]
        button = QPushButton(action.text())
        button.setIconSize(QSize(18, 18))
        self._theme.bind_icon(button, icon)
        button.clicked.connect(action.trigger)
        action.changed.connect(lambda: self._follow(button, action))
        self._follow(button, action)
        return button

    @staticmethod
    def _follow(button: QPushButton, action: QAction) -> None:
        """Be as an action is: possible or not, and why."""
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())

    # From the widgets to the form

    def _on_prompt(self, text: str) -> None:
        self._state.update_form(prompt=text)
        self._show_hint(text)

    def _on_difference(self, percent: float) -> None:
        self._state.update_form(like=self._state.form.like_by(percent / 100))

    def _on_closeness(self, percent: float) -> None:
        if (sketch := self._state.form.sketch) is not None:
            self._state.update_form(sketch=sketch.model_copy(update={"closeness": percent / 100}))

    def _on_part(self) -> None:
        inpaint, side = self._state.form.inpaint, self.side.currentData()
        if inpaint is None or side is None:
            return
        region = side.part(self.share.value() / 100, len(inpaint.region))
        self._state.update_form(inpaint=inpaint.model_copy(update={"region": region}))

    def _on_model_chosen(self, index: int) -> None:
        self._state.update_form(model=self.model.itemData(index))

    # From the state to the widgets

    def _on_form(self, form: GenerateForm) -> None:
        self.prompt.set_text(form.prompt)
        self.count.setValue(form.count)
        self.seed.set_value(form.seed)
        self.lock.setChecked(form.seed_locked)
        self._theme.bind_icon(self.lock, "lock" if form.seed_locked else "unlock")
        tip = f"Seed kept: Generate makes the same {self._noun} again" if form.seed_locked else "Keep the seed"
        self.lock.setToolTip(self._actions.hint(tip, "lock"))
        self._likeness.setVisible(bool(form.like))
        self.like.setText(f"How different from {_origin(form.like)}" if form.like else "")
        with QSignalBlocker(self.difference):  # nor are shares of a per cent
            self.difference.set_value(round(100 * (form.difference or 0.0)))
        self._show_part(form.inpaint)
        self._sketch.setVisible(form.sketch is not None)
        if form.sketch is not None:
            self.sketch.setText(f"Drawn after {_called(form.sketch)}")
            with QSignalBlocker(self.closeness):  # a recipe may have shares of a per cent
                self.closeness.set_value(round(100 * form.sketch.closeness))
        self.steps.set_value(form.steps)
        with QSignalBlocker(self.guidance):  # a recipe may have more decimals than are shown
            self.guidance.set_value(form.guidance)
        self.sampler.setCurrentIndex(self.sampler.findData(form.sampler))
        self.quality.setCurrentIndex(self.quality.findData(form.quality))
        self.tries.set_value(form.tries)
        for field in self._sampling:  # a student has its own
            field.setEnabled(form.quality == "best")
        self.tries.setEnabled(form.quality == "best" and form.sampler in NOISY_SAMPLERS)
        self.model.setCurrentIndex(self.model.findData(form.model))
        self._show_encoder()
        self._show_hint(form.prompt)

    def _show_part(self, inpaint: Inpainting | None) -> None:
        self._part.setVisible(inpaint is not None)
        if inpaint is None or self._room is None:
            return
        self.changed_part.setText(_changed(inpaint))
        found = measured_from(inpaint, self._room.sides)
        self.side.setCurrentIndex(-1 if found is None else self._room.sides.index(found[0]))
        if found is not None:
            with QSignalBlocker(self.share):
                self.share.set_value(round(100 * found[1]))

    def _on_models(self) -> None:
        models = self._state.usable_models()
        self.model.clear()
        for model in models:
            self.model.addItem(model.name, model.name)
        self.model.setEnabled(bool(models))
        missing = self._state.models_known and not models
        self.generate.setEnabled(not missing)
        self.generate.setToolTip("No model is installed" if missing else "")
        self.model.setPlaceholderText("none installed" if missing else "being read…")
        self.model.setCurrentIndex(self.model.findData(self._state.form.model))
        self._show_encoder()
        self._on_shown(self._state.shown)  # its model may have another name now

    def _on_shown(self, item: Item | None) -> None:
        self._shown.setVisible(item is not None)
        if item is None:
            return
        recipe, model = item.recipe, self._state.made_by(item.recipe)
        if self._state.models_known and self._state.lacks_model(recipe):
            model = f"{model}, not installed"
        self.recipe.setEnabled(recipe.source is None)
        title = item_title(item)
        shown = title if len(title) <= _LONG_TITLE else title[: _LONG_TITLE - 1] + "…"
        self.shown_title.setText(breakable(shown))
        self.shown_title.setToolTip(plain_tip(title))
        if recipe.fit is not None:
            facts = [made_of_file(recipe.fit, model), figures(recipe.fit)]
            if is_unlike(recipe.fit):
                facts.append(unlike(recipe.fit, self._state.made_by(recipe)))
            facts += [recipe.fit.remark] if recipe.fit.remark else []
        elif recipe.source is not None:
            facts = [f"Reconstructed by {model}"]
        else:
            facts = [
                f"Seed {recipe.seed}  ·  {effort(recipe)}",
                model if recipe.quality == "fast" else f"{_SAMPLERS[recipe.sampler][0]}  ·  {model}",
            ]
            facts += origins(recipe)
        facts += [breakable(f"Tags: {', '.join(item.tags)}")] if item.tags else []
        self.shown_facts.setText("\n".join(facts))
        self.shown_facts.setToolTip(nearness_tip(recipe.fit) if recipe.fit is not None else "")

    def _show_encoder(self) -> None:
        model = self._state.selected_model
        self.encoder.setText(f"Text encoder: {model.text_encoder}" if model is not None else "")
        for part in (self._quality_label, self.quality):
            part.setVisible(model is not None and model.has_student)
        for part in (self._tries_label, self.tries):
            part.setVisible(model is not None and model.usual_flaws is not None)

    def _show_hint(self, prompt: str) -> None:
        if not prompt.strip():
            self.hint.setText(f"Left empty: unconditional, any {self._noun}")
            return
        try:
            several = len(prompt_matrix(prompt).prompts)
        except DataError as error:
            self.hint.setText(str(error))
            return
        of_them = f"{several} prompts in one" if several > 1 else ""
        live = "Live: a sketch; Generate makes and keeps it" if self._is_live else ""
        self.hint.setText(of_them or live)


def _rows() -> tuple[QWidget, QVBoxLayout]:
    """A widget of rows without margins."""
    widget = QWidget()
    rows = QVBoxLayout(widget)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(GRID // 2)
    return widget, rows


def _beside(text: QWidget, button: QWidget) -> QHBoxLayout:
    """A heading with a button at its end."""
    row = QHBoxLayout()
    row.addWidget(text, 1)
    row.addWidget(button)
    return row


def item_title(item: Item) -> str:
    """What an item is called: its prompt, the file it came from, or that it has neither. One line."""
    if item.recipe.source is not None:
        return Path(item.recipe.source).name
    return " ".join(item.recipe.prompt.split()) or "Unconditional"


def effort(recipe: Recipe) -> str:
    """How it was sampled: in how many steps and how strictly, or by a student."""
    return "fast" if recipe.quality == "fast" else f"{recipe.steps} steps  ·  guidance {recipe.guidance:g}"


def origins(recipe: Recipe) -> list[str]:
    """What something was made of beside its prompt and seed: what it is like, was a part of, or was drawn after."""
    found = [f"{100 * recipe.like[-1][1]:.3g} % different from {_origin(recipe.like)}"] if recipe.like else []
    found += [_changed(recipe.inpaint)] if recipe.inpaint is not None else []
    sketch = recipe.sketch
    return found + ([f"{100 * sketch.closeness:.3g} % close to {_called(sketch)}"] if sketch is not None else [])


def _called(sketch: Sketch) -> str:
    """What something is drawn after, in words."""
    return f"“{sketch.title}”" if sketch.title else "a sketch"


def _changed(inpaint: Inpainting) -> str:
    """Of what a part is drawn anew."""
    return f"A part of seed {inpaint.of.seed} drawn anew"


def _origin(like: tuple[Like, ...]) -> str:
    """What something shall be like: a seed, or a variation, which may have been varied itself."""
    *before, (seed, _) = like
    return f"seed {seed}" + (f", itself like {_origin(tuple(before))}" if before else "")


def _field_label(text: str, buddy: QWidget) -> QWidget:
    result = label(text, "muted")
    result.setBuddy(buddy)
    return result


def _choices(name: str, choices: Mapping[str, tuple[str, str]]) -> QComboBox:
    """A box of choices: of each its value, what it is called and what it means."""
    box = QComboBox()
    box.setAccessibleName(name)
    for value, (text, tip) in choices.items():
        box.addItem(text, value)
        box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
    return box
