"""What is in a shard: where the files of each example lie, found by one look over its headers, and remembered."""

import hashlib
import json
import logging
import os
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from webdataset.tariterators import group_by_keys

from ddmi_core.support.errors import DataError
from ddmi_core.support.files import atomic_write
from ddmi_core.support.paths import cache

_CAPTIONS = (".txt", ".caption", ".json")
_log = logging.getLogger(__name__)


class Member(NamedTuple):
    """Where a file lies in its shard: from which byte, how long, and of which kind."""

    start: int
    size: int
    suffix: str


class Example(NamedTuple):
    """Files that share a name: the one to learn from, and captions if there are any."""

    key: str
    content: Member
    caption: Member | None


def contents_of(path: Path, url: str, suffixes: Sequence[str]) -> tuple[list[Example], str | None]:
    """Return the examples of a shard, and what is wrong with it if some can be used all the same.

    Raises:
        DataError: none can be used.
    """
    try:
        about = path.stat()
    except OSError as error:
        raise DataError(f"The shard {url} cannot be read ({error.strerror}). Bring it back.") from error
    key = json.dumps([os.path.abspath(path), about.st_size, about.st_mtime_ns, suffixes])
    stored = cache() / "shard-indexes" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
    try:
        rows, problem = json.loads(stored.read_text(encoding="utf-8"))
        return [Example(name, Member(*one), two and Member(*two)) for name, one, two in rows], problem
    except (OSError, ValueError, TypeError):  # absent or damaged, it is made again
        pass
    examples, problem = _looked_through(path, url, suffixes)
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(stored) as temporary:
            temporary.write_text(json.dumps([examples, problem]), encoding="utf-8")
    except OSError as error:
        _log.warning("what is in %s is not remembered: %s", path, error)
    return examples, problem


def _looked_through(path: Path, url: str, suffixes: Sequence[str]) -> tuple[list[Example], str | None]:
    problems: list[Exception] = []
    examples: list[Example] = []
    end = path.stat().st_size

    def members() -> Iterator[dict[str, Any]]:
        try:
            with tarfile.open(path, "r:") as shard:
                for info in shard:
                    if info.isfile() and info.offset_data + info.size <= end:
                        yield {"fname": info.name, "data": (info.offset_data, info.size), "__url__": str(path)}
                    shard.members = []  # type: ignore[attr-defined]  # they would grow with the shard
        except (tarfile.TarError, OSError) as error:
            problems.append(error)

    for sample in group_by_keys(members(), handler=lambda _: True):  # a second file of the same name is left out
        places = {f".{name}": place for name, place in sample.items() if isinstance(place, tuple)}
        files = {suffix: Member(start, size, suffix) for suffix, (start, size) in places.items()}
        content = next((file for suffix, file in files.items() if suffix in suffixes), None)
        caption = next((files[suffix] for suffix in _CAPTIONS if suffix in files), None)
        if content is not None:
            examples.append(Example(sample["__key__"], content, caption))
    if not problems:
        return examples, None
    if not examples:
        raise DataError(f"The shard {url} is damaged or no plain tar file ({problems[0]}). Copy it again.")
    return examples, (
        f"The shard {url} is cut off or damaged after {len(examples):,} examples ({problems[0]}): these are used. "
        "Copy it again to have the others."
    )
