"""The script that takes the guide's pictures: that it makes those which are there, and how it waits."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from PySide6.QtCore import QCoreApplication, QObject

from scripts.guide_pictures import FOLDER, SCENES, Album, Director, Wait, main


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    codes: list[int] = []
    monkeypatch.setattr(QCoreApplication, "exit", codes.append)
    return codes


def test_every_picture_of_the_guide_can_be_taken_anew():
    made = [name for names in SCENES.values() for name in names]
    assert sorted(made) == sorted(path.stem for path in FOLDER.iterdir())
    assert all(callable(getattr(Album, scene)) for scene in SCENES)


def test_a_picture_that_nobody_knows_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["zoom", "sunset"])
    assert "sunset" in capsys.readouterr().err


def test_a_scene_goes_on_when_what_it_waits_for_has_come(qtbot, ended):
    came, seen = [], []

    def scene() -> Generator[Wait, None, None]:
        seen.append("begun")
        yield lambda: bool(came)
        seen.append("done")

    owner = QObject()
    Director(scene(), owner)
    qtbot.waitUntil(lambda: seen == ["begun"])
    qtbot.wait(200)
    assert seen == ["begun"] and not ended
    came.append(True)
    qtbot.waitUntil(lambda: ended == [0])
    assert seen == ["begun", "done"]


def test_what_fails_in_a_scene_ends_it_with_an_error(qtbot, ended, capsys):
    def scene() -> Generator[Wait, None, None]:
        yield lambda: True
        raise ValueError("no such button")

    owner = QObject()
    Director(scene(), owner)
    qtbot.waitUntil(lambda: ended == [1])
    assert "no such button" in capsys.readouterr().err


def test_what_does_not_come_in_time_ends_it_with_an_error(qtbot, ended, monkeypatch, capsys):
    monkeypatch.setattr("scripts.guide_pictures.PATIENCE", 0.1)
    closed = []

    def scene() -> Generator[Wait, None, None]:
        try:
            yield lambda: False
        finally:
            closed.append(True)

    owner = QObject()
    Director(scene(), owner)
    qtbot.waitUntil(lambda: ended == [1])
    assert "did not come" in capsys.readouterr().err and closed
