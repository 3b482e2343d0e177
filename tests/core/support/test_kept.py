from pathlib import Path

from ddmi_core.data.emoji.pictures import emoji
from ddmi_core.support.cached import cached, release


def test_what_is_loaded_is_kept_until_it_is_released() -> None:
    loads: list[Path] = []

    @cached(2)
    def load(folder: Path) -> list[Path]:
        loads.append(folder)
        return [folder]

    first = load(Path("a"))
    assert load(Path("a")) is first and load(Path("b")) != first and len(loads) == 2
    release()
    assert load(Path("a")) == first and load(Path("a")) is not first and len(loads) == 3


def test_starter_sets_are_among_it() -> None:
    before = emoji("held_out")
    kept_entry = emoji("held_out").entries[0]
    assert before.entries[0] is kept_entry
    release()
    assert emoji("held_out").entries[0] is not kept_entry
    assert emoji("held_out").entries[0] == kept_entry
