"""What a camera sees of a radiance field."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from ddmi_core.rendering.picture_layout import over
from ddmi_core.rendering.view_settings import ViewSettings


class View(NamedTuple):
    """What a camera sees of a field, row 0 at the top, float32.

    `colour` is premultiplied, `depth` the distance along each ray (infinite where nothing is), `normals` unit vectors
    in the field's space (zero where no surface is); they are None unless they were asked for.
    """

    colour: Float[np.ndarray, "h w 3"]
    opacity: Float[np.ndarray, "h w"]
    depth: Float[np.ndarray, "h w"]
    normals: Float[np.ndarray, "h w 3"] | None = None

    def picture(self, settings: ViewSettings) -> UInt8[np.ndarray, "h w 4"]:
        """Return the channel that the settings name, straight alpha, on their background if there is one."""
        match settings.channel:
            case "colour":
                shown = self.colour / np.maximum(self.opacity, 1e-4)[..., None]
            case "depth":
                shown = np.repeat(_brightness(self.depth)[..., None], 3, axis=-1)
            case "normals":
                assert self.normals is not None
                shown = (self.normals + 1) / 2
            case "opacity":
                shown = np.repeat(self.opacity[..., None], 3, axis=-1)
        alpha = np.ones_like(self.opacity) if settings.channel == "opacity" else self.opacity
        pixels = np.concatenate([shown, alpha[..., None]], axis=-1)
        picture = np.round(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
        if settings.background is None:
            return picture
        solid = over(picture, settings.background)
        return np.concatenate([solid, np.full_like(solid[..., :1], 255)], axis=-1)


def _brightness(depth: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """From white for the nearest to dark grey for the farthest that is seen."""
    seen = np.isfinite(depth)
    if not seen.any():
        return np.zeros_like(depth)
    near, far = depth[seen].min(), depth[seen].max()
    share = (np.where(seen, depth, far) - near) / max(far - near, 1e-6)
    return (1 - 0.8 * share).astype(np.float32)
