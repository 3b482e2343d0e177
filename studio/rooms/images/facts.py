"""What is said and offered in the Images room."""

from __future__ import annotations

from ddmi_core.export.options import ImageExport
from ddmi_core.support.animations import is_picture
from ddmi_core.support.file_kinds import PICTURES
from studio.facts import HandedOver, RoomFacts, Words
from studio.rooms.images.actions import ACTIONS, MOUSE
from studio.state.parts import OF_PICTURES
from studio.widgets.deep_zoom.geometry import BASE

FACTS = RoomFacts(
    words=Words(
        domain="image",
        noun="picture",
        source="picture",
        written_as="PNG, JPEG, WebP, TIFF or SVG",
        file="a picture of any size",
        handed_as="a PNG of 1,024 pixels",
    ),
    title="Images",
    icon="images",
    tip="Generate pictures without a resolution",
    placeholder="Describe a person, for example\na person with sunglasses\na smiling man, flat style",
    empty_title="Describe a picture",
    empty_text=(
        "Type a prompt and press Generate, or drop a picture of your own here. The result is a continuous function: "
        "zoom in as far as you like. Or start from an example:"
    ),
    examples=(
        "a person with sunglasses, flat style",
        "a man with a beard, outlined cartoon style",
        "a woman with long black hair, flat icon style",
        "a person with a purple mohawk",
        "a woman with a blond bob, outlined cartoon style",
        "a person, outlined cartoon style",
    ),
    export=ImageExport,
    handed_over=HandedOver(".png", ImageExport(resolution=1024)),
    import_formats=PICTURES,
    is_own=is_picture,
    import_kind="Pictures",
    preset="portraits",
    guide="04-pictures.md",
    sides=OF_PICTURES,
    preview_resolution=BASE,
    switches=("navigator",),
    recipe_formats=(".svg",),
    fits_at_once=True,
    actions=ACTIONS,
    mouse=MOUSE,
)
