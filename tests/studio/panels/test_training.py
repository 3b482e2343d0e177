from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton

from ddmi_core.rendering.sheet_texts import SheetTexts
from ddmi_core.training.ownership import owned
from ddmi_core.training.pictures import save_sheet
from ddmi_core.training.run_folder import RunFolder
from studio.engine import training as engine
from studio.engine.training import Training
from studio.panels.run_pictures import EnlargedPictures
from studio.panels.training import TrainingRoom
from tests.studio.pointing import turn_wheel
from tests.studio.window.fakes import MODEL

PATIENCE = 60_000


def make_run(home: Path, name: str, losses: list[float], *, state: str = "stopped", message: str = "") -> RunFolder:
    run = RunFolder(home / "runs" / name)
    run.samples.mkdir(parents=True)
    run.config_file.write_text(f"name: {name}\ndomain: shape\n")
    for step, loss in enumerate(losses, start=1):
        run.record(
            stage="autoencoder",
            step=step,
            steps=100,
            losses={"loss": loss, "kl": 0.5},
            learning_rate=1e-3,
            samples_per_second=12.5,
            eta_seconds=90.0,
            memory_bytes=2**30,
        )
    run.status_file.write_text(
        json.dumps({"state": state, "message": message, "owner": {"pid": 1, "host": "elsewhere", "started": 0.0}})
    )
    return run


@pytest.fixture
def room(qtbot, training: Training, theme) -> TrainingRoom:
    room = TrainingRoom(training, theme)
    qtbot.addWidget(room)
    room.resize(1200, 760)
    room.show()
    training.start()
    return room


def shows(room: TrainingRoom, name: str) -> bool:
    return room.monitor.title.text() == name and any(plot.isVisible() for plot in room.monitor.curves.plots)


def test_an_empty_room_says_what_it_is_for(qtbot, room: TrainingRoom) -> None:
    new = next(button for button in room.findChildren(QPushButton) if button.isVisible() and "New" in button.text())
    with qtbot.waitSignal(room.new_asked):
        qtbot.mouseClick(new, Qt.MouseButton.LeftButton)
    assert not room.list.isVisible()


def test_a_run_is_shown_and_followed(qtbot, room: TrainingRoom, home: Path) -> None:
    run = make_run(home, "chairs", [0.5, 0.25], state="failed", message="The GPU is gone.")
    run.log_file.write_text("step 1\nstep 2\n")
    qtbot.waitUntil(lambda: shows(room, "chairs"), timeout=PATIENCE)
    monitor = room.monitor
    assert "The GPU is gone." in monitor.state.text() and "step 2 of 100" in monitor.state.text()
    assert monitor.figures.values["Loss"].text() == "0.25" and monitor.figures.values["Memory"].text() == "1.00 GB"
    assert monitor.resume_button.isVisible() and not monitor.stop_button.isVisible()
    assert monitor.log.toPlainText().endswith("step 2")
    run.record(stage="autoencoder", step=3, steps=100, losses={"loss": 0.125})
    qtbot.waitUntil(lambda: monitor.figures.values["Loss"].text() == "0.125", timeout=PATIENCE)


def test_work_before_the_steps_is_told(qtbot, room: TrainingRoom, home: Path) -> None:
    run = make_run(home, "chairs", [0.5])
    with owned(run):
        run.record(stage="diffusion", step=0, message="encoded 5 of 20 captions, about 3 min left")
        monitor = room.monitor
        qtbot.waitUntil(lambda: "Encoded 5 of 20 captions" in monitor.state.text(), timeout=PATIENCE)
        assert monitor.progress.maximum() == 0 and monitor.figures.values["Time left"].text() == "–"
        run.record(stage="diffusion", step=1, steps=100, losses={"loss": 0.5}, eta_seconds=90.0)
        qtbot.waitUntil(lambda: "step 1 of 100" in monitor.state.text(), timeout=PATIENCE)
        assert monitor.progress.maximum() == 100


def test_buttons_reach_a_run_that_is_alive(qtbot, room: TrainingRoom, home: Path) -> None:
    run = make_run(home, "chairs", [0.5])
    with owned(run):
        qtbot.waitUntil(room.monitor.pause_button.isVisible, timeout=PATIENCE)
        time_left = room.monitor.figures.values["Time left"]
        qtbot.waitUntil(lambda: time_left.text() == "1 min 30 s", timeout=PATIENCE)
        for button, command in (
            (room.monitor.pause_button, "pause"),
            (room.monitor.sample_button, "sample"),
            (room.monitor.checkpoint_button, "checkpoint"),
            (room.monitor.stop_button, "stop"),
        ):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
            qtbot.waitUntil(lambda command=command: run.take_command() == command, timeout=PATIENCE)


