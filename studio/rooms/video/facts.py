"""What is said and offered in the Video room."""

from __future__ import annotations

from fractions import Fraction

from ddmi_core.export.options import VideoExport
from ddmi_core.support.animations import is_clip
from ddmi_core.support.file_kinds import CLIPS
from studio.facts import HandedOver, RoomFacts, Words
from studio.rooms.video.actions import ACTIONS, MOUSE
from studio.state.parts import OF_CLIPS

FACTS = RoomFacts(
    words=Words(
        domain="video",
        noun="clip",
        source="video, animation or folder of frames",
        written_as="MP4, WebM, GIF, WebP or pictures",
        file="a video file",
        handed_as="an MP4 of 256 pixels",
    ),
    title="Video",
    icon="video",
    tip="Generate clips without a frame rate",
    placeholder="Describe a clip, for example\na sunset over mountains\na still lake in the evening",
    empty_title="Describe a clip",
    empty_text=(
        "Type a prompt and press Generate, or drop a clip of your own here. The result is a continuous function of "
        "place and time: slow it down and zoom in as far as you like. Or start from an example:"
    ),
    examples=(
        "a sunset over mountains with drifting clouds",
        "dawn behind trees with thin clouds",
        "a clear sky at noon above green hills",
        "a still lake in the evening",
        "rolling hills at dawn",
        "sunset over the ocean",
    ),
    export=VideoExport,
    handed_over=HandedOver(".mp4", VideoExport(resolution=256, fps=Fraction(24))),
    import_formats=CLIPS,
    is_own=is_clip,
    import_kind="Clips",
    preset="skies",
    guide="05-video.md",
    sides=OF_CLIPS,
    preview_resolution=128,
    fits_afterwards=True,
    switches=("loop", "slices"),
    switches_off=("slices",),
    actions=ACTIONS,
    mouse=MOUSE,
)
