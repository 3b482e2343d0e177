"""A user's own pictures: one file to encode, or a folder to train on."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageOps

from ddmi_core.data.cifar import label_names, read_batch
from ddmi_core.data.drawn import DrawnSet, FolderSet
from ddmi_core.data.layouts import CIFAR10, LSUN, listing_of
from ddmi_core.data.listing import Listing, Unusable
from ddmi_core.data.lsun import LsunSet
from ddmi_core.data.pictures import Raster, premultiplied, small
from ddmi_core.data.preparing import Preparation
from ddmi_core.data.shard_places import has_shards
from ddmi_core.data.shards import Shards, ShardSet
from ddmi_core.data.user_folder import read_folder
from ddmi_core.support.colour_profiles import in_srgb
from ddmi_core.support.errors import DataError
from ddmi_core.support.file_kinds import PICTURES
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache
from ddmi_core.support.picture_files import open_picture
from ddmi_core.support.progress import Progress

MOST_PIXELS = 150_000_000
"""Larger pictures are refused: they would take gigabytes to decode, and may be made to."""
LEAST_SIDE = 8
STORED_SIDE = 512
"""Longest side of the copies that are trained on: four times the base resolution."""

_LEAST_STORED = 128
_RECENT = 32  # pictures that are kept in memory, of at most 1.4 MB each
_STORED_QUALITY = 95
_CACHE_VERSION = 2  # raise it when stored copies change
_SWAPPED = (5, 6, 7, 8)  # EXIF orientations that lie on their side

_log = logging.getLogger(__name__)


class DrawnPictures:
    """Pictures that are read when they are drawn.

    Args:
        drawn: the set that they are of.
    """

    def __init__(self, drawn: DrawnSet[Raster]) -> None:
        self._drawn = drawn
        self.names, self.unusable, self.order = drawn.names, drawn.unusable, drawn.order

    def __len__(self) -> int:
        return len(self._drawn)

    def captions(self, index: int) -> list[str]:
        """Return the captions of a picture."""
        return self._drawn.captions(index)

    def open(self, index: int) -> Raster:
        """Return a picture, or the one after it if it cannot be used.

        Raises:
            DataError: no picture can be used.
        """
        return self._drawn.content(index)

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return small(self.open(index), size)


class CifarPictures:
    """The pictures of CIFAR10's batches, captioned by their class."""

    def __init__(self, listing: Listing, split: str) -> None:
        self.unusable = list(listing.absent)
        batches = {}
        for item in listing.part(split) or listing.items:
            try:
                batches[item.path] = read_batch(item.path)
            except DataError as error:
                self.unusable.append(Unusable(item.path, str(error)))
        if not batches:
            raise DataError("None of the batches of CIFAR10 can be used. " + self.unusable[-1].reason)
        words = label_names(next(iter(batches)).parent)
        self._pixels = np.concatenate([batch.pixels for batch in batches.values()])
        self._labels = np.concatenate([batch.labels for batch in batches.values()])
        self._captions = [[f"{'an' if word[0] in 'aeiou' else 'a'} {word}"] for word in words]
        self.names: Sequence[str] = [
            f"{file.name}/{number:05d}" for file, batch in batches.items() for number in range(len(batch.labels))
        ]

    def __len__(self) -> int:
        return len(self._labels)

    def captions(self, index: int) -> list[str]:
        """Return the name of a picture's class."""
        return self._captions[self._labels[index]]

    def open(self, index: int) -> Raster:
        """Return a picture."""
        return Raster(premultiplied(_squared(Image.fromarray(self._pixels[index]).convert("RGBA"))))

    def thumbnail(self, index: int, size: int) -> UInt8[np.ndarray, "s s 4"]:
        """Draw a small picture, premultiplied."""
        return small(self.open(index), size)


def image_folder(path: Path, split: str, *, progress: Progress | None = None) -> DrawnPictures | CifarPictures:
    """Read a folder of PNG, JPEG, WebP, TIFF and BMP pictures, subfolders included, as the `train` or `held_out` part.

    Captions and the held-out part are those of `user_folder.read_folder`. Pictures that cannot be used are left out and
    listed. What is trained on are copies of at most `STORED_SIDE` pixels a side, kept in the cache; of a folder with
    WebDataset shards (`*.tar`), or of LSUN's databases, the pictures in these. A data set in a published layout has its
    published parts.

    Raises:
        DataError: no such folder, a malformed captions.csv, or no usable picture at all.
    """
    if has_shards(Path(path)):
        return picture_shards(Path(path), split, progress=progress)
    listing = listing_of(Path(path), "image")
    if listing is not None and listing.layout == CIFAR10:
        return CifarPictures(listing, split)
    if listing is not None and listing.layout == LSUN:
        return DrawnPictures(LsunSet(listing, split, read_picture, _RECENT))
    entries, unusable = read_folder(
        Path(path),
        split,
        Preparation(_stored, _copy),
        suffixes=PICTURES,
        noun="picture",
        plural="pictures",
        listing=listing,
        progress=progress,
    )
    return DrawnPictures(FolderSet(entries, unusable, _read_copy, _RECENT))


def picture_shards(source: str | Path, split: str, *, progress: Progress | None = None) -> DrawnPictures:
    """Read the pictures in WebDataset shards as the `train` or `held_out` part, decoded when they are drawn.

    Args:
        source: of the shards, as `Shards` takes it.
        split: the part.
        progress: called before each shard.

    Raises:
        DataError: there is no shard that can be used, or no picture in any.
    """
    return DrawnPictures(ShardSet(Shards(source, split, PICTURES, progress), read_picture, _RECENT))


