"""The library: every signal that was ever generated or encoded, kept on disk as latent, recipe and thumbnail.

Layout of the library's folder::

    items/<id>/latent.safetensors  recipe.json  thumbnail.png  [fit.safetensors]  [starred]  [tags.json]
    trash/<id>/…  deleted          deleted items, until the trash is emptied; the marker's age is that of the deletion
    emptied/<id>/…                 items out of the trash whose files are still to be removed
    damaged/<id>/…                 item folders that could not be read, set aside
    catalogue.sqlite               an index of the folders, for fast listing

The folders are the truth and the catalogue can be rebuilt from them: an item is written under a temporary name, renamed
when it is complete, then indexed. So killing the program at any moment loses nothing that had been written;
:meth:`Library.reconcile`, run when a library is opened, brings both together again. A catalogue that fails while the
program runs (a full disk, a drive that went away) is gone on with in memory, and an item that cannot be written is held
in memory until it can.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psutil
from jaxtyping import Float32, UInt8
from PIL import Image
from psygnal import Signal
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save

from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import DataError
from ddmi_core.support.files import atomic_write, write_text
from studio.state.amounts import formatted_bytes
from studio.state.tags import as_tags, tags_from_json, tags_to_json

log = logging.getLogger(__name__)

_Read = TypeVar("_Read")

LATENT, RECIPE, THUMBNAIL, STARRED = "latent.safetensors", "recipe.json", "thumbnail.png", "starred"
FIT = "fit.safetensors"
DELETED = "deleted"
TAGS = "tags.json"
_TIME_FORMAT = "%Y%m%dT%H%M%S.%f"
_WRITERS = 8
"""Threads that write small files of many items: each waits for the disk."""
_SCHEMA_VERSION = 2
_TABLE = """
CREATE TABLE IF NOT EXISTS items (
    id TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    domain TEXT NOT NULL,
    prompt TEXT NOT NULL,
    seed INTEGER NOT NULL,
    starred INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    recipe TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT ''
)
"""
"""`tags` are a JSON list; empty for none."""
_COLUMNS_ADDED = {"tags": "ALTER TABLE items ADD COLUMN tags TEXT NOT NULL DEFAULT ''"}
"""What a catalogue of an older version lacks, and how it comes to it. They are the last columns, in this order."""
_INDICES = (
    "CREATE INDEX IF NOT EXISTS items_by_domain ON items (deleted, domain, id)",
    "CREATE INDEX IF NOT EXISTS items_by_tags ON items (deleted, tags) WHERE tags <> ''",
)


@dataclass(frozen=True)
class Item:
    """One library item as it was when it was asked for; :class:`Library` hands out a new one after every change.

    ``id`` sorts by time of creation. ``folder`` holds the item's files.
    """

    id: str
    recipe: Recipe
    folder: Path
    starred: bool = False
    deleted: bool = False
    tags: tuple[str, ...] = ()

    @property
    def created(self) -> datetime:
        """When the item was made, in UTC."""
        return datetime.strptime(self.id.rsplit("-", 1)[0], _TIME_FORMAT).replace(tzinfo=UTC)

    @property
    def thumbnail(self) -> Path:
        """The PNG file of the item's thumbnail."""
        return self.folder / THUMBNAIL


@dataclass(frozen=True)
class TrashContent:
    """How many items are in the trash, and what their files take."""

    count: int
    size_bytes: int

    def __str__(self) -> str:
        """The content in words, such as "3 items, 0.2 MB"."""
        items = "1 item" if self.count == 1 else f"{self.count:,} items"
        return f"{items}, {formatted_bytes(self.size_bytes)}"


@dataclass(frozen=True)
class _Content:
    """What is written of an item."""

    latent: Float32[np.ndarray, "c h w"]
    recipe: Recipe
    thumbnail: UInt8[np.ndarray, "height width 4"]
    fit: bytes | None


