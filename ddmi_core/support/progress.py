"""Progress and cancellation of long work, as one concept.

A `Progress` is a callable that receives the finished fraction and a short text. Whoever wants the work to stop raises
`Cancelled` inside it, so a function that reports progress often enough is cancellable without knowing about it.
"""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with (finished fraction in [0, 1], what is being done)."""


class Cancelled(Exception):
    """Raised from inside a progress callback to stop the work."""


def report(progress: Progress | None, fraction: float, text: str) -> None:
    """Call `progress` if there is one."""
    if progress is not None:
        progress(fraction, text)


def sub_progress(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Map the progress of a part onto the range [start, stop] of the whole."""
    if progress is None:
        return None
    return lambda fraction, text: progress(start + (stop - start) * fraction, text)
