"""Makes the guide's pictures anew: starts the studio on a virtual display, does real work in it, keeps what is seen.

    python -m scripts.guide_pictures              # all, a few minutes
    python -m scripts.guide_pictures zoom video   # these

The studio begins with an empty folder for the user's data, so that nobody's own work is seen or touched. Everything
that the pictures show was generated, zoomed, trained and measured while they were taken.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.paths import assets
from studio.headless import virtual_display
from studio.rooms.images.basis_dialog import BasisDialog
from studio.rooms.images.walk_dialog import WalkDialog
from studio.state.runs import RunView
from studio.window import MainWindow

FOLDER = assets() / "guide" / "pictures"
SIZE = "1104x690"
SCREEN = "2400x1600"
SCALE = "1.5"  # the screen's pixels for each of the window's: the pictures stay sharp on fine screens
QUALITY = 80  # of WebP, 0..100
_FILM_FRAMES, _FILM_SIDE = 40, 224  # of a walk one way, and its pixels
PATIENCE = 1200  # seconds that one thing may take
_LOOK_MS = 60
_CALM = 12  # looks in a row at which nothing goes on

SCENES = {
    "shapes": ("first-shape", "history", "export", "actions"),
    "pictures": ("zoom", "compare", "basis-fields", "walk", "identity", "part"),
    "clips": ("video", "sequence"),
    "radiance": ("radiance", "depth"),
    "models": ("models",),
    "training": ("wizard", "monitor"),
}
"""The scenes of an `Album`, and the pictures that are taken in each."""

Wait = Callable[[], bool]


class Director(QObject):
    """Goes through a scene. It yields what has to be true before it goes on; the studio works meanwhile."""

    def __init__(self, scene: Generator[Wait, None, None], parent: QObject) -> None:
        super().__init__(parent)
        self._scene = scene
        self._until: Wait = lambda: True
        self._deadline = 0.0
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        try:
            if self._until():
                self._until = next(self._scene)
                self._deadline = time.monotonic() + PATIENCE
            elif time.monotonic() > self._deadline:
                raise TimeoutError(f"What was waited for did not come within {PATIENCE} s.")
        except StopIteration:
            self._end(0)
        except Exception:
            traceback.print_exc()
            self._end(1)

    def _end(self, code: int) -> None:
        self._timer.stop()
        self._scene.close()
        QCoreApplication.exit(code)


class Album:
    """The scenes, one method each, and what they share. A scene leaves no dialog open."""

    def __init__(self, window: MainWindow, folder: Path, wanted: Sequence[str]) -> None:
        self.window, self.state, self.engine = window, window.state, window.engine
        self._folder, self._wanted = folder, wanted
        self._calm = 0
        self._view: RunView | None = None
        window.training.view_changed.connect(self._keep_view)

    def scenes(self) -> Generator[Wait, None, None]:
        """All scenes that make a wanted picture, in the order of the guide."""
        yield lambda: bool(self.state.models)
        for scene, makes in SCENES.items():
            if not self._wanted or set(makes) & set(self._wanted):
                yield from getattr(self, scene)()

    def shapes(self) -> Iterator[Wait]:
        """Four chairs, the dialog that exports one, the history, and the list of actions."""
        yield from self._generate("shape", "a desk with drawers", seed=5, count=4)
        yield from self._shoot("first-shape", self.window)
        yield from self._generate("shape", "a round table with one leg", seed=7, count=2)
        yield from self._generate("shape", "a tall bookcase", seed=5)
        self.window.items.toggle_star()
        yield from self._shoot("history", self.window.history)
        QTimer.singleShot(0, self.window.exports.choose)  # it blocks until it is answered
        yield lambda: QApplication.activeModalWidget() is not None
        dialog = QApplication.activeModalWidget()
        dialog.file.setText("bookcase.glb")
        yield from self._shoot("export", dialog, close=True)
        self.window.actions_["palette"].trigger()
        yield lambda: QApplication.activePopupWidget() is not None
        palette = QApplication.activePopupWidget()
        palette.search.setText("view")
        yield from self._shoot("actions", palette)
        palette.close()

    def pictures(self) -> Iterator[Wait]:
        """A picture from near and beside its pixels, its basis fields, the way to another one, a part drawn anew."""
        for item in self.state.library.items(domain="image")[::-1]:  # those that a new library begins with
            self.window.items.open(item)
            yield self._is_calm
        stage = self.window.stage
        viewer = stage.viewer
        viewer.centre(0.3, -0.25)
        viewer.zoom(6)
        yield viewer.is_sharp
        yield from self._shoot("zoom", self.window)
        self.window.actions_["compare_nearest"].trigger()
        yield from self._shoot("compare", viewer)
        self.window.actions_["compare_off"].trigger()
        viewer.fit()
        self.window.actions_["basis"].trigger()
        yield from self._shoot("basis-fields", stage.findChild(BasisDialog), close=True)
        self.window.actions_["walk"].trigger()
        walk = stage.findChild(WalkDialog)
        walk.slider.setValue(50)
        walk.frames.setValue(_FILM_FRAMES)
        walk.resolution.setValue(_FILM_SIDE)
        walk.back.setChecked(True)
        walk.format.setCurrentIndex(walk.format.findData(".webp"))
        yield from self._shoot("walk", walk)
        if self._is_wanted("identity"):
            film = self._folder / "identity.webp"
            walk.write(film, replace=film.exists())
            yield self._is_calm
            self._say(film)
        walk.close()
        if self._is_wanted("part"):
            self.window.actions_["change_part"].trigger()
            self.window.inspector.share.box.setValue(60)
            self.state.update_form(prompt="a person with pink hair, outlined cartoon style")
            self.window.generation.generate()
            yield self._is_calm
            yield from self._shoot("part", self.window)

    def clips(self) -> Iterator[Wait]:
        """A clip with slices through time, and a sequence of three."""
        yield from self._generate("video", "a clear sky at noon above green hills", seed=2)
        yield from self._generate("video", "a still lake in the evening", seed=3)
        yield from self._generate("video", "dawn behind trees with thin clouds", seed=1)
        slices = self.window.actions_["slices"]
        slices.setChecked(True)
        self.window.stage.timeline.sought.emit(0.9)
        yield from self._shoot("video", self.window)
        slices.setChecked(False)
        first, *others = self.state.library.items()
        self.window.actions_["sequence"].setChecked(True)
        for item in [item for item in others if item.recipe.domain == first.recipe.domain][:2]:
            self.window.stage.sequence.add_asked.emit(item)
        yield from self._shoot("sequence", self.window)
        self.window.actions_["sequence"].setChecked(False)

    def radiance(self) -> Iterator[Wait]:
        """A radiance field with a path of the camera, and its depth."""
        yield from self._generate("nerf", "a blue sofa", seed=1)
        stage, actions = self.window.stage, self.window.actions_
        panels = ("inspector", "history")
        for name in panels:
            actions[name].setChecked(False)
        actions["look_pane"].setChecked(True)
        stage.viewer.orbit(240, -25)
        for _ in range(5):
            actions["key_frame"].trigger()
            stage.viewer.orbit(-30, 4)
        stage.viewer.orbit(-90, 5)  # to the front, where the path is behind the object
        yield from self._shoot("radiance", self.window)
        actions["channel_depth"].trigger()
        yield from self._shoot("depth", stage.viewer)
        actions["channel_colour"].trigger()
        actions["look_pane"].setChecked(False)
        for name in panels:
            actions[name].setChecked(True)

    def models(self) -> Iterator[Wait]:
        """The models that come along."""
        room = self.window.models
        self.window.show_room(self.window.rooms.indexOf(room))
        for text in room.findChildren(QLabel):  # where this very machine keeps them is nobody's business
            text.setText(text.text().replace("\u200b", "").replace(f"{assets().parent}/", ""))
        yield from self._shoot("models", self.window)

    def training(self) -> Iterator[Wait]:
        """The wizard's page of data, then a run of the tiny preset that it starts, seen with its first pictures."""
        from studio.wizard.pages import DataPage  # loads torch, which the studio does later

        QTimer.singleShot(0, self.window.trainings.new)
        yield lambda: QApplication.activeModalWidget() is not None
        wizard = QApplication.activeModalWidget()
        wizard.go_on()
        yield lambda: wizard.findChild(DataPage).thumbnails.count() > 0
        yield from self._shoot("wizard", wizard)
        try:
            while wizard.isVisible():
                yield wizard.next.isEnabled
                wizard.go_on()
            yield lambda: self._view is not None and bool(self._view.samples)
            yield from self._shoot("monitor", self.window, calm=False)
        finally:  # a run outlives the window
            self.window.training.stop([run.folder for run in self.window.runs.alive()])
        yield lambda: not self.window.runs.alive()

    # What scenes share

    def _generate(self, domain: str, prompt: str, *, seed: int, count: int = 1) -> Iterator[Wait]:
        self.window.show_room_of(domain)
        self.state.update_form(prompt=prompt, seed=seed, seed_locked=True, count=count)
        self.window.generation.generate()  # but for what a new library begins with
        yield lambda: len(self.state.made_already()) == count
        yield self._is_calm

    def _shoot(self, name: str, widget: QWidget, *, calm: bool = True, close: bool = False) -> Iterator[Wait]:
        """Save a picture of a widget once it rests."""
        for notification in self.state.notifications.list():
            self.state.notifications.dismiss(notification)
        yield self._is_calm if calm else lambda: True
        if self._is_wanted(name):
            path = self._folder / f"{name}.webp"
            if not widget.grab().save(str(path), quality=QUALITY):
                raise DDMIError(f"{path} could not be written.")
            self._say(path)
        if close:
            widget.close()

    def _is_wanted(self, name: str) -> bool:
        return not self._wanted or name in self._wanted

    def _say(self, path: Path) -> None:
        print(f"{path.name}  {path.stat().st_size // 1000} kB", flush=True)

    def _is_calm(self) -> bool:
        """Whether nothing has been going on for a while; the finer views that follow by themselves included."""
        working = bool(self.state.jobs.active(quiet=True))
        self._calm = 0 if working else self._calm + 1
        if self._calm < _CALM:
            return False
        self._calm = 0
        return True

    def _keep_view(self, view: RunView) -> None:
        self._view = view


