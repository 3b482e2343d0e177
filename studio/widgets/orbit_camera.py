"""The camera that the viewport orbits: pure arithmetic, no window and no OpenGL.

Space is right-handed with y up; the camera looks along its own -z. Matrices act on column vectors.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ddmi_core.export.options import KeyFrame

FIELD_OF_VIEW = 30.0
"""Degrees, vertical, where nobody chose another one."""
PARALLEL = 0.5
"""The field of view of a camera so far away that lines which are parallel in space are so in its picture."""
MIN_DISTANCE, MAX_DISTANCE = 0.05, 40.0
"""In the usual field of view; in a narrower one as far as looks the same."""
_MAX_ELEVATION = 90.0
_FILLED = 0.8  # how much of the picture a fitted box takes


@dataclass(frozen=True)
class View:
    """Where the camera is: angles in degrees, `distance` from `centre`, which it looks at, in scene units.

    Azimuth 0 looks at the front (+z side); positive azimuth moves the camera to the right (+x side), positive
    elevation up.
    """

    azimuth: float = 35.0
    elevation: float = 22.0
    distance: float = 4.0
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    fov: float = FIELD_OF_VIEW

    @classmethod
    def of_pose(cls, pose: Float[np.ndarray, "4 4"], fov: float) -> "View":
        """The view of a camera, upright: where it stands and looks, at what is as far away as the origin."""
        backward, place = pose[:3, 2], pose[:3, 3]
        elevation = float(np.degrees(np.arcsin(np.clip(backward[1], -1, 1))))
        azimuth = float(np.degrees(np.arctan2(backward[0], backward[2])))
        distance = float(np.clip(place @ backward, MIN_DISTANCE, MAX_DISTANCE))
        return cls(azimuth, elevation, distance, fov=fov)._looking_at(place - distance * backward)

    def orbited(self, azimuth: float, elevation: float) -> "View":
        """This view turned by the angles given (degrees); it stops at the poles."""
        return replace(
            self,
            azimuth=(self.azimuth + azimuth + 180.0) % 360.0 - 180.0,
            elevation=float(np.clip(self.elevation + elevation, -_MAX_ELEVATION, _MAX_ELEVATION)),
        )

    def panned(self, right: float, up: float) -> "View":
        """This view moved sideways; the distances are fractions of the visible height."""
        scale = 2.0 * self.distance * np.tan(np.radians(self.fov / 2))
        return self.moved(scale * right, scale * up, 0.0)

    def moved(self, right: float, up: float, forward: float) -> "View":
        """This view from a place so far away, in scene units along the camera's own axes."""
        rotation = self.rotation()
        return self._looking_at(np.asarray(self.centre) + np.array([right, up, -forward]) @ rotation)

    def turned(self, azimuth: float, elevation: float) -> "View":
        """This view looking elsewhere from the same place; the angles are those that `orbited` takes."""
        elsewhere = self.orbited(azimuth, elevation)
        return elsewhere._looking_at(self.position() - self.distance * elsewhere.rotation()[2])

    def with_fov(self, fov: float, distance: float) -> "View":
        """This view with another field of view, in degrees, and at another distance."""
        return replace(self, fov=fov, distance=_within_reach(distance, fov))

    @property
    def is_parallel(self) -> bool:
        """Whether it shows no perspective."""
        return self.fov <= PARALLEL

    def projected(self, *, parallel: bool) -> "View":
        """This view with or without perspective, what it looks at being as large as before."""
        if parallel == self.is_parallel:
            return self
        fov = PARALLEL if parallel else FIELD_OF_VIEW
        return self.with_fov(fov, self.distance * _height(self.fov) / _height(fov))

    def _looking_at(self, centre: Float[np.ndarray, " 3"]) -> "View":
        return replace(self, centre=(float(centre[0]), float(centre[1]), float(centre[2])))

    def zoomed(self, factor: float, toward: tuple[float, float] = (0.0, 0.0)) -> "View":
        """This view `factor` times as far away, keeping the point under `toward` in place.

        `toward` counts from the middle of the picture, x right and y up, in fractions of the visible height.
        """
        distance = _within_reach(self.distance * factor, self.fov)
        kept = 1.0 - distance / self.distance
        return replace(self.panned(kept * toward[0], kept * toward[1]), distance=distance)

    def rotation(self) -> Float[np.ndarray, "3 3"]:
        """The camera's right, up and backward axes in the scene, as rows."""
        azimuth, elevation = np.radians(self.azimuth), np.radians(self.elevation)
        backward = np.array(
            [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)]
        )
        right = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)])
        return np.stack([right, np.cross(backward, right), backward])

    def position(self) -> Float[np.ndarray, " 3"]:
        """The camera's place in the scene."""
        return np.asarray(self.centre) + self.distance * self.rotation()[2]

    def camera_to_world(self) -> Float[np.ndarray, "4 4"]:
        """The camera's pose."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation().T
        matrix[:3, 3] = self.position()
        return matrix

    def world_to_camera(self) -> Float[np.ndarray, "4 4"]:
        """The view matrix."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation()
        matrix[:3, 3] = -self.rotation() @ self.position()
        return matrix

    def projection(self, aspect: float) -> Float[np.ndarray, "4 4"]:
        """The perspective matrix of a picture `aspect` times as wide as high; a narrow one sees higher up."""
        focal = 1.0 / np.tan(np.radians(self.fov / 2)) * min(1.0, aspect)
        near, far = max(0.01, self.distance * 0.02, self.distance - 30.0), self.distance + 30.0
        matrix = np.zeros((4, 4))
        matrix[0, 0], matrix[1, 1] = focal / aspect, focal
        matrix[2, 2], matrix[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
        matrix[3, 2] = -1.0
        return matrix

    def ray(self, right: float, up: float, aspect: float) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]:
        """Where the camera is, and which way it sees a place of a picture `aspect` times as wide as high.

        The place counts from the middle of the picture, -1 to 1 along both of its sides.
        """
        matrix = self.projection(aspect)
        return self.position(), np.array([right / matrix[0, 0], up / matrix[1, 1], -1.0]) @ self.rotation()

    def blended(self, other: "View", amount: float) -> "View":
        """The view `amount` (0..1) of the way to `other`, turning the short way round."""
        turn = (other.azimuth - self.azimuth + 180.0) % 360.0 - 180.0
        here, there = np.asarray(self.centre), np.asarray(other.centre)
        return View(
            azimuth=(self.azimuth + amount * turn + 180.0) % 360.0 - 180.0,
            elevation=self.elevation + amount * (other.elevation - self.elevation),
            distance=float(np.exp((1 - amount) * np.log(self.distance) + amount * np.log(other.distance))),
            fov=self.fov + amount * (other.fov - self.fov),
        )._looking_at(here + amount * (there - here))


