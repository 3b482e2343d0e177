from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from ddmi_core.support.errors import DataError
from studio.library_folder import open_library, usual_folder
from studio.settings import Settings
from studio.state.library import check_folder
from studio.state.memory import MemoryBudget
from studio.text_size import apply_text_size


def test_settings_come_back_after_a_restart(tmp_path: Path) -> None:
    settings = Settings()
    settings.device, settings.threads, settings.text_size = "cpu", 1, 150
    settings.trash_days, settings.models_listed = 0, "image"
    settings.memory, settings.library = MemoryBudget(2**30), tmp_path
    settings.shortcuts = {"export": ["Ctrl+Y"], "dice": []}
    settings.save()
    again = Settings()
    assert (again.device, again.threads, again.text_size, again.trash_days) == ("cpu", 1, 150, 0)
    assert (again.memory, again.library) == (MemoryBudget(2**30), tmp_path)
    assert again.shortcuts == {"export": ["Ctrl+Y"], "dice": []} and again.models_listed == "image"
    again.library = None
    assert again.library is None


def test_a_folder_is_remembered_for_each_kind_and_never_one_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings, found = Settings(), tmp_path / "exports"
    usual = settings.folder("exports")
    assert usual.is_absolute() and usual not in (tmp_path, Path("."))
    found.mkdir()
    settings.set_folder("exports", found)
    assert Settings().folder("exports") == found and Settings().folder("files") == usual
    found.rmdir()
    assert Settings().folder("exports") == usual


@pytest.mark.parametrize("value", ["", "nonsense", "-5", "999999999999", "[1, 2]", '{"export": 3}', "relative/folder"])
def test_damaged_settings_fall_back(home: Path, value: str) -> None:
    store = QSettings(str(home / "settings.ini"), QSettings.Format.IniFormat)
    for name in ("device", "threads", "text_size", "trash_days", "memory", "library", "shortcuts"):
        store.setValue(name, value)
    store.sync()
    settings = Settings()
    assert (settings.device, settings.threads, settings.text_size, settings.trash_days) == ("auto", 0, 100, 30)
    assert (settings.memory, settings.library, settings.shortcuts) == (MemoryBudget(), None, {})


def test_the_parts_of_a_memory_budget_fit_into_it() -> None:
    budget = MemoryBudget(1000)
    assert budget.models + budget.decoded + 2 * budget.tiles + budget.thumbnails <= budget.total


@pytest.mark.parametrize(("before", "percent", "after"), [("", 100, ""), ("", 150, "1.5"), ("2", 150, "3")])
def test_the_text_size_comes_on_top_of_the_scale(
    monkeypatch: pytest.MonkeyPatch, before: str, percent: int, after: str
) -> None:
    monkeypatch.setenv("QT_SCALE_FACTOR", before)
    apply_text_size(percent)
    assert os.environ["QT_SCALE_FACTOR"] == after


def test_the_chosen_library_is_opened(tmp_path: Path) -> None:
    check_folder(tmp_path)
    library, problem = open_library(tmp_path)
    assert library.folder == tmp_path and not problem
    library.close()


@pytest.mark.parametrize("what", ["gone", "no disk mounted on it", "a file"])
def test_without_the_chosen_library_the_usual_one_is_opened(tmp_path: Path, what: str) -> None:
    chosen = tmp_path / "chosen"
    if what == "a file":
        chosen.write_text("no folder")
    elif what != "gone":
        chosen.mkdir()
    before = sorted(tmp_path.rglob("*"))
    library, problem = open_library(chosen)
    assert library.folder == usual_folder()
    assert str(chosen) in problem and str(usual_folder()) in problem
    assert sorted(tmp_path.rglob("*")) == before  # nothing is made where the library may come back
    library.close()


def test_a_folder_that_cannot_hold_a_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "items").write_text("in the way")
    for folder in (tmp_path / "gone", tmp_path):
        with pytest.raises(DataError, match=str(folder)):
            check_folder(folder)
