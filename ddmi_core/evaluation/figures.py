"""The figures of an evaluation, each with its definition, of the parts that were made."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor

from ddmi_core.evaluation.parts import Parts
from ddmi_core.evaluation.plan import EvaluationPlan
from ddmi_core.metrics.classifier import tally_of
from ddmi_core.metrics.clip_score import ClipScorer
from ddmi_core.metrics.clouds import (
    CloudDistance,
    CloudScale,
    cloud_figures,
    distance_rows,
    scaled,
    total_mutual_difference,
)
from ddmi_core.metrics.distributions import NEIGHBOURS, Moments, frechet_distance, kernel_distance, precision_recall
from ddmi_core.metrics.feature_networks import LoadedNetwork
from ddmi_core.metrics.shapes import F_SCORE_REACH
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import atomic_write
from ddmi_core.support.progress import Progress, report

Better = Literal["higher", "lower", "0.5", ""]
_ROWS = 16  # of distances in one file


@dataclass(frozen=True)
class Figure:
    """A figure of merit; `value` is None where it could not be told, and `reason` says why.

    `counts` says of how many of what it is, `values` are those that it is the mean of, for a plot.
    """

    metric: str
    name: str
    value: float | None
    better: Better
    definition: str
    counts: dict[str, int]
    unit: str = ""
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return all but what has no meaning here."""
        return {name: value for name, value in asdict(self).items() if value or name in ("value", "counts")}


_RECONSTRUCTION: dict[str, tuple[str, Better, str, str]] = {
    "psnr": (
        "PSNR",
        "higher",
        "dB",
        "Peak signal-to-noise ratio of pictures on white, of all pixels of a signal's pictures together.",
    ),
    "ssim": ("SSIM", "higher", "", "Structural similarity (Wang et al. 2004), Gaussian window of 11 pixels, on white."),
    "iou": (
        "IoU",
        "higher",
        "",
        "Intersection over union of what is inside at 8,192 places that the data asks for: of meshes and procedural "
        "shapes a half near the surface, a quarter where two of its projections cross, a quarter anywhere.",
    ),
    "chamfer": (
        "Chamfer distance",
        "lower",
        "",
        "Mean of the two mean distances to the nearest point of the other of 2,048 surface points each, in units of "
        "[-1, 1].",
    ),
    "f-score": (
        "F-score",
        "higher",
        "",
        f"Harmonic mean of the shares of 2,048 surface points each that are within {F_SCORE_REACH} of the other's "
        "(Tatarchenko et al. 2019).",
    ),
}


