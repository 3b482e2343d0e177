"""The session's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ddmi_core.recipe import SamplingSettings
from studio.state.form import GenerateForm
from studio.state.paused import PausedWork
from studio.state.session import Session, read_session, write_session

WORK = PausedWork(
    title="a chair × 2",
    domain="shape",
    model="furniture",
    model_hash="abc",
    settings=SamplingSettings(prompt="a chair", steps=7),
    seeds=(3, 4),
)
SESSION = Session(
    room="image", forms={"shape": GenerateForm(prompt="a chair", seed=5)}, shown={"shape": "1"}, waiting=(WORK,)
)


def test_a_session_comes_back_as_it_was(tmp_path: Path) -> None:
    write_session(SESSION, tmp_path / "session.json")
    assert read_session(tmp_path / "session.json") == SESSION
    assert read_session(tmp_path / "none.json") == Session()


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_damaged_file_is_a_first_session(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "session.json").write_bytes(content)
    assert read_session(tmp_path / "session.json") == Session()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("forms", {"shape": {"steps": -1}}),
        ("waiting", [{"title": "of an older version"}]),
        ("waiting", [WORK.model_dump() | {"seeds": []}]),
        ("shown", ["1"]),
        ("room", 3),
    ],
)
def test_what_cannot_be_read_of_a_file_does_not_cost_the_rest(tmp_path: Path, part: str, value: object) -> None:
    path = tmp_path / "session.json"
    write_session(SESSION, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {part: value, "later": 1}))
    assert read_session(path) == SESSION.model_copy(update={part: getattr(Session(), part)})


def test_a_folder_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    write_session(SESSION, tmp_path / "nowhere" / "session.json")
    assert not (tmp_path / "nowhere").exists()
