"""Where pictures to train on come from, by name: a starter set or a user's folder."""

from pathlib import Path

from ddmi_core.data.pictures import PictureSet, PictureSource
from ddmi_core.errors import DataError


def open_pictures(
    source: str, split: str, *, encoded_side: int, queries: int, footprints: tuple[float, float]
) -> PictureSource:
    """Open `emoji`, `faces` or a folder of pictures.

    Raises:
        DataError: there is no such set or folder, or nothing usable in it.
    """
    if source == "emoji":
        from ddmi_core.data.emoji import emoji

        pictures: PictureSet = emoji(split)
    elif source == "faces":
        from ddmi_core.data.faces import faces

        pictures = faces(split)
    elif Path(source).is_dir():
        from ddmi_core.data.image_folders import image_folder

        pictures = image_folder(Path(source), split)
    else:
        raise DataError(f"There are no pictures called {source!r}: give emoji, faces or a folder of pictures.")
    if len(pictures) == 0:
        raise DataError(f"{source} holds no usable picture for the {split} split.")
    return PictureSource(pictures, encoded_side=encoded_side, queries=queries, footprints=footprints)
