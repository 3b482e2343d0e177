"""What is said and offered in the Radiance room."""

from __future__ import annotations

from ddmi_core.export.options import RadianceExport
from ddmi_core.support.file_kinds import SCENE_NAMES, SCENES
from studio.facts import HandedOver, RoomFacts, Words
from studio.rooms.radiance.actions import ACTIONS, MOUSE
from studio.state.parts import OF_OBJECTS

FACTS = RoomFacts(
    words=Words(
        domain="nerf",
        noun="radiance field",
        source="coloured point cloud or textured mesh",
        written_as="pictures, a turntable, a coloured mesh, a depth map or posed views",
        file="a picture or a film of it",
        handed_as="a PNG of 512 pixels",
    ),
    title="Radiance",
    icon="radiance",
    tip="Generate radiance fields: colour and density everywhere in space",
    placeholder="Describe an object, for example\na blue sofa\na wooden table",
    empty_title="Describe an object",
    empty_text=(
        "Type a prompt and press Generate, or drop a textured mesh, a coloured point cloud or the transforms.json of "
        "posed photographs here. The result has a "
        "colour and a density everywhere: look at it from anywhere, and film it. Or start from an example:"
    ),
    examples=(
        "a blue sofa",
        "a red sofa",
        "an orange wardrobe",
        "a green bed",
        "a purple sofa",
        "a turquoise wardrobe",
    ),
    export=RadianceExport,
    handed_over=HandedOver(".png", RadianceExport(resolution=512)),
    import_formats=SCENES,
    import_names=SCENE_NAMES,
    import_kind="Meshes, point clouds and posed pictures",
    preset="painted-furniture",
    guide="06-radiance.md",
    sides=OF_OBJECTS,
    preview_resolution=96,
    fits_afterwards=True,
    fits_by_steps=True,
    switches=("look_pane", "gizmo"),
    switches_off=("look_pane",),
    actions=ACTIONS,
    mouse=MOUSE,
)
