"""What can be done with a shape on its stage."""

from __future__ import annotations

from studio.camera_actions import camera_moves, camera_views
from studio.facts import ActionSpec

_MATERIALS = (
    ("plain", "Plain", "In soft light, as shapes are shown at first", "default shading grey"),
    ("clay", "Clay", "Matte and warm: shows the form", "terracotta sculpt matte"),
    ("porcelain", "Porcelain", "White and glazed: shows how smooth it is", "ceramic white glossy"),
    ("metal", "Metal", "Polished steel, which mirrors a room", "steel chrome mirror shiny"),
    (
        "stripes",
        "Zebra stripes",
        "Mirrors stripes, which break at edges and bend where the surface is uneven",
        "zebra reflection lines continuity curvature inspect",
    ),
)
"""Name, text, tip and other words of what the surface can seem to be made of."""
MATERIALS = tuple(f"material_{name}" for name, *_ in _MATERIALS)
"""The ids of their actions; the first one is usual."""

ACTIONS: tuple[ActionSpec, ...] = (
    *camera_views("view", "fit", "reset", "shape"),
    ActionSpec(
        "parallel",
        "Parallel projection",
        "View",
        "View",
        ("P",),
        "parallel",
        "Without perspective, as in a technical drawing",
        checkable=True,
        also="orthographic ortho isometric perspective cad plan",
    ),
    ActionSpec(
        "wireframe",
        "Wireframe",
        "Display",
        "View",
        ("W",),
        "wireframe",
        checkable=True,
        also="edges triangles mesh polygons topology",
    ),
    *(
        ActionSpec(
            action_id,
            text,
            "Material",
            "View/Material",
            tip=tip,
            checkable=True,
            choice="material",
            also=f"matcap material look {also}",
        )
        for action_id, (_, text, tip, also) in zip(MATERIALS, _MATERIALS, strict=True)
    ),
    ActionSpec(
        "section",
        "Section",
        "Measure",
        "View",
        ("C",),
        "section",
        "Cut the view by a plane, to see how thick the walls are and what is inside",
        checkable=True,
        also="cut plane cross-section clip clipping slice inside interior cap wall cutaway",
    ),
    *(
        ActionSpec(
            f"section_{axis}",
            f"Cut across {axis}",
            "Measure",
            "View/Cut",
            icon=f"section-{axis}",
            checkable=True,
            choice="section_axis",
            also="section plane axis cross-section clip",
        )
        for axis in "xyz"
    ),
    ActionSpec(
        "section_flip",
        "Show the other side of the cut",
        "Measure",
        "View/Cut",
        ("Shift+C",),
        "section-flip",
        checkable=True,
        also="section flip reverse invert plane",
    ),
    ActionSpec(
        "ruler",
        "Ruler",
        "Measure",
        "View",
        ("R",),
        "ruler",
        "Measure from one point of the surface to another",
        checkable=True,
        also="measure distance length size dimension units millimetres mm tape",
    ),
    ActionSpec(
        "beside_nothing",
        "The shape alone",
        "Compare",
        "View",
        ("2",),
        "shapes",
        checkable=True,
        choice="beside",
        also="compare off original",
    ),
    ActionSpec(
        "beside_thickness",
        "Thickness",
        "Compare",
        "View",
        ("T",),
        "thickness",
        "Colour the shape by how thin it is: what may break or cannot be printed",
        checkable=True,
        choice="beside",
        also="thin wall print printing 3d printer break fragile heat map colours",
    ),
    ActionSpec(
        "beside_glass",
        "Your file as glass",
        "Compare",
        "View",
        ("4",),
        "glass",
        "Your mesh shines through where it lies outside of the shape",
        checkable=True,
        choice="beside",
        also="compare overlay original ghost transparent",
    ),
    ActionSpec(
        "beside_distances",
        "Distances from your file",
        "Compare",
        "View",
        ("6",),
        "distances",
        "Colour the shape by how far it is from your mesh",
        checkable=True,
        choice="beside",
        also="compare error deviation heat map colours original",
    ),
    ActionSpec(
        "shape_fidelity",
        "Fidelity…",
        "Display",
        "View",
        ("Q",),
        "fidelity",
        "Fit your file again, closer to it or smaller",
        also="quality fit refit small balanced faithful size again",
    ),
    ActionSpec("grid", "Floor grid", "Display", "View", ("G",), "grid", checkable=True, also="ground plane lines"),
    ActionSpec("axes", "Axes", "Display", "View", ("A",), "axes", checkable=True, also="gizmo orientation xyz"),
    *camera_moves("orbit", "pan", "zoom_in", "zoom_out"),
)

MOUSE = (
    ("Orbit", "Left drag"),
    ("Pan", "Right or middle drag"),
    ("Zoom toward the pointer", "Wheel"),
    ("Put an end of the ruler, while it is on", "Click"),
    ("Reset the view", "Double click"),
)
