"""How closely a file of a person's own is represented, and what came of it."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from ddmi_core.frame_size import LARGEST_SIDE, Extent

Fidelity = Literal["small", "balanced", "faithful"]
"""What a file becomes: a latent, kilobytes; basis fields with a cell for several samples; or as dense as the file."""
FIDELITIES: tuple[Fidelity, ...] = get_args(Fidelity)


class FitFacts(BaseModel):
    """What a fit is, and how near it comes to its file.

    `pixels` are the width and height of a picture, and `bits` those of its channels. `done` is the share of its steps
    that a fit has had; one that was stopped can be gone on with. `figures` are names and values of what was measured
    against the file itself: of pictures and clips `psnr` in dB and `ssim`, of shapes `iou`, of scenes `psnr` at so many
    `held_out_views`. `of_latent` are the same of a fit's latent, which stands for the file where only a latent can, as
    far as they were measured. `remark` is what a person should know about it, such as what of the file was left out.
    """

    model_config = ConfigDict(frozen=True)

    fidelity: Fidelity
    size_bytes: Annotated[int, Field(ge=0)]
    pixels: tuple[int, int] | None = None
    bits: Literal[8, 16] = 8
    done: Annotated[float, Field(gt=0, le=1)] = 1.0
    figures: dict[str, float] = {}
    of_latent: dict[str, float] = {}
    remark: str = ""

    def resolution(self, region: Extent | None = None) -> int | None:
        """Return the pixels of the file along the longer side of a region, or of all of it: as many as make sense.

        None where the file has no pixels.
        """
        if self.pixels is None:
            return None
        left, top, right, bottom = region or (-1.0, -1.0, 1.0, 1.0)
        return min(LARGEST_SIDE, max(1, round(max(self.pixels) * max(right - left, bottom - top) / 2)))
