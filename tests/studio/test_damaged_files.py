"""A small part of `benchmarks.fuzz_readers`: spoiled files are refused with a message or read, by every reader."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from benchmarks.fuzz_readers import Reader, judge, readers, spoil
from ddmi_core.support.errors import DataError, DDMIError

FILES = 4
SLOW = ("model folder",)
"""Loads a whole model for each file; that damaged ones are refused is tested with the pipeline."""


@pytest.mark.parametrize("reader", [one for one in readers() if one.name not in SLOW], ids=lambda one: one.name)
@pytest.mark.filterwarnings("ignore")  # what libraries say of damaged files
def test_a_spoiled_file_is_refused_with_a_message_or_read(reader: Reader, tmp_path: Path, home: Path) -> None:
    good = tmp_path / "good"
    good.mkdir()
    names = [path.relative_to(good) for path in reader.make(good)]
    os.environ["DDMI_HOME"] = str(home)  # the cache stays out of the way of what is spoiled
    assert judge(reader, good, good / names[0]).what == "read"
    for number in range(FILES):
        folder = tmp_path / f"spoiled{number}"
        shutil.copytree(good, folder)
        file, how = spoil(folder, [folder / name for name in names], reader.suffixes, random.Random(number))
        outcome = judge(reader, folder, file)
        assert outcome.what in ("read", "refused"), f"{how}: {outcome.text}"


def test_what_a_reader_may_not_do_counts_as_a_crash(tmp_path: Path) -> None:
    def fail(error: Exception) -> Reader:
        def read(_folder: Path, _file: Path) -> None:
            raise error

        return Reader("failing", lambda _: [], read)

    assert judge(fail(KeyError("x")), tmp_path, tmp_path).what == "crashed"
    assert judge(fail(DataError("no")), tmp_path, tmp_path).what == "crashed"
    assert judge(fail(DDMIError("The file x is damaged. Copy it again.")), tmp_path, tmp_path).what == "refused"
    forgiving = Reader("forgiving", lambda _: [], fail(DDMIError("The file x is damaged.")).read, forgiving=True)
    assert judge(forgiving, tmp_path, tmp_path).what == "crashed"
