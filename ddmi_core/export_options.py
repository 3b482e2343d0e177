"""What a person can choose about an export: one frozen model per domain. Needs no torch."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic import Field as Setting

from ddmi_core.errors import ExportError

LARGEST_SIDE = 32768
"""Pixels along the longer side of the largest picture that is written."""

_Options = TypeVar("_Options", bound="ExportOptions")


class ExportOptions(BaseModel):
    """Base of the domains' options."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def checked(cls: type[_Options], values: Mapping[str, Any]) -> _Options:
        """Make options of values that a person gave.

        Raises:
            ExportError: an option that this kind of export does not have, or a value that does not fit.
        """
        unknown = sorted(set(values) - set(cls.model_fields))
        if unknown:
            raise ExportError(f"This kind of export has no {_named(unknown)}; it has {_named(list(cls.model_fields))}.")
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"][:1])).replace("_", "-")
            raise ExportError(f"{where} does not fit: {first['msg']}.") from error


class ShapeExport(ExportOptions):
    """How a shape becomes a mesh."""

    resolution: int = 256
    """Samples along each axis."""
    faces: int | None = None
    """Simplify to about this many triangles."""


class ImageExport(ExportOptions):
    """How a picture becomes pixels."""

    resolution: int = Setting(1024, ge=1, le=LARGEST_SIDE)
    """Pixels along the longer side of what is exported."""
    region: tuple[float, float, float, float] | None = None
    """Left, top, right and bottom on the canvas, which spans [-1, 1], x right, y down. All of the picture if None."""
    bits: Literal[8, 16] = 8
    """Bits a channel; 16 for PNG and TIFF."""
    quality: int = Setting(92, ge=1, le=100)
    """Of JPEG and WebP."""
    embed_recipe: bool = True
    """Whether the file says how the picture was made, so that it can be made again from the file."""

    @field_validator("region")
    @classmethod
    def _has_an_area(cls, region: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
        if region is not None:
            x0, y0, x1, y1 = region
            if not (-1 <= x0 < x1 <= 1 and -1 <= y0 < y1 <= 1):
                raise ValueError("left, top, right, bottom must grow and lie in [-1, 1]")
        return region


def _named(names: list[str]) -> str:
    return ", ".join(name.replace("_", "-") for name in names)
