from __future__ import annotations

from studio.panels.queue import QueuePanel, duration


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
