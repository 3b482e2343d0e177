"""The reports of evaluations that this machine knows, in few words. Needs no torch."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddmi_core.evaluation import PAGE, REPORT
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.known_folders import KnownFolders
from ddmi_core.support.parsing import parse_json
from ddmi_core.support.paths import user_data

_SHOWN = (
    ("psnr", "iou", "ssim", "chamfer", "f-score"),
    ("frechet", "kernel", "clouds-emd", "clouds-cd", "precision-recall"),
    ("accuracy", "clip-s", "tmd"),
)
"""Of each row the first that could be told: what the autoencoder keeps, how near samples come, what prompts do."""


@dataclass(frozen=True)
class KnownReport:
    """What an evaluation found, in short."""

    model_hash: str
    page: Path
    data: str
    """What was measured against: a starter set's name, or a folder."""
    samples: int
    made: str
    """When; the later, the greater."""
    figures: tuple[str, ...]
    """Two or three of its figures, with their names and units."""


def reports_folder() -> Path:
    """Return the folder of reports that are written without naming a place."""
    return user_data() / "reports"


_REPORTS = KnownFolders(reports_folder, REPORT, f"{{folder}} holds no evaluation: it has no {REPORT}.")


def remember(folder: Path) -> None:
    """Let `newest_reports` find a report wherever it lies; where the user's folder cannot be written, it does not.

    Raises:
        DDMIError: there is no report.
    """
    with suppress(OSError):
        _REPORTS.register(folder)


def newest_reports() -> dict[str, KnownReport]:
    """Return the newest report of each model that was measured, by the model's hash; damaged ones are left out."""
    newest: dict[str, KnownReport] = {}
    for folder in _REPORTS.all():
        try:
            found = read_report(folder)
        except DDMIError:
            continue
        before = newest.get(found.model_hash)
        if before is None or found.made > before.made:
            newest[found.model_hash] = found
    return newest


def read_report(folder: Path) -> KnownReport:
    """Return what a report says, in short.

    Raises:
        DDMIError: it is not whole.
    """
    try:
        found = parse_json((folder / REPORT).read_text(encoding="utf-8"))
        page = folder / PAGE
        if not page.is_file():
            raise ValueError(f"it has no {PAGE}")
        return KnownReport(
            model_hash=str(found["model"]["hash"]),
            page=page,
            data=str(found["data"]["source"]),
            samples=int(found["sampling"]["samples"]),
            made=str(found["made"]),
            figures=tuple(_said(figure) for figure in _chosen(found["figures"])),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DDMIError(f"The report in {folder} cannot be read ({error}). Evaluate the model again.") from error


def _chosen(figures: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    chosen = []
    for metrics in _SHOWN:
        told = [figure for name in metrics for figure in figures if figure["metric"] == name and _is_told(figure)]
        # Of clouds it is the one that is best at a half which tells most by itself
        same = [figure for figure in told if figure["metric"] == told[0]["metric"]]
        chosen += [next((figure for figure in same if figure.get("better") == "0.5"), same[0])] if same else []
    return chosen


def _is_told(figure: Mapping[str, Any]) -> bool:
    return isinstance(figure["value"], int | float)


def _said(figure: Mapping[str, Any]) -> str:
    return f"{figure['name']} {figure['value']:.4g} {figure.get('unit', '')}".rstrip()
