"""What can be done with a radiance field on its stage."""

from __future__ import annotations

from studio.camera_actions import camera_moves, camera_views
from studio.facts import ActionSpec

ACTIONS: tuple[ActionSpec, ...] = (
    *(
        ActionSpec(
            f"channel_{channel}",
            text,
            "Channel",
            "View",
            (key,),
            channel,
            tip,
            checkable=True,
            choice="channel",
        )
        for channel, text, key, tip in (
            ("colour", "Colour", "2", "Show the light that reaches the camera"),
            ("depth", "Depth", "4", "Show how far away what is seen is, near bright"),
            ("normals", "Normals", "6", "Show which way surfaces face"),
            ("opacity", "Opacity", "8", "Show how much of the background is covered"),
        )
    ),
    *camera_views("look", "look_fit", "look_reset", "space"),
    ActionSpec(
        "fly",
        "Fly",
        "Camera",
        "View",
        ("V",),
        "fly",
        "Look around from where the camera is; W A S D move it, Q and E sink and rise",
        checkable=True,
        also="walk wasd first-person game",
    ),
    ActionSpec(
        "held_out_view",
        "Compare with the photographs",
        "Compare",
        "View",
        ("B",),
        "beside-file",
        "Right of the bar: a photograph that the fit did not learn from, seen from its camera",
        checkable=True,
        also="original split bar beside file held-out views photos",
    ),
    ActionSpec(
        "held_out_before",
        "The photograph before",
        "Compare",
        "View",
        (",",),
        "step-back",
        also="held-out view previous",
    ),
    ActionSpec(
        "held_out_next", "The next photograph", "Compare", "View", (".",), "step-on", also="held-out view following"
    ),
    ActionSpec(
        "scene_fidelity",
        "Fidelity…",
        "Compare",
        "View",
        ("Y",),
        "fidelity",
        "Fit your photographs again, closer to them or smaller",
        also="quality fit refit small balanced faithful size again",
    ),
    ActionSpec("gizmo", "Axes", "Display", "View", ("X",), "axes", checkable=True, also="orientation xyz"),
    ActionSpec(
        "look_pane",
        "Camera and light",
        "Display",
        "View",
        ("C",),
        "sliders",
        "Field of view, samples, background, crop box and camera path",
        checkable=True,
        also="fov lens background settings",
    ),
    ActionSpec(
        "key_frame",
        "Add a key frame",
        "Film",
        "Film",
        ("K",),
        "key-frame",
        "Let the path go through this view",
        also="keyframe camera path animation",
    ),
    ActionSpec(
        "play_path",
        "Play the path",
        "Film",
        "Film",
        ("Space",),
        tip="Go along the key frames",
        also="animation preview film",
    ),
    ActionSpec(
        "turntable",
        "Turntable…",
        "Film",
        "Film",
        ("T",),
        "turntable",
        "Write a film of a whole turn of the object",
        also="spin rotate 360 video film movie",
    ),
    *camera_moves("look", "shift", "look_closer", "look_farther"),
)

MOUSE = (
    ("Orbit, or look around", "Left drag"),
    ("Pan", "Right or middle drag"),
    ("Zoom, or fly on", "Wheel"),
    ("Fly", "W A S D, Q E, while flying"),
    ("Reset the view", "Double click"),
)
