"""One table of benchmarks: of saved lines, of a selection, and what is said of one that fails."""

import sys
from pathlib import Path

import pytest

from benchmarks import report


def test_saved_lines_become_a_table(tmp_path: Path) -> None:
    saved = tmp_path / "zoom.jsonl"
    saved.write_text('a line that is no JSON\n{"benchmark": "zoom", "model": "m|n", "hash": "0", "ms": 1.23456}\n3\n')
    gone = tmp_path / "gone.jsonl"
    assert report.main(tmp_path / "r.md", saved=(saved, gone)) == 1
    lines = (tmp_path / "r.md").read_text().splitlines()
    assert lines[2] == "| zoom |  | m\\|n 0 | ms 1.2346 |"
    assert lines[-1] == "- gone.jsonl: cannot be read: No such file or directory"


def test_figures_within_figures_are_told() -> None:
    text = report.table([{"benchmark": "b", "measurement": "x", "per": {"chair": {"right": 0.5}}, "n": [1, 2.0]}], {})
    assert "| b | x |  | per (chair (right 0.5)), n [1, 2] |" in text and "Failed" not in text


def test_a_failure_is_named_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "benchmarks"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "bad.py").write_text("print('{\"n\": 1}')\nraise ValueError('no such thing')\n")
    (package / "good.py").write_text('print(\'{"benchmark": "good", "n": 2}\')\n')
    (package / "slow.py").write_text("import time\nprint('{\"n\": 3}', flush=True)\ntime.sleep(60)\n")
    monkeypatch.setattr(report, "FOLDER", package)
    assert report.names() == ["bad", "good", "slow"]
    assert report.main(only=("bad", "good"), keep=tmp_path / "kept") == 1
    text = capsys.readouterr().out
    assert "| bad |  |  | n 1 |" in text and "| good |  |  | n 2 |" in text
    assert "- bad: exit code 1:" in text and "ValueError: no such thing" in text
    assert (tmp_path / "kept" / "good.jsonl").read_text() == '{"benchmark": "good", "n": 2}\n'
    printed, failure = report.run([sys.executable, str(package / "slow.py")], 3)
    assert "not done after 3 s" in failure and printed.startswith('{"n": 3}')


def test_the_real_benchmarks_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"image_quality", "shape_quality", "video_quality", "nerf_quality"} <= set(report.names())
    assert "report" not in report.names()
    assert report.main(only=("nothing",)) == 2
    assert "image_quality" in capsys.readouterr().err
