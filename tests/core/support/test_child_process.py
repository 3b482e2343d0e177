import os
import sys
import time
from pathlib import Path

import pytest

from ddmi_core.support.child_process import run_module
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.progress import Cancelled, Progress

CHILD = """
import os, sys, time
from ddmi_core.support.child_process import answer
from ddmi_core.support.errors import DDMIError

def work(progress):
    match sys.argv[1]:
        case "report":
            print("a line that is no report")
            print(5, flush=True)
            sys.stdout.buffer.write(b"\\xff\\n")
            sys.stdout.buffer.flush()
            progress(0.5, "half")
            time.sleep(0.5)
        case "raise":
            raise DDMIError("there is no such thing")
        case "die":
            print("last words", file=sys.stderr, flush=True)
            os._exit(9)
        case "sleep":
            progress(0.1, str(os.getpid()))
            time.sleep(600)
        case "nice":
            time.sleep(0.5)
            progress(0.1, str(os.nice(0)))
            time.sleep(0.5)

answer(work)
"""


@pytest.fixture(autouse=True)
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_child.py").write_text(CHILD, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def run(what: str, progress: Progress | None = None, *, background: bool = False) -> None:
    run_module("a_child", [what], doing="beginning", failed="it died", background=background, progress=progress)


def test_what_the_child_reports_arrives() -> None:
    seen: list[tuple[float, str]] = []
    run("report", lambda fraction, text: seen.append((fraction, text)))
    assert seen[0] == (0.0, "beginning") and (0.5, "half") in seen


def test_what_the_child_raises_is_raised_here() -> None:
    with pytest.raises(DDMIError, match="there is no such thing"):
        run("raise")


def test_a_child_that_dies_is_an_error_and_its_last_words_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DDMIError, match="it died"):
        run("die")
    assert "ended with code 9" in caplog.text and "last words" in caplog.text


def test_a_cancelled_child_ends_at_once() -> None:
    began = time.monotonic()

    def progress(_fraction: float, text: str) -> None:
        if text != "beginning":
            pids.append(int(text))
            raise Cancelled

    pids: list[int] = []
    with pytest.raises(Cancelled):
        run("sleep", progress)
    assert time.monotonic() - began < 60
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.skipif(sys.platform == "win32", reason="there it has classes of priority instead")
def test_a_child_in_the_background_gives_way() -> None:
    niceness: list[str] = []
    run("nice", lambda _fraction, text: niceness.append(text), background=True)
    assert str(min(19, os.nice(0) + 10)) in niceness
