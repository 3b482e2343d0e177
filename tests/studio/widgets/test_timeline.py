"""The timeline: what it asks for."""

from __future__ import annotations

from studio.theme.tokens import DARK
from studio.widgets.video.timeline import Timeline


def test_thumbnails_of_a_clip_that_came_while_it_was_hidden_are_asked_for_on_return(qtbot):
    timeline = Timeline(DARK)
    qtbot.addWidget(timeline)
    timeline.resize(400, timeline.height())
    timeline.show()
    with qtbot.waitSignal(timeline.thumbnails_wanted):
        timeline.show_clip(2.0, ())
    timeline.hide()
    timeline.show_clip(3.0, ())
    qtbot.waitUntil(lambda: not timeline._ask_soon.isActive())
    with qtbot.waitSignal(timeline.thumbnails_wanted) as asked:
        timeline.show()
    assert 2.0 < max(asked.args[0]) <= 3.0
