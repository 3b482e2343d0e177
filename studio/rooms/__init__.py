"""The rooms, one folder each for a kind of signals; they know nothing of each other, and the window nothing of any."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from studio.common_actions import WINDOW, WORK
from studio.facts import ActionSpec
from studio.panels.room import Stage
from studio.rooms.images.stage import ImageStage
from studio.rooms.radiance.stage import RadianceStage
from studio.rooms.shapes.stage import ShapeStage
from studio.rooms.video.stage import VideoStage

Room = type[Stage[Any]]
ROOMS: tuple[Room, ...] = (ShapeStage, ImageStage, RadianceStage, VideoStage)
"""In the order of the rail."""


def actions_of(rooms: Iterable[Room] = ROOMS) -> tuple[ActionSpec, ...]:
    """All that can be done in a window with these rooms, in the order of menus and sheets."""
    return (*WORK, *chain.from_iterable(stage.room.own_actions() for stage in rooms), *WINDOW)
