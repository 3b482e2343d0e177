"""Files are prepared in processes of their own; one that ends its process is left out and the others are made."""

import os
import sys
from pathlib import Path

import pytest

from ddmi_core.data import preparing
from ddmi_core.data.preparing import Content, Preparation, prepare
from ddmi_core.support.progress import Cancelled
from tests.core.data.makers import make, place


@pytest.fixture
def contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Content]:
    # For the children to find the maker: other packages are called `tests` too
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    monkeypatch.setattr(make, "__module__", "makers")
    monkeypatch.setenv("MADE", str(tmp_path / "made"))
    (tmp_path / "made").mkdir()
    found = []
    for number in range(40):
        file = tmp_path / f"{number:02}"
        file.write_text(str(number))
        found.append(Content(file, f"{number:064}"))
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="a process is killed by a signal")
def test_many_files_are_prepared_in_several_processes(
    contents: list[Content], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "_processes", lambda: 2)
    (tmp_path / "03").write_text("bad")
    (tmp_path / "07").write_text("deadly")
    contents.append(Content(tmp_path / "03-copy", contents[3].digest))
    said: list[str] = []
    reasons = prepare(contents, Preparation(make, place), lambda _, text: said.append(text))
    assert {path.name for path in reasons} == {"03", "03-copy", "07"}
    assert reasons[tmp_path / "03"] == "03 is bad.\nReally]" == reasons[tmp_path / "03-copy"]
    assert "perhaps for want of memory" in reasons[tmp_path / "07"]
    made = [path.read_text() for path in (tmp_path / "made").iterdir()]
    assert len(made) == 38
    makers = {text.rpartition(" ")[2] for text in made}
    assert len(makers) == 3 and str(os.getpid()) not in makers  # one had to be replaced
    assert all("of 40 in 2 processes" in text for text in said)


def test_few_files_are_prepared_here_and_what_is_there_is_left_alone(contents: list[Content], tmp_path: Path) -> None:
    (tmp_path / "01").write_text("bad")
    place(contents[2].digest).write_text("there")
    seen: list[str] = []
    reasons = prepare(contents[:5], Preparation(make, place), lambda _, text: seen.append(text))
    assert list(reasons) == [tmp_path / "01"] and len(seen) == 4
    assert place(contents[2].digest).read_text() == "there"
    assert place(contents[0].digest).read_text() == f"made of 0 by {os.getpid()}"


def test_a_process_that_cannot_begin_is_an_error_and_not_a_list_of_bad_files(
    contents: list[Content], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "_processes", lambda: 2)
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr(make, "__module__", "nowhere.to.be.found")
    with pytest.raises(Exception, match="process in which it was prepared ended"):
        prepare(contents, Preparation(make, place))


def test_preparing_can_be_cancelled(contents: list[Content], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_processes", lambda: 2)

    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        prepare(contents, Preparation(make, place), stop)
