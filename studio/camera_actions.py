"""What can be done with a camera in the rooms whose signals lie in space."""

from __future__ import annotations

from studio.facts import ActionSpec


def camera_views(turn: str, fit: str, reset: str, shown: str) -> tuple[ActionSpec, ...]:
    """What turns a camera about something in space to a side of it, and shows all of it.

    Args:
        turn: what the ids of the sides begin with.
        fit: id of what shows all.
        reset: id of what goes back to the first view.
        shown: what all of is shown.
    """
    return (
        ActionSpec(
            f"{turn}_home",
            "Perspective view",
            "View",
            "View",
            ("5",),
            "view-home",
            "Look from the front right",
            also="three-quarter corner camera angle",
        ),
        ActionSpec(f"{turn}_front", "Front view", "View", "View", ("1",), "view-front", also="camera angle"),
        ActionSpec(f"{turn}_side", "Side view", "View", "View", ("3",), "view-side", also="profile right camera angle"),
        ActionSpec(f"{turn}_top", "Top view", "View", "View", ("7",), "view-top", also="plan above bird camera angle"),
        ActionSpec(
            fit,
            "Fit to window",
            "View",
            "View",
            ("F",),
            "fit",
            f"Show all of the {shown} from this side",
            also="zoom all frame centre center",
        ),
        ActionSpec(
            reset, "Reset the view", "View", "View", ("Home",), "reset", scope="stage", also="home default camera"
        ),
    )


def camera_moves(orbit: str, pan: str, closer: str, farther: str) -> tuple[ActionSpec, ...]:
    """What moves such a camera by the keyboard: what the ids of directions begin with, and ids."""
    sides = ("left", "right", "up", "down")
    return (
        *(ActionSpec(f"{orbit}_{to}", f"Orbit {to}", "Camera", "", (to.capitalize(),), scope="stage") for to in sides),
        *(
            ActionSpec(f"{pan}_{to}", f"Pan {to}", "Camera", "", (f"Shift+{to.capitalize()}",), scope="stage")
            for to in sides
        ),
        ActionSpec(closer, "Zoom in", "Camera", "", ("+", "="), scope="stage"),
        ActionSpec(farther, "Zoom out", "Camera", "", ("-",), scope="stage"),
    )
