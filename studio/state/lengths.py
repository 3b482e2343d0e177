"""What lengths of a shape are told in."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ddmi_core.placement import UNPLACED, Placement

_FINENESS = 3  # decimal places of the longest side that are told


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

    def said(self, length: float, *, bare: bool = False) -> str:
        """Return a length on the stage in words, to a thousandth of the longest side; `bare`: the number alone."""
        decimals = max(0, _FINENESS - math.floor(math.log10(self.longest)))
        return f"{length * self.unit:,.{decimals}f}{'' if bare else self.suffix}"
