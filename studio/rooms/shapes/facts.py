"""What is said and offered in the Shapes room."""

from __future__ import annotations

from ddmi_core.export.options import ShapeExport
from ddmi_core.support.file_kinds import SURFACES
from studio.facts import HandedOver, RoomFacts, Words
from studio.rooms.shapes.actions import ACTIONS, MATERIALS, MOUSE
from studio.state.parts import OF_OBJECTS

FACTS = RoomFacts(
    words=Words(
        domain="shape",
        noun="shape",
        source="mesh or point cloud",
        written_as="OBJ, GLB, PLY or STL",
        file="a mesh file",
        handed_as="a GLB of 128 samples a side",
    ),
    title="Shapes",
    icon="shapes",
    tip="Generate 3D shapes",
    placeholder="Describe furniture, for example\na rectangular table with four legs\na wide sofa with armrests",
    empty_title="Describe a shape",
    empty_text=(
        "Type a prompt and press Generate. The result is a continuous shape: orbit it here, export it as fine "
        "as you like. Or start from an example:"
    ),
    examples=(
        "a wide sofa with armrests",
        "a bench",
        "a desk with drawers",
        "a wardrobe",
        "a double bed",
        "a floor lamp",
    ),
    export=ShapeExport,
    handed_over=HandedOver(".glb", ShapeExport(resolution=128)),
    import_formats=SURFACES,
    import_kind="Meshes and point clouds",
    preset="furniture",
    guide="01-first-shape.md",
    sides=OF_OBJECTS,
    fits_afterwards=True,
    fits_by_steps=True,
    switches=("grid", "axes", "parallel", "wireframe", *MATERIALS),
    switches_off=("parallel", "wireframe", *MATERIALS[1:]),
    actions=ACTIONS,
    mouse=MOUSE,
)
