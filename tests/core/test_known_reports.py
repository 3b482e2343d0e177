import json
from pathlib import Path
from typing import Any

import pytest

from ddmi_core.evaluation.known_reports import newest_reports, read_report, remember, reports_folder
from ddmi_core.support.errors import DDMIError


def figure(metric: str, name: str, value: float | None, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "name": name, "value": value, **more}


def write(folder: Path, digest: str = "aa", made: str = "2026-01-01 10:00", figures: Any = ()) -> Path:
    folder.mkdir(parents=True)
    report = {
        "model": {"hash": digest},
        "data": {"source": "furniture"},
        "sampling": {"samples": 20},
        "figures": figures,
        "made": made,
    }
    (folder / "report.json").write_text(json.dumps(report))
    (folder / "report.html").write_text("")
    return folder


def test_the_newest_report_of_each_model_is_found_wherever_it_lies(tmp_path: Path) -> None:
    assert newest_reports() == {}
    write(reports_folder() / "a")
    write(reports_folder() / "other", "bb")
    elsewhere = write(tmp_path / "b", made="2026-01-01 11:00")
    assert newest_reports()["aa"].page == reports_folder() / "a" / "report.html"
    remember(elsewhere)
    found = newest_reports()
    assert set(found) == {"aa", "bb"} and found["aa"].page == elsewhere / "report.html"
    (elsewhere / "report.html").unlink()
    assert newest_reports()["aa"].page.parent == reports_folder() / "a"
    with pytest.raises(DDMIError, match="no evaluation"):
        remember(tmp_path)


def test_few_figures_stand_for_the_report(tmp_path: Path) -> None:
    figures = [
        figure("f-score", "F-score of reconstructions", 0.8),
        figure("iou", "IoU of reconstructions", 0.93456, better="higher"),
        figure("frechet", "Fréchet distance", None, reason="too few"),
        figure("clouds-cd", "MMD-CD", 0.01),
        figure("clouds-cd", "1-NNA-CD", 0.52, better="0.5"),
        figure("accuracy", "Accuracy", None),
        figure("clip-s", "CLIP-S", 30.0, unit="%"),
    ]
    said = read_report(write(tmp_path / "a", figures=figures)).figures
    assert said == ("IoU of reconstructions 0.9346", "1-NNA-CD 0.52", "CLIP-S 30 %")
    assert read_report(write(tmp_path / "b")).figures == ()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": 3}', '{"model": {"hash": "aa"}, "figures": [3]}'])
def test_damaged_reports_hide_no_others(text: str) -> None:
    write(reports_folder() / "whole")
    (write(reports_folder() / "damaged", "bb") / "report.json").write_text(text)
    assert set(newest_reports()) == {"aa"}


def test_figures_that_are_none_hide_no_others() -> None:
    for number, figures in enumerate(([3], [{"metric": "psnr"}], "text", [figure("psnr", "PSNR", 1.0, unit=[])])):
        write(reports_folder() / str(number), f"bad {number}", figures=figures)
    write(reports_folder() / "whole")
    assert "aa" in newest_reports()
