"""Shots follow each other, trimmed, and lead from one to the next without a jump."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from ddmi_core.export.options import VideoExport
from ddmi_core.export.videos import export_video
from ddmi_core.sequences import ClipSequence, Shot
from ddmi_core.support.errors import DataError
from tests.core.domains.test_video import Dot


class Told:
    """A field that says which latent it was made of, and when it is looked at."""

    def __init__(self, latent: torch.Tensor) -> None:
        self.value = float(latent.mean())

    def at(self, t: float) -> tuple[float, float]:
        return self.value, t


def shot(value: float, start: float = 0.0, stop: float = 2.0, parts: int = 1) -> Shot:
    return Shot(torch.full((parts, 2, 2), value), 2.0, start, stop)


def sequence(*shots: Shot, transition: float = 0.5) -> ClipSequence:
    return ClipSequence(list(shots), decode=Told, between=torch.lerp, transition=transition)


def test_one_shot_is_the_clip() -> None:
    alone = sequence(shot(3.0))
    assert alone.seconds == 2 and alone.at(0.25) == (3.0, 0.25)


def test_shots_are_trimmed_and_overlap() -> None:
    two = sequence(shot(0.0, 0.5, 2.0), shot(1.0, 0.0, 1.0))
    assert two.seconds == pytest.approx(2.0)
    assert two.at(-1) == (0.0, -0.5) and two.at(1) == (1.0, pytest.approx(0.0))
    value, _ = two.at(2 * 1.25 / 2 - 1)  # in the middle of the transition from 1.0 to 1.5 s
    assert value == pytest.approx(0.5)


def test_nothing_jumps() -> None:
    three = sequence(shot(0.0), shot(1.0, 0.5, 1.5), shot(-1.0))
    found = [three.at(-1 + 2 * i / 4000) for i in range(4001)]
    for (a, s), (b, t) in pairwise(found):
        assert abs(a - b) < 0.01 and abs(s - t) < 0.02


def test_short_shots_shorten_the_transition_and_parts_are_cut() -> None:
    assert sequence(shot(0.0, 0, 0.4), shot(1.0)).layout.overlaps == (0.2,)
    cut = sequence(shot(0.0), shot(1.0, parts=3))
    assert cut.layout.overlaps == (0.0,) and cut.seconds == 4
    assert [cut.at(t)[0] for t in (-0.01, 0.01)] == [0.0, 1.0]


@pytest.mark.parametrize("shots", [[], [shot(0.0, 1, 1)], [shot(0.0, 0, 3)]])
def test_what_does_not_last_is_refused(shots: list[Shot]) -> None:
    with pytest.raises(DataError, match="needs clips"):
        sequence(*shots)


def test_it_is_exported_as_any_clip(tmp_path: Path) -> None:
    moving = ClipSequence([shot(0.0), shot(1.0)], decode=lambda _: Dot(), between=torch.lerp)
    options = VideoExport(resolution=32, seconds=moving.seconds)
    assert export_video(moving, tmp_path / "x.gif", options)["frames"] == round(3.5 * 30)
