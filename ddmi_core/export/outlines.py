"""Pictures as outlines: SVG, in which areas of one colour each are bounded by curves.

A flat drawing, parted into few colours, becomes paths that any drawing program goes on with. Colours are parted first,
by k-means from a median cut, because a tracer that joins neighbours of like colours would run along every soft edge.
"""

import html
import io
import re
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import DataError
from ddmi_core.support.parsing import parse_json

_ROUNDS = 4  # of k-means
_SPECKLE = 1 / 128
"""Sides of the largest areas that are left out, as a share of the picture's longer side."""
_CLEAR = 128  # pixels of less alpha are left out
_METADATA = re.compile(rb'<metadata id="ddmi">(.*?)</metadata>', re.DOTALL)
_PATH = re.compile(r"<path [^>]*/>\n")
_LONGEST = 2**20  # bytes at the beginning of a file in which its recipe is looked for


def traced(pixels: UInt8[np.ndarray, "h w 4"], colours: int, recipe: Recipe | None = None) -> str:
    """Return a picture as SVG.

    Args:
        pixels: with straight alpha; what is more than half transparent is left out, all else is opaque.
        colours: into how many it is parted.
        recipe: to be told in the metadata.
    """
    import vtracer

    palette = Image.fromarray(pixels[..., :3]).quantize(colours, kmeans=_ROUNDS, dither=Image.Dither.NONE)
    parted, is_clear = np.array(palette.convert("RGB")), pixels[..., 3] < _CLEAR
    # The tracer knows no transparency: what is clear is an area of a colour that nothing has, left out afterwards
    used = {tuple(colour) for colour in np.unique(parted.reshape(-1, 3), axis=0)}
    clear = next(colour for colour in ((255, 0, blue) for blue in range(255, -1, -1)) if colour not in used)
    parted[is_clear] = clear
    buffer = io.BytesIO()
    Image.fromarray(parted).save(buffer, "PNG", compress_level=1)
    height, width = pixels.shape[:2]
    drawing = vtracer.convert_raw_image_to_svg(
        buffer.getvalue(),
        img_format="png",
        # Areas that lie upon each other leave no hairs between them, but nor do they leave holes
        hierarchical="cutout" if is_clear.any() else "stacked",
        color_precision=8,
        layer_difference=0,
        filter_speckle=max(1, round(_SPECKLE * max(width, height))),
        path_precision=1,
    )
    paths = [path for path in _PATH.findall(drawing) if 'fill="#{:02X}{:02X}{:02X}"'.format(*clear) not in path]
    told = "" if recipe is None else html.escape(recipe.model_dump_json(), quote=False)
    told = f'<metadata id="ddmi">{told}</metadata>\n' if told else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f"{told}{''.join(paths)}</svg>\n"
    )


def recipe_of_svg(path: Path) -> object:
    """Return what the metadata of an SVG file of ours say, parsed; None if there are none.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            found = _METADATA.search(file.read(_LONGEST))
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}).") from error
    if found is None:
        return None
    try:
        return parse_json(html.unescape(found[1].decode("utf-8", "replace")))
    except ValueError:
        return None