def test_a_run_that_is_told_to_go_on_twice_is_started_once(qtbot, room: TrainingRoom, home: Path, monkeypatch) -> None:
    run = make_run(home, "chairs", [0.5], state="stopped")
    started: list[subprocess.Popen[bytes]] = []

    def start(_: RunFolder) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return started[-1]

    monkeypatch.setattr(engine, "start_process", start)
    qtbot.waitUntil(room.monitor.resume_button.isVisible, timeout=PATIENCE)
    try:
        for _ in range(2):  # a double click
            room._training.go_on(run.path)
        qtbot.waitUntil(lambda: room.monitor.state.text().startswith("Starting"), timeout=PATIENCE)
        assert len(started) == 1
        started[0].kill()
        qtbot.waitUntil(room.monitor.resume_button.isVisible, timeout=PATIENCE)
        room._training.go_on(run.path)
        qtbot.waitUntil(lambda: len(started) == 2, timeout=PATIENCE)
    finally:
        for child in started:
            child.kill()
            child.wait()


def test_the_model_of_a_run_that_is_done_is_used_and_measured_from_there(qtbot, room: TrainingRoom, home: Path) -> None:
    ended, stopped = make_run(home, "chairs", [0.5], state="done"), make_run(home, "tables", [0.5])
    qtbot.waitUntil(lambda: room.list.list.count() == 2, timeout=PATIENCE)
    monitor = room.monitor
    buttons = (monitor.use_button, monitor.measure_button)
    room.choose(ended.path)
    assert not any(button.isVisible() for button in buttons)  # its model is not found yet
    models = [replace(MODEL, name=run.path.name, folder=run.model) for run in (ended, stopped)]
    room.show_models([MODEL, *models])
    for button, asked in zip(buttons, (room.used, room.evaluate_asked), strict=True):
        with qtbot.waitSignal(asked) as told:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert told.args == [models[0]]
    room.choose(stopped.path)
    assert not any(button.isVisible() for button in buttons)


def test_runs_are_laid_over_each_other(qtbot, room: TrainingRoom, home: Path) -> None:
    for name in ("chairs", "tables"):
        make_run(home, name, [0.5, 0.4, 0.3])
    qtbot.waitUntil(lambda: room.list.list.count() == 2 and shows(room, room.monitor.run.name), timeout=PATIENCE)
    other = next(i for i in range(2) if room.list.list.item(i).data(Qt.ItemDataRole.UserRole) != room.list.chosen())
    room.list.list.item(other).setCheckState(Qt.CheckState.Checked)
    curves = room.monitor.curves
    qtbot.waitUntil(lambda: len(curves.plots[0].canvas.listDataItems()) == 2, timeout=PATIENCE)
    assert [plot.name.text() for plot in curves.plots] == ["loss", "kl"]  # a plot for each, with a scale of its own
    assert "chairs" in curves.legend.text() and "tables" in curves.legend.text()
    styles = [item.opts["pen"].style() for item in curves.plots[0].canvas.listDataItems()]
    assert styles == [Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine]
    qtbot.mouseClick(curves.alone, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(curves.plots[0].canvas.listDataItems()) == 1, timeout=PATIENCE)
    assert not curves.legend.isVisible() and not room.list.ticked()


def test_a_run_that_has_no_such_figures_or_is_gone_is_named(
    qtbot, room: TrainingRoom, training: Training, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chairs, tables = (make_run(home, name, [0.5, 0.4, 0.3]) for name in ("chairs", "tables"))
    chairs.record(stage="autoencoder", step=3, held_out={"reconstruction": 0.1})
    qtbot.waitUntil(lambda: room.list.list.count() == 2, timeout=PATIENCE)
    room.choose(chairs.path)
    other = next(i for i in range(2) if room.list.list.item(i).data(Qt.ItemDataRole.UserRole) == tables.path)
    room.list.list.item(other).setCheckState(Qt.CheckState.Checked)
    room.monitor.kind.setCurrentText("Held-out figures")
    legend = room.monitor.curves.legend
    qtbot.waitUntil(lambda: "tables has none of these" in legend.text(), timeout=PATIENCE)
    tables.path.rename(home / "elsewhere")
    qtbot.waitUntil(lambda: "tables is not there any more" in legend.text(), timeout=PATIENCE)
    (home / "elsewhere").rename(tables.path)
    room.monitor.kind.setCurrentText("Losses")
    qtbot.waitUntil(lambda: "tables</" not in legend.text() and legend.text().endswith("tables"), timeout=PATIENCE)


def test_the_wheel_scrolls_the_page_over_a_plot_and_zooms_it_with_ctrl(qtbot, room: TrainingRoom, home: Path) -> None:
    make_run(home, "chairs", [0.5, 0.4, 0.3])
    qtbot.waitUntil(lambda: shows(room, "chairs"), timeout=PATIENCE)
    room.resize(900, 520)
    canvas, bar = room.monitor.curves.plots[0].canvas, room.page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0, timeout=PATIENCE)
    whole = canvas.viewRange()[0]
    turn_wheel(canvas, -1)
    assert bar.value() > 0 and canvas.viewRange()[0] == whole
    turn_wheel(canvas, 1, Qt.KeyboardModifier.ControlModifier)
    low, high = canvas.viewRange()[0]
    assert high - low < whole[1] - whole[0]
    for plot in room.monitor.curves.plots:
        assert plot.canvas.viewRange()[0] == pytest.approx([low, high])


