"""Drawing again what came out torn: the soundest of a few tries."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor

from ddmi_core.support.progress import Progress, sub_progress

Latent = Float[Tensor, "c h w"]


def soundest(
    first: Sequence[Latent],
    again: Callable[[Sequence[int], int, Progress | None], Sequence[Latent]],
    judged: Callable[[Latent], tuple[Latent, int]],
    *,
    usual: int,
    tries: int,
    progress: Progress | None = None,
) -> list[Latent]:
    """Return of each latent the try with the fewest flaws, where the first one has more than is usual.

    Args:
        first: the first tries.
        again: draws those at some places once more: which places, and the number of the attempt, from 1.
        judged: what is to be kept of one, and how many flaws that has.
        usual: so many are not worth another try.
        tries: at most, the first one included.
        progress: may raise `Cancelled`.
    """
    best = [judged(latent) for latent in first]
    for attempt in range(1, tries):
        places = [place for place, (_, flaws) in enumerate(best) if flaws > usual]
        if not places:
            break
        share = sub_progress(progress, (attempt - 1) / (tries - 1), attempt / (tries - 1))
        for place, latent in zip(places, again(places, attempt, _telling(share, attempt, tries)), strict=True):
            best[place] = min(best[place], judged(latent), key=lambda each: each[1])
    return [latent for latent, _ in best]


def _telling(progress: Progress | None, attempt: int, tries: int) -> Progress | None:
    if progress is None:
        return None
    return lambda share, text: progress(share, f"try {attempt + 1} of {tries}, as it came out torn: {text}")
