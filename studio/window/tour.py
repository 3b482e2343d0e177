"""The tour: ten stops at the real things in the window, which stays usable meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QWidget

from ddmi_core.support.errors import DDMIError
from studio.actions import shown_keys
from studio.engine.work.viewing import ViewRequest
from studio.panels.room import Stage
from studio.panels.training import NEW_RUN
from studio.theme.tokens import GRID
from studio.widgets.basics import label, styled
from studio.widgets.bubble import Bubble
from studio.widgets.spotlight import Spotlight, lit_around, place_in
from studio.window.shell import Shell

_FOLLOW_MS = 100
_KEY = re.compile(r" \[(\w+)\]")
_PARTS = ("inspector", "history")
Thing = Literal["rooms", "prompt", "generate", "history", "stage", "export", "new run", "help"]


@dataclass(frozen=True)
class Stop:
    """One stop. In `text`, the words of the room are put in as in the actions, {mouse} is what the mouse does there,
    {example} is a prompt, and [action] stands for the shortcut of an action.

    `go` brings the window to where the `thing` is.
    """

    title: str
    text: str
    thing: Thing
    go: Callable[[Shell], None]


def _at_work(window: Shell) -> None:
    window.show_stage()
    for part in _PARTS:
        window.actions_[part].setChecked(True)


def _with_something_on_the_stage(window: Shell) -> None:
    """Open the newest item where nothing is shown or on its way. The form stays as it is."""
    _at_work(window)
    newest = window.history.model.item(0)
    if window.state.shown is None and newest is not None and not window.state.jobs.active():
        with suppress(DDMIError):  # no model for it; the tour goes on
            window.engine.ask(ViewRequest(item=newest, resolution=window.stage.room.preview_resolution))


def _among_the_runs(window: Shell) -> None:
    window.show_training()


def _help(window: Shell) -> QRect:
    bar = window.menuBar()
    entry = next(entry for entry in bar.actions() if entry.text() == "Help")
    return place_in(window, bar, bar.actionGeometry(entry))


def _export_button(window: Shell) -> QRect:
    buttons = window.stage.findChildren(QToolButton)
    return _around(window, *(one for one in buttons if one.defaultAction() is window.actions_["export"]))


def _around(window: Shell, *parts: QWidget) -> QRect:
    """The rectangle around what is visible of some parts."""
    around = QRect()
    for part in parts:
        around = around.united(place_in(window, part))
    return around


RECTANGLES: dict[Thing, Callable[[Shell], QRect]] = {
    "rooms": lambda window: _around(window, *(window.rail.button(place) for place in range(len(window.stages)))),
    "prompt": lambda window: _around(window, window.inspector.prompt),
    "generate": lambda window: _around(window, window.inspector.generate),
    "history": lambda window: _around(window, window.history),
    "stage": lambda window: _around(window, window.stage),
    "export": _export_button,
    "new run": lambda window: _around(window, *window.runs.findChildren(QPushButton, NEW_RUN)),
    "help": _help,
}
"""Where things lie, in the window's coordinates."""

STOPS: tuple[Stop, ...] = (
    Stop(
        "A room for each kind",
        "Shapes, pictures, radiance fields and videos are made in rooms of their own. Each has its own stage, form and "
        "history. Change rooms whenever you like; the tour comes along.",
        "rooms",
        _at_work,
    ),
    Stop(
        "Say what you want",
        "A few words do, such as “{example}”. Without any, you get something of all that the model knows.",
        "prompt",
        _at_work,
    ),
    Stop(
        "Generate it",
        "One press [generate] makes what the form says. The number of variations, the seed and the model stand below: "
        "the same seed and words give the same {noun} again.",
        "generate",
        _at_work,
    ),
    Stop(
        "Nothing is lost",
        "Every {noun} that you make stays here with its whole recipe, in kilobytes. A click shows it, a double click "
        "brings its recipe into the form; star it, or delete it.",
        "history",
        _with_something_on_the_stage,
    ),
    Stop(
        "Look closely",
        "The {noun} on the stage is a function and is drawn anew for every view, so come as near as you like. {mouse}",
        "stage",
        _with_something_on_the_stage,
    ),
    Stop(
        "Take it with you",
        "Export [export] writes it as {written_as}, at the resolution that you ask for.",
        "export",
        _at_work,
    ),
    Stop(
        "Bring your own",
        "Drop a {source} anywhere on the window: its continuous reconstruction appears here. A file that was "
        "exported from here may bring its recipe back.",
        "stage",
        _at_work,
    ),
    Stop(
        "Train a model of your own",
        "A wizard looks through a folder of yours, proposes a plan and starts the run. Curves and samples appear in "
        "this room. A run goes on when the window is closed, and one that was cut off can be resumed.",
        "new run",
        _among_the_runs,
    ),
    Stop(
        "Find anything",
        "Find an action [palette] searches all that can be done here by its name, shows its shortcut, and does it.",
        "help",
        _at_work,
    ),
    Stop(
        "Read on",
        "In the Help menu are the guide, which explains every room and how to do things, all keyboard shortcuts "
        "[shortcuts], and this tour, whenever you want it again.",
        "help",
        _at_work,
    ),
)