def test_pictures_follow_the_newest_and_go_back_in_time(qtbot, room: TrainingRoom, home: Path) -> None:
    run = make_run(home, "chairs", [0.5])
    for step in (10, 20):
        Image.new("RGB", (32, 32)).save(run.samples / f"autoencoder-{step:08d}.png")
    pictures = room.monitor.pictures
    qtbot.waitUntil(lambda: "step 20" in pictures.caption.text(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: not pictures.picture.pixmap().isNull(), timeout=PATIENCE)
    Image.new("RGB", (32, 32)).save(run.samples / f"autoencoder-{30:08d}.png")
    qtbot.waitUntil(lambda: "step 30" in pictures.caption.text(), timeout=PATIENCE)
    pictures.slider.setValue(0)
    assert "step 10" in pictures.caption.text()
    Image.new("RGB", (32, 32)).save(run.samples / f"autoencoder-{40:08d}.png")
    qtbot.waitUntil(lambda: pictures.slider.maximum() == 3, timeout=PATIENCE)
    assert "step 10" in pictures.caption.text()


def test_a_picture_of_a_sheet_is_enlarged_with_what_is_said_of_it(qtbot, room: TrainingRoom, home: Path) -> None:
    run = make_run(home, "chairs", [0.5])
    tiles = [np.full((32, 32, 3), 100 + 10 * number, np.uint8) for number in range(10)]
    texts = SheetTexts(tuple(f"<b>chair</b>, seed {number}" for number in range(10)), "student | teacher")
    save_sheet(tiles, run.samples / "distillation-00000010.png", texts)
    pictures = room.monitor.pictures
    sheet = pictures.picture
    assert sheet.focusPolicy() == Qt.FocusPolicy.NoFocus  # there is nothing to enlarge yet
    qtbot.waitUntil(lambda: not sheet.pixmap().isNull(), timeout=PATIENCE)
    assert pictures.caption.text() == "distillation, step 10  ·  student | teacher"

    def enlarged() -> EnlargedPictures:
        (found,) = [one for one in room.findChildren(EnlargedPictures) if one.isVisible()]
        found.activateWindow()
        qtbot.waitUntil(found.isActiveWindow, timeout=PATIENCE)  # or shortcuts are not its own
        return found

    def shows_number(dialog: EnlargedPictures, number: int) -> bool:
        middle = dialog.picture.grab().toImage().pixelColor(dialog.picture.rect().center())
        return middle.red() == 100 + 10 * number and dialog.caption.text() == texts.captions[number]

    size = sheet.pixmap().deviceIndependentSize()
    left, top = (sheet.width() - size.width()) / 2, (sheet.height() - size.height()) / 2
    second = QPoint(round(left + size.width() * 1.5 / 8), round(top + size.height() * 1.5 / 2))  # of the lower row
    qtbot.mouseClick(sheet, Qt.MouseButton.LeftButton, pos=second)
    dialog = enlarged()
    assert shows_number(dialog, 9) and not dialog.next.isEnabled() and dialog.place.text() == "10 of 10"
    assert dialog.caption.textFormat() == Qt.TextFormat.PlainText
    qtbot.keyClick(dialog, Qt.Key.Key_Left)
    assert shows_number(dialog, 8)
    qtbot.keyClick(dialog, Qt.Key.Key_Right)
    assert shows_number(dialog, 9)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    empty = QPoint(round(left + size.width() * 7.5 / 8), second.y())  # where the sheet has no picture
    qtbot.mouseClick(sheet, Qt.MouseButton.LeftButton, pos=empty)
    assert not any(one.isVisible() for one in room.findChildren(EnlargedPictures))
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
        qtbot.keyClick(sheet, key)
        dialog = enlarged()
        assert shows_number(dialog, 0) and not dialog.previous.isEnabled()
        dialog.close()


def test_a_run_elsewhere_can_be_listed_and_a_wrong_folder_is_refused(
    qtbot, room: TrainingRoom, training: Training, home: Path, tmp_path: Path
) -> None:
    with qtbot.waitSignal(training.failed) as refused:
        training.add(tmp_path)
    assert "not a run folder" in refused.args[0]
    make_run(tmp_path, "far", [0.5])
    training.add(tmp_path / "runs" / "far")
    qtbot.waitUntil(lambda: shows(room, "far"), timeout=PATIENCE)


def test_a_discarded_run_goes_to_the_trash(
    qtbot, room: TrainingRoom, training: Training, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(home, "chairs", [0.5])
    (home / "data").mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    qtbot.waitUntil(lambda: shows(room, "chairs"), timeout=PATIENCE)
    training.discard(run.path)
    qtbot.waitUntil(lambda: not room.list.isVisible(), timeout=PATIENCE)
    assert not run.path.exists() and [path.name for path in (home / "data" / "Trash" / "files").iterdir()] == ["chairs"]