def _height(fov: float) -> float:
    """How high what is seen at a distance of 1 is."""
    return 2.0 * float(np.tan(np.radians(fov / 2)))


def _within_reach(distance: float, fov: float) -> float:
    """The distance nearest to one that a camera may have."""
    far = max(1.0, _height(FIELD_OF_VIEW) / _height(fov))
    return float(np.clip(distance, MIN_DISTANCE * far, MAX_DISTANCE * far))


def key_frame(view: View) -> KeyFrame:
    """The view as requests take it."""
    return KeyFrame(pose=pose_rows(view.camera_to_world()), fov=view.fov)


def pose_rows(pose: Float[np.ndarray, "4 4"]) -> tuple[tuple[float, float, float, float], ...]:
    """A pose as a key frame takes it."""
    return tuple(tuple(float(value) for value in row) for row in pose)  # type: ignore[misc]


STANDARD_VIEWS: dict[str, tuple[float, float]] = {
    "home": (35.0, 22.0),
    "front": (0.0, 0.0),
    "side": (90.0, 0.0),
    "top": (0.0, 90.0),
}


def fitted(view: View, low: Float[np.ndarray, " 3"], high: Float[np.ndarray, " 3"]) -> View:
    """`view` moved so that the box from `low` to `high` fills the picture with a margin, from the same direction."""
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    centre, half = (low + high) / 2, np.maximum((high - low) / 2, 0.03)
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = np.abs(half) * signs @ view.rotation().T  # right, up, toward the camera
    sideways = np.abs(corners[:, :2]).max(axis=1)
    distance = (corners[:, 2] + sideways / (_FILLED * np.tan(np.radians(view.fov / 2)))).max()
    return replace(view, distance=float(distance))._looking_at(centre)
