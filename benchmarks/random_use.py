"""What becomes of the studio when somebody clicks, types and drags in it at random.

    python -m benchmarks.random_use [--minutes 10] [--seed 0]

Opens the studio with all models, on a library and in a home of its own (and on a virtual display where there is none),
makes one item in each room, and then acts at random: clicks, double clicks, drags, wheel, keys, prompts, actions, files
that are dropped, sizes of the window, cancelling. Dialogs are used and, after some steps, answered or closed; files are
chosen in the temporary home alone; what works for longer than `PATIENCE` is cancelled, and a training stopped.

Prints JSON lines: once a minute how it goes, and at the end the actions done by kind, exceptions (of any thread, of
Qt's handlers, of jobs that failed for a reason nobody foresaw, and warnings of Qt), the longest time in which the
window took nothing, memory after settling at the start, after the first `FILLING` minutes and at the end, and windows,
threads and processes left over.
"""

from __future__ import annotations

import collections
import ctypes
import gc
import json
import os
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import psutil
import tyro

from benchmarks.open_studio import OpenStudio, open_studio
from studio.state.memory import MemoryBudget

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtWidgets import QWidget

PATIENCE = 40.0  # seconds that a job or a training may last
FILLING = 10.0  # minutes, at most half of all, in which what is kept by design comes up to the memory budget
STAY = 14  # steps in a dialog or a menu before it is answered or closed
PRESS = 0.5  # seconds in which a key has been pressed
STEP_MS = (5, 120)
SIZES = ((960, 600), (1280, 800), (1100, 900), (1920, 1080), (2560, 1440))
PROMPTS = (
    "a round table with one leg",
    "a man with a full beard",
    "a person with green hair",
    "<b>bold</b> <img src='http://localhost/x.png'>",
    "=cmd|'/c calc'!A1",
    "テーブル 🪑 ééé",
    "",
    "word " * 60,
)
_SHOWN_EXCEPTIONS = 20


def main(minutes: float = 10.0, seed: int = 0, memory: int = 256, steps: Path | None = None) -> None:
    """Use the studio at random.

    Args:
        minutes: how long.
        seed: of what is done; how the window answers in time is not in its hands.
        memory: budget in MB of what the studio keeps at hand, 256 at least.
        steps: file to write every step to, for when the studio dies.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ |= {"HOME": home, "USERPROFILE": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
        with ExitStack() as stack:
            studio = stack.enter_context(open_studio("shape", None))
            log = stack.enter_context(steps.open("w")) if steps is not None else None
            files = _files(Path(home))
            opened = counted_openings()
            watch = Watch(studio)
            studio.window.settings.memory = MemoryBudget(memory * 2**20)
            studio.window.preferences.take("memory")
            _make_one_of_each(studio)
            watch.settle()
            start, held_at, size = watch.look(), [_held()], studio.window.size()
            person = Person(studio, files, random.Random(seed), log)
            began = time.monotonic()
            for until in (min(FILLING, minutes / 2), minutes):
                watch.run(person, began + 60 * until)
                person.rest()
                studio.window.resize(size)
                watch.settle()
                held_at.append(_held())
            end = watch.look()
            from studio.widgets.deep_zoom.viewer import DeepZoom

            figures = {
                "minutes": round((time.monotonic() - began) / 60, 1),
                "actions": sum(person.done.values()),
                "kinds": dict(person.done.most_common()),
                "opened_elsewhere": opened.count,
                "exceptions": len(watch.exceptions),
                "longest_freeze_seconds": round(watch.longest_freeze, 2),
                "memory_start_mb": start.memory,
                "memory_end_mb": end.memory,
                "growth_mb": end.memory - start.memory,
                "growth_held_mb": held_at[-1] - held_at[0],
                "growth_held_once_filled_mb": held_at[-1] - held_at[1],
                "picture_tiles_mb": sum(one.cache.size for one in studio.window.findChildren(DeepZoom)) >> 20,
                "windows_left": sorted((Counter(end.windows) - Counter(start.windows)).elements()),
                "threads_left": sorted((Counter(end.threads) - Counter(start.threads)).elements()),
                "processes_left": sorted((Counter(end.processes) - Counter(start.processes)).elements()),
            }
            print(json.dumps({"benchmark": "random_use", "seed": seed, **figures}), flush=True)
            for text, count in Counter(watch.exceptions).most_common(_SHOWN_EXCEPTIONS):
                print(json.dumps({"benchmark": "random_use", "exception": text, "times": count}), flush=True)
            watch.end()


def _held() -> int:
    """Memory in MB once the allocator, glibc's, has given back what it only keeps for later."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).malloc_trim(0)
    return round(psutil.Process().memory_info().rss / 2**20)


