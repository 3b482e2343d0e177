"""Picture files as they come: which kind one is, how large, and the recipe that our exports carry.

Pillow's own `Image.open` refuses pictures of some size before anybody can ask about them, and warns about smaller ones;
here the size is looked at first, and whoever wants the pixels sets a limit and words the refusal.
"""

from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from ddmi_core.errors import DataError
from ddmi_core.parsing import parse_json
from ddmi_core.recipe import Recipe

RECIPE_KEY = "ddmi"
"""Keyword of the PNG text, and key of the JSON object in other formats' descriptions, that hold the recipe."""
IMAGE_DESCRIPTION = 0x010E
"""The EXIF and TIFF tag that carries the recipe."""

_KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")


def open_picture(path: Path) -> Image.Image:
    """Open a PNG, JPEG, WebP, TIFF or BMP by its content, whatever its suffix says; no pixel is decoded yet.

    The caller closes it.

    Raises:
        DataError: no such file, an empty one, or not a picture of these kinds; the message names the file.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty.")
    Image.init()
    try:
        with path.open("rb") as file:
            beginning = file.read(16)
        for kind in _KINDS:
            factory, accept = Image.OPEN[kind]
            if accept is None or accept(beginning) is True:
                return factory(str(path), "")  # type: ignore[arg-type]  # a path does as well, and is closed
    except (OSError, SyntaxError, ValueError, IndexError, KeyError, TypeError) as error:
        raise DataError(f"{path.name} is damaged: its header cannot be read ({error}).") from error
    raise DataError(f"{path.name} is no PNG, JPEG, WebP, TIFF or BMP picture, whatever its suffix says.")


def read_recipe(path: Path) -> Recipe | None:
    """Return the recipe that an exported picture carries; None if it carries none.

    Raises:
        DataError: not a readable picture.
    """
    with open_picture(Path(path)) as picture:
        try:
            if picture.format == "PNG":
                found = _json(picture.info.get(RECIPE_KEY))
            else:
                found = _json(picture.getexif().get(IMAGE_DESCRIPTION))
                found = found.get(RECIPE_KEY) if isinstance(found, dict) else None
            return None if found is None else Recipe.model_validate(found)
        except ValidationError:
            return None
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"{path.name} is damaged: its metadata cannot be read ({error}).") from error


def _json(text: Any) -> Any:
    """Parse a description, which in other programs' pictures is anything."""
    try:
        return parse_json(text) if isinstance(text, str) else None
    except ValueError:
        return None
