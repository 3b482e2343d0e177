"""Picture files as they come: which kind one is, and how large.

Pillow's own `Image.open` refuses pictures of some size before anybody can ask about them, and warns about smaller ones;
here the size is looked at first, and whoever wants the pixels sets a limit and words the refusal.
"""

from pathlib import Path

from PIL import Image

from ddmi_core.support.errors import DataError

_KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")


def open_picture(path: Path) -> Image.Image:
    """Open a PNG, JPEG, WebP, TIFF, BMP or GIF by its content, whatever its suffix says; no pixel is decoded yet.

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
    raise DataError(f"{path.name} is no PNG, JPEG, WebP, TIFF, BMP or GIF picture, whatever its suffix says.")
