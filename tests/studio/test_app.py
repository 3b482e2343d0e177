"""What the program does by itself around its window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_OLD = """
import os, sys, time
import numpy as np
from PySide6.QtCore import QTimer
from ddmi_core.recipe import Recipe
from ddmi_core.support.paths import user_data
from studio import app
from studio.launcher import QDesktopServices
from studio.settings import Settings
from studio.state.library import DELETED, Library

app._TIDY_AFTER_MS = 1
settings = Settings()
settings.trash_days = 7
library = Library(user_data() / "library")
for age in (1, 10):
    recipe = Recipe(domain="shape", model="m", model_hash="0")
    item = library.delete(library.add(np.zeros((1, 2, 2), np.float32), recipe, np.zeros((8, 8, 4), np.uint8)))
    then = time.time() - 86400 * age
    os.utime(item.folder / DELETED, (then, then))
library.close()
opened = []
QDesktopServices.openUrl = lambda url: opened.append(url.toLocalFile()) or True

def look(window):
    for said in window.state.notifications.list():
        if said.action is not None and said.action.label == "Show the log":
            said.action.run()
    timer = QTimer(window, interval=50)
    def end():
        if len(window.state.library.items(deleted=True)) == 1:
            timer.stop()
            window.close()
    timer.timeout.connect(end)
    timer.start()
    return timer

code = app.main([], on_open=look)
print(opened == [str(user_data() / "logs")], code)
"""


@pytest.mark.parametrize("crashed", [False, True])
def test_it_empties_the_trash_by_age_and_shows_the_log_after_a_crash(tmp_path: Path, crashed: bool) -> None:
    if crashed:
        begin = "from studio.engine.diary import Diary; from ddmi_core.support.paths import user_data; import os;"
        begin += "Diary(user_data() / 'logs'); os._exit(1)"
        subprocess.run([sys.executable, "-c", begin], timeout=120)
    ended = subprocess.run([sys.executable, "-c", _OLD], capture_output=True, text=True, timeout=240)
    assert ended.stdout.split() == [str(crashed), "0"], ended.stderr


_ASKED = """
import sys
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QFileOpenEvent
from studio import app
from studio.window.own_files import OwnFiles

def bring_in(self, *paths):
    print(*paths, flush=True)
    system = QCoreApplication.instance()
    if paths[0].suffix == ".ddmi":
        QCoreApplication.postEvent(system, QFileOpenEvent(sys.argv[1]))
    else:
        system.quit()

OwnFiles.bring_in = bring_in
app.main(["chair.ddmi", "table.ddmi"])
"""


def test_it_brings_in_files_of_its_command_line_and_those_that_the_system_asks_it_to_open(tmp_path: Path) -> None:
    clicked = str(tmp_path / "photo.png")
    run = [sys.executable, "-c", _ASKED, clicked]
    ended = subprocess.run(run, capture_output=True, text=True, timeout=240)
    here = Path.cwd()
    assert ended.stdout.splitlines() == [f"{here / 'chair.ddmi'} {here / 'table.ddmi'}", clicked], ended.stderr
