from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.engine.diary import Diary, UncaughtErrors
from studio.state.notifications import Notifications


def test_the_log_is_written_and_a_clean_end_is_remembered(tmp_path: Path) -> None:
    before = [logging.getLogger(name).level for name in ("studio", "ddmi_core")]
    diary = Diary(tmp_path / "logs")
    logging.getLogger("studio.test").info("hello")
    assert not diary.crashed
    diary.close()
    assert [logging.getLogger(name).level for name in ("studio", "ddmi_core")] == before
    assert "hello" in (tmp_path / "logs" / "studio.log").read_text()
    again = Diary(tmp_path / "logs")
    assert not again.crashed
    again.close()


def test_a_session_that_did_not_end_is_noticed_once(tmp_path: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    (tmp_path / f"running-{gone.stdout.strip()}").touch()
    diary = Diary(tmp_path)
    assert diary.crashed
    diary.close()
    again = Diary(tmp_path)
    assert not again.crashed
    again.close()


def test_a_folder_that_cannot_be_written_only_costs_the_log(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    Diary(tmp_path / "file").close()


def test_errors_of_any_thread_become_notifications(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    notifications = Notifications()
    errors = UncaughtErrors(notifications)
    before = sys.excepthook
    try:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        qtbot.waitUntil(lambda: len(notifications) == 1, timeout=10_000)
    finally:
        errors.remove()
    assert sys.excepthook is not before
    assert "division by zero" in notifications.list()[0].text and "ZeroDivisionError" in caplog.text
