"""The published data sets that are known by how their folders look: what each lists, by its own splits.

Only names are looked at here, no contents: the readers of the domains and `ddmi data check` open what is listed.
"""

import csv
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ddmi_core.data.listing import Item, Listing, Unusable
from ddmi_core.data.user_folder import files_of
from ddmi_core.support.errors import DataError
from ddmi_core.support.file_kinds import SRN_INTRINSICS
from ddmi_core.support.parsing import parse_yaml

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
CIFAR10 = "cifar10"
LSUN = "lsun"
POINTS, SURFACE = "points.npz", "pointcloud.npz"

_SPLITS = ("train", "val", "test")
_CIFAR_FOLDERS = ("cifar-10-batches-py", "cifar-10-batches-bin")
_LONGEST_NAME = 255  # that file systems take
_CELEBA_PICTURES = "CelebA-HQ-img"
_CELEBA_MAPPING, _CELEBA_PARTITION = "CelebA-HQ-to-CelebA-mapping.txt", "list_eval_partition.txt"
_CHURCHES = "church_outdoor_"
_DATABASE = re.compile(r"(\w+?)_(train|val|test)_lmdb")
_TEXT2SHAPE = {"modelId", "description"}


def listing_of(folder: Path, domain: str | None = None) -> Listing | None:
    """Return what a folder lists if it is in a published layout (of the domain, where one is given).

    Raises:
        DataError: the folder is in such a layout, but a file that lists what is there cannot be read.
    """
    for look in _LAYOUTS:
        listing = look(folder)
        if listing is not None and domain in (None, listing.domain):
            return listing
    return None


def _afhq(folder: Path) -> Listing | None:
    splits = _by_class(folder, {"cat": "a cat", "dog": "a dog", "wild": "a wild animal"})
    return Listing("afhq", "AFHQv2", "image", splits) if splits else None


def _celebahq(folder: Path) -> Listing | None:
    """CelebAMask-HQ's folder, split as CelebA is where its partition lies beside; or train|val/female|male."""
    title = "CelebA-HQ"
    if splits := _by_class(folder, {"female": "a woman", "male": "a man"}):
        return Listing("celebahq", title, "image", splits)
    if not (folder / _CELEBA_PICTURES).is_dir():
        return None
    files = {int(f.stem): f for f in files_of(folder / _CELEBA_PICTURES, PICTURES) if f.stem.isdigit()}
    mapping, partition = folder / _CELEBA_MAPPING, folder / _CELEBA_PARTITION
    if not (mapping.is_file() and partition.is_file()):
        return Listing("celebahq", title, "image", {"all": [Item(files[number]) for number in sorted(files)]})
    try:
        part_of = {name: int(part) for name, part in (line.split() for line in _lines(partition))}
        # index, index in CelebA, file name in CelebA, under a line of titles
        entries = [(int(line.split()[0]), part_of[line.split()[2]]) for line in _lines(mapping)[1:]]
        found: dict[str, list[Item]] = {split: [] for split in _SPLITS}
        absent = []
        for number, part in entries:
            if number in files:
                found[_SPLITS[part]].append(Item(files[number]))
            else:
                absent.append(Unusable(folder / _CELEBA_PICTURES / f"{number}.jpg", f"{mapping.name} lists it."))
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(f"{mapping} and {partition.name} do not fit together ({error!r}). Fetch them again.") from error
    return Listing("celebahq", title, "image", found, absent)


def _cifar10(folder: Path) -> Listing | None:
    root = next((folder / name for name in _CIFAR_FOLDERS if (folder / name).is_dir()), folder)
    for suffix in ("", ".bin"):
        batches = [root / f"data_batch_{n}{suffix}" for n in range(1, 6)]
        test = root / f"test_batch{suffix}"
        if any(batch.is_file() for batch in batches):
            splits = {
                "train": [Item(batch) for batch in batches if batch.is_file()],
                "test": [Item(test)] if test.is_file() else [],
            }
            absent = [Unusable(f, "CIFAR10 has six batches.") for f in (*batches, test) if not f.is_file()]
            return Listing(CIFAR10, "CIFAR10", "image", splits, absent)
    return None


def _churches(folder: Path) -> Listing | None:
    parts = {split: folder / f"{_CHURCHES}{split}" for split in _SPLITS}
    if any(path.is_dir() for path in parts.values()):
        splits = {split: [Item(file) for file in files_of(path, PICTURES)] for split, path in parts.items()}
        return Listing("lsun-churches", "LSUN churches", "image", splits)
    return None


def _lsun(folder: Path) -> Listing | None:
    """LSUN's databases of a category as published, `church_outdoor_train_lmdb`; or one of them by itself."""
    if _is_database(folder):
        return Listing(LSUN, "LSUN", "image", {"all": [Item(folder)]})
    databases = {
        match[2]: (match[1], path)
        for path in sorted(folder.glob("*_lmdb"), reverse=True)  # of several categories the first one counts
        if (match := _DATABASE.fullmatch(path.name)) and _is_database(path)
    }
    if not databases:
        return None
    category = min(name for name, _ in databases.values())
    splits = {
        split: [Item(databases[split][1])] if split in databases and databases[split][0] == category else []
        for split in _SPLITS
    }
    return Listing(LSUN, f"LSUN {category.replace('_', ' ')}", "image", splits)


