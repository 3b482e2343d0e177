"""How many pixels what is exported has. Needs no torch."""

LARGEST_SIDE = 32768
"""Pixels along the longer side of the largest picture that is written."""
Extent = tuple[float, float, float, float]
"""Left, top, right and bottom on the canvas, which spans [-1, 1], x right, y down."""
EVEN_SIDES = {".mp4": "MP4", ".webm": "WebM"}
"""Films whose colours are stored for two by two pixels: suffix and name."""


def pixel_size(region: Extent, resolution: int) -> tuple[int, int]:
    """Return width and height in square pixels of a region whose longer side has `resolution` of them."""
    x0, y0, x1, y1 = region
    longest = max(x1 - x0, y1 - y0)
    return max(1, round(resolution * (x1 - x0) / longest)), max(1, round(resolution * (y1 - y0) / longest))


def frame_size(width: int, height: int, suffix: str) -> tuple[int, int]:
    """Return the size that frames of width x height pixels are drawn at in a format: odd sides of films grow by one."""
    if suffix.lower() not in EVEN_SIDES:
        return width, height
    return width + width % 2, height + height % 2


def size_notice(width: int, height: int, suffix: str) -> str:
    """Say what becomes of a size that a format cannot have; empty where it can."""
    wide, high = frame_size(width, height, suffix)
    if (wide, high) == (width, height):
        return ""
    return f"{EVEN_SIDES[suffix.lower()]} has even sides only: {width} × {height} px becomes {wide} × {high} px."
