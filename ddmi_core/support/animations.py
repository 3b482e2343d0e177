"""GIF, WebP and PNG hold a picture, or the frames of a clip: how many there are says which."""

from pathlib import Path

from PIL import Image

from ddmi_core.support.file_kinds import CLIPS, PICTURES

_EITHER = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG"}


def is_picture(path: Path) -> bool:
    """Return whether a file is one to be read as a picture, by its suffix and its frames."""
    return path.suffix.lower() in (*PICTURES, *_EITHER) and not _is_animated(path)


def is_clip(path: Path) -> bool:
    """Return whether a file is one to be read as a clip, by its suffix and its frames."""
    suffix = path.suffix.lower()
    return _is_animated(path) if suffix in _EITHER else suffix in CLIPS


def _is_animated(path: Path) -> bool:
    """Whether a file has several frames; of one that cannot be read, that is said when it is."""
    kind = _EITHER.get(path.suffix.lower())
    if kind is None:
        return False
    try:
        Image.init()
        # Pillow's own open() refuses large pictures, which are no matter here
        with Image.OPEN[kind][0](str(path), "") as picture:  # type: ignore[arg-type]
            if getattr(picture, "default_image", False):  # beside the animation, for programs that know none
                return picture.n_frames > 2  # type: ignore[attr-defined]  # of PNG
            return bool(getattr(picture, "is_animated", False))
    except Exception:  # Pillow's readers fail in every way on a damaged file
        return False
