"""What can be done with a shape on its stage."""

from __future__ import annotations

from studio.facts import ActionSpec

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "view_home",
        "Perspective view",
        "View",
        "View",
        ("5",),
        "view-home",
        "Look from the front right",
        also="three-quarter corner camera angle",
    ),
    ActionSpec("view_front", "Front view", "View", "View", ("1",), "view-front", also="camera angle"),
    ActionSpec("view_side", "Side view", "View", "View", ("3",), "view-side", also="profile right camera angle"),
    ActionSpec("view_top", "Top view", "View", "View", ("7",), "view-top", also="plan above bird camera angle"),
    ActionSpec(
        "fit",
        "Fit to window",
        "View",
        "View",
        ("F",),
        "fit",
        "Show all of the shape from this side",
        also="zoom all frame centre center",
    ),
    ActionSpec(
        "reset", "Reset the view", "View", "View", ("Home",), "reset", scope="stage", also="home default camera"
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
    ActionSpec("orbit_left", "Orbit left", "Camera", "", ("Left",), scope="stage"),
    ActionSpec("orbit_right", "Orbit right", "Camera", "", ("Right",), scope="stage"),
    ActionSpec("orbit_up", "Orbit up", "Camera", "", ("Up",), scope="stage"),
    ActionSpec("orbit_down", "Orbit down", "Camera", "", ("Down",), scope="stage"),
    ActionSpec("pan_left", "Pan left", "Camera", "", ("Shift+Left",), scope="stage"),
    ActionSpec("pan_right", "Pan right", "Camera", "", ("Shift+Right",), scope="stage"),
    ActionSpec("pan_up", "Pan up", "Camera", "", ("Shift+Up",), scope="stage"),
    ActionSpec("pan_down", "Pan down", "Camera", "", ("Shift+Down",), scope="stage"),
    ActionSpec("zoom_in", "Zoom in", "Camera", "", ("+", "="), scope="stage"),
    ActionSpec("zoom_out", "Zoom out", "Camera", "", ("-",), scope="stage"),
)

MOUSE = (
    ("Orbit", "Left drag"),
    ("Pan", "Right or middle drag"),
    ("Zoom toward the pointer", "Wheel"),
    ("Reset the view", "Double click"),
)
