from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication

from ddmi_core.recipe import SamplingSettings
from studio.engine.work.sampling import GenerateRequest
from studio.panels.queue import QueuePanel, duration
from studio.state.paused import PausedWork
from tests.studio.window.fakes import MODEL


def test_rows_come_and_go_with_the_jobs(qtbot, state, theme):
    panel = QueuePanel(state.jobs, state.paused, theme)
    qtbot.addWidget(panel)
    assert panel.isHidden()
    state.jobs.add("a", "a chair", None)
    state.jobs.add("b", "a sofa " * 40, None)
    state.jobs.add("quiet", "Load the model", None, quiet=True)
    assert not panel.isHidden() and len(panel.rows()) == 2
    state.jobs.start("a")
    state.jobs.progress("a", 0.5, "step 10 of 20")
    assert panel.rows()[0].bar.value() == 500
    with qtbot.waitSignal(panel.cancelled) as signal:
        panel.rows()[0].cancel.click()
    assert signal.args == ["a"]
    state.jobs.mark_cancelling("a")
    assert not panel.rows()[0].cancel.isEnabled()
    state.jobs.cancelled("a")
    state.jobs.fail("b", "It failed.")
    assert panel.isHidden() and panel.rows() == []


def test_durations_read_well():
    assert duration(0.2) == "1 s"
    assert duration(7.6) == "8 s"
    assert duration(124.0) == "2 min 04 s"
    assert duration(4200) == "1 h 10 min"


def test_what_waits_can_be_put_first_and_the_order_shows_it(qtbot, state, theme):
    panel = QueuePanel(state.jobs, state.paused, theme)
    qtbot.addWidget(panel)
    for name in "abcd":
        state.jobs.add(name, f"job {name}", None)
    state.jobs.start("a")
    shown = [not row.hurry.isHidden() for row in panel.rows()]
    assert shown == [False, False, True, True]  # what runs, and what is next, cannot come sooner
    with qtbot.waitSignal(panel.hurried) as signal:
        panel.rows()[3].hurry.click()
    assert signal.args == ["d"]
    state.jobs.put_first("d")
    assert [row.bar.accessibleName() for row in panel.rows()] == ["job a", "job d", "job b", "job c"]
    assert [panel._list.itemAt(place).widget() for place in range(4)] == panel.rows()


def test_a_held_queue_says_so_until_it_goes_on_or_is_empty(qtbot, state, theme):
    panel = QueuePanel(state.jobs, state.paused, theme)
    qtbot.addWidget(panel)
    state.jobs.add("a", "a chair", None)
    with qtbot.waitSignal(panel.held) as signal:
        panel.hold.click()
    assert signal.args == [True]
    state.jobs.hold(True)
    assert panel.hold.isChecked() and panel.rows()[0]._text.text() == "Paused"
    state.jobs.hold(False)
    assert not panel.hold.isChecked() and panel.rows()[0]._text.text() == "Waiting"
    state.jobs.hold(True)
    state.jobs.cancelled("a")
    assert not state.jobs.is_held and not panel.hold.isChecked()
    state.jobs.hold(True)
    assert not state.jobs.is_held  # there is nothing to hold


def test_what_is_generated_can_be_asked_for_again(qtbot, state, theme):
    panel = QueuePanel(state.jobs, state.paused, theme)
    qtbot.addWidget(panel)
    settings = SamplingSettings(prompt="a chair")
    same = settings.model_copy(update={"like": ((3, 0.0),)})  # whatever the seed
    state.jobs.add("a", "a chair", GenerateRequest(settings=settings, seeds=(1, 2)))
    state.jobs.add("b", "a chair", GenerateRequest(settings=same, seeds=(1,)))
    state.jobs.add("c", "Export", None)
    assert [not row.repeat.isHidden() for row in panel.rows()] == [True, False, False]
    with qtbot.waitSignal(panel.repeated) as signal:
        panel.rows()[0].repeat.click()
    assert signal.args == ["a"]


def test_a_double_click_on_what_is_paused_does_it_once_and_to_nothing_else(qtbot, state, theme):
    panel = QueuePanel(state.jobs, state.paused, theme)
    qtbot.addWidget(panel)
    panel.resize(300, 200)
    works = [
        PausedWork(
            title=name,
            domain="shape",
            model=MODEL.name,
            model_hash=MODEL.hash,
            settings=SamplingSettings(prompt=name),
            seeds=(1,),
        )
        for name in ("a chair", "a sofa")
    ]
    state.paused.add(works)
    panel.show()
    resumed, repeated = [], []
    request = GenerateRequest(
        model=MODEL.folder, domain="shape", settings=SamplingSettings(), seeds=(1,), preview_resolution=8
    )

    def resume(work: PausedWork) -> None:
        resumed.append(work.title)
        state.paused.remove(work)
        state.jobs.add(work.title, work.title, request)

    panel.resumed.connect(resume)
    panel.repeated.connect(repeated.append)
    panel.dropped.connect(repeated.append)
    button = panel.paused_rows()[0].resume
    place = button.mapTo(panel, button.rect().center())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    under = panel.childAt(place)
    assert not isinstance(under, QAbstractButton)
    panel.paused_rows()[0].resume.click()
    assert resumed == ["a chair"] and not repeated
    qtbot.waitUntil(lambda: not panel._settling.isActive())
    panel.paused_rows()[0].resume.click()
    assert resumed == ["a chair", "a sofa"]
