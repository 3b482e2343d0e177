"""Where pictures to train on come from, by name: a starter set or a user's folder."""

from pathlib import Path

from ddmi_core.data.pictures import Picture, PictureSet, PictureSource
from ddmi_core.data.shard_places import are_shards
from ddmi_core.support.errors import DataError


def open_pictures(
    source: str,
    split: str,
    *,
    encoded_side: int,
    queries: int,
    footprints: tuple[float, float],
    scales: tuple[float, ...] | None = None,
) -> PictureSource:
    """Open `portraits`, `emoji`, `faces`, a folder of pictures, or shards of some.

    Raises:
        DataError: there is no such set or folder, or nothing usable in it.
    """
    if source == "portraits":
        from ddmi_core.data.portraits.pictures import portraits

        pictures: PictureSet = portraits(split)
    elif source == "emoji":
        from ddmi_core.data.emoji.pictures import emoji

        pictures = emoji(split)
    elif source == "faces":
        from ddmi_core.data.faces import faces

        pictures = faces(split)
    elif are_shards(source):
        from ddmi_core.data.image_folders import picture_shards

        pictures = picture_shards(source, split)
    elif Path(source).is_dir():
        from ddmi_core.data.image_folders import image_folder

        pictures = image_folder(Path(source), split)
    else:
        raise DataError(
            f"There are no pictures called {source!r}: give portraits, emoji, faces or a folder of pictures."
        )
    if len(pictures) == 0:
        raise DataError(f"{source} holds no usable picture for the {split} split.")
    return PictureSource(pictures, encoded_side=encoded_side, queries=queries, footprints=footprints, scales=scales)


class _OnePicture:
    """A picture as a set of one, without captions."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def __len__(self) -> int:
        return 1

    def captions(self, index: int) -> list[str]:
        return []

    def open(self, index: int) -> Picture:
        return self._picture


def picture_source(
    picture: Picture, *, encoded_side: int, queries: int, footprints: tuple[float, float]
) -> PictureSource:
    """Return a single picture as a source."""
    return PictureSource(_OnePicture(picture), encoded_side=encoded_side, queries=queries, footprints=footprints)