class Tour(QObject):
    """Offers the tour and leads through it. Nothing of it is there before :meth:`offer` or :meth:`start`."""

    def __init__(self, window: Shell) -> None:
        super().__init__(window)
        self._window = window
        self.place = -1
        """The stop, or -1 while there is no tour."""
        self.bubble: Bubble | None = None
        self.card: TourCard | None = None
        self._light: Spotlight | None = None
        self._hidden: list[str] = []
        self._timer = QTimer(self, interval=_FOLLOW_MS)
        self._timer.timeout.connect(self._follow)
        window.rooms.currentChanged.connect(self._on_room)
        window.state.shown_changed.connect(self._show_card)

    def offer(self) -> None:
        """Offer the tour on the empty stage, unless it was taken or skipped before."""
        if not self._window.settings.tour and self.card is None:
            self.card = TourCard(self._window.rooms)
            self._window.toasts.avoid(self.card)
            self.card.taken.clicked.connect(self.start)
            self.card.skipped.clicked.connect(lambda: self._remember("skipped"))
            self._show_card()

    def start(self) -> None:
        """Begin, or begin anew."""
        window = self._window
        if self.bubble is None:
            self._light = Spotlight(window, window.theme)
            self.bubble = Bubble(window, window.theme)
            window.toasts.avoid(self.bubble)
            self.bubble.next_asked.connect(self.next)
            self.bubble.back_asked.connect(self.back)
            self.bubble.skip_asked.connect(self.skip)
        if self.place < 0:
            self._hidden = [part for part in _PARTS if not window.actions_[part].isChecked()]
            window.installEventFilter(self)
            self._timer.start()
        self._go(0)
        self._show_card()

    def next(self) -> None:
        """Go on, or end the tour after the last stop."""
        if self.place + 1 < len(STOPS):
            self._go(self.place + 1)
        else:
            self._remember("done")
            self._leave()

    def back(self) -> None:
        """Go back to the stop before."""
        self._go(max(self.place - 1, 0))

    def skip(self) -> None:
        """End the tour here."""
        self._remember(self._window.settings.tour or "skipped")
        self._leave()

    def _go(self, place: int) -> None:
        assert self.bubble is not None and self._light is not None
        self.place = place
        STOPS[place].go(self._window)
        for part in (self._light, self.bubble):
            part.show()
            part.raise_()
        self._follow()
        self.bubble.next.setFocus()

    def _follow(self) -> None:
        """Light the thing where it is now. Parts come and go and rooms change at any time, so it is looked up again."""
        window, light, bubble = self._window, self._light, self.bubble
        if self.place < 0 or light is None or bubble is None:
            return
        stop, facts = STOPS[self.place], window.stage.room
        mouse = " ".join(f"{how}: {what[0].lower()}{what[1:]}." for what, how in facts.mouse[:3])
        text = stop.text.replace("{mouse}", mouse).replace("{example}", facts.examples[0])
        text = _KEY.sub(self._shortcut, facts.words.put_into(text))
        bubble.say(stop.title, text, self.place, len(STOPS))
        target = RECTANGLES[stop.thing](window)
        light.light(lit_around(target, window.rect()))
        bubble.point_at(target, window.rooms.rect().translated(window.rooms.mapTo(window, QPoint())))

    def _shortcut(self, found: re.Match[str]) -> str:
        keys = self._window.actions_[found[1]].shortcut().toString()
        return f" ({shown_keys(keys)})" if keys else ""

    def _on_room(self) -> None:
        self._follow()
        self._show_card()

    def _show_card(self, _shown: object = None) -> None:
        """Show the offer where nothing else is on the stage, until it is answered."""
        if self.card is not None:
            window = self._window
            on_empty_stage = isinstance(window.rooms.currentWidget(), Stage) and window.state.shown is None
            self.card.setVisible(on_empty_stage and self.place < 0 and not window.settings.tour)
            self.card.place()

    def _remember(self, answer: str) -> None:
        """Remember what the person has answered."""
        self._window.settings.tour = answer
        if self.card is not None and self.card.isAncestorOf(self._window.focusWidget() or self._window):
            self._window.inspector.focus_prompt()
        self._show_card()

    def _leave(self) -> None:
        """Take everything away, and leave the window as it was found."""
        window, light, bubble = self._window, self._light, self.bubble
        if self.place < 0 or light is None or bubble is None:
            return
        was_among_the_runs = STOPS[self.place].go is _among_the_runs
        had_focus = bubble.isAncestorOf(window.focusWidget() or window)  # of an inactive window too
        self.place = -1
        self._timer.stop()
        window.removeEventFilter(self)
        if was_among_the_runs:
            window.show_stage()
        for name in self._hidden:
            window.actions_[name].setChecked(False)
        if had_focus:
            window.inspector.focus_prompt()
        light.hide()
        bubble.hide()
        self._show_card()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window's size at once; take an Esc that nothing in the window wanted; end with the window."""
        if event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self, self._follow)
        elif event.type() == QEvent.Type.Close:
            self._leave()
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            self.skip()
            return True
        return super().eventFilter(watched, event)


class TourCard(QWidget):
    """The offer, in one line, at the bottom of its parent. A click on it leaves the cursor where it is."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        styled(self, "card")
        self.setAccessibleName("Tour")
        self.taken = QPushButton("Take the two-minute tour")
        self.skipped = QPushButton("Skip")
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID // 2, GRID, GRID // 2)
        row.setSpacing(GRID)
        row.addWidget(label("New here?"))
        for button in (self.taken, self.skipped):
            button.setProperty("look", "link")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        parent.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the bottom."""
        if event.type() == QEvent.Type.Resize:
            self.place()
        return super().eventFilter(watched, event)

    def place(self) -> None:
        """Go to the bottom, over everything else."""
        parent = self.parentWidget()
        assert parent is not None
        self.adjustSize()
        self.move((parent.width() - self.width()) // 2, parent.height() - self.height() - 2 * GRID)
        self.raise_()
