"""What a picture of a radiance field shows and how finely. Needs no torch."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_validator
from pydantic import Field as Setting

Channel = Literal["colour", "depth", "normals", "opacity"]
"""What a picture shows: light; the distance along each ray, near bright; the surface's direction; coverage."""
CHANNELS: tuple[Channel, ...] = ("colour", "depth", "normals", "opacity")

Easing = Literal["flowing", "resting", "straight"]
"""How a camera goes from a key frame to the next: through both without a halt; from rest to rest; on a straight line at
one speed."""

Around = Literal["ring", "sphere", "hemisphere"]
"""Where cameras stand around an object: at one elevation; everywhere; everywhere above its middle."""

Crop = tuple[float, float, float, float, float, float]
"""Lowest x, y, z and highest x, y, z."""

WHOLE_SPACE: Crop = (-1.0, -1.0, -1.0, 1.0, 1.0, 1.0)

_ROUGHLY = 2  # a rough picture has so many times fewer samples along a ray,
_FEWEST_SAMPLES = 48  # but not fewer than these


class ViewSettings(BaseModel):
    """How a view is rendered. Distances are in units of the field's [-1, 1]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Channel = "colour"
    samples: int = Setting(128, ge=8, le=2048)
    """Along each ray, between where it enters and leaves the space that is shown."""
    near: float = Setting(0.0, ge=0)
    """Nothing nearer to the camera than this is shown."""
    far: float = Setting(100.0, gt=0)
    """Nor farther."""
    crop: Crop = WHOLE_SPACE
    """What lies outside of this box is not shown."""
    background: tuple[int, int, int] | None = None
    """sRGB, 0 to 255; transparent if None."""

    @field_validator("crop")
    @classmethod
    def _has_a_volume(cls, crop: Crop) -> Crop:
        if not all(-1 <= low < high <= 1 for low, high in zip(crop[:3], crop[3:], strict=True)):
            raise ValueError("lowest x, y, z must be below highest x, y, z, all in [-1, 1]")
        return crop

    @field_validator("background")
    @classmethod
    def _is_a_colour(cls, background: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
        if background is not None and not all(0 <= part <= 255 for part in background):
            raise ValueError("red, green and blue are from 0 to 255")
        return background

    @model_validator(mode="after")
    def _near_is_nearer(self) -> "ViewSettings":
        if self.near >= self.far:
            raise ValueError("near must be less than far")
        return self

    def rough(self) -> "ViewSettings":
        """Return the settings of a picture that is drawn while the camera moves: fewer samples along each ray."""
        return self.model_copy(update={"samples": min(self.samples, max(_FEWEST_SAMPLES, self.samples // _ROUGHLY))})
