import hashlib
import os
from pathlib import Path

import pytest

from ddmi_core.data import file_hashes
from ddmi_core.data.file_hashes import digest, digests
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Cancelled


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, in order."""
    names: list[str] = []
    original = file_hashes.file_digest

    def noted(path: Path) -> str:
        names.append(path.name)
        return original(path)

    monkeypatch.setattr(file_hashes, "file_digest", noted)
    return names


def _fill(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number:03}" for number in range(count)]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, read: list[str]) -> None:
    paths = _fill(tmp_path, 300)
    first = digests(paths)
    assert first == [hashlib.sha256(path.name.encode()).hexdigest() for path in paths]
    assert sorted(read) == [path.name for path in paths]
    read.clear()
    assert digests(paths) == first and digest(paths[7]) == first[7] and not read
    paths[7].write_text("else")
    os.utime(paths[9], ns=(1, 1))  # as after a copy: it may have changed
    again = digests(paths)
    assert sorted(read) == ["007", "009"] and again[7] != first[7] and again[9] == first[9]


def test_a_folder_changes_with_any_file_in_it(tmp_path: Path, read: list[str]) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    _fill(folder, 3)
    first = digest(folder)
    read.clear()
    assert digest(folder) == first and not read
    (folder / "001").write_text("other")
    assert digest(folder) != first


def test_what_cannot_be_read_is_said_and_the_others_are_hashed(tmp_path: Path) -> None:
    (there,) = _fill(tmp_path, 1)
    missing, known = digests([tmp_path / "absent", there])
    assert isinstance(missing, DataError) and "absent cannot be read" in str(missing)
    assert known == hashlib.sha256(b"000").hexdigest()
    with pytest.raises(DataError, match="absent"):
        digest(tmp_path / "absent")


def test_what_was_read_before_a_cancel_is_remembered(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_hashes, "_AT_ONCE", 4)
    paths = _fill(tmp_path, 10)

    def stop(fraction: float, text: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        digests(paths, stop)
    assert len(read) == 8
    digests(paths)
    assert sorted(read) == [path.name for path in paths]


@pytest.mark.parametrize("damage", ["database", "folder"])
def test_without_a_memory_all_is_read(
    tmp_path: Path, home: Path, read: list[str], damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    if damage == "database":
        (home / "cache").mkdir()
        (home / "cache" / "hashes.sqlite").write_bytes(b"no database" * 1000)
    else:
        (home / "cache").write_text("in the way")
    (path,) = _fill(tmp_path, 1)
    assert digest(path) == digest(path) and len(read) == 2
    assert "are not remembered" in caplog.text
