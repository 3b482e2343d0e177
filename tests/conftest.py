"""What every test gets: folders of its own, fixed seeds, one thread of torch, and checked array shapes.

Tests run in a shuffled order, so what one changes of the process must not reach the next one.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch  # before Qt, as in the app

from tests.display import use_virtual_display

assert "ddmi_core" not in sys.modules, "the import hook has to come before the library"
# Every annotated function of the library checks its arguments and its result in the tests, array shapes included. The
# "numeric tower" lets an int pass for a float, as it does for mypy.
jaxtyping.install_import_hook("ddmi_core", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

# Nothing is fetched while testing: what is not in the repository or an installed package must not be needed.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
torch.set_num_threads(1)

THREAD_PATIENCE = 20.0  # seconds that a thread told to stop may take to do so
THREADS_OF_LIBRARIES = ("Thread-auto_conversion", "tqdm_monitor")


@pytest.fixture(autouse=True, scope="session")
def no_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what several tests share, and is made before any of them has a home, out of the person's own folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDMI_HOME", str(tmp_path_factory.mktemp("shared-home")))
        yield


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the test's library, settings and caches lie: empty, and nobody else's."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("DDMI_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def same_start() -> None:
    """The global generators start the same for every test, and torch has one thread, whatever ran before."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="module")
def cycles_collected() -> Iterator[None]:
    """Collect cycles between the files: once a window was shown, only Qt's event loop does, which most tests lack."""
    yield
    if not gc.isenabled():
        gc.collect()


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread running Python code, a Qt thread included."""
    before = set(sys._current_frames())
    yield
    deadline = time.monotonic() + THREAD_PATIENCE
    while (leaked := _running_since(before)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not leaked, f"threads left running: {', '.join(leaked)}"


def _running_since(before: set[int]) -> list[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    running = {ident: names.get(ident, f"thread {ident}") for ident in set(sys._current_frames()) - before}
    return sorted(name for name in running.values() if not name.startswith(THREADS_OF_LIBRARIES))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a CUDA device where there is none."""
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Choose the display once it is known whether any selected test needs OpenGL: a process has one QApplication."""
    items = [item for item in session.items if item.get_closest_marker("gl")]
    if not sys.platform.startswith("linux") or session.config.option.collectonly:
        return
    if not items:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    elif not use_virtual_display() and "DISPLAY" not in os.environ:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs OpenGL: no display, and no Xvfb to make one"))
