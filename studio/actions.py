"""The actions of a window: menus, tool strip, shortcuts and the shortcut sheet all come from here."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from studio.facts import ActionSpec, Scope, Words
from studio.keymap import Keymap
from studio.theme.theme import Theme


class Actions(QObject):
    """The QActions of one window, by id. `keys_changed`: some have other keys now."""

    keys_changed = Signal()

    def __init__(self, window: QMainWindow, theme: Theme, keymap: Keymap) -> None:
        """`keymap`: the actions that there are, and their keys."""
        super().__init__(window)
        self._window = window
        self._words: Words | None = None
        self._on_stage = True
        self.keymap = keymap
        self._actions: dict[str, QAction] = {}
        self._why_not: dict[str, str] = {}
        groups: dict[str, QActionGroup] = {}
        for spec in self.keymap.specs:
            action = QAction(spec.text, window)
            action.setObjectName(spec.id)
            action.setCheckable(spec.checkable)
            action.setShortcuts([QKeySequence(keys) for keys in self.keymap.keys(spec.id)])
            if spec.icon:
                theme.bind_icon(action, spec.icon)
            if spec.choice:
                groups.setdefault(spec.choice, QActionGroup(window)).addAction(action)
            if spec.scope == "window":
                window.addAction(action)
            else:
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self._actions[spec.id] = action

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def on(self, action_id: str, handler: Callable[[], object]) -> None:
        """Call `handler` when the action is triggered."""
        self._actions[action_id].triggered.connect(lambda _checked=False: handler())

    def on_toggled(self, action_id: str, handler: Callable[[bool], object]) -> None:
        """Call `handler` with the state whenever a checkable action changes."""
        self._actions[action_id].toggled.connect(handler)

    def enter(self, words: Words) -> None:
        """Offer what there is in a room, in its words. The rest is invisible, so its shortcuts are free."""
        self._words = words
        for spec in self.keymap.specs:
            action = self._actions[spec.id]
            action.setText(words.put_into(spec.text))
            action.setToolTip(self._tool_tip(spec))
        self._offer()

    def go_on_stage(self, on: bool) -> None:
        """Offer what the room alone can do, or not, while the person is with the runs or the models."""
        if on != self._on_stage:
            self._on_stage = on
            self._offer()

    def _offer(self) -> None:
        """Show what can be done, and the menus that have any of it."""
        here = {"", self._words.domain} if self._words is not None and self._on_stage else {""}
        for spec in self.keymap.specs:
            self._actions[spec.id].setVisible(spec.room in here)
        for entry in self._window.menuBar().actions():
            _show_if_used(entry)

    def take_keys(self) -> None:
        """Follow the keymap after it has changed."""
        for spec in self.keymap.specs:
            action = self._actions[spec.id]
            action.setShortcuts([QKeySequence(keys) for keys in self.keymap.keys(spec.id)])
            action.setToolTip(self._tool_tip(spec))
        self.keys_changed.emit()

    def hint(self, text: str, action_id: str) -> str:
        """A text and the first shortcut of an action, if it has one."""
        keys = self.keymap.keys(action_id)
        return f"{text}  ({shown_keys(keys[0])})" if keys else text

    def give_scope(self, scope: Scope, widget: QWidget, room: str = "") -> None:
        """Make the shortcuts of a scope, or of a room's stage, work while `widget` or a child of it has the focus."""
        for spec in self.keymap.specs:
            if (spec.scope, spec.room) == (scope, room):
                widget.addAction(self._actions[spec.id])

    def allow(self, action_id: str, why_not: str = "") -> None:
        """Let an action be done, or not, for a reason that its tool tip gives."""
        self._why_not[action_id] = why_not
        self._actions[action_id].setEnabled(not why_not)
        self._actions[action_id].setToolTip(self._tool_tip(self.keymap.spec(action_id)))

    def fill_menus(self) -> None:
        """Build the window's menus; a line wherever the section changes."""
        bar = self._window.menuBar()
        menus: dict[str, QMenu] = {}
        last_section: dict[str, str] = {}
        for spec in self.keymap.specs:
            if not spec.menu:
                continue
            path = ""
            parent: QMenu | None = None
            for name in spec.menu.split("/"):
                path = f"{path}/{name}" if path else name
                if path not in menus:
                    menus[path] = parent.addMenu(name) if parent is not None else bar.addMenu(name)
                parent = menus[path]
            menu = menus[spec.menu]
            if last_section.get(spec.menu, spec.section) != spec.section:
                menu.addSeparator()
            last_section[spec.menu] = spec.section
            menu.addAction(self._actions[spec.id])

    def _tool_tip(self, spec: ActionSpec) -> str:
        """What the action does and its first shortcut, or why it cannot be done."""
        if why_not := self._why_not.get(spec.id):
            return why_not
        text = spec.tip or spec.text.rstrip("…")
        return self.hint(self._words.put_into(text) if self._words is not None else text, spec.id)


def _show_if_used(entry: QAction) -> None:
    """Show what opens a menu where something is in it, and so the menus within."""
    if isinstance(menu := entry.menu(), QMenu):
        for within in menu.actions():
            _show_if_used(within)
        entry.setVisible(any(action.isVisible() and not action.isSeparator() for action in menu.actions()))


def shown_keys(keys: str) -> str:
    """A shortcut as the system writes it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")
