"""Which keys do what: those of the actions as they are declared, and a person's own instead of some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtGui import QKeySequence

from studio.facts import ActionSpec

Keys = tuple[str, ...]
"""The keys of one action, each as `QKeySequence` reads it."""


def normal(keys: str) -> str:
    """Keys as Qt writes them on every system; empty if they cannot be read."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.PortableText)


def may_clash(one: ActionSpec, other: ActionSpec) -> bool:
    """Whether the same keys could mean both: there is a room and a part of the window where both work."""
    same_room = "" in (one.room, other.room) or one.room == other.room
    same_scope = "window" in (one.scope, other.scope) or one.scope == other.scope
    return one.id != other.id and same_room and same_scope


class Keymap:
    """The keys of all actions. Only what differs from the declared ones is kept."""

    def __init__(self, specs: Iterable[ActionSpec], own: Mapping[str, Iterable[str]] | None = None) -> None:
        """`own`: keys by action. What names no action, cannot be read, or clashes is left out."""
        self.specs = tuple(specs)
        self._specs = {spec.id: spec for spec in self.specs}
        self._own: dict[str, Keys] = {}
        for name, keys in (own or {}).items():
            readable = tuple(normal(one) for one in keys)
            if name in self._specs and all(readable):
                self._own[name] = readable
        while bad := next((name for name in self._own if any(self.users(name, one) for one in self.keys(name))), None):
            del self._own[bad]

    def specs_in(self, room: str) -> list[ActionSpec]:
        """The actions that are there in a room, in their order."""
        return [spec for spec in self.specs if spec.room in ("", room)]

    def spec(self, name: str) -> ActionSpec:
        """An action as it is declared."""
        return self._specs[name]

    @property
    def own(self) -> dict[str, Keys]:
        """The keys that differ from the declared ones, by action."""
        return dict(self._own)

    def keys(self, name: str) -> Keys:
        """The keys of an action; none where it has none."""
        return self._own.get(name, self._specs[name].shortcuts)

    def users(self, name: str, keys: str) -> list[ActionSpec]:
        """The other actions that have these keys where the action could be meant."""
        spec, wanted = self._specs[name], normal(keys)
        return [
            other
            for other in self._specs.values()
            if may_clash(spec, other) and wanted in map(normal, self.keys(other.id))
        ]

    def change(self, name: str, keys: Iterable[str]) -> list[ActionSpec]:
        """Give an action other keys. Returns who had them and has lost them."""
        losers: dict[str, ActionSpec] = {}
        wanted = tuple(dict.fromkeys(normal(one) for one in keys))
        for one in wanted:
            for other in self.users(name, one):
                losers[other.id] = other
                self._set(other.id, tuple(kept for kept in self.keys(other.id) if normal(kept) != one))
        self._set(name, wanted)
        return list(losers.values())

    def reset(self, name: str) -> list[ActionSpec]:
        """Give an action its declared keys back. Returns who had them meanwhile and has lost them."""
        return self.change(name, self._specs[name].shortcuts)

    def reset_all(self) -> None:
        """Give every action its declared keys back."""
        self._own.clear()

    def _set(self, name: str, keys: Keys) -> None:
        declared = self._specs[name].shortcuts
        if keys == tuple(map(normal, declared)) or keys == declared:
            self._own.pop(name, None)
        else:
            self._own[name] = keys
