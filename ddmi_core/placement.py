"""Where an object lay in its file: scale, place, and which axis was up. Needs no torch."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field

from ddmi_core.support.errors import DataError

HALF_SIDE = 0.9
"""The longest side of an object that has been brought in spans [-HALF_SIDE, HALF_SIDE]."""

_ROUNDING = 1e-5  # of the object's size
Up = Literal["y", "z"]

TO_Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""Turns a world with z up into one with y up: what faced -y then faces the front, +z."""


def turned_up(points: Float[np.ndarray, "n 3"], up: Up) -> Float[np.ndarray, "n 3"]:
    """Return points of a file with an axis up, turned to y up."""
    return np.asarray(points) if up == "y" else np.asarray(points) @ TO_Y_UP[:3, :3].T


class Placement(BaseModel):
    """The way from a file's space into the one that models work in, and back.

    A file's axes are turned to y up; then the middle of the object's box goes to the origin and its longest side to
    1.8. `centre` is that middle, with y up, in the file's units; `unit` the length there of what is 1 here.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    centre: tuple[float, float, float]
    unit: float = Field(gt=0)
    up: Up = "y"

    @classmethod
    def of(cls, points: Float[np.ndarray, "n 3"], up: Up = "y") -> "Placement":
        """Return the placement of an object.

        Args:
            points: of its surface, in the file's units, turned to y up.
            up: which axis the file has up.

        Raises:
            DataError: the points are not finite, or have no extent.
        """
        points = np.asarray(points, dtype=np.float64)
        if not len(points) or not np.isfinite(points).all():
            raise DataError("The shape has no finite vertices. Export it again from the program that made it.")
        low, high = points.min(0), points.max(0)
        longest = float((high - low).max())
        if longest <= 0:
            raise DataError("All vertices of the shape are one point. Export it again from the program that made it.")
        x, y, z = ((low + high) / 2).tolist()
        return cls(centre=(x, y, z), unit=longest / (2 * HALF_SIDE), up=up)

    def sized(self, longest: float, side: float) -> "Placement":
        """Return the one that has the object around the origin, with its axis up.

        Args:
            longest: how long its longest side is to be.
            side: how long that is in [-1, 1]^3.
        """
        return Placement(centre=(0.0, 0.0, 0.0), unit=longest / side, up=self.up)

    def brought_in(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Return points in the file's units, with y up, as they lie in [-1, 1]^3."""
        return (np.asarray(points, dtype=np.float64) - np.array(self.centre)) / self.unit

    def is_near(self, other: "Placement") -> bool:
        """Whether it is another placement but for rounding."""
        apart = np.abs(np.subtract(self.centre, other.centre)).max()
        return self.up == other.up and bool(max(apart, abs(self.unit - other.unit)) <= _ROUNDING * self.unit)

    @property
    def longest(self) -> float:
        """The object's longest side in the file's units."""
        return 2 * HALF_SIDE * self.unit

    def back(self, up: Up | None = None) -> Float[np.ndarray, "4 4"]:
        """Return the matrix that takes [-1, 1]^3 to the file's space.

        Args:
            up: the axis to have up there, where that is not the file's affair.
        """
        matrix = np.diag([self.unit, self.unit, self.unit, 1.0])
        matrix[:3, 3] = self.centre
        return matrix if (up or self.up) == "y" else TO_Y_UP.T @ matrix


UNPLACED = Placement(centre=(0.0, 0.0, 0.0), unit=1.0)
"""Of what comes from no file."""
