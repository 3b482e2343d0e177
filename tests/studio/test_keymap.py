from __future__ import annotations

import pytest

from studio.facts import ActionSpec
from studio.keymap import Keymap
from studio.rooms import actions_of

ACTIONS = actions_of()

SPECS = (
    ActionSpec("save", "Save", "File", shortcuts=("Ctrl+S",)),
    ActionSpec("send", "Send", "File", shortcuts=("Ctrl+D", "Ctrl+M")),
    ActionSpec("turn", "Turn", "View", shortcuts=("T",), room="shape", scope="stage"),
    ActionSpec("tilt", "Tilt", "View", shortcuts=("T",), room="image"),
    ActionSpec("drop", "Drop", "History", shortcuts=("Del",), scope="history"),
)


def ids(specs) -> list[str]:
    return [spec.id for spec in specs]


def test_declared_keys_hold_until_they_are_changed() -> None:
    keymap = Keymap(SPECS)
    assert keymap.keys("send") == ("Ctrl+D", "Ctrl+M") and keymap.own == {}
    assert keymap.change("send", ["ctrl+y"]) == []
    assert keymap.keys("send") == ("Ctrl+Y",) and keymap.own == {"send": ("Ctrl+Y",)}
    keymap.change("send", ["Ctrl+D", "Ctrl+M"])
    assert keymap.own == {}


def test_keys_clash_only_where_both_could_be_meant() -> None:
    keymap = Keymap(SPECS)
    assert ids(keymap.users("save", "ctrl+d")) == ["send"]
    assert ids(keymap.users("save", "T")) == ["turn", "tilt"]  # it works in every room
    assert ids(keymap.users("turn", "T")) == []  # another room
    assert ids(keymap.users("turn", "Del")) == []  # another part of the window
    assert ids(keymap.users("tilt", "Del")) == ["drop"]


def test_whoever_had_the_keys_loses_them_and_gets_them_back() -> None:
    keymap = Keymap(SPECS)
    assert ids(keymap.change("save", ["Ctrl+D"])) == ["send"]
    assert keymap.keys("send") == ("Ctrl+M",)
    assert ids(keymap.reset("send")) == ["save"]
    assert keymap.keys("send") == ("Ctrl+D", "Ctrl+M") and keymap.keys("save") == ()
    keymap.reset_all()
    assert keymap.keys("save") == ("Ctrl+S",) and keymap.own == {}


def test_exchanged_keys_are_kept() -> None:
    own = {"save": ["Ctrl+D"], "send": ["Ctrl+S"]}
    assert Keymap(SPECS, own).own == {"save": ("Ctrl+D",), "send": ("Ctrl+S",)}


@pytest.mark.parametrize(
    "own",
    [{"nobody": ["Ctrl+Y"]}, {"save": ["nonsense+"]}, {"save": [""]}, {"save": ["Ctrl+D"]}, {"save": ["T"]}],
    ids=str,
)
def test_stored_keys_that_do_not_fit_any_longer_fall_back(own) -> None:
    keymap = Keymap(SPECS, own)
    assert keymap.own == {} and keymap.keys("save") == ("Ctrl+S",)


def test_the_declared_actions_do_not_clash_and_fit_the_two_fields() -> None:
    keymap = Keymap(ACTIONS)
    assert [spec.id for spec in ACTIONS for keys in spec.shortcuts if keymap.users(spec.id, keys)] == []
    assert max(len(spec.shortcuts) for spec in ACTIONS) == 2
