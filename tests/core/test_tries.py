"""The soundest of a few tries."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ddmi_core.support.progress import Progress
from ddmi_core.tries import soundest


def _latent(flaws: int) -> Tensor:
    return torch.full((1, 1, 1), float(flaws))


class _Draws:
    """Draws latents that tell how many flaws they have, from a list for each place."""

    def __init__(self, *flaws: Sequence[int]) -> None:
        self._flaws = flaws
        self.asked: list[tuple[list[int], int]] = []

    def __call__(self, places: Sequence[int], attempt: int, progress: Progress | None) -> list[Tensor]:
        self.asked.append((list(places), attempt))
        if progress is not None:
            progress(1.0, "drawn")
        return [_latent(self._flaws[place][attempt]) for place in places]

    def best(self, usual: int, tries: int, progress: Progress | None = None) -> list[int]:
        first = [_latent(flaws[0]) for flaws in self._flaws]
        found = soundest(first, self, lambda one: (one, int(one)), usual=usual, tries=tries, progress=progress)
        return [int(one) for one in found]


def test_only_what_has_more_flaws_than_usual_is_drawn_again_until_one_has_not() -> None:
    draws = _Draws([2, 0, 0], [9, 12, 1], [9, 8, 7])
    assert draws.best(usual=2, tries=3) == [2, 1, 7]
    assert draws.asked == [([1, 2], 1), ([1, 2], 2)]
    draws = _Draws([0, 9], [3, 1])
    assert draws.best(usual=2, tries=9) == [0, 1]
    assert draws.asked == [([1], 1)]


def test_the_first_is_kept_where_no_other_is_better() -> None:
    assert _Draws([5, 7, 5]).best(usual=0, tries=3) == [5]
    assert _Draws([5, 0]).best(usual=0, tries=1) == [5]


def test_it_says_which_try_it_is() -> None:
    told: list[tuple[float, str]] = []
    _Draws([5, 4, 3]).best(usual=0, tries=3, progress=lambda share, text: told.append((share, text)))
    assert [share for share, _ in told] == [0.5, 1.0]
    assert told[0][1].startswith("try 2 of 3") and told[1][1].startswith("try 3 of 3")


def test_what_is_kept_of_each_may_be_another_one() -> None:
    first, second = _latent(5), _latent(4)
    mended = {5: (_latent(2), 2), 4: (_latent(3), 3)}

    def best(usual: int) -> int:
        (found,) = soundest([first], lambda *_: [second], lambda one: mended[int(one)], usual=usual, tries=2)
        return int(found)

    assert best(usual=2) == 2 and best(usual=0) == 2
    mended[4] = (_latent(1), 1)
    assert best(usual=2) == 2 and best(usual=0) == 1
