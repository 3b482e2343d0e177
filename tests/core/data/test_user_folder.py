from pathlib import Path

import pytest

from ddmi_core.data import user_folder
from ddmi_core.data.preparing import Preparation
from ddmi_core.data.user_folder import other_files, read_folder
from ddmi_core.support.errors import DataError


def _make(file: Path, digest: str) -> None:
    if "bad" in file.read_text():
        raise DataError(f"{file.name} is bad.")


def _read(folder: Path, split: str = "train") -> tuple[list[str], list[str]]:
    preparation = Preparation(_make, lambda digest: folder / digest)
    entries, unusable = read_folder(folder, split, preparation, suffixes=(".txt",), noun="text", plural="texts")
    return [entry.name for entry in entries], [one.reason for one in unusable]


def _fill(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"{number}.txt").write_text(str(number))


def test_captions_of_files_that_are_not_there_are_named_with_their_line(tmp_path: Path) -> None:
    _fill(tmp_path, 3)
    (tmp_path / "captions.csv").write_text("file,caption\n0.txt,zero\n7.txt,seven\n")
    _, reasons = _read(tmp_path)
    assert reasons == ["Line 3 names 7.txt, but there is no such text in the folder."]


def test_wrong_columns_are_named_beside_the_right_ones(tmp_path: Path) -> None:
    _fill(tmp_path, 3)
    (tmp_path / "captions.csv").write_text("name,words\n0.txt,zero\n")
    with pytest.raises(DataError, match=r"must start with the line file,caption; it starts with name,words"):
        _read(tmp_path)


def test_files_of_other_kinds_are_counted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _fill(tmp_path, 9)
    (tmp_path / "sub").mkdir()
    for name in ("chair.obj", "sub/table.obj", "notes.md", ".hidden"):
        (tmp_path / name).write_text("")
    (tmp_path / "captions.csv").write_text("file,caption\n")
    assert other_files(tmp_path, (".txt",)) == {".obj": 2, ".md": 1}
    _read(tmp_path)
    assert "no texts and are ignored: 2 .obj, 1 .md" in caplog.text


def test_a_folder_of_another_kind_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "chair.obj").write_text("")
    with pytest.raises(DataError, match=r"no usable text.*other files: 1 \.obj.*Choose another folder"):
        _read(tmp_path)


def test_few_files_are_said_to_be_few(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _fill(tmp_path, 7)
    _read(tmp_path)
    assert "only 7 usable texts" in caplog.text and "at least 8" in caplog.text
    caplog.clear()
    _fill(tmp_path, 8)
    _read(tmp_path)
    assert not caplog.text


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # the superuser may read everything
    with pytest.raises(DataError, match=r"cannot be read\. Allow it"):
        _read(tmp_path)


def test_of_many_files_what_is_trained_on_is_made_when_it_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(tmp_path, 20)
    (tmp_path / "5.txt").write_text("bad")
    few = [_read(tmp_path, split) for split in ("train", "held_out")]
    assert sum(len(names) for names, _ in few) == 19 and few[0][1] == ["5.txt is bad."]
    monkeypatch.setattr(user_folder, "LOOKED_THROUGH", 10)
    monkeypatch.setattr(user_folder, "prepare", lambda *_: pytest.fail("prepared"))
    many = [_read(tmp_path, split) for split in ("train", "held_out")]
    assert sorted(many[0][0] + many[1][0]) == sorted(f"{number}.txt" for number in range(20))
    assert set(few[0][0]) <= set(many[0][0]) and set(few[1][0]) <= set(many[1][0])