def _command(process: psutil.Process) -> str:
    """What a process was started with, in short; it may have ended since."""
    with suppress(psutil.Error):
        return " ".join(process.cmdline()[-4:])[:80]
    return "ended"


def counted_openings() -> Any:
    """Count what the studio has the system open, instead of opening it."""
    from PySide6.QtCore import QObject, QUrl, Slot
    from PySide6.QtGui import QDesktopServices

    class Handler(QObject):
        count = 0

        @Slot(QUrl)
        def take(self, _url: QUrl) -> None:
            self.count += 1

    handler = Handler()
    for scheme in ("file", "http", "https"):
        QDesktopServices.setUrlHandler(scheme, handler, "take")
    return handler


class Watch:
    """Sees what goes wrong while the studio is used, and what it holds."""

    def __init__(self, studio: OpenStudio) -> None:
        from PySide6.QtCore import QtMsgType, qInstallMessageHandler

        self.exceptions: list[str] = []
        self.longest_freeze = 0.0
        self._began, self._minute = time.monotonic(), 0
        self._studio = studio
        # What goes wrong reaches the person, and is noted here too
        self._hooks = sys.excepthook, threading.excepthook
        sys.excepthook = lambda kind, error, trace: self._note("".join(traceback.format_exception(kind, error, trace)))
        threading.excepthook = lambda args: self._note(
            "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
        )
        sys.unraisablehook = lambda args: self._note(
            f"{args.err_msg}: " + "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
        )

        def from_qt(kind: QtMsgType, _context: object, message: str) -> None:
            if kind in (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg) and "propagateSizeHints" not in message:
                self._note(f"Qt: {message}")

        qInstallMessageHandler(from_qt)
        studio.state.notifications.added.connect(lambda one: self._note(one.details) if one.details else None)

    def _note(self, text: str) -> None:
        self.exceptions.append(text)
        print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Let others handle what goes wrong again."""
        from PySide6.QtCore import qInstallMessageHandler

        sys.excepthook, threading.excepthook = self._hooks
        sys.unraisablehook = sys.__unraisablehook__
        qInstallMessageHandler(None)

    def run(self, person: Person, until: float) -> None:
        """Let somebody use the studio until a time of `time.monotonic`, and print how it goes once a minute."""
        from PySide6.QtCore import QTimer

        last_tick = time.monotonic()

        def tick() -> None:
            nonlocal last_tick
            now = time.monotonic()
            self.longest_freeze = max(self.longest_freeze, now - last_tick)
            last_tick = now

        ticking = QTimer()
        ticking.timeout.connect(tick)
        ticking.start(20)
        person.begin()
        while time.monotonic() < until:
            self._studio.app.processEvents()
            time.sleep(0.002)
            if time.monotonic() - self._began > 60 * (self._minute + 1):
                self._minute += 1
                seen = self.look()
                known = {
                    "minute": self._minute,
                    "actions": sum(person.done.values()),
                    "exceptions": len(self.exceptions),
                }
                print(
                    json.dumps({"benchmark": "random_use", **known, "memory_mb": seen.memory}),
                    flush=True,
                )
        person.end()
        ticking.stop()

    def settle(self) -> None:
        """Let work and messages end, and give back what nobody holds."""
        from PySide6.QtCore import QEvent

        self._studio.engine.cancel_all()
        self._studio.pump(self._studio.settled)
        for notification in self._studio.state.notifications.list():
            self._studio.state.notifications.dismiss(notification)
        self._studio.pump_for(3.0)
        self._studio.app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        self._studio.pump_for(1.0)

    def look(self) -> Seen:
        """What there is now."""
        process = psutil.Process()
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        return Seen(
            memory=round(process.memory_info().rss / 2**20),
            windows=[type(window).__name__ for window in self._studio.app.topLevelWidgets() if window.isWindow()],
            threads=[names.get(ident, "a thread of Qt") for ident in sys._current_frames()],
            processes=[_command(child) for child in process.children(recursive=True)],
        )


Seen = collections.namedtuple("Seen", ("memory", "windows", "threads", "processes"))


class Person:
    """Acts at random, one step at a time, in whatever window is in front."""

    def __init__(self, studio: OpenStudio, files: list[Path], rng: random.Random, steps: IO[str] | None = None) -> None:
        self.done: Counter[str] = Counter()
        self._studio, self._files, self._rng = studio, files, rng
        self._steps = steps
        self._window = studio.window
        self._going = False
        self._front = 0
        self._pressed = 0.0  # when the key that is being pressed was
        self._steps_in_front = 0
        self._seen: dict[object, float] = {}

    def begin(self) -> None:
        """Act from now on."""
        self._going = True
        self._next()

    def end(self) -> None:
        """Act no more."""
        self._going = False

    def rest(self) -> None:
        """Close dialogs and menus, and stop what goes on."""
        from PySide6.QtWidgets import QApplication, QDialog

        def leave() -> bool:
            front = QApplication.activePopupWidget() or QApplication.activeModalWidget()
            if front is not None:
                self._close(front)
            return front is None

        self._studio.pump(leave)
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog) and widget.isVisible():
                widget.close()
        self._stop_what_lasts(patience=0.0)
        self._studio.pump(lambda: not self._window.runs.alive())

    def _next(self) -> None:
        from PySide6.QtCore import QTimer

        # A step may open a dialog and end only with it, so the next one is on its way before
        QTimer.singleShot(self._rng.randint(*STEP_MS), self._step)

    def _step(self) -> None:
        from PySide6.QtWidgets import QApplication, QFileDialog, QMenu
        from shiboken6 import getCppPointer

        if not self._going:
            return
        self._next()
        if time.monotonic() - self._pressed < PRESS:  # not for longer: the key may have opened a dialog
            return
        self._stop_what_lasts(PATIENCE)
        front = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        # No reference is kept: what Qt makes for itself, it takes away without telling Python
        place = getCppPointer(front)[0] if front is not None else 0
        self._steps_in_front = self._steps_in_front + 1 if place == self._front else 0
        self._front = place
        # A file chooser is the system's own, as a rule: it is only answered
        if front is not None and (self._steps_in_front > STAY or isinstance(front, QFileDialog)):
            self._steps_in_front = 0
            self._count("close")
            self._close(front)
            return
        where = front or QApplication.activeWindow() or self._window
        steps = [self._click, self._press_keys, self._drag, self._wheel]
        weights = [10.0, 5.0, 2.0, 2.0]
        if QApplication.activePopupWidget() is not None and not isinstance(front, QMenu):
            weights = [0.0, 1.0, 0.0, 0.0]  # the list of a combo box, which Qt takes away while it is clicked
        if front is None:
            where = where if self._rng.random() < 0.2 else self._window
            steps += [self._trigger, self._write_prompt, self._resize, self._cancel, self._drop, self._change_room]
            weights += [4.0, 1.5, 0.3, 1.0, 0.4, 1.0]
        (step,) = self._rng.choices(steps, weights)
        self._count(step.__name__.strip("_"))
        self._note(f"{step.__name__} {type(where).__name__} {self._window.rooms.currentIndex()}")
        step(where)

    def _note(self, text: str) -> None:
        if self._steps is not None:
            self._steps.write(text + "\n")
            self._steps.flush()

    def _count(self, kind: str) -> None:
        self.done[kind] += 1

    # What a person does

    def _click(self, where: QWidget) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QMenuBar, QSlider, QWidget

        kinds_of_places = (QAbstractButton, QAbstractItemView, QComboBox, QMenuBar, QSlider)
        places = [one for one in where.findChildren(QWidget) if isinstance(one, kinds_of_places)]
        places = [one for one in places if one.isVisible() and one.isEnabled()]
        if places and self._rng.random() < 0.7:
            target = self._rng.choice(places)
            if isinstance(target, QAbstractItemView):
                target = target.viewport()
            spot = target.rect().center() if self._rng.random() < 0.5 else self._spot(target)
        else:
            spot = self._spot(where)
            target = where.childAt(spot) or where
            spot = target.mapFrom(where, spot) if target is not where else spot
        if not target.isEnabled():
            return
        buttons = Qt.MouseButton
        button = self._rng.choices([buttons.LeftButton, buttons.RightButton, buttons.MiddleButton], [12, 1, 1])[0]
        kinds = ["MouseButtonPress", "MouseButtonRelease"]
        if self._rng.random() < 0.1:
            kinds += ["MouseButtonDblClick", "MouseButtonRelease"]
        for kind in kinds:
            self._mouse(kind, target, spot, button)

    def _press_keys(self, _where: QWidget) -> None:
        from PySide6.QtCore import Qt
        from PySide6.QtGui import QGuiApplication
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication
        from shiboken6 import isValid

        keys, modifiers = Qt.Key, Qt.KeyboardModifier
        special = [
            keys.Key_Left, keys.Key_Right, keys.Key_Up, keys.Key_Down, keys.Key_Tab, keys.Key_Backtab, keys.Key_Space,
            keys.Key_Return, keys.Key_Escape, keys.Key_Home, keys.Key_End, keys.Key_PageUp, keys.Key_PageDown,
            keys.Key_Delete, keys.Key_Backspace, keys.Key_F1, keys.Key_F11, keys.Key_Plus, keys.Key_Minus,
        ]  # fmt: skip
        letters = [keys(code) for code in (*range(keys.Key_A, keys.Key_Z + 1), *range(keys.Key_0, keys.Key_9 + 1))]
        for _ in range(self._rng.randint(1, 6)):
            key = self._rng.choice(special if self._rng.random() < 0.5 else letters)
            held = self._rng.choices(
                [modifiers.NoModifier, modifiers.ShiftModifier, modifiers.ControlModifier, modifiers.AltModifier],
                [10, 2, 2, 1],
            )[0]
            if held == modifiers.ControlModifier and key == keys.Key_Q:
                continue  # the window shall stay
            # QTest presses what is held first, and goes on with the same window though that may take it away, as Alt
            # does a menu: there it is pressed alone before
            self._pressed = time.monotonic()
            alone = {
                modifiers.ShiftModifier: keys.Key_Shift,
                modifiers.ControlModifier: keys.Key_Control,
                modifiers.AltModifier: keys.Key_Alt,
            }.get(held)
            popup = QGuiApplication.focusWindow()
            if alone is not None and popup is not None and QApplication.activePopupWidget() is not None:
                QTest.keyPress(popup, alone)
            for act, with_it in ((QTest.keyPress, held), (QTest.keyRelease, modifiers.NoModifier)):
                # As from the keyboard, to the window in front, whose widget with the focus gets it
                window = QGuiApplication.focusWindow() or self._window.windowHandle()
                if isValid(window):
                    self._note(f"  {key.name} {held.name} {type(QApplication.focusWidget()).__name__}")
                    act(window, key, with_it)
            self._pressed = 0.0

    def _drag(self, where: QWidget) -> None:
        from PySide6.QtCore import Qt

        spot = self._spot(where)
        target = where.childAt(spot) or where
        if not target.isEnabled():
            return
        button = self._rng.choice([Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton])
        for kind in ("MouseButtonPress", *["MouseMove"] * self._rng.randint(2, 8), "MouseButtonRelease"):
            self._mouse(kind, target, None, button)

    def _mouse(self, kind: str, target: QWidget, spot: QPoint | None, button: Qt.MouseButton) -> None:
        """Let something happen with the mouse; what came before may have taken the target away."""
        from PySide6.QtCore import QEvent, QPointF, Qt
        from PySide6.QtGui import QMouseEvent
        from shiboken6 import isValid

        if not isValid(target):
            return
        place = QPointF(self._spot(target) if spot is None else spot)
        pressed = Qt.MouseButton.NoButton if kind == "MouseButtonRelease" else button
        cause = Qt.MouseButton.NoButton if kind == "MouseMove" else button
        held = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(QEvent.Type[kind], place, target.mapToGlobal(place), cause, pressed, held)
        self._studio.app.sendEvent(target, event)

    def _wheel(self, where: QWidget) -> None:
        from PySide6.QtCore import QPoint, QPointF, Qt
        from PySide6.QtGui import QWheelEvent

        spot = self._spot(where)
        target = where.childAt(spot) or where
        place = self._spot(target)
        for _ in range(self._rng.randint(1, 5)):
            event = QWheelEvent(
                QPointF(place),
                QPointF(target.mapToGlobal(place)),
                QPoint(),
                QPoint(0, self._rng.choice([-120, 120, -15, 15, 480])),
                Qt.MouseButton.NoButton,
                self._rng.choice([Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier]),
                Qt.ScrollPhase.NoScrollPhase,
                False,
            )
            self._studio.app.sendEvent(target, event)

    def _trigger(self, _where: QWidget) -> None:

        offered = [self._window.actions_[spec.id] for spec in self._window.actions_.keymap.specs if spec.id != "quit"]
        self._rng.choice([one for one in offered if one.isEnabled() and one.isVisible()]).trigger()

    def _write_prompt(self, _where: QWidget) -> None:
        self._studio.state.update_form(prompt=self._rng.choice(PROMPTS), count=self._rng.randint(1, 3))
        if self._rng.random() < 0.7:
            self._window.actions_["generate"].trigger()

    def _resize(self, _where: QWidget) -> None:
        self._window.resize(*self._rng.choice(SIZES))

    def _cancel(self, _where: QWidget) -> None:
        if self._rng.random() < 0.5:
            self._window.actions_["cancel"].trigger()
        else:
            self._studio.engine.cancel_all()

    def _drop(self, _where: QWidget) -> None:
        self._window.own_files.bring_in(self._rng.choice(self._files))

    def _change_room(self, _where: QWidget) -> None:
        self._window.show_room(self._rng.randrange(self._window.rooms.count()))

    # What else happens

    def _spot(self, widget: QWidget) -> QPoint:
        from PySide6.QtCore import QPoint

        return QPoint(self._rng.randrange(max(1, widget.width())), self._rng.randrange(max(1, widget.height())))

    def _close(self, front: QWidget) -> None:
        """Answer or leave a dialog; close a menu."""
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox

        if isinstance(front, QMessageBox):
            QTimer.singleShot(0, self._rng.choice(front.buttons()).click)
        elif isinstance(front, QFileDialog) and self._rng.random() < 0.5:
            if front.acceptMode() == QFileDialog.AcceptMode.AcceptSave:
                front.selectFile(str(self._studio.home / f"saved{self._rng.randrange(10)}"))
            else:
                front.selectFile(str(self._rng.choice(self._files)))
            QTimer.singleShot(0, front.accept)
        elif isinstance(front, QDialog):
            front.reject()
        else:
            front.close()

    def _stop_what_lasts(self, patience: float) -> None:
        now = time.monotonic()
        jobs = {job.id: job for job in self._studio.state.jobs.active(quiet=True)}
        runs = {run.folder: run for run in self._window.runs.alive()}
        self._seen = {key: self._seen.get(key, now) for key in (*jobs, *runs)}
        for key, since in self._seen.items():
            if now - since < patience:
                continue
            self._seen[key] = now
            self._count("stop")
            if key in jobs:
                self._studio.engine.cancel(jobs[key])
            else:
                self._window.training.command(runs[key].folder, "stop")


def _make_one_of_each(studio: OpenStudio) -> None:
    """Make an item in each room, so that every model was used once."""
    from ddmi_core.model_folder import list_models

    studio.state.set_models(list_models())
    for stage in studio.window.stages:
        studio.window.show_room_of(stage.room.words.domain)
        studio.pump_for(0.5)
        if studio.state.selected_model is not None:
            studio.state.update_form(prompt="a man with a full beard", count=1)
            studio.finish(studio.engine.generate(stage.room.preview_resolution))
            studio.pump_for(3.0)
    studio.window.show_room(0)


def _files(home: Path) -> list[Path]:
    """Files that a person might drop or choose: good ones, and others."""
    import imageio.v3 as imageio
    import numpy as np
    import trimesh

    folder = home / "files"
    folder.mkdir()
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)
    imageio.imwrite(folder / "picture.png", picture)
    imageio.imwrite(folder / "<b>bold<u>.jpg", picture)
    imageio.imwrite(folder / "clip.gif", rng.integers(0, 255, (12, 48, 48, 3), dtype=np.uint8))
    trimesh.creation.icosphere().export(folder / "ball.ply")
    trimesh.creation.box().export(folder / "box.glb")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    (folder / "broken.obj").write_text("v 1 2\nf 1 2 9\n")
    (folder / "notes.txt").write_text("nothing to see")
    return sorted(folder.iterdir())


if __name__ == "__main__":
    tyro.cli(main)
