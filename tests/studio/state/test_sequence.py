"""Pieces are added, moved, trimmed and removed, lie where the library puts them, and every edit can be undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddmi_core.recipe import Recipe
from studio.state.library import Item
from studio.state.sequence import LEAST_SECONDS, Arrangement, Piece, SequenceEdits, piece_of


def item(name: str, seconds: float | None = 2.0) -> Item:
    return Item(name, Recipe(domain="video", model="m", model_hash="h", seconds=seconds), Path(name))


def piece(name: str, shape: tuple[int, ...] = (4, 2, 2), span: tuple[float, float] | None = None) -> Piece:
    return piece_of(item(name), shape, span)


def names(arrangement: Arrangement) -> str:
    return "".join(piece.item.id for piece in arrangement.pieces)


@pytest.fixture
def three() -> Arrangement:
    return Arrangement((piece("a"), piece("b"), piece("c")))


def test_a_piece_is_the_whole_of_a_clip_or_a_span_that_lasts() -> None:
    assert (piece("a").start, piece("a").length) == (0.0, 2.0)
    assert piece_of(item("a", None), (1,)).seconds == 3.0
    assert piece("a", span=(1.0, 1.0)).length == pytest.approx(LEAST_SECONDS)


def test_neighbours_overlap_and_clips_of_another_length_are_cut(three: Arrangement) -> None:
    assert three.layout.starts == (0.0, 1.5, 3.0) and three.layout.seconds == 5.0
    assert [three.transitions_of(place) for place in range(3)] == [(0.0, 0.5), (0.5, 0.5), (0.5, 0.0)]
    assert three.with_transition(9).layout.overlaps == (1.0, 1.0)
    assert three.with_transition(-1).layout.seconds == 6.0
    cut = three.added(piece("d", shape=(12, 2, 2))).layout
    assert cut.overlaps == (0.5, 0.5, 0.0) and cut.starts[-1] == 5.0
    assert [cut.place_at(second) for second in (-1, 0, 1.49, 1.5, 5, 99)] == [0, 0, 0, 1, 3, 3]


@pytest.mark.parametrize(
    ("place", "to", "order"),
    [(0, 1, "bac"), (0, 2, "bca"), (2, 0, "cab"), (1, 1, "abc"), (1, 9, "acb"), (1, -3, "bac")],
)
def test_pieces_move(three: Arrangement, place: int, to: int, order: str) -> None:
    assert names(three.moved(place, to)) == order and names(three) == "abc"


def test_trimming_stays_in_the_clip_and_leaves_something(three: Arrangement) -> None:
    trimmed = three.trimmed(1, start=0.5, stop=1.0)
    assert (trimmed.pieces[1].start, trimmed.pieces[1].stop) == (0.5, 1.0) and trimmed.pieces[0] == three.pieces[0]
    assert three.trimmed(1, start=-1, stop=7).pieces[1] == three.pieces[1]
    assert three.trimmed(1, start=5).pieces[1].length == pytest.approx(LEAST_SECONDS)
    assert trimmed.trimmed(1, stop=0).pieces[1].stop == pytest.approx(0.5 + LEAST_SECONDS)


def test_one_piece_stays(three: Arrangement) -> None:
    one = three.removed(0).removed(1)
    assert names(one) == "b" and one.removed(0) is one


def test_a_piece_of_an_item_is_found_and_what_looks_alike_has_one_key(three: Arrangement) -> None:
    assert three.place_of(item("c")) == 2 and three.place_of(item("z")) is None
    assert three.key == Arrangement((piece("a"), piece("b"), piece("c"))).key
    assert len({three.key, three.moved(0, 1).key, three.trimmed(0, stop=1).key, three.with_transition(0).key}) == 4


def test_edits_are_undone_one_by_one(three: Arrangement) -> None:
    edits = SequenceEdits()
    assert not edits.undo() and edits.change(three) and not edits.change(three)
    assert not edits.undo() and edits.current == three
    for place in (0, 0):
        edits.change(edits.current.removed(place))
    assert names(edits.current) == "c"
    assert edits.undo() and names(edits.current) == "bc" and edits.undo() and names(edits.current) == "abc"
    assert not edits.undo()


def test_only_so_many_edits_are_kept(three: Arrangement) -> None:
    edits = SequenceEdits()
    for step in range(150):
        edits.change(three.with_transition(step / 100))
    count = 0
    while edits.undo():
        count += 1
    assert count == 100
