from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from ddmi_core.fidelity import FitFacts
from ddmi_core.recipe import MAX_SEED, Recipe
from ddmi_core.support.errors import DataError
from studio.state.library import DELETED, FIT, LATENT, RECIPE, TAGS, Item, Library, TrashContent

LATENT_VALUES = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
THUMBNAIL = np.full((16, 16, 4), 90, np.uint8)


def recipe(prompt: str = "a chair", seed: int = 1, domain: str = "shape") -> Recipe:
    return Recipe(domain=domain, model="furniture", model_hash="abc", prompt=prompt, seed=seed)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library(tmp_path / "library")
    yield opened
    opened.close()


def add(library: Library, prompt: str = "a chair", seed: int = 1, domain: str = "shape") -> Item:
    return library.add(LATENT_VALUES, recipe(prompt, seed, domain), THUMBNAIL)


def tag(library: Library, tags: dict[str, list[str]]) -> None:
    library.write_tags(library.tag(tags))


def reopened(library: Library) -> Library:
    library.close()
    return Library(library.folder)


def test_an_item_comes_back_as_it_was(library: Library) -> None:
    item = add(library, "a round table", 7)
    assert library.get(item.id) == item
    np.testing.assert_array_equal(library.load_latent(item), LATENT_VALUES)
    assert library.latent_shape(item) == (2, 3, 4)
    assert item.thumbnail.read_bytes().startswith(b"\x89PNG")
    assert item.created.utcoffset() is not None
    again = reopened(library)
    assert again.items() == [item]
    again.close()


def fitted_recipe() -> Recipe:
    facts = FitFacts(fidelity="faithful", size_bytes=12)
    return recipe("", 0, "image").model_copy(update={"source": "photo.png", "fit": facts})


def test_a_fit_lies_with_its_item_wherever_that_goes(library: Library, tmp_path: Path) -> None:
    content = save({"basis": np.arange(3.0, dtype=np.float32)})
    item, plain = library.add(LATENT_VALUES, fitted_recipe(), THUMBNAIL, content), add(library)
    assert library.load_fit(item) == content and library.load_fit(plain) is None
    copy = library.add_copy(item.folder)
    assert library.load_fit(copy) == content and copy.id != item.id
    library.delete(item)
    assert library.load_fit(item) == content and library.trash_content().size_bytes > len(content)
    held = library.adopt(library.hold(LATENT_VALUES, fitted_recipe(), THUMBNAIL, content))
    assert library.load_fit(held) == content  # written by now
    library.close()
    (library.folder / "catalogue.sqlite").unlink()
    again = Library(library.folder)
    assert {one.id for one in again.items()} == {copy.id, held.id, plain.id} and not again.damaged
    assert again.load_fit(held) == content
    again.close()


