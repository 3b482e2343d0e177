"""What every test with windows gets, in ``studio/`` and ``e2e/`` alike."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Mapping

import pytest
from PySide6.QtCore import QEvent, QThreadPool
from PySide6.QtWidgets import QApplication, QWidget

from studio.garbage import WindowCollector
from studio.theme.theme import Theme

QTS_OWN = ("QTipLabel", "QComboBoxPrivateContainer", "QDesktopScreenWidget")


@pytest.fixture(scope="session", autouse=True)
def collections_elsewhere(qapp: QApplication) -> Iterator[list[str]]:
    """Collect cycles in the main thread alone, as the app does; the names of the threads that did so nevertheless."""
    threads: list[str] = []

    def note(_phase: str, _figures: Mapping[str, int]) -> None:
        if threading.current_thread() is not threading.main_thread():
            threads.append(threading.current_thread().name)

    gc.callbacks.append(note)
    garbage = WindowCollector()
    yield threads
    garbage.stop()
    gc.callbacks.remove(note)


@pytest.fixture(autouse=True)
def no_collection_elsewhere(collections_elsewhere: list[str]) -> Iterator[None]:
    """Fail a test in which another thread than the main one looked for cycles: it might take a window apart."""
    yield
    threads = sorted(set(collections_elsewhere))
    collections_elsewhere.clear()
    assert not threads, f"cycles were collected in {', '.join(threads)}"


@pytest.fixture(scope="session", autouse=True)
def theme(qapp: QApplication) -> Theme:
    """The one that dresses the application in every test."""
    return Theme(qapp, "dark")


@pytest.fixture(autouse=True)
def usual_look(qapp: QApplication, theme: Theme) -> Iterator[None]:
    """Dress the application as it was after a test that chose another theme, or made one of its own."""
    usual = qapp.styleSheet()
    yield
    theme.choice = "dark"
    if qapp.styleSheet() != usual:
        theme.choice = "light"
        theme.choice = "dark"


@pytest.fixture(autouse=True)
def no_leaked_windows(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a window behind, or a job in Qt's thread pool."""
    if "qapp" not in request.fixturenames:
        yield
        return
    app: QApplication = request.getfixturevalue("qapp")
    before = set(_windows(app))
    yield
    QThreadPool.globalInstance().waitForDone(2000)
    assert QThreadPool.globalInstance().activeThreadCount() == 0, "jobs left in Qt's thread pool"
    leaked = set(_windows(app)) - before
    if leaked:
        # Windows that only a cycle of references keeps are no leak; collecting is too slow to do it for every test.
        del leaked
        gc.collect()
        leaked = set(_windows(app)) - before
    described = [f"{type(window).__name__} {window.windowTitle()!r}" for window in leaked]
    for window in leaked:  # the next test is not to blame
        window.close()
        window.deleteLater()
    assert not leaked, f"windows left open: {', '.join(described)}"


def _windows(app: QApplication) -> list[QWidget]:
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    app.processEvents()
    return [window for window in app.topLevelWidgets() if window.metaObject().className() not in QTS_OWN]
