"""Settings of earlier versions, brought up to this one's."""

from collections.abc import Callable
from typing import Any, Final

from ddmi_core.support.errors import DDMIError

VERSION: Final = 2
"""Of the settings that this program writes. A file without one is of the first version."""


def migrated(values: dict[str, Any], origin: str) -> dict[str, Any]:
    """Return settings as this version knows them, from a file of this version or an earlier one.

    Raises:
        DDMIError: they are of a newer version, or of none that there ever was.
    """
    version = values.get("version", 1)
    if not isinstance(version, int) or version < 1:
        raise DDMIError(f"{origin} says version: {version!r}. It must be a number from 1 to {VERSION}.")
    if version > VERSION:
        raise DDMIError(
            f"{origin} has settings of version {version}, made by a newer DDMI Studio; this one knows them up to "
            f"version {VERSION}. Update it, or use a preset that came along."
        )
    for step in _STEPS[version - 1 :]:
        values = step(values)
    return {**values, "version": VERSION}


def _to_2(values: dict[str, Any]) -> dict[str, Any]:
    """`workers` became `loader_workers` when a run could be spread over several `processes`."""
    return {"loader_workers" if key == "workers" else key: value for key, value in values.items()}


_STEPS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (_to_2,)
"""Step i leads from version i + 1 to the next."""
