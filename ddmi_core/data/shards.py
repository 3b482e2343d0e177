"""WebDataset shards: tar files of examples that share a name, read where they lie, one example at a time.

An example is what has the same path up to the first dot, such as `0017.png` and `0017.txt` (webdataset's convention).
One look over the tar headers tells where every file lies; from then on any example can be read by itself, so draws stay
numbered, and a set may be far larger than memory and than the disk's free space.
"""

import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from ddmi_core.data.user_folder import first_usable, known
from ddmi_core.errors import DataError, DDMIError
from ddmi_core.parsing import parse_json
from ddmi_core.progress import Progress, report

SUFFIX = ".tar"

_CAPTIONS = (".txt", ".caption", ".json")
_HELD_OUT = 0.1
_Content = TypeVar("_Content")


class _Member(NamedTuple):
    """Where a file lies: in which shard, from which byte, how long, and of which kind."""

    shard: int
    start: int
    size: int
    suffix: str


class _Example(NamedTuple):
    key: str
    content: _Member
    caption: _Member | None


def has_shards(folder: Path) -> bool:
    """Whether a folder holds shards."""
    return any(folder.glob(f"*{SUFFIX}"))


class Shards:
    """The examples of a folder of shards, as the `train` or `held_out` part.

    One in ten is held out by a hash of its key; at least one is, and a lone example serves both parts.

    Args:
        folder: holds `*.tar`.
        split: the part.
        suffixes: of the files that are learned from, in lower case.
        progress: called before each shard.

    Raises:
        DataError: a shard is damaged, or there is no example with such a file.
    """

    def __init__(self, folder: Path, split: str, suffixes: Sequence[str], progress: Progress | None = None) -> None:
        self._paths = sorted(folder.glob(f"*{SUFFIX}"))
        examples: list[_Example] = []
        for number, path in enumerate(self._paths):
            report(progress, number / len(self._paths), f"{path.name}, {number + 1} of {len(self._paths)}")
            examples += _examples(path, number, suffixes)
        if not examples:
            raise DataError(
                f"The shards in {folder} hold no example with a {known(suffixes)} file. Name the files of an example "
                "alike, such as 0017.png and 0017.txt."
            )
        held_out = [one for one in examples if zlib.crc32(one.key.encode()) < _HELD_OUT * 2**32] or examples[:1]
        chosen = {one.key for one in held_out}
        rest = [one for one in examples if one.key not in chosen] or held_out
        self._examples = held_out if split == "held_out" else rest

    def __len__(self) -> int:
        return len(self._examples)

    @property
    def names(self) -> list[str]:
        """The names of all examples."""
        return [one.key for one in self._examples]

    def captions(self, index: int) -> list[str]:
        """Return the captions of an example: the lines of its text, or `caption` in its JSON."""
        member = self._examples[index].caption
        if member is None:
            return []
        text = self._read(member).decode("utf-8", errors="replace")
        if member.suffix != ".json":
            return [line.strip() for line in text.splitlines() if line.strip()]
        try:
            value = parse_json(text)
        except ValueError:
            return []
        found = value.get("caption") if isinstance(value, dict) else None
        return [str(one) for one in (found if isinstance(found, list) else [found]) if one]

    def load(self, index: int, read: Callable[[Path], _Content]) -> _Content:
        """Read an example from a copy of its file, or, where it is damaged, the one after it.

        Raises:
            DataError: none can be used.
            DDMIError: the shard has gone.
        """
        return first_usable(len(self), index, lambda place: self._load(place, read))

    def _load(self, index: int, read: Callable[[Path], _Content]) -> _Content:
        member = self._examples[index].content
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / f"{Path(self._examples[index].key).name}{member.suffix}"
            path.write_bytes(self._read(member))
            return read(path)

    def _read(self, member: _Member) -> bytes:
        path = self._paths[member.shard]
        try:
            with path.open("rb") as stream:
                stream.seek(member.start)
                return stream.read(member.size)
        except OSError as error:
            raise DDMIError(
                f"The shard {path} cannot be read any more ({error}). Bring it back, then resume."
            ) from error


def _examples(path: Path, number: int, suffixes: Sequence[str]) -> Iterator[_Example]:
    """Yield the examples of a shard that have a file to learn from."""
    contents: dict[str, _Member] = {}
    captions: dict[str, _Member] = {}
    try:
        with tarfile.open(path, "r:") as shard:
            for info in shard:
                folder, _, name = info.name.rpartition("/")
                stem, dot, ending = name.partition(".")
                if not info.isfile() or not stem:
                    continue
                suffix = (dot + ending).lower()
                member = _Member(number, info.offset_data, info.size, suffix)
                key = f"{folder}/{stem}" if folder else stem
                if suffix in suffixes:
                    contents.setdefault(key, member)
                elif suffix in _CAPTIONS:
                    captions.setdefault(key, member)
    except (tarfile.TarError, OSError) as error:
        raise DataError(f"The shard {path} is damaged or no plain tar file ({error}). Copy it again.") from error
    for key, content in contents.items():
        yield _Example(f"{path.stem}/{key}", content, captions.get(key))
