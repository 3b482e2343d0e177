"""Where shards lie: in a folder, in files that a pattern or an index names, or on the web."""

import hashlib
import io
import logging
import os
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlparse

import webdataset
from filelock import FileLock
from typing_extensions import override
from webdataset.cache import FileCache
from webdataset.shardlists import expand_urls

from ddmi_core.data.listing import Unusable
from ddmi_core.support.errors import DataError
from ddmi_core.support.parsing import parse_json
from ddmi_core.support.paths import cache

SUFFIX = ".tar"
INDEX = "index.json"
"""A list of shards and of how many examples each has, as webdataset's `widsindex` writes it."""

FETCHED_BYTES = 64 * 2**30
"""Shards from the web that are kept on the disk."""

_TIMEOUT = 30.0  # seconds without a byte
_LARGEST_INDEX = 2**26  # bytes
_log = logging.getLogger(__name__)


def has_shards(folder: Path) -> bool:
    """Whether a folder holds shards, or an index of some."""
    return any(folder.glob(f"*{SUFFIX}")) or _is_index(folder / INDEX)


def are_shards(source: str) -> bool:
    """Whether a source is no folder but names shards: by URL, a pattern such as `part-{000..099}.tar`, or an index."""
    return source.startswith(("http://", "https://")) or source.endswith((SUFFIX, f"/{INDEX}"))


def listed(source: str | Path, unusable: list[Unusable]) -> dict[str, int | None]:
    """Return the addresses of shards, and how many examples each has where an index says so.

    Args:
        source: a folder of `*.tar` or with an `index.json`, or what `are_shards` takes.
        unusable: gets what cannot be used while the rest can.

    Raises:
        DataError: nothing can be used.
    """
    if isinstance(source, Path) or not are_shards(str(source)):
        folder = Path(source)
        found: dict[str, int | None] = {os.path.normpath(path): None for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if _is_index(folder / INDEX):
            try:
                found |= _read_index(str(folder / INDEX))
            except DataError as error:
                if not found:
                    raise
                unusable.append(Unusable(folder / INDEX, str(error)))
                _log.warning("%s", error)
        return found
    if source.endswith(f"/{INDEX}"):
        return _read_index(source)
    try:
        urls = expand_urls(source)
    except (AssertionError, ValueError) as error:  # a variable that is not set, braces that do not close
        raise DataError(f"{source} is no pattern of shards, such as part-{{000..099}}.tar ({error}).") from error
    for url in urls:
        _check(url)
    return dict.fromkeys(urls)


def _is_index(file: Path) -> bool:
    """Whether a file lists shards; starter sets and other things are called so too."""
    try:
        return file.stat().st_size < _LARGEST_INDEX and '"shardlist"' in file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _read_index(place: str) -> dict[str, int | None]:
    """Return the shards that an index lists and how many examples it says they have.

    Raises:
        DataError: it cannot be had, or it is no index.
    """
    try:
        if is_remote(place):
            with urllib.request.urlopen(place, timeout=_TIMEOUT) as response:
                text = response.read(_LARGEST_INDEX).decode()
        else:
            text = Path(place).read_text(encoding="utf-8")
        found: dict[str, int | None] = {}
        for entry in parse_json(text)["shardlist"]:
            url = str(entry["url"])
            if is_remote(place):
                url = urljoin(place, url)
            elif not is_remote(url):
                folder = Path(place).parent
                url = os.path.normpath(folder / url)
                if not Path(url).is_relative_to(os.path.normpath(folder)):
                    raise ValueError(f"{url} lies outside of the folder, where nothing is read")
            _check(url)
            count = entry.get("nsamples")
            found[url] = count if isinstance(count, int) and count >= 0 else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, DataError) as error:
        raise DataError(
            f"{place} cannot be used as an index of shards ({error}). Make it anew with widsindex, or remove it."
        ) from error
    return found


def is_remote(url: str) -> bool:
    """Whether an address is on the web."""
    return url.startswith(("http://", "https://"))


def _check(url: str) -> None:
    """Raise a DataError unless a shard is a local file or an address that only data can be read from."""
    scheme = urlparse(url).scheme
    if not is_remote(url) and len(scheme) > 1:  # a single letter is a drive
        raise DataError(f"Shards are read from files, http:// and https://, not from {scheme}: ({url}).")


def name_of(url: str) -> str:
    """Return the name of a shard, without where it lies."""
    return urlparse(url).path.rpartition("/")[2] if is_remote(url) else Path(url).name


class _Body(io.RawIOBase):
    """What a server sends, which must not end before all of it is there."""

    def __init__(self, response: Any) -> None:
        self._response = response

    @override
    def read(self, size: int = -1) -> bytes:
        content: bytes = self._response.read(size)
        if not content and self._response.length:
            raise OSError(f"the connection ended {self._response.length:,} bytes too soon")
        return content

    @override
    def close(self) -> None:
        self._response.close()
        super().close()


def _open_url(url: str, *_: object, **__: object) -> _Body:
    try:
        return _Body(urllib.request.urlopen(url, timeout=_TIMEOUT))
    except urllib.error.HTTPError as error:
        error.close()
        raise


# webdataset would start a shell and curl, whose errors are numbers
webdataset.gopen_schemes.update(http=_open_url, https=_open_url)


def fetched(url: str) -> Path:
    """Return the copy of a shard from the web, which one process fetches for all.

    Raises:
        Exception: as libraries and servers fail.
    """
    names = cache() / "shards"
    locks = cache() / "shard-locks"
    for folder in (names, locks):
        folder.mkdir(parents=True, exist_ok=True)
    name = f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{re.sub(r'[^A-Za-z0-9._-]', '_', name_of(url))[-64:]}"
    if (path := names / name).exists():
        return path
    with FileLock(locks / f"{name}.lock"):
        _log.info("fetching %s", url)
        fetching = FileCache(str(names), url_to_name=lambda _: name, validator=None, cache_size=FETCHED_BYTES)
        return Path(fetching.get_file(url))
