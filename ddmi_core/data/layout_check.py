"""What a folder in a published layout holds, item by item, and what is wrong with it."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ddmi_core.data.cifar import SIDE, label_names, read_batch
from ddmi_core.data.clip_files import numbered_frames
from ddmi_core.data.clip_folders import LEAST_FRAMES
from ddmi_core.data.image_folders import decoded_size
from ddmi_core.data.layouts import CIFAR10, LSUN, listing_of
from ddmi_core.data.listing import Item, Unusable
from ddmi_core.data.lsun import look_through
from ddmi_core.data.occupancy_shapes import read_model
from ddmi_core.data.posed_pictures import read_shots
from ddmi_core.data.user_folder import check_folder
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress, report

_AT_ONCE = 256  # items between two reports of progress


class _Found(NamedTuple):
    """What an item holds: how many signals, what size they have in words, and problems that leave it usable."""

    signals: int
    size: str
    problems: tuple[Unusable, ...] = ()


@dataclass(frozen=True)
class LayoutReport:
    """What a folder holds, and what is wrong.

    Args:
        layout: its name, such as `afhq`.
        title: as people call the data set.
        domain: that learns from it.
        splits: how many usable signals each published split has; `all` where none is published.
        captions: how many captions all usable items have.
        sizes: how many signals there are of each size.
        unusable: what is missing or cannot be used, and why.
        remarks: what leaves the data usable and is worth knowing.
    """

    layout: str
    title: str
    domain: str
    splits: dict[str, int]
    captions: int
    sizes: dict[str, int]
    unusable: tuple[Unusable, ...]
    remarks: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether a training can start from it."""
        return any(self.splits.get(split) for split in ("train", "all"))


def check_layout(folder: Path, progress: Progress | None = None) -> LayoutReport:
    """Open all that a folder in a published layout lists.

    Args:
        folder: the data set's root.
        progress: called on the way.

    Raises:
        DataError: no such folder, or it is in none of the layouts.
    """
    check_folder(folder, "Give the root folder of a data set.")
    listing = listing_of(folder)
    if listing is None:
        raise DataError(
            f"{folder} is in no published layout. The root of the data set must be given: of AFHQv2 the folder with "
            "train/cat, of CelebA-HQ the one with CelebA-HQ-img or train/female, of CIFAR10 the one with data_batch_1, "
            "of LSUN the one with church_outdoor_train_lmdb or church_outdoor_train, of ShapeNet (Occupancy Networks) "
            "the one with SYNSET/train.lst, with the Text2Shape CSV beside them if there is one, of SRN the one with "
            "cars_train, of SkyTimelapse the one with sky_train. A folder of your own files needs no layout: train on "
            "it as it is."
        )
    look = _OWN_LOOKS.get(listing.layout) or _LOOKS[listing.domain]
    splits = dict.fromkeys(listing.splits, 0)
    sizes: Counter[str] = Counter()
    unusable, captions, done = list(listing.absent), 0, 0
    total = len(listing.items)
    with ThreadPoolExecutor() as pool:  # decoders let other threads run
        for split, items in listing.splits.items():
            waiting = iter(items)
            while batch := list(islice(waiting, _AT_ONCE)):
                report(progress, done / total, f"{split}: {batch[0].path.name}, {done + 1:,} of {total:,}")
                for item, found in zip(batch, pool.map(lambda item: _tried(look, item), batch), strict=True):
                    if isinstance(found, Unusable):
                        unusable.append(found)
                        continue
                    splits[split] += found.signals
                    sizes[found.size] += found.signals
                    captions += len(item.captions) if listing.layout != CIFAR10 else found.signals
                    unusable += found.problems
                done += len(batch)
    remarks = [f"There is nothing in {split}." for split, count in splits.items() if count == 0 and split != "val"]
    if listing.part("train") is None and any(splits.values()):
        remarks.append("There are no two published parts: one in ten is held out by the content of the files.")
    if len(sizes) > 1:
        usual, most = sizes.most_common(1)[0]
        remarks.append(f"{sizes.total() - most:,} differ in size from most, which have {usual}.")
    return LayoutReport(
        listing.layout,
        listing.title,
        listing.domain,
        splits,
        captions,
        dict(sizes.most_common()),
        tuple(unusable),
        tuple(remarks),
    )


def _tried(look: Callable[[Item], _Found], item: Item) -> _Found | Unusable:
    try:
        return look(item)
    except DataError as error:
        return Unusable(item.path, str(error))


def _picture(item: Item) -> _Found:
    width, height = decoded_size(item.path)
    return _Found(1, f"{width} x {height}")


def _cifar(item: Item) -> _Found:
    label_names(item.path.parent)
    return _Found(len(read_batch(item.path).labels), f"{SIDE} x {SIDE}")


def _lsun(item: Item) -> _Found:
    sizes, problems = look_through(item.path, decoded_size)
    if not sizes:
        raise DataError(problems[0].reason if problems else f"{item.path.name} holds no picture.")
    sides = [min(size) for size in sizes]
    usual = f"{min(sides)}" if min(sides) == max(sides) else f"{min(sides)} to {max(sides)}"
    return _Found(len(sizes), f"{usual} along the shorter side", tuple(problems))


def _model(item: Item) -> _Found:
    model = read_model(item.path)
    return _Found(1, f"{len(model.surface):,} surface points, {len(model.queries):,} queries")


def _scene(item: Item) -> _Found:
    shots = read_shots(item.path)
    height, width = shots.views[0].pixels.shape[:2]
    return _Found(1, f"{len(shots.views)} views of {width} x {height}", tuple(shots.unusable))


def _clip(item: Item) -> _Found:
    frames = numbered_frames(item.path)
    sizes = {decoded_size(frame) for frame in frames}
    if len(sizes) > 1:
        raise DataError(f"The frames of {item.path.name} differ in size.")
    if len(frames) < LEAST_FRAMES:
        raise DataError(f"{item.path.name} has {len(frames)} frames; at least {LEAST_FRAMES} are needed.")
    ((width, height),) = sizes
    return _Found(1, f"{width} x {height}")


_OWN_LOOKS: dict[str, Callable[[Item], _Found]] = {CIFAR10: _cifar, LSUN: _lsun}
"""Of layouts in which an item holds many signals."""
_LOOKS: dict[str, Callable[[Item], _Found]] = {
    "image": _picture,
    "shape": _model,
    "nerf": _scene,
    "video": _clip,
}