def make_distances(
    parts: Parts, plan: EvaluationPlan, rank: int, processes: int, progress: Progress | None = None
) -> None:
    """Make the distances between clouds that are not there yet, a process its share of the rows."""
    wanted = [kind for name, kind in _CLOUDS.items() if name in plan.metrics]
    if not wanted:
        return
    samples, data = _clouds(parts, plan)
    sets = {"samples": (samples, None), "data": (data, None), "between": (samples, data)}
    todo = [
        (kind, name, start)
        for kind in wanted
        for name, (rows, _) in sets.items()
        for start in range(0, len(rows), _ROWS)
        if (start // _ROWS) % processes == rank and not _distance_file(parts.folder, kind, name, start).exists()
    ]
    for done, (kind, name, start) in enumerate(todo):
        rows, columns = sets[name]
        found: list[Tensor] = []
        for row in distance_rows(rows[: start + _ROWS], columns, kind, start):
            report(progress, (done + len(found) / _ROWS) / len(todo), "comparing clouds")
            found.append(torch.from_numpy(np.pad(row, (0, len(columns or rows) - len(row)))))
        with atomic_write(_distance_file(parts.folder, kind, name, start)) as temporary:
            save_file({"rows": torch.stack(found)}, temporary)


def figures_of(
    parts: Parts, plan: EvaluationPlan, network: LoadedNetwork | None, clip: ClipScorer | None
) -> list[Figure]:
    """Return all figures of a plan whose parts and distances have been made."""
    found: list[Figure] = []
    for name in plan.of("reconstructions"):
        found.append(_reconstruction(parts, name))
    of_samples: dict[str, Callable[[], list[Figure]]] = {
        "frechet": lambda: [_frechet(parts, _given(network))],
        "kernel": lambda: [_kernel(parts, _given(network))],
        "precision-recall": lambda: _precision_recall(parts, _given(network)),
        "clouds-cd": lambda: _cloud_figures(parts, plan, "clouds-cd"),
        "clouds-emd": lambda: _cloud_figures(parts, plan, "clouds-emd"),
        "accuracy": lambda: [_accuracy(parts)],
        "tmd": lambda: [_tmd(parts, plan)],
        "clip-s": lambda: [_clip(parts, clip)],
    }
    for name in plan.of("samples"):
        found += of_samples[name]()
    return found


def _reconstruction(parts: Parts, metric: str) -> Figure:
    name, better, unit, definition = _RECONSTRUCTION[metric]
    column = parts.column("reconstructions", metric)
    values = [] if column is None else column.tolist()
    value = float(np.mean(values)) if values else None
    return Figure(
        metric,
        f"{name} of reconstructions",
        value,
        better,
        f"{definition} Held-out signals, encoded to the posterior's mean and decoded, not refined; the mean over them.",
        {"reconstructions": len(values)},
        unit,
        "" if values else "There was no held-out signal that could be measured.",
        {"worst": (max if better == "lower" else min)(values), "median": float(np.median(values))} if values else {},
        values,
    )


def _frechet(parts: Parts, network: LoadedNetwork) -> Figure:
    moments = [_moments(parts, kind, network) for kind in ("samples", "references")]
    short = min(moment.count for moment in moments)
    value, reason = None, ""
    if all(moment.is_enough for moment in moments):
        value = frechet_distance(*moments)
    else:
        reason = (
            f"{short:,} samples are too few for the covariance of {network.network.width:,} features: it takes more "
            "of either set than features. Generate more, or take the kernel distance, which has no such bias."
        )
    return Figure(
        "frechet",
        network.frechet_name,
        value,
        "lower",
        "Squared Fréchet distance of the normal distributions through the features of samples and of data "
        "(Heusel et al. 2017).",
        _feature_counts(moments[0].count, moments[1].count),
        reason=reason,
    )


def _kernel(parts: Parts, network: LoadedNetwork) -> Figure:
    return _guarded(
        "kernel",
        [network.named("Kernel distance ×1,000")],
        "lower",
        ["Squared maximum mean discrepancy with the kernel (x·y/f + 1)³, unbiased (Bińkowski et al. 2018), × 1,000."],
        _features(parts, network),
        lambda a, b: [kernel_distance(a, b)],
    )[0]


def _precision_recall(parts: Parts, network: LoadedNetwork) -> list[Figure]:
    near = f"in a ball about one of the other set that reaches to its neighbour number {NEIGHBOURS}"
    return _guarded(
        "precision-recall",
        [network.named("Precision"), network.named("Recall")],
        "higher",
        [
            f"Share of the {which} whose features lie {near} (Kynkäänniemi et al. 2019)."
            for which in ("samples", "data")
        ],
        _features(parts, network),
        lambda a, b: list(precision_recall(a, b)),
    )


def _guarded(
    metric: str,
    names: list[str],
    better: Better,
    definitions: list[str],
    features: tuple[Tensor, Tensor],
    measure: Callable[[Tensor, Tensor], list[float]],
) -> list[Figure]:
    """Figures of two sets of features; what is too few for them is told instead."""
    values: list[float | None] = [None] * len(names)
    reason = ""
    try:
        values = list(measure(*features))
    except DDMIError as error:
        reason = str(error)
    counts = _feature_counts(len(features[0]), len(features[1]))
    return [
        Figure(metric, name, value, better, definition, counts, reason=reason)
        for name, value, definition in zip(names, values, definitions, strict=True)
    ]


_CLOUDS: dict[str, CloudDistance] = {"clouds-cd": "cd", "clouds-emd": "emd"}
_CLOUD_DISTANCE: dict[CloudDistance, str] = {
    "cd": "Chamfer distance (mean squared distance to the nearest point, both ways added)",
    "emd": "earth mover's distance (mean distance in the best one-to-one matching, found exactly)",
}


_CLOUD_LABEL: dict[CloudScale, str] = {"canvas": "", "sphere": " (unit sphere)"}
_CLOUD_SCALE: dict[CloudScale, str] = {
    "canvas": "as large as on the canvas of [-1, 1]",
    "sphere": "each brought into the unit sphere about the middle of its box",
}


def _cloud_figures(parts: Parts, plan: EvaluationPlan, metric: str) -> list[Figure]:
    kind = _CLOUDS[metric]
    label = kind.upper() + _CLOUD_LABEL[plan.scale]
    about = f"Clouds of {plan.points:,} surface points, {_CLOUD_SCALE[plan.scale]}, by the {_CLOUD_DISTANCE[kind]}."
    samples, data = _clouds(parts, plan)
    values: list[float | None] = [None] * 3
    reason = ""
    try:
        if min(len(samples), len(data)) < 2:
            raise DDMIError("MMD, COV and 1-NNA take at least 2 clouds of each set. Generate more of them.")
        within, of_data, between = (_distances(parts.folder, kind, name) for name in ("samples", "data", "between"))
        values = list(cloud_figures(within + within.T, of_data + of_data.T, between))
    except DDMIError as error:
        reason = str(error)
    texts: list[tuple[str, Better, str]] = [
        (f"MMD-{label}", "lower", "Mean over the data of the distance to the nearest sample."),
        (f"COV-{label}", "higher", "Share of the data that is the nearest of some sample (Achlioptas et al. 2018)."),
        (
            f"1-NNA-{label}",
            "0.5",
            "Accuracy of telling samples from data by the nearest neighbour (Lopez-Paz & Oquab 2017); best at 0.5.",
        ),
    ]
    counts = {"samples": len(samples), "data": len(data)}
    return [
        Figure(metric, name, value, better, f"{text} {about}", counts, reason=reason)
        for (name, better, text), value in zip(texts, values, strict=True)
    ]


def _accuracy(parts: Parts) -> Figure:
    column, judge = parts.column("samples", "kinds"), parts.judge
    pairs = [] if column is None or judge is None else column.tolist()
    kinds = () if judge is None else judge.classifier.kinds
    accuracy, tally = tally_of([kinds[wanted] for wanted, _ in pairs], [kinds[guess] for _, guess in pairs], kinds)
    named = sum(total for kind, (_, total) in tally.items() if kind != "other")
    details: dict[str, Any] = {kind: {"right": right, "of": total} for kind, (right, total) in tally.items() if total}
    trained = "trained on training splits only"
    if judge is not None and judge.held_out is not None:
        right, of = judge.held_out
        trained = f"trained on the training part's classes, right about {right:,} of {of:,} held-out shapes"
        details = {"classifier": {"right": right, "of": of}, "samples": details}
    return Figure(
        "accuracy",
        "Accuracy (shape classifier)",
        accuracy if named else None,
        "higher",
        f"Share of samples that a classifier of surface points, {trained}, takes for the kind of thing that their "
        "prompt is a caption of; things of no named kind are left out.",
        {"samples": named},
        reason="" if named else "The data do not say of what kind they are: put shapes of each kind into a subfolder.",
        details=details,
    )


def _tmd(parts: Parts, plan: EvaluationPlan) -> Figure:
    clouds, prompts = parts.column("samples", "points"), parts.column("samples", "prompt")
    values = []
    if clouds is not None and prompts is not None:
        for prompt in prompts.unique().tolist():
            group = list(clouds[prompts == prompt, : plan.points].numpy())
            if len(group) >= 2:
                values.append(total_mutual_difference(group))
    return Figure(
        "tmd",
        "TMD",
        float(np.mean(values)) if values else None,
        "higher",
        f"Total mutual difference (Wu et al. 2020) of up to {plan.per_prompt} samples of a prompt: of each the mean "
        "Chamfer distance (squared, both ways added) to the others, added up; the mean over prompts.",
        {"prompts": len(values), "samples": 0 if clouds is None else len(clouds)},
        reason="" if values else "It takes at least 2 samples of a prompt: give --per-prompt, and more samples.",
        values=values,
    )


def _clip(parts: Parts, clip: ClipScorer | None) -> Figure:
    column = parts.column("samples", "clip")
    values = [] if column is None else column.tolist()
    return Figure(
        "clip-s",
        "CLIP-S" if clip is None else clip.name,
        float(np.mean(values)) if values else None,
        "higher",
        "100 × the cosine of the CLIP embeddings of a sample's prompt and of that of its pictures which fits it best; "
        "the mean over samples.",
        {"samples": len(values)},
        reason="" if values else "No sample could be looked at.",
        values=values,
    )


def _given(network: LoadedNetwork | None) -> LoadedNetwork:
    assert network is not None
    return network


def _feature_counts(samples: int, data: int) -> dict[str, int]:
    return {"samples": samples, "data": data}


def _moments(parts: Parts, kind: Literal["samples", "references"], network: LoadedNetwork) -> Moments:
    moments = Moments(network.network.width)
    for part in parts.read(kind):
        if "features" in part:
            moments.add(part["features"])
    return moments


def _features(parts: Parts, network: LoadedNetwork) -> tuple[Tensor, Tensor]:
    none = torch.zeros(0, network.network.width)
    samples, data = (parts.column(kind, "features") for kind in ("samples", "references"))
    return none if samples is None else samples, none if data is None else data


def _clouds(parts: Parts, plan: EvaluationPlan) -> tuple[list[np.ndarray], list[np.ndarray]]:
    found = (parts.column(kind, "points") for kind in ("samples", "references"))
    samples, data = (
        [] if one is None else [scaled(cloud, plan.scale) for cloud in one[:, : plan.points].numpy()] for one in found
    )
    return samples, data


def _distance_file(folder: Path, kind: CloudDistance, name: str, start: int) -> Path:
    return folder / f"distances-{kind}-{name}-{start:06d}.safetensors"


def _distances(folder: Path, kind: CloudDistance, name: str) -> Float[np.ndarray, "n m"]:
    rows: Iterator[Tensor] = (
        load_file(path)["rows"] for path in sorted(folder.glob(f"distances-{kind}-{name}-*.safetensors"))
    )
    return torch.cat(list(rows)).numpy()
