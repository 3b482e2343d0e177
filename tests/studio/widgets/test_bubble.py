from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QWidget

from studio.widgets.bubble import ARROW, Bubble, place_bubble
from studio.widgets.spotlight import lit_around

SIZE = QSize(340, 150)
AREA = QRect(80, 30, 800, 500)
TARGETS = {
    "left": QRect(0, 40, 80, 260),
    "right": QRect(890, 60, 300, 90),
    "bottom": QRect(80, 530, 800, 140),
    "top": QRect(320, 0, 50, 28),
}
"""What lies beside the area, by the edge of the bubble on which its arrow is to be."""


@pytest.mark.parametrize("edge", TARGETS)
def test_it_points_at_what_lies_beside_the_area(edge: str):
    placement, target = place_bubble(SIZE, TARGETS[edge], AREA), TARGETS[edge]
    assert placement.edge == edge and placement.body.size() == SIZE
    assert AREA.adjusted(ARROW, ARROW, -ARROW, -ARROW).contains(placement.body)
    middle = target.center()
    if edge in ("left", "right"):
        assert placement.body.top() + placement.at == middle.y()
    else:
        assert placement.body.left() + placement.at == middle.x()


@pytest.mark.parametrize(
    ("target", "edge"),
    [(QRect(450, 200, 100, 30), "top"), (QRect(450, 480, 100, 30), "bottom")],
    ids=["below", "above"],
)
def test_it_does_not_cover_what_it_points_at(target: QRect, edge: str):
    placement = place_bubble(SIZE, target, AREA)
    assert placement.edge == edge and not placement.body.intersects(target) and AREA.contains(placement.body)


@pytest.mark.parametrize("target", [AREA, QRect(), QRect(1200, 700, 40, 40)], ids=["all", "nothing", "far"])
def test_without_a_side_it_stands_in_the_corner(target: QRect):
    placement = place_bubble(SIZE, target, AREA)
    assert placement.edge is None and AREA.contains(placement.body)
    assert placement.body.left() - AREA.left() == ARROW and AREA.bottom() - placement.body.bottom() == ARROW


def test_it_stays_at_the_top_of_an_area_that_is_too_low():
    assert place_bubble(SIZE, QRect(), QRect(0, 0, 500, 120)).body.top() == ARROW


def test_what_is_lit_stays_within_the_window():
    window = QRect(0, 0, 1000, 600)
    assert lit_around(QRect(400, 200, 100, 30), window).contains(QRect(400, 200, 100, 30))
    assert window.contains(lit_around(QRect(0, 400, 1000, 200), window))
    assert lit_around(QRect(), window).isEmpty()


def test_a_key_that_comes_when_it_is_gone_does_no_harm(qtbot, theme):
    window = QWidget()
    qtbot.addWidget(window)
    bubble = Bubble(window, theme)
    window.show()
    bubble.hide()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Tab):
        qtbot.keyClick(bubble.next, key)
    assert not bubble.isVisible()