def main(argv: Sequence[str] | None = None) -> int:
    """Make the pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="of the pictures, such as zoom; all without")
    parser.add_argument("--out", type=Path, default=FOLDER, help="their folder")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--on-this-display", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    strangers = set(options.names) - {name for names in SCENES.values() for name in names}
    if strangers:
        parser.error(f"no picture is called {', '.join(sorted(strangers))}")
    options.out.mkdir(parents=True, exist_ok=True)
    if options.on_this_display:
        from studio import app
        from studio.rooms.radiance import facts as radiance

        radiance._STILL_RATES = (
            1.0,
            0.04,
        )  # nobody waits, so it may be as fine as on a fast machine

        def on_open(window: MainWindow) -> Director:
            return Director(Album(window, options.out, options.names).scenes(), window)

        return app.main(["--theme", options.theme, "--size", SIZE], on_open=on_open)
    again = [*(sys.argv[1:] if argv is None else argv), "--on-this-display"]
    try:
        with virtual_display(SCREEN) as environment, tempfile.TemporaryDirectory() as home:
            environment |= {
                "DDMI_HOME": home,
                "QT_SCALE_FACTOR": SCALE,
                "QT_SCALE_FACTOR_ROUNDING_POLICY": "PassThrough",
            }
            return subprocess.run([sys.executable, "-m", "scripts.guide_pictures", *again], env=environment).returncode
    except DDMIError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.exit(main())
