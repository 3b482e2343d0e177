"""Recipes inside of exported files: how each format carries one, and how it is read back.

PNG has it as a text of the key `RECIPE_KEY`; JPEG, WebP and TIFF in their description, as a JSON object with that key;
MP4, WebM and GIF as their comment; GLB among the extras of its asset; SVG in its metadata.
"""

import json
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from ddmi_core.export.outlines import recipe_of_svg
from ddmi_core.recipe import Recipe, misfit
from ddmi_core.support.errors import DataError, RecipeError
from ddmi_core.support.parsing import parse_json
from ddmi_core.support.picture_files import open_picture

RECIPE_KEY = "ddmi"
"""Keyword of the PNG text, and key of the JSON object in other formats' descriptions, that hold the recipe."""
IMAGE_DESCRIPTION = 0x010E
"""The EXIF and TIFF tag that carries the recipe."""

_LONGEST_GLB = 2**24  # bytes of the part of a GLB file that says what is in it


def description_of(recipe: Recipe) -> str:
    """Return a recipe as ASCII JSON, for the formats that have a description."""
    return json.dumps({RECIPE_KEY: recipe.model_dump(mode="json")})


def exif_of(recipe: Recipe | None) -> Image.Exif:
    """Return EXIF data that hold a recipe, or nothing."""
    exif = Image.Exif()
    if recipe is not None:
        exif[IMAGE_DESCRIPTION] = description_of(recipe)
    return exif


def read_recipe(path: Path) -> Recipe | None:
    """Return the recipe that an exported picture, drawing, animation, film or GLB mesh carries; None if it has none.

    Raises:
        DataError: not a readable file of these kinds.
        RecipeError: it carries one that does not fit this version.
    """
    path = Path(path)
    found: Any
    try:
        beginning = _beginning(path)
        if beginning.startswith(b"GIF8"):
            found = _json(_comment_of_gif(path))
        elif beginning.startswith(b"glTF"):
            found = _extras_of_glb(path)
        elif beginning.startswith(b"\x1aE\xdf\xa3") or beginning[4:8] == b"ftyp":  # WebM or MP4
            found = _json(_comment_of_film(path))
        elif beginning.startswith((b"<?xml", b"<svg")):
            found = recipe_of_svg(path)
        else:
            found = _description(path)
        return None if found is None else Recipe.model_validate(found)
    except ValidationError as error:
        if not isinstance(found, dict) or not {"domain", "model", "seed"} <= found.keys():
            return None  # somebody else's
        raise RecipeError(
            f"The recipe that {path.name} carries cannot be used: {misfit(error)}. "
            "It was changed by hand, or made by a later version."
        ) from error


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError:
        return b""


def _comment_of_gif(path: Path) -> str:
    try:
        with Image.open(path, formats=["GIF"]) as picture:
            comment: bytes = picture.info.get("comment", b"")
    except Exception as error:  # Pillow's readers fail in every way on a damaged file
        raise DataError(f"{path.name} is damaged: its header cannot be read ({error}).") from error
    return comment.decode("utf-8", "replace")


def _comment_of_film(path: Path) -> str | None:
    from ddmi_core.support.film_files import open_film  # FFmpeg, which pictures do without

    with open_film(path) as film:
        return next((text for key, text in film.metadata.items() if key.lower() == "comment"), None)


def _extras_of_glb(path: Path) -> Any:
    """What the asset of a GLB file says under our key; its first chunk is JSON, after a header of 20 bytes."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(20)[12:16], "little")
            tree = _json(file.read(length).decode("utf-8", "replace")) if length <= _LONGEST_GLB else None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}).") from error
    for key in ("asset", "extras", RECIPE_KEY):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _description(path: Path) -> Any:
    with open_picture(path) as picture:
        try:
            if picture.format == "PNG":
                return _json(picture.info.get(RECIPE_KEY))
            found = _json(picture.getexif().get(IMAGE_DESCRIPTION))
            return found.get(RECIPE_KEY) if isinstance(found, dict) else None
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"{path.name} is damaged: its metadata cannot be read ({error}).") from error


def _json(text: Any) -> Any:
    """Parse a description, which in other programs' files is anything."""
    try:
        return parse_json(text) if isinstance(text, str) else None
    except ValueError:
        return None