def _is_database(folder: Path) -> bool:
    return (folder / "data.mdb").is_file()


def _shapenet(folder: Path) -> Listing | None:
    """ShapeNet as the Occupancy Networks prepare it, with the captions of Text2Shape where their CSV lies beside."""
    synsets = sorted({file.parent for file in folder.glob("*/*.lst") if file.stem in _SPLITS})
    if not synsets:
        return None
    titles = _synset_titles(folder)
    table, described = _descriptions(folder)
    splits: dict[str, list[Item]] = {split: [] for split in _SPLITS}
    absent = []
    for synset in synsets:
        title = (titles[synset.name],) if synset.name in titles else ()
        for split in _SPLITS:
            list_file = synset / f"{split}.lst"
            for name in _lines(list_file) if list_file.is_file() else ():
                if table is not None and name not in described:
                    continue  # text-to-shape learns from what has been described
                if Path(name).name != name or len(name) > _LONGEST_NAME:
                    absent.append(Unusable(list_file, f"{name[:40]!r} is no name of a model but leads elsewhere."))
                    continue
                missing = [part for part in (POINTS, SURFACE) if not (synset / name / part).is_file()]
                if missing:
                    listed = f"{synset.name}/{list_file.name} lists it, but {' and '.join(missing)} is not there."
                    absent.append(Unusable(synset / name, listed))
                else:
                    kind = titles.get(synset.name, synset.name)
                    splits[split].append(Item(synset / name, tuple(described.get(name, title)), kind))
    if table is None:
        return Listing("shapenet", "ShapeNet (Occupancy Networks)", "shape", splits, absent)
    listed_names = {path.name for path in (*(i.path for s in splits.values() for i in s), *(a.path for a in absent))}
    strangers = [name for name in described if name not in listed_names]
    absent += [Unusable(table, f"It describes {name}, which no list names.") for name in strangers]
    return Listing("text2shape", "Text2Shape with ShapeNet", "shape", splits, absent)


def _srn(folder: Path) -> Listing | None:
    kinds = [kind for kind in ("cars", "chairs") if (folder / f"{kind}_train").is_dir()]
    if not kinds:
        return None
    splits: dict[str, list[Item]] = {split: [] for split in _SPLITS}
    absent = []
    for kind in kinds:
        for split in _SPLITS:
            for scene in sorted((folder / f"{kind}_{split}").glob("*/")):
                missing = [part for part in (SRN_INTRINSICS, "rgb", "pose") if not (scene / part).exists()]
                if missing:
                    absent.append(Unusable(scene, f"{' and '.join(missing)} is not there."))
                else:
                    splits[split].append(Item(scene / SRN_INTRINSICS))
    return Listing(f"srn-{kinds[0]}", f"SRN {' and '.join(kinds)}", "nerf", splits, absent)


def _skytimelapse(folder: Path) -> Listing | None:
    if not (folder / "sky_train").is_dir():
        return None
    splits = {
        split: [Item(clip) for clip in sorted({frame.parent for frame in files_of(folder / f"sky_{split}", PICTURES)})]
        for split in _SPLITS
    }
    return Listing("skytimelapse", "SkyTimelapse", "video", splits)


_LAYOUTS: tuple[Callable[[Path], Listing | None], ...] = (
    _afhq,
    _celebahq,
    _cifar10,
    _churches,
    _lsun,
    _shapenet,
    _srn,
    _skytimelapse,
)


def _by_class(folder: Path, classes: Mapping[str, str]) -> dict[str, list[Item]] | None:
    """Return the pictures of SPLIT/CLASS/*, captioned as `classes` says, if `train` has no other classes."""
    train = folder / "train"
    there = {path.name for path in train.iterdir() if path.is_dir()} if train.is_dir() else set()
    if not there or not there <= classes.keys():
        return None
    return {
        split: [
            Item(file, (classes[name],)) for name in sorted(there) for file in files_of(folder / split / name, PICTURES)
        ]
        for split in _SPLITS
    }


def _synset_titles(folder: Path) -> dict[str, str]:
    """Return how metadata.yaml calls each synset: the first of the words that it gives."""
    file = folder / "metadata.yaml"
    if not file.is_file():
        return {}
    try:
        table = parse_yaml("\n".join(_lines(file, stripped=False)))
        return {str(synset): str(entry["name"]).split(",")[0] for synset, entry in table.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{file} does not name the synsets ({error!r}). Fetch it again, or remove it.") from error


def _descriptions(folder: Path) -> tuple[Path | None, dict[str, list[str]]]:
    """Return the Text2Shape table of a folder, and the descriptions by model; None where there is no table."""
    described: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*.csv")):
        try:
            with file.open(encoding="utf-8-sig", newline="") as stream:
                reader = csv.DictReader(stream)
                if not set(reader.fieldnames or ()) >= _TEXT2SHAPE:
                    continue
                for row in reader:
                    model, text = (row["modelId"] or "").strip(), " ".join((row["description"] or "").split())
                    if model and text:
                        described.setdefault(model, []).append(text)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{file} cannot be read as UTF-8 CSV ({error}). Save it again as such.") from error
        return file, described
    return None, described


def _lines(file: Path, *, stripped: bool = True) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read ({error}).") from error
    return [line.strip() for line in lines if line.strip()] if stripped else lines
