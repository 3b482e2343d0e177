"""What is said and offered in the Video room."""

from __future__ import annotations

from ddmi_core.export.options import VideoExport
from ddmi_core.support.file_kinds import CLIPS
from studio.facts import RoomFacts, Words
from studio.rooms.video.actions import ACTIONS, MOUSE

FACTS = RoomFacts(
    words=Words(
        domain="video",
        noun="clip",
        source="video, animation or folder of frames",
        written_as="MP4, WebM, GIF, WebP or pictures",
        file="a video file",
    ),
    title="Video",
    icon="video",
    tip="Generate clips without a frame rate",
    placeholder="Describe a clip, for example\nsmiling face\nred heart",
    empty_title="Describe a clip",
    empty_text=(
        "Type a prompt and press Generate, or drop a clip of your own here. The result is a continuous function of "
        "place and time: slow it down and zoom in as far as you like. Or start from an example:"
    ),
    examples=("smiling face", "red heart", "a bird", "woman dancing", "clock", "fire"),
    export=VideoExport,
    import_formats=CLIPS,
    import_title="Reconstruct a clip",
    import_kind="Clips",
    preset="emoji-motion",
    preview_resolution=128,
    fits_afterwards=True,
    switches=("loop", "slices"),
    switches_off=("slices",),
    actions=ACTIONS,
    mouse=MOUSE,
)
