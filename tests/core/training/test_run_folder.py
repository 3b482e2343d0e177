from __future__ import annotations

from pathlib import Path

import pytest

from ddmi_core.support.errors import DDMIError
from ddmi_core.training.run_folder import LONGEST_NOTES, RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.create("name: run\n")
    return run


def test_notes_come_back_and_go_once_there_are_none(run: RunFolder) -> None:
    assert run.notes() == ""
    run.write_notes("legs are thinner\n\nä\n")
    assert run.notes() == "legs are thinner\n\nä\n"
    run.write_notes(" \n")
    assert run.notes() == "" and not run.notes_file.exists()
    run.write_notes("")


def test_notes_of_another_system_s_editor_have_its_line_ends_taken_out(run: RunFolder) -> None:
    run.notes_file.write_bytes(b"one\r\ntwo")
    assert run.notes() == "one\ntwo"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a" * (LONGEST_NOTES + 1)])
def test_what_is_no_note_is_not_read(run: RunFolder, content: bytes) -> None:
    run.notes_file.write_bytes(content)
    assert run.notes() is None


def test_notes_that_are_too_long_or_have_no_place_are_refused(run: RunFolder, tmp_path: Path) -> None:
    run.write_notes("ä" * (LONGEST_NOTES // 2))
    with pytest.raises(DDMIError, match="64 kB"):
        run.write_notes("ä" * LONGEST_NOTES)
    assert len(run.notes() or "") == LONGEST_NOTES // 2
    with pytest.raises(DDMIError, match=r"cannot be kept in .*gone \(No such file or directory\)"):
        RunFolder(tmp_path / "gone").write_notes("mine")
