"""What lengths of a shape or a picture are told in."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ddmi_core.frame_size import Extent
from ddmi_core.placement import UNPLACED, Placement

_FINENESS = 3  # digits after the first one of the longest side


@dataclass(frozen=True)
class Lengths:
    """`unit`: how long what is 1 on the stage is. `longest`: the longest side, told. `suffix`: what follows a number.

    `told_in`: in what lengths are told, for a person to read.
    """

    unit: float
    longest: float
    suffix: str
    told_in: str

    @classmethod
    def of(cls, side: float, placement: Placement | None = None, longest: float = 0.0) -> Lengths:
        """Return those in which a shape is exported as well.

        Where nobody says how long it is, they are shares of its longest side.

        Args:
            side: how long the longest side is on the stage, above 0.
            placement: of the file that the shape was made from, whose units have no name.
            longest: how long the longest side is made, in millimetres, as printers take lengths; 0: as it is.
        """
        if longest > 0:
            return cls((placement or UNPLACED).sized(longest, side).unit, longest, " mm", "millimetres")
        if placement is not None:
            return cls(placement.unit, placement.unit * side, "", "the units of your file")
        return cls(100 / side, 100.0, " %", "shares of the longest side")

    @classmethod
    def of_picture(cls, extent: Extent, pixels: tuple[int, int] | None, exported: int) -> tuple[Lengths, ...]:
        """Return those in which a picture is measured: pixels of its file, or shares of it and pixels of an export.

        Args:
            extent: the part of the canvas that it covers.
            pixels: of the file that it stands for, if there is one.
            exported: along the longer side of an export.
        """
        left, top, right, bottom = extent
        longest = max(right - left, bottom - top)
        if pixels is not None:
            return (cls(max(pixels) / longest, max(pixels), " px", "pixels of your file"),)
        shares = cls(100 / (right - left), 100.0, " %", "shares of the width")
        return shares, cls(exported / longest, exported, " px", f"an export of {exported:,} px")

    def said(self, length: float, *, bare: bool = False) -> str:
        """Return a length on the stage in words, to a thousandth of the longest side; `bare`: the number alone."""
        decimals = max(0, _FINENESS - math.floor(math.log10(self.longest)))
        return f"{length * self.unit:,.{decimals}f}{'' if bare else self.suffix}"
