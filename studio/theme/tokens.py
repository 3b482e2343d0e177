"""Every colour and size of the window. Nothing else in the studio names a colour or a pixel count of the look."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """One theme's colours, as `#rrggbb`; `shadow_strength` is the floor shadow's opacity at contact, 0..1."""

    stage: str
    stage_glow: str
    panel: str
    raised: str
    control: str
    control_hover: str
    control_pressed: str
    groove: str
    line: str
    text: str
    muted: str
    icon: str
    disabled: str
    accent: str
    accent_hover: str
    accent_pressed: str
    accent_soft: str
    on_accent: str
    error: str
    error_soft: str
    success: str
    star: str
    clay: str
    grid: str
    shadow: str
    shadow_strength: float
    wire: str
    cut: str
    cut_hatch: str
    axis_x: str
    axis_y: str
    axis_z: str
    check_light: str
    check_dark: str


DARK = Colours(
    stage="#16181c",
    stage_glow="#262a32",
    panel="#1e2127",
    raised="#252930",
    control="#2a2e36",
    control_hover="#343943",
    control_pressed="#22262d",
    groove="#434a56",
    line="#2e333c",
    text="#e6e8eb",
    muted="#9aa3ad",
    icon="#c3c9d2",
    disabled="#626a75",
    accent="#5b8cff",
    accent_hover="#739dff",
    accent_pressed="#4778ec",
    accent_soft="#2a3856",
    on_accent="#0b1020",
    error="#ff6b6b",
    error_soft="#3a2327",
    success="#5fcf8f",
    star="#f2c14e",
    clay="#c3c9d3",
    grid="#8a94a6",
    shadow="#000000",
    shadow_strength=0.6,
    wire="#14213d",
    cut="#2b7f78",
    cut_hatch="#7fcfc6",
    axis_x="#ef6a6a",
    axis_y="#79c36a",
    axis_z="#5b8cff",
    check_light="#33373f",
    check_dark="#2a2e35",
)

LIGHT = Colours(
    stage="#dfe3e8",
    stage_glow="#f5f7f9",
    panel="#f7f8fa",
    raised="#ffffff",
    control="#e8ebef",
    control_hover="#dde1e7",
    control_pressed="#d2d7de",
    groove="#b4bbc5",
    line="#d9dde3",
    text="#1b1f25",
    muted="#5a6470",
    icon="#3d4652",
    disabled="#a3abb5",
    accent="#2f66e6",
    accent_hover="#3f75f2",
    accent_pressed="#2457cc",
    accent_soft="#dbe5fc",
    on_accent="#ffffff",
    error="#c62f36",
    error_soft="#fbe6e7",
    success="#1f8a52",
    star="#c98a00",
    clay="#b9c0cc",
    grid="#6b7686",
    shadow="#1a2230",
    shadow_strength=0.45,
    wire="#1b3a8a",
    cut="#84c7c0",
    cut_hatch="#2f857c",
    axis_x="#d24343",
    axis_y="#3f9634",
    axis_z="#2f66e6",
    check_light="#ffffff",
    check_dark="#edf0f3",
)

THEMES: dict[str, Colours] = {"dark": DARK, "light": LIGHT}

FONT_FAMILIES = ("Inter", "Segoe UI Variable", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans")
FONT_SMALL, FONT_BODY, FONT_TITLE = 12, 13, 20  # px

GRID = 8  # px; every distance is a multiple of half of it
RADIUS = 6
CONTROL_HEIGHT = 32
STRIP_HEIGHT = 48
RAIL_WIDTH = 80
INSPECTOR_WIDTH = 320
THUMBNAIL, LARGE_THUMBNAIL = 88, 136
ICON = 20