def read_picture(path: Path, *, least_side: int = LEAST_SIDE) -> Raster:
    """Read a picture as training and the encoder take it: upright, RGBA, in the middle of a square canvas.

    Its longest side becomes 128, 256 or 512 pixels. Grey, palette, CMYK and 16-bit pictures are converted, and colours
    of other profiles brought to sRGB; of animated ones the first frame counts. `least_side`: pixels that it must have
    along each side.

    Raises:
        DataError: the file cannot be used; the message names it and says why.
    """
    return Raster(premultiplied(_squared(_decoded(Path(path), least_side))))


def picture_size(path: Path) -> tuple[int, int]:
    """Return the width and height in pixels of a picture, once upright.

    Raises:
        DataError: the file cannot be used.
    """
    with open_picture(Path(path)) as picture:
        turned = _metadata(picture, path).get(ExifTags.Base.Orientation) in _SWAPPED
        width, height = picture.size
        return (height, width) if turned else (width, height)


def decoded_size(path: Path) -> tuple[int, int]:
    """Return the width and height in pixels of a picture all of which can be decoded.

    Raises:
        DataError: the file cannot be used.
    """
    _decoded(path)  # a header alone would not tell that a file was cut short
    return picture_size(path)


def _decoded(path: Path, least_side: int = LEAST_SIDE) -> Image.Image:
    """Return the pixels of a picture file, upright, RGBA with 8 bits; large ones may come smaller."""
    with open_picture(path) as picture:
        check_pixels(picture, path)
        width, height = picture.size
        if min(width, height) < least_side:
            raise DataError(f"{path.name} has {width} x {height} pixels; at least {least_side} a side are needed.")
        try:
            if getattr(picture, "n_frames", 1) > 1:
                _log.info("%s has several frames: the first is taken", path.name)
            picture.draft(picture.mode, (2 * STORED_SIDE, 2 * STORED_SIDE))  # JPEG can be decoded smaller
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            return in_srgb(eight_bits(upright), picture.info.get("icc_profile")).convert("RGBA")
        except MemoryError as error:
            raise DataError(f"{path.name} does not fit into memory.") from error
        except Exception as error:  # Pillow's decoders fail in every way on a damaged file
            raise DataError(f"{path.name} cannot be decoded, it is damaged or cut short ({error}).") from error


def check_pixels(picture: Image.Image, path: Path) -> None:
    """Refuse a picture that is too large to be decoded, before it is.

    Raises:
        DataError: it has more than `MOST_PIXELS`.
    """
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise DataError(
            f"{path.name} has {width} x {height} pixels, more than the {MOST_PIXELS / 1e6:.0f} million that are "
            "read. Make it smaller first."
        )


def white_level(mode: str, values: np.ndarray) -> float:
    """Return what white is in a deep grey picture: integers have 16 bits.

    Floating point is in [0, 1] by custom, or else has a scale of its own.
    """
    return max(1.0, float(values.max())) if mode == "F" else 65535.0


def eight_bits(picture: Image.Image) -> Image.Image:
    """Bring deep grey pictures, which Pillow would clip, to 8 bits."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        values = np.nan_to_num(np.asarray(picture).astype(np.float64), posinf=0, neginf=0)
        white = white_level(picture.mode, values)
        return Image.fromarray(np.clip(values * (255 / white) + 0.5, 0, 255).astype(np.uint8))
    return picture


def _squared(picture: Image.Image) -> Image.Image:
    """Scale a picture to a canvas of 128, 256 or 512 pixels a side and lay it in the middle."""
    longest = max(picture.size)
    side = STORED_SIDE
    while side > max(longest, _LEAST_STORED):
        side //= 2
    # Even sizes lie exactly in the middle.
    width, height = (max(2, 2 * round(length * side / longest / 2)) for length in picture.size)
    if picture.size != (width, height):
        # Colours of transparent pixels must not bleed into the others.
        scaled = picture.convert("RGBa").resize((width, height), Image.Resampling.HAMMING, reducing_gap=4)
        picture = scaled.convert("RGBA")
    canvas = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    canvas.paste(picture, ((side - width) // 2, (side - height) // 2))
    return canvas


def _copy(digest: str) -> Path:
    """Return where the copy of a picture of that content is kept."""
    return cache() / "pictures" / f"{digest}-{_CACHE_VERSION}.webp"


def _read_copy(file: Path, digest: str) -> Raster:
    """Return a picture from its copy, which is made if need be."""
    stored = _stored(file, digest)
    try:
        return read_picture(stored)
    except DataError:
        if stored == file:
            raise
        stored.unlink(missing_ok=True)  # damaged, it is made again
        return read_picture(_stored(file, digest))


def _stored(file: Path, digest: str) -> Path:
    """Return the copy of a picture that is trained on, made once for each content."""
    stored = _copy(digest)
    if stored.exists():
        return stored
    picture = _squared(_decoded(file))
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(stored) as temporary:
            picture.save(temporary, "WEBP", quality=_STORED_QUALITY)
    except OSError as error:
        _log.warning("%s is not cached: %s", file.name, error)
        return file
    return stored


def _metadata(picture: Image.Image, path: Path) -> Image.Exif:
    try:
        return picture.getexif()
    except Exception as error:  # as above
        raise DataError(f"{path.name} is damaged: its metadata cannot be read ({error}).") from error
