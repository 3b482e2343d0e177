"""A camera's way past an item: key frames, how long each takes, and how it goes on; kept in the item's folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError

from ddmi_core.rendering.view_settings import Easing
from ddmi_core.support.errors import DataError
from ddmi_core.support.files import write_text
from studio.state.library import Item

log = logging.getLogger(__name__)

FILE = "camera.json"
LONGEST = 600.0
"""Seconds from a key frame to the next, at most."""


class TimedView(BaseModel):
    """A key frame: where the camera orbits, the seconds until the next one and how it goes there, and a small PNG."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    azimuth: float
    elevation: float
    distance: float = Field(gt=0)
    centre: tuple[float, float, float]
    fov: float = Field(gt=0, lt=170)
    seconds: float = Field(2.0, gt=0, le=LONGEST)
    easing: Easing = "flowing"
    picture: Base64Bytes = b""


class CameraTimeline(BaseModel):
    """Key frames in their order. Every change gives a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[TimedView, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the way is: what the last key frame says of the next one does not count."""
        return sum(key.seconds for key in self.keys[:-1])

    def added(self, key: TimedView) -> CameraTimeline:
        """With one more at the end."""
        return CameraTimeline(keys=(*self.keys, key))

    def changed(self, number: int, **values: object) -> CameraTimeline:
        """With other values in one of them."""
        keys = list(self.keys)
        keys[number] = TimedView.model_validate(keys[number].model_dump() | values)
        return CameraTimeline(keys=tuple(keys))

    def removed(self, number: int) -> CameraTimeline:
        """Without one of them."""
        return CameraTimeline(keys=self.keys[:number] + self.keys[number + 1 :])

    def reordered(self, order: Sequence[int]) -> CameraTimeline:
        """In another order, given by the numbers that they have now."""
        return CameraTimeline(keys=tuple(self.keys[number] for number in order))


def read_timeline(item: Item) -> CameraTimeline:
    """What is kept with an item; without any key frames if that is nothing, or cannot be read."""
    path = item.folder / FILE
    try:
        return CameraTimeline.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return CameraTimeline()
    except (OSError, ValidationError) as error:
        log.warning("camera path %s cannot be read: %s", path, error)
        return CameraTimeline()


def keep_timeline(item: Item, timeline: CameraTimeline) -> None:
    """Keep it with an item; one without key frames leaves nothing behind.

    Raises `DataError` when it cannot be written.
    """
    path = item.folder / FILE
    try:
        if not timeline.keys:
            path.unlink(missing_ok=True)
            return
        write_text(path, timeline.model_dump_json(indent=1))
    except OSError as error:
        raise DataError(f"The camera path could not be kept with the item ({error.strerror or error}).") from error