def test_an_item_is_fitted_afterwards_where_it_is(library: Library) -> None:
    content, changed = save({"basis": np.arange(3.0, dtype=np.float32)}), []
    library.changed.connect(changed.extend)
    item = library.star(add(library))
    fitted = library.save_fit(item, fitted_recipe(), THUMBNAIL // 2, content)
    assert not library.get(item.id).recipe.is_fitted  # until it is adopted
    fitted = library.adopt_fit(fitted)
    assert fitted == library.get(item.id) == changed[-1] and fitted.recipe.is_fitted and fitted.starred
    with full_disk():
        held = library.adopt(library.hold(LATENT_VALUES, recipe(), THUMBNAIL))
        held = library.adopt_fit(library.save_fit(held, fitted_recipe(), THUMBNAIL, content))
        assert library.load_fit(held) == content and not held.folder.exists()
    assert library.save_held() == 0
    again = reopened(library)
    assert {one.id for one in again.items()} == {item.id, held.id} and not again.damaged
    assert all(again.load_fit(one) == content for one in again.items())
    again.close()


def test_a_fit_of_what_was_deleted_meanwhile_is_refused(library: Library) -> None:
    item = add(library)
    library.delete(item)
    with pytest.raises(DataError, match="could not be saved"):
        library.save_fit(item, fitted_recipe(), THUMBNAIL, b"")
    assert not library.get(item.id).recipe.is_fitted and library.load_fit(library.get(item.id)) is None


@pytest.mark.parametrize("damage", ["missing", "cut short"])
def test_a_fit_that_is_lost_is_named_and_its_item_put_aside(library: Library, damage: str) -> None:
    content = save({"basis": np.arange(3.0, dtype=np.float32)})
    listed = library.add(LATENT_VALUES, fitted_recipe(), THUMBNAIL, content)
    found = library.save(LATENT_VALUES, fitted_recipe(), THUMBNAIL, content)
    for item in (listed, found):
        (item.folder / FIT).unlink() if damage == "missing" else (item.folder / FIT).write_bytes(content[:-2])
    if damage == "missing":
        with pytest.raises(DataError, match="gone"):
            library.load_fit(listed)
        with pytest.raises(DataError, match="cannot be read"):
            library.add_copy(listed.folder)
    again = reopened(library)
    assert [path.name for path in again.damaged] == [found.id]
    again.close()


def test_items_are_filtered_and_newest_first(library: Library) -> None:
    first, second = add(library, "a round table", 1), add(library, "a Round chair", 22)
    other = add(library, "a dog", 3, domain="image")
    assert [item.id for item in library.items()] == [other.id, second.id, first.id]
    assert [item.id for item in library.items(domain="image")] == [other.id]


def test_stars_and_the_trash_announce_themselves_and_last(library: Library) -> None:
    said: list[str] = []
    library.added.connect(lambda item: said.append(f"added {item.starred}"))
    library.changed.connect(lambda items: said.extend(f"changed {item.starred}" for item in items))
    library.removed.connect(lambda item: said.append("removed"))
    item = library.star(add(library))
    library.delete(item)
    assert library.items() == []
    assert [one.id for one in library.items(deleted=True)] == [item.id]
    np.testing.assert_array_equal(library.load_latent(item), LATENT_VALUES)  # the old folder's name still works
    again = reopened(library)
    restored = again.restore(again.get(item.id))
    assert restored.starred and again.items() == [restored]
    assert said == ["added False", "changed True", "removed"]
    again.close()


def test_tags_announce_themselves_and_last_wherever_the_item_goes(library: Library) -> None:
    said: list[tuple[str, ...]] = []
    library.changed.connect(lambda items: said.extend(item.tags for item in items))
    item, other, plain = add(library, seed=1), add(library, seed=2), add(library, seed=3)
    tag(library, {item.id: ["#kitchen", "Chairs", " kitchen "], other.id: ["for  Größe"], "gone": ["nothing"]})
    tag(library, {item.id: ["Chairs", "kitchen"]})  # as it is
    assert said == [("for Größe",), ("Chairs", "kitchen")] and library.get(plain.id).tags == ()
    assert library.tags() == ["Chairs", "for Größe", "kitchen"]
    assert [one.id for one in library.tagged("kitchen")] == [item.id]
    library.delete(item)
    assert library.tags() == ["for Größe"]
    assert [one.id for one in library.tagged("kitchen")] == [item.id]  # in the trash
    again = reopened(library)
    assert again.restore(again.get(item.id)).tags == ("Chairs", "kitchen")
    tag(again, {item.id: []})
    assert again.get(item.id).tags == () and not (again.get(item.id).folder / TAGS).exists()
    again.close()


def test_many_are_tagged_in_one_transaction_and_announced_at_once(library: Library) -> None:
    items = [add(library, seed=seed) for seed in range(12)]
    announced, asked = [], []
    library.changed.connect(announced.append)
    library._catalogue.set_trace_callback(asked.append)
    changed = library.tag({item.id: ["chairs"] for item in items})
    assert [sorted(item.id for item in at_once) for at_once in announced] == [[item.id for item in items]]
    assert asked.count("COMMIT") == 1 and sum("json_each" in text for text in asked) == 1
    assert {item.tags for item in library.items()} == {("chairs",)}
    assert not any((item.folder / TAGS).exists() for item in items)  # which takes a while, and is for another thread
    library.write_tags(changed)
    assert all((item.folder / TAGS).exists() for item in items)


def test_tags_that_cannot_be_written_are_told_and_the_others_count(library: Library) -> None:
    gone, kept = add(library, seed=1), add(library, seed=2)
    shutil.rmtree(gone.folder)
    with pytest.raises(DataError, match="tags of an item could not be written"):
        tag(library, {gone.id: ["a"], kept.id: ["b"]})
    again = reopened(library)
    assert [(item.id, item.tags) for item in again.items()] == [(kept.id, ("b",))]
    again.close()


def test_tags_are_written_where_an_item_is_by_then(library: Library) -> None:
    first, second = (library.tag({add(library, seed=seed).id: ["a"]})[0] for seed in range(2))
    library.write_tags([second])
    bare = library.tag({second.id: []})
    library.delete(first)
    library.delete(second)
    library.write_tags([first, *bare])
    again = reopened(library)
    assert [item.tags for item in again.items(deleted=True)] == [(), ("a",)]
    again.close()


@pytest.mark.parametrize("damage", ["{", '{"a": 1}', "[1]", b"\xff".decode("latin-1")])
def test_damaged_tags_take_nothing_along(library: Library, damage: str) -> None:
    item, other = add(library, seed=1), add(library, seed=2)
    tag(library, {item.id: ["chairs"]})
    (item.folder / TAGS).write_bytes(damage.encode("latin-1"))
    (other.folder / TAGS).write_bytes(damage.encode("latin-1"))
    again = reopened(library)
    assert again.get(item.id).tags == ("chairs",)  # as the catalogue has them
    assert again.get(other.id).tags == () and not again.damaged
    again.close()


OLD_SCHEMA = """
CREATE TABLE items (
    id TEXT PRIMARY KEY, created TEXT NOT NULL, domain TEXT NOT NULL, prompt TEXT NOT NULL, seed INTEGER NOT NULL,
    starred INTEGER NOT NULL, deleted INTEGER NOT NULL, recipe TEXT NOT NULL
);
CREATE INDEX items_by_domain ON items (deleted, domain, id);
PRAGMA user_version = 1;
"""


def as_of_version_1(library: Library) -> Path:
    """Close a library, and give it the catalogue that the first version would have."""
    path = library.folder / "catalogue.sqlite"
    columns = "id, created, domain, prompt, seed, starred, deleted, recipe"
    with library._catalogue:
        rows = library._catalogue.execute(f"SELECT {columns} FROM items").fetchall()
    library.close()
    for file in library.folder.glob("catalogue.sqlite*"):
        file.unlink()
    old = sqlite3.connect(path)
    old.executescript(OLD_SCHEMA)
    with old:
        old.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    old.close()
    return path


def test_a_catalogue_of_the_first_version_is_kept_and_gets_tags(library: Library) -> None:
    first, second = library.star(add(library, seed=1)), add(library, seed=2)
    tag(library, {second.id: ["chairs"]})
    for item in (first, second):
        (item.folder / RECIPE).write_text("{")  # so that a catalogue made anew would lack them
    as_of_version_1(library)
    again = Library(library.folder)
    assert [(item.id, item.starred, item.tags) for item in again.items()] == [
        (second.id, False, ("chairs",)),
        (first.id, True, ()),
    ]
    assert not again.damaged
    tag(again, {first.id: ["tables"]})
    assert again.tags() == ["chairs", "tables"]
    again.close()


def test_a_catalogue_is_brought_up_to_date_at_once_or_not_at_all(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = add(library)
    path = as_of_version_1(library)
    with monkeypatch.context() as patched:
        patched.setattr("studio.state.library._INDICES", ("CREATE INDEX broken ON items (nothing)",))
        with pytest.raises(DataError, match="cannot be opened"):
            Library(library.folder)
    old = sqlite3.connect(path)
    assert old.execute("PRAGMA user_version").fetchone() == (1,)
    assert "tags" not in {row[1] for row in old.execute("PRAGMA table_info(items)")}
    old.close()
    again = Library(library.folder)
    assert again.items() == [item]
    again.close()


def test_emptying_the_trash_keeps_the_rest(library: Library) -> None:
    kept, gone = add(library), add(library)
    library.delete(gone)
    assert library.empty_trash() == 1
    assert library.items() == [kept]
    with pytest.raises(DataError, match="no item"):
        library.get(gone.id)


def test_the_trash_is_emptied_of_what_was_deleted_long_ago(library: Library) -> None:
    old, new, back = (library.delete(add(library)) for _ in range(3))
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    for item in (old, back):
        os.utime(item.folder / DELETED, (long_ago.timestamp(),) * 2)
    library.delete(library.restore(back))  # it counts from the last time
    assert library.empty_trash(long_ago) == 0
    assert library.empty_trash(datetime.now(UTC) - timedelta(days=30)) == 1
    assert {item.id for item in library.items(deleted=True)} == {new.id, back.id}
    library.remove_emptied()
    again = reopened(library)
    assert {item.id for item in again.items(deleted=True)} == {new.id, back.id} and not again.damaged
    assert sorted(path.name for path in again.folder.iterdir() if path.is_dir()) == ["items", "trash"]
    again.close()


def test_what_an_older_version_deleted_counts_from_now(library: Library) -> None:
    item = library.delete(add(library))
    (item.folder / DELETED).unlink()
    os.utime(item.folder, (0, 0))
    again = reopened(library)
    assert again.empty_trash(datetime.now(UTC) - timedelta(days=1)) == 0
    assert again.empty_trash() == 1
    again.close()


def test_the_trash_tells_how_much_is_in_it(library: Library) -> None:
    assert library.trash_content() == TrashContent(0, 0)
    items = [library.delete(add(library)) for _ in range(2)]
    size = sum(file.stat().st_size for item in items for file in item.folder.iterdir())
    assert library.trash_content() == TrashContent(2, size) and size > 0
    assert str(TrashContent(1, 2_340_000)) == "1 item, 2.3 MB"


def test_an_item_saved_but_not_listed_is_listed_at_the_next_start(library: Library) -> None:
    item = library.save(LATENT_VALUES, recipe(), THUMBNAIL)
    assert library.items() == []
    again = reopened(library)
    assert again.items() == [item]
    again.close()


@pytest.mark.parametrize("damage", ["missing", "garbage"])
def test_a_lost_catalogue_is_rebuilt_with_stars_tags_and_trash(library: Library, damage: str) -> None:
    starred, plain, deleted = library.star(add(library)), add(library), library.delete(add(library))
    tag(library, {starred.id: ["chairs", "for Größe"]})
    starred = library.get(starred.id)
    library.close()
    for path in library.folder.glob("catalogue.sqlite*"):
        path.unlink()
    if damage == "garbage":
        (library.folder / "catalogue.sqlite").write_bytes(b"no database at all" * 100)
    again = Library(library.folder)
    assert again.items() == [plain, starred]
    assert again.items(deleted=True) == [deleted]
    again.close()


@pytest.mark.parametrize("where", ["catalogue", "both"])
def test_a_stored_recipe_out_of_bounds_is_set_aside_and_the_rest_opens(library: Library, where: str) -> None:
    good, bad = add(library, "a chair"), add(library, "a sofa")
    catalogue = sqlite3.connect(library.folder / "catalogue.sqlite")
    with catalogue:
        catalogue.execute("UPDATE items SET recipe = replace(recipe, '3.0', '80.0') WHERE id = ?", (bad.id,))
    catalogue.close()
    if where == "both":
        file = bad.folder / RECIPE
        file.write_text(file.read_text().replace('"guidance": 3.0', '"guidance": 80.0'))
    again = reopened(library)
    assert again.items() == ([good] if where == "both" else [bad, good])
    assert [path.name for path in again.damaged] == ([bad.id] if where == "both" else [])
    again.close()


def test_what_a_recipe_made_is_found_whatever_its_model_is_called_now(library: Library) -> None:
    made = add(library, "a chair", 7)
    add(library, "a chair", 8)
    newest = add(library, "a chair", 7)
    asked = recipe("a chair", 7)
    assert library.result_of(asked) == newest
    assert library.result_of(asked.model_copy(update={"model": "renamed"})) == newest
    for change in ({"model_hash": "other"}, {"steps": 21}, {"guidance": 2.0}, {"prompt": "a Chair"}, {"versions": {}}):
        assert library.result_of(asked.model_copy(update=change)) is None, change
    library.delete(newest)
    assert library.result_of(asked) == made


def test_what_the_command_line_allows_is_listed(library: Library) -> None:
    made = library.add(LATENT_VALUES, recipe(seed=MAX_SEED), THUMBNAIL)
    again = reopened(library)
    assert again.items() == [made] and again.items()[0].recipe.seed == MAX_SEED
    again.close()


def test_a_catalogue_of_another_version_is_rebuilt(library: Library) -> None:
    item = add(library)
    library.close()
    connection = sqlite3.connect(library.folder / "catalogue.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    again = Library(library.folder)
    assert again.items() == [item]
    again.close()


def test_rows_without_files_are_forgotten(library: Library) -> None:
    item, kept = add(library), add(library)
    shutil.rmtree(item.folder)
    with pytest.raises(DataError, match="gone"):
        library.load_latent(item)
    again = reopened(library)
    assert again.items() == [kept]
    again.close()


def test_half_written_items_vanish_but_not_those_of_another_running_program(library: Library) -> None:
    finished = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    abandoned = library.folder / "items" / f".writing-{int(finished.stdout)}-x"
    in_work = library.folder / "items" / f".writing-{os.getppid()}-y"
    for folder in (abandoned, in_work):
        folder.mkdir()
        (folder / LATENT).write_bytes(b"half")
    again = reopened(library)
    assert again.items() == [] and again.damaged == []
    assert not abandoned.exists() and in_work.exists()
    again.close()


@pytest.mark.parametrize("name", [LATENT, RECIPE])
def test_damaged_items_are_put_aside_not_deleted(library: Library, name: str) -> None:
    item, kept = library.save(LATENT_VALUES, recipe(), THUMBNAIL), add(library)
    (item.folder / name).write_bytes(b"{")
    again = reopened(library)
    assert again.items() == [kept]
    assert [path.name for path in again.damaged] == [item.id]
    assert (again.damaged[0] / name).exists()
    again.close()


def test_killing_the_program_at_any_moment_leaves_whole_items(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    script = f"""
import numpy as np
from pathlib import Path
from ddmi_core.recipe import MAX_SEED, Recipe
from studio.state.library import Library
library = Library(Path({str(folder)!r}))
print("ready", flush=True)
while True:
    library.add(np.zeros((4, 32, 32), np.float32), Recipe(domain="shape", model="m", model_hash="h"),
                np.zeros((64, 64, 4), np.uint8))
    print("added", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    announced = 0
    for line in child.stdout:
        announced += line == "added\n"
        if announced == 5:
            child.kill()
    child.wait()
    child.stdout.close()
    library = Library(folder)
    assert len(library.items()) >= announced >= 5
    assert library.damaged == []
    assert not list((folder / "items").glob(".writing-*"))
    for item in library.items():
        assert library.load_latent(item).shape == (4, 32, 32)
    library.close()


def test_saving_from_another_thread_is_adopted_by_the_owner(library: Library) -> None:
    saved: list[Item] = []
    thread = threading.Thread(target=lambda: saved.append(library.save(LATENT_VALUES, recipe(), THUMBNAIL)))
    thread.start()
    thread.join()
    library.adopt(saved[0])
    assert library.items() == saved


def test_a_failed_save_says_why_and_leaves_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left"):
        add(library)
    assert list((library.folder / "items").iterdir()) == []


def test_a_library_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be opened"):
        Library(tmp_path / "file")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file grows beyond a few bytes, as on a disk without room."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_does_not_fit_on_the_disk_is_held_listed_and_written_later(library: Library) -> None:
    kept = add(library)
    told: list[str] = []
    library.troubled.connect(told.append)
    with full_disk():
        with pytest.raises(DataError, match="could not be saved"):
            library.save(LATENT_VALUES, recipe(), THUMBNAIL)
        held = library.adopt(library.hold(LATENT_VALUES, recipe(seed=8), THUMBNAIL))
        assert library.items() == [held, kept]
        assert np.array_equal(library.load_latent(held), LATENT_VALUES)
        assert library.latent_shape(held) == LATENT_VALUES.shape
        assert library.save_held() == 1
        assert library.star(kept).starred
    assert len(told) == 1 and "catalogue" in told[0]
    assert library.save_held() == 0
    again = reopened(library)
    assert [item.id for item in again.items()] == [held.id, kept.id]
    assert np.array_equal(again.load_latent(held), LATENT_VALUES)
    again.close()


def test_a_folder_that_vanishes_takes_nothing_along_that_is_made_afterwards(library: Library) -> None:
    gone = add(library)
    shutil.rmtree(library.folder)
    made = add(library)
    assert library.items()[0] == made
    assert np.array_equal(library.load_latent(made), LATENT_VALUES)
    for attempt in (library.load_latent, library.star, library.delete):
        with pytest.raises(DataError):
            attempt(gone)
    again = reopened(library)
    assert again.items() == [made]
    again.close()


def test_two_windows_share_a_library(library: Library) -> None:
    other = Library(library.folder)
    first = add(library)
    assert other.star(first).starred and library.get(first.id).starred
    library.delete(first)
    assert other.items() == [] and other.delete(first).deleted
    other.restore(first)
    script = f"""
import numpy as np
from pathlib import Path
from ddmi_core.recipe import MAX_SEED, Recipe
from studio.state.library import Library
library = Library(Path({str(library.folder)!r}))
print("ready", flush=True)
for seed in range(20):
    library.add(np.zeros((2, 3, 4), np.float32), Recipe(domain="shape", model="m", model_hash="h", seed=seed),
                np.zeros((16, 16, 4), np.uint8))
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    for seed in range(10):
        add(library, seed=seed)
        add(other, seed=seed)
    third = Library(library.folder)  # opened while the other program writes
    assert child.wait() == 0
    child.stdout.close()
    for window in (library, other, third):
        assert len(window.items()) == 41 and not window.damaged
    third.close()
    other.close()
