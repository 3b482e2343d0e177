"""What can be done with a shape on its stage."""

from __future__ import annotations

from studio.camera_actions import camera_moves, camera_views
from studio.facts import ActionSpec

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
    ("Reset the view", "Double click"),
)