class Library:
    """The items under one folder.

    Owned by one thread (the catalogue's connection and the signals are that thread's), except :meth:`save`,
    :meth:`hold`, :meth:`save_fit`, :meth:`write_tags`, :meth:`load_latent`, :meth:`load_fit`, :meth:`trash_content` and
    :meth:`remove_emptied`, which may be called from any thread.

    Raises `DataError` when the folder cannot be created or written.
    """

    added = Signal(Item)
    changed = Signal(list)
    """Items, all at once, were starred, unstarred, tagged, fitted to their files, or had their files moved."""
    removed = Signal(Item)
    """An item went to the trash; :meth:`restore` announces it as added again."""
    troubled = Signal(str)
    """The catalogue failed and is gone on with in memory; what to tell the person."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._held: dict[str, _Content] = {}
        self._lock = threading.Lock()  # of what is held
        self.damaged: list[Path] = []
        """Item folders that the last :meth:`reconcile` could not read, where they are now."""
        self._catalogue = _prepare(self.folder)
        try:
            self.reconcile()
        except (OSError, sqlite3.Error) as error:
            raise _unopened(self.folder, error) from error

    def close(self) -> None:
        """Close the catalogue. The library cannot be used afterwards."""
        self._catalogue.close()

    # Writing

    def save(
        self,
        latent: Float32[np.ndarray, "c h w"],
        recipe: Recipe,
        thumbnail: UInt8[np.ndarray, "height width 4"],
        fit: bytes | None = None,
    ) -> Item:
        """Write a new item's files, from any thread. Then it is safe on disk, but listed only after :meth:`adopt`.

        `fit`: the content of a fit's file, if the item has one.

        Raises `DataError` when it cannot be written (disk full, folder read-only), and
        leaves nothing behind.
        """
        item = self._new(recipe)
        self._write_item(item.id, _Content(latent, recipe, thumbnail, fit))
        return item

    def hold(
        self,
        latent: Float32[np.ndarray, "c h w"],
        recipe: Recipe,
        thumbnail: UInt8[np.ndarray, "height width 4"],
        fit: bytes | None = None,
    ) -> Item:
        """Keep a new item in memory, from any thread: what :meth:`save` cannot write is not lost.

        It is listed by :meth:`adopt` as others are; :meth:`save_held` writes it.
        """
        item = self._new(recipe)
        with self._lock:
            self._held[item.id] = _Content(latent, recipe, thumbnail, fit)
        return item

    def save_fit(self, item: Item, recipe: Recipe, thumbnail: UInt8[np.ndarray, "height width 4"], fit: bytes) -> Item:
        """Write the fit of an item that is there, from any thread; it counts after :meth:`adopt_fit`.

        The recipe is written last, so that what a crash leaves is the item as it was or as it shall be.

        Raises :class:`~ddmi_core.errors.DataError` when it cannot be written, or the item was deleted meanwhile.
        """
        with self._lock:
            held = self._held.get(item.id)
            if held is not None:
                self._held[item.id] = replace(held, recipe=recipe, thumbnail=thumbnail, fit=fit)
                return replace(item, recipe=recipe)
        picture = io.BytesIO()
        Image.fromarray(thumbnail).save(picture, format="PNG")
        content = {FIT: fit, THUMBNAIL: picture.getvalue(), RECIPE: recipe.model_dump_json(indent=2).encode()}
        folder = self.folder / "items" / item.id
        try:
            for name, part in content.items():
                with atomic_write(folder / name) as temporary:
                    temporary.write_bytes(part)
        except OSError as error:
            raise DataError(
                f"The fit could not be saved in the library ({error.strerror or error}). "
                f"Free some space or check that {self.folder} is writable."
            ) from error
        return replace(item, recipe=recipe)

    def adopt_fit(self, fitted: Item) -> Item:
        """Let an item be what :meth:`save_fit` has made of it, and announce the change."""
        return self._change(replace(self.get(fitted.id), recipe=fitted.recipe))

    def save_held(self) -> int:
        """Try to write what is held in memory. Returns how many items cannot be written even now."""
        with self._lock:
            held = list(self._held.items())
        for item_id, content in held:
            try:
                self._write_item(item_id, content)
            except DataError:
                continue
            with self._lock:
                del self._held[item_id]
            self.changed.emit([Item(item_id, content.recipe, self.folder / "items" / item_id)])
        return len(self._held)

    def _new(self, recipe: Recipe) -> Item:
        item_id = f"{datetime.now(UTC).strftime(_TIME_FORMAT)}-{secrets.token_hex(3)}"
        return Item(item_id, recipe, self.folder / "items" / item_id)

    def _write_item(self, item_id: str, content: _Content) -> None:
        folder = self.folder / "items" / item_id
        temporary = self.folder / "items" / f".writing-{os.getpid()}-{item_id}"
        try:
            temporary.mkdir(parents=True)  # the library's folder may have been taken away since the start
            _write(temporary / LATENT, save({"latent": np.ascontiguousarray(content.latent, dtype=np.float32)}))
            if content.fit is not None:
                _write(temporary / FIT, content.fit)
            _write(temporary / RECIPE, content.recipe.model_dump_json(indent=2).encode())
            with open(temporary / THUMBNAIL, "wb") as file:
                Image.fromarray(content.thumbnail).save(file, format="PNG")
                _flush(file.fileno())
            temporary.rename(folder)
            _flush_folder(folder.parent)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise DataError(
                f"The result could not be saved in the library ({error.strerror or error}). "
                f"Free some space or check that {self.folder} is writable."
            ) from error
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def adopt(self, item: Item) -> Item:
        """List an item that :meth:`save` has written or :meth:`hold` keeps, and announce it."""
        self.save_held()
        self._index(item)
        self.added.emit(item)
        return item

    def add(
        self,
        latent: Float32[np.ndarray, "c h w"],
        recipe: Recipe,
        thumbnail: UInt8[np.ndarray, "height width 4"],
        fit: bytes | None = None,
    ) -> Item:
        """:meth:`save` and :meth:`adopt` in one."""
        return self.adopt(self.save(latent, recipe, thumbnail, fit))

    def add_copy(self, folder: Path) -> Item:
        """Add what an item's folder holds, as a new item. Raises `DataError` if unreadable."""
        try:
            recipe = Recipe.model_validate_json((folder / RECIPE).read_text(encoding="utf-8"))
            latent = load_file(folder / LATENT)["latent"]
            with Image.open(folder / THUMBNAIL) as picture:
                thumbnail = np.asarray(picture.convert("RGBA"))
            fit = (folder / FIT).read_bytes() if recipe.is_fitted else None
        except (OSError, ValueError, SafetensorError, KeyError) as error:
            raise DataError(f"The item in {folder} cannot be read ({error}).") from error
        return self.add(latent, recipe, thumbnail, fit)

    def star(self, item: Item, starred: bool = True) -> Item:
        """Star or unstar an item."""
        current = self.get(item.id)
        marker = current.folder / STARRED
        try:
            marker.touch() if starred else marker.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"The item could not be changed ({error.strerror or error}).") from error
        return self._change(replace(current, starred=starred))

    def tag(self, tags: Mapping[str, Iterable[str]]) -> list[Item]:
        """Give items, by their ids, these tags in place of those that they have. What is gone by now is left out.

        Returns those that became different: :meth:`write_tags`, which takes a while where they are many, is still to
        write their files, else the next start knows nothing of it.
        """
        wanted = {item_id: as_tags(names) for item_id, names in tags.items()}
        found = self._select("id IN (SELECT value FROM json_each(?))", (json.dumps(list(wanted)),))
        changed = [replace(item, tags=wanted[item.id]) for item in found if item.tags != wanted[item.id]]
        if changed:
            rows = [(tags_to_json(item.tags), item.id) for item in changed]
            self._ask(lambda catalogue: catalogue.executemany("UPDATE items SET tags = ? WHERE id = ?", rows))
            self.changed.emit(changed)
        return changed

    def write_tags(self, items: Iterable[Item]) -> None:
        """Write the tags that :meth:`tag` gave items into their folders, from any thread.

        Raises `DataError` if some of them cannot be written; the others are.
        """
        with ThreadPoolExecutor(_WRITERS) as pool:
            failures = [failure for failure in pool.map(self._write_tags_of, items) if failure is not None]
        if failures:
            of = "an item" if len(failures) == 1 else f"{len(failures):,} items"
            raise DataError(
                f"The tags of {of} could not be written ({failures[0].strerror or failures[0]}), and the next start "
                f"will not know them. Free some space or check that {self.folder} is writable, and tag again."
            )

    def _write_tags_of(self, item: Item) -> OSError | None:
        """Write the tags of an item, wherever it is by now; return what is in the way."""
        failure: OSError | None = None
        for part in ("items", "trash"):
            path = self.folder / part / item.id / TAGS
            try:
                if not item.tags:
                    path.unlink(missing_ok=True)
                    continue
                write_text(path, tags_to_json(item.tags))
                return None
            except OSError as error:
                failure = failure or error
        return failure

    def delete(self, item: Item) -> Item:
        """Move an item to the trash, from where :meth:`restore` brings it back."""
        current = self.get(item.id)
        if current.deleted:
            return current
        moved = self._move(current, deleted=True)
        _mark_deleted(moved.folder)
        self.removed.emit(moved)
        return moved

    def restore(self, item: Item) -> Item:
        """Undo :meth:`delete`."""
        current = self.get(item.id)
        if not current.deleted:
            return current
        moved = self._move(current, deleted=False)
        with contextlib.suppress(OSError):
            (moved.folder / DELETED).unlink(missing_ok=True)
        self.added.emit(moved)
        return moved

    def empty_trash(self, before: datetime | None = None) -> int:
        """Take items out of the trash for good: all, or those that were deleted before a time. Returns how many.

        Their files lie aside until :meth:`remove_emptied`, which may take a while. One that cannot be moved stays.
        """
        aside = self.folder / "emptied"
        gone = 0
        for item in self._select("deleted = 1"):
            if before is not None and _deleted_at(item.folder) >= before:
                continue
            with contextlib.suppress(OSError):
                aside.mkdir(exist_ok=True)
                item.folder.rename(aside / item.id)
                self._forget(item.id)
                gone += 1
        return gone

    def remove_emptied(self) -> None:
        """Remove the files of what was taken out of the trash, from any thread; what cannot be is left to next time."""
        shutil.rmtree(self.folder / "emptied", ignore_errors=True)

    def trash_content(self) -> TrashContent:
        """How much is in the trash, from any thread, by a look at its files."""
        count, size = 0, 0
        with contextlib.suppress(OSError):  # a drive that went away
            for entry in os.scandir(self.folder / "trash"):
                with contextlib.suppress(OSError):  # brought back meanwhile
                    size += sum(file.stat().st_size for file in os.scandir(entry))
                    count += 1
        return TrashContent(count, size)

    # Reading

    def get(self, item_id: str) -> Item:
        """The item of that id, in the trash or not. Raises `DataError` when there is none."""
        found = self._select("id = ?", (item_id,))
        if not found:
            raise DataError(f"The library has no item {item_id}. It may have been removed by another program.")
        return found[0]

    def items(self, *, domain: str | None = None, deleted: bool = False) -> list[Item]:
        """The items, of a domain or of all, newest first; ``deleted`` lists the trash instead."""
        conditions, values = ["deleted = ?"], [int(deleted)]  # type: tuple[list[str], list[int | str]]
        if domain is not None:
            conditions.append("domain = ?")
            values.append(domain)
        return self._select(" AND ".join(conditions), values)

    def tags(self) -> list[str]:
        """The tags that items outside of the trash have, in the order of the alphabet."""
        rows = self._execute("SELECT DISTINCT tags FROM items WHERE deleted = 0 AND tags <> ''", ())
        return list(as_tags(name for (text,) in rows for name in tags_from_json(text) or ()))

    def tagged(self, tag: str) -> list[Item]:
        """The items that have a tag, whatever its case, in the trash or not."""
        return [item for item in self._select("tags <> ''") if tag.casefold() in map(str.casefold, item.tags)]

    def result_of(self, recipe: Recipe) -> Item | None:
        """The newest item, not in the trash, that a recipe made already."""
        found = self._select(
            "deleted = 0 AND domain = ? AND prompt = ? AND seed = ?", (recipe.domain, recipe.prompt, recipe.seed)
        )
        return next((item for item in found if item.recipe.makes_the_same_as(recipe)), None)

    def load_latent(self, item: Item) -> Float32[np.ndarray, "c h w"]:
        """An item's latent canvas, from any thread. Raises `DataError` if unreadable."""
        with self._lock:
            held = self._held.get(item.id)
        return (
            held.latent if held is not None else self._read_file(item, LATENT, lambda path: load_file(path)["latent"])
        )

    def load_fit(self, item: Item) -> bytes | None:
        """The content of the file of an item's fit, from any thread; None of an item without one.

        Raises `DataError` if it cannot be read.
        """
        if not item.recipe.is_fitted:
            return None
        with self._lock:
            held = self._held.get(item.id)
        return held.fit if held is not None else self._read_file(item, FIT, Path.read_bytes)

    def latent_shape(self, item: Item) -> tuple[int, ...]:
        """The shape of an item's latent canvas, which reads little. Raises as :meth:`load_latent` does."""
        with self._lock:
            held = self._held.get(item.id)
        return held.latent.shape if held is not None else self._read_file(item, LATENT, _shape_in)

    def _read_file(self, item: Item, name: str, read: Callable[[Path], _Read]) -> _Read:
        for part in ("items", "trash"):  # the item may have been deleted or restored since it was asked for
            path = self.folder / part / item.id / name
            try:
                return read(path)
            except FileNotFoundError:
                continue
            except (OSError, SafetensorError, KeyError) as error:
                raise DataError(f"A file of this item cannot be read ({path}: {error}).") from error
        raise DataError(f"The files of this item are gone from {self.folder}; it cannot be shown or exported again.")

    # Keeping folders and catalogue together

    def reconcile(self) -> None:
        """Make the catalogue agree with the folders: index new folders, forget lost ones, clear half-made items."""
        indexed = {item.id: item for item in self._select("1")}
        seen: set[str] = set()
        self.damaged = []
        for deleted, part in ((False, "items"), (True, "trash")):
            for entry in sorted(os.scandir(self.folder / part), key=lambda entry: entry.name):
                if entry.name.startswith(".writing-"):
                    _remove_abandoned(Path(entry.path))
                    continue
                if not entry.is_dir() or entry.name in seen:
                    continue
                item = self._read(Path(entry.path), deleted, indexed.get(entry.name))
                if item is None:
                    self._set_aside(Path(entry.path))
                    continue
                seen.add(item.id)
                if deleted and not (item.folder / DELETED).exists():  # by an older version, so nobody knows when
                    _mark_deleted(item.folder)
                if indexed.get(item.id) != item:
                    self._index(item)
        for item_id in indexed.keys() - seen:
            # Another window may have moved it from one to the other meanwhile
            if not any((self.folder / part / item_id).is_dir() for part in ("items", "trash")):
                self._forget(item_id)

    def _read(self, folder: Path, deleted: bool, known: Item | None) -> Item | None:
        """The item in a folder, or None if its files are not all there and readable."""
        starred, tags = (folder / STARRED).exists(), _read_tags(folder)
        if known is not None:
            tags = known.tags if tags is None else tags
            return replace(known, folder=folder, starred=starred, deleted=deleted, tags=tags)
        try:
            recipe = Recipe.model_validate_json((folder / RECIPE).read_text(encoding="utf-8"))
            item = Item(folder.name, recipe, folder, starred=starred, deleted=deleted, tags=tags or ())
            load_file(folder / LATENT)["latent"]
            if recipe.is_fitted:
                with safe_open(folder / FIT, framework="np"):  # whether it is there and whole, which reads little
                    pass
            item.created  # noqa: B018  (a name that holds no time is no item of ours)
        except (OSError, ValueError, ValidationError, SafetensorError, KeyError) as error:
            log.warning("library item %s cannot be read: %s", folder, error)
            return None
        return item

    def _set_aside(self, folder: Path) -> None:
        target = self.folder / "damaged" / folder.name
        try:
            target.parent.mkdir(exist_ok=True)
            folder.rename(target)
        except OSError as error:
            log.warning("damaged item %s cannot be moved: %s", folder, error)
            target = folder
        self.damaged.append(target)

    def _move(self, item: Item, *, deleted: bool) -> Item:
        target = self.folder / ("trash" if deleted else "items") / item.id
        try:
            item.folder.rename(target)
        except OSError as error:
            raise DataError(f"The item could not be moved ({error.strerror or error}).") from error
        moved = replace(item, folder=target, deleted=deleted)
        self._index(moved)
        return moved

    def _change(self, item: Item) -> Item:
        self._index(item)
        self.changed.emit([item])
        return item

    def _index(self, item: Item) -> None:
        recipe = item.recipe
        self._execute(
            "INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                item.id,
                item.created.isoformat(),
                recipe.domain,
                recipe.prompt,
                recipe.seed,
                int(item.starred),
                int(item.deleted),
                recipe.model_dump_json(),
                tags_to_json(item.tags),
            ),
        )

    def _forget(self, item_id: str) -> None:
        self._execute("DELETE FROM items WHERE id = ?", (item_id,))

    def _execute(self, statement: str, values: Sequence[int | str]) -> list[tuple[Any, ...]]:
        return self._ask(lambda catalogue: catalogue.execute(statement, values))

    def _ask(self, question: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> list[tuple[Any, ...]]:
        """Ask the catalogue, in one transaction; one that fails is replaced by one in memory and asked again."""
        try:
            with self._catalogue:
                return question(self._catalogue).fetchall()
        except sqlite3.Error as error:
            log.warning("the catalogue fails (%s) and is gone on with in memory", error)
            self._catalogue, whole = _copied_to_memory(self._catalogue)
            if not whole:
                with contextlib.suppress(OSError):
                    self.reconcile()
            self.troubled.emit(
                f"The catalogue of the library cannot be used ({error}). Check {self.folder} and the space left. What "
                "is made is kept, and is listed again at the next start."
            )
        with self._catalogue:
            return question(self._catalogue).fetchall()

    def _select(self, condition: str, values: Sequence[int | str] = ()) -> list[Item]:
        rows = self._execute(
            f"SELECT id, recipe, starred, deleted, tags FROM items WHERE {condition} ORDER BY id DESC", values
        )
        items, trash, found = self.folder / "items", self.folder / "trash", []
        for item_id, text, starred, deleted, tags in rows:
            try:
                recipe = Recipe.model_validate_json(text)
            except ValidationError as error:
                log.warning("the catalogue's row of %s cannot be read: %s", item_id, error)
                self._forget(item_id)  # the next start reads the item's own folder
                continue
            folder = (trash if deleted else items) / item_id
            kept = tags_from_json(tags) or ()
            found.append(Item(item_id, recipe, folder, starred=bool(starred), deleted=bool(deleted), tags=kept))
        return found


def check_folder(folder: Path) -> None:
    """Make sure that a folder can hold a library; one that is there is not changed.

    Raises:
        DataError: it is not there, or cannot be written to.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not there, or no folder.")
    _prepare(folder).close()
    try:
        (folder / "items" / f".writing-{os.getpid()}-check").mkdir()
        (folder / "items" / f".writing-{os.getpid()}-check").rmdir()
    except OSError as error:
        raise DataError(f"{folder} cannot be written to ({error.strerror or error}).") from error


def _prepare(folder: Path) -> sqlite3.Connection:
    """Make what a library needs in a folder, unless it is there; return the catalogue's connection."""
    try:
        for part in ("items", "trash"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        return _open_catalogue(folder / "catalogue.sqlite")
    except (OSError, sqlite3.Error) as error:
        raise _unopened(folder, error) from error


def _unopened(folder: Path, error: Exception) -> DataError:
    return DataError(f"The library in {folder} cannot be opened ({error}). Check that the folder is writable.")


def _open_catalogue(path: Path) -> sqlite3.Connection:
    """The catalogue's connection; one of an older version gets what it lacks.

    A file that is not a catalogue, or one of a newer version, is only an index: it is made anew.
    """
    for attempt in ("as it is", "made anew"):
        connection = sqlite3.connect(path, timeout=5.0)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost rows, which the folders give back
            _bring_up_to_date(connection)
            connection.execute("SELECT recipe FROM items LIMIT 1")
            return connection
        except sqlite3.OperationalError:  # locked, read-only, disk full: not the file's fault
            connection.close()
            raise
        except sqlite3.DatabaseError as error:
            connection.close()
            if attempt == "made anew":
                raise
            log.warning("catalogue %s cannot be used (%s); it is rebuilt from the folders", path, error)
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
    raise AssertionError("unreachable")


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Give a catalogue, which may be empty or of an older version, all that this version has; at once or not at all.

    Raises:
        sqlite3.DatabaseError: it is of a newer version.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE")  # a second window that opens it waits
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"catalogue version {version}")
        connection.execute(_TABLE)
        there = {row[1] for row in connection.execute("PRAGMA table_info(items)")}
        for column, statement in _COLUMNS_ADDED.items():
            if column not in there:
                connection.execute(statement)
        for statement in _INDICES:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")


def _copied_to_memory(catalogue: sqlite3.Connection) -> tuple[sqlite3.Connection, bool]:
    """A copy of a catalogue in memory; empty, and False beside it, where it cannot be read."""
    whole = True
    copy = sqlite3.connect(":memory:")
    _bring_up_to_date(copy)
    try:
        with copy:
            copy.executemany(
                "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", catalogue.execute("SELECT * FROM items")
            )
    except sqlite3.Error as error:
        log.warning("nothing of the catalogue can be read (%s)", error)
        whole = False
    with contextlib.suppress(sqlite3.Error):
        catalogue.close()
    return copy, whole


def _shape_in(path: Path) -> tuple[int, ...]:
    with safe_open(path, framework="np") as file:
        return tuple(file.get_slice("latent").get_shape())


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        _flush(file.fileno())


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable, where the system can open folders (not Windows)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read_tags(folder: Path) -> tuple[str, ...] | None:
    """The tags in an item's folder, or None if they cannot be read."""
    try:
        return tags_from_json((folder / TAGS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        log.warning("the tags in %s cannot be read: %s", folder, error)
        return None


def _mark_deleted(folder: Path) -> None:
    """Note that an item was deleted now. Where nothing can be written it is noted at a later start."""
    with contextlib.suppress(OSError):
        (folder / DELETED).touch()


def _deleted_at(folder: Path) -> datetime:
    """When an item in the trash was deleted; now if nobody knows."""
    try:
        return datetime.fromtimestamp((folder / DELETED).stat().st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)


def _remove_abandoned(temporary: Path) -> None:
    """Remove a half-written item, unless a running program (a second window) is still writing it."""
    owner = temporary.name.split("-")[1]
    if owner.isdigit() and int(owner) != os.getpid() and psutil.pid_exists(int(owner)):
        return
    shutil.rmtree(temporary, ignore_errors=True)
