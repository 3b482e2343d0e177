"""An evaluation of a tiny model: report, page, going on, what is refused, and what cannot be measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ddmi_core import cli
from ddmi_core.data import shape_sources
from ddmi_core.data.items import EncoderInput
from ddmi_core.domains import domain_names, get_domain
from ddmi_core.evaluation.known_reports import newest_reports
from ddmi_core.evaluation.page import histogram
from ddmi_core.evaluation.parts import Parts
from ddmi_core.evaluation.plan import EvaluationPlan, available, make_plan
from ddmi_core.evaluation.run import evaluate
from ddmi_core.fields import shape
from ddmi_core.model_folder import describe
from ddmi_core.pipeline import Pipeline
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.processes import launch
from ddmi_core.support.progress import Cancelled
from tests.tiny_model import RADIUS, save_tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def pipeline(model: Path) -> Pipeline:
    return Pipeline.from_pretrained(model, device="cpu")


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "_MEASURED_RESOLUTION", 24)


def plan_of(pipeline: Pipeline, **values: Any) -> EvaluationPlan:
    metrics = values.pop("metrics", ["iou", "chamfer", "f-score", "clouds-cd", "clouds-emd", "tmd"])
    settings = {"data": "procedural", "samples": 10, "references": 9, "reconstructions": 3, "points": 64, "steps": 2}
    return make_plan(
        get_domain("shape"), metrics, None, 5, model="<tiny>", model_hash=pipeline.hash, **(settings | values)
    )


def figure(report: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [figure for figure in report["figures"] if figure["name"] == name]
    return found


def test_every_domain_has_metrics_and_defaults() -> None:
    for name in domain_names():
        domain = get_domain(name)
        plan = make_plan(domain, None, None, None, model="m", model_hash="0", data="d", samples=1)
        assert plan.metrics and set(plan.metrics) <= set(available(domain))
    assert "frechet" not in available(get_domain("shape")) and "clip-s" in available(get_domain("shape"))


@pytest.mark.parametrize(
    ("domain", "metrics", "network", "message"),
    [
        ("image", ["iou"], None, "cannot be measured by 'iou'"),
        ("image", ["psnr"], "i3d", "does not look at pictures"),
        ("video", ["psnr"], "vgg", "no feature network"),
    ],
)
def test_what_does_not_fit_is_refused(domain: str, metrics: list[str], network: str | None, message: str) -> None:
    with pytest.raises(DDMIError, match=message):
        make_plan(get_domain(domain), metrics, network, None, model="m", model_hash="0", data="d", samples=1)


def test_a_report_has_everything_and_an_interrupted_one_goes_on(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(pipeline)
    whole = evaluate(plan, pipeline, tmp_path / "whole", device="cpu")
    sampled: list[int] = []
    real = Pipeline.sample_each

    def counted(self: Pipeline, prompts: Any, seeds: Any, *others: Any, **options: Any) -> Any:
        sampled.append(list(seeds))
        return real(self, prompts, seeds, *others, **options)

    monkeypatch.setattr(Pipeline, "sample_each", counted)

    def stop(_: float, text: str) -> None:
        if text.startswith("samples, 10"):
            raise Cancelled

    with pytest.raises(Cancelled):
        evaluate(plan, pipeline, tmp_path / "parts", device="cpu", progress=stop)
    first, rest = list(range(8)), [8, 9]
    assert sampled == [first, rest] and not (tmp_path / "parts" / "report.json").exists()
    sampled.clear()
    again = evaluate(plan, pipeline, tmp_path / "parts", device="cpu")
    assert sampled == [rest]  # the first eight were kept
    assert again["figures"] == whole["figures"] and again["data"]["hash"] == whole["data"]["hash"]
    written = json.loads((tmp_path / "parts" / "report.json").read_text())
    assert written == again

    assert 0 < figure(again, "IoU of reconstructions")["value"] < 1
    assert figure(again, "TMD")["counts"] == {"prompts": 2, "samples": 10}
    # All samples are much the same ball: they hardly differ, and are told from furniture by their neighbours.
    assert figure(again, "TMD")["value"] < 0.3 and figure(again, "1-NNA-CD")["value"] > 0.8
    assert figure(again, "MMD-EMD")["counts"] == {"samples": 10, "data": 9}
    assert again["sampling"]["seeds"] == [0, 9] and re.fullmatch("[0-9a-f]{16}", again["data"]["hash"])
    page = (tmp_path / "parts" / "report.html").read_text()
    assert "&lt;tiny&gt; measured" in page and "<tiny>" not in page
    assert page.count("data:image/png;base64,") == 2 and "http" not in page

    with pytest.raises(DDMIError, match="points differ"):
        evaluate(plan_of(pipeline, points=32), pipeline, tmp_path / "parts", device="cpu")


def test_a_test_part_that_was_not_published_is_missed(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(DDMIError, match="no test part that was published"):
        evaluate(plan_of(pipeline, split="test"), pipeline, tmp_path, device="cpu")


def test_clouds_in_the_unit_sphere_are_named_so(pipeline: Pipeline, tmp_path: Path) -> None:
    few = {"metrics": ["clouds-cd"], "samples": 3, "references": 3}
    plain, unit = (
        evaluate(plan_of(pipeline, scale=scale, **few), pipeline, tmp_path / scale, device="cpu")
        for scale in ("canvas", "sphere")
    )
    found = figure(unit, "MMD-CD (unit sphere)")
    assert "unit sphere" in found["definition"] and found["value"] != figure(plain, "MMD-CD")["value"]


@pytest.mark.parametrize("side", [64, 96])
def test_pictures_are_seen_at_the_resolution_asked_for(side: int) -> None:
    """The data's and the samples' alike."""
    domain = get_domain("image")
    source = domain.items("emoji", "held_out", seed=0, queries=16, given=EncoderInput(side=side))
    assert domain.observed(source, 0, "pictures").shape == (1, 3, side, side)
    assert domain.vantage(source, 0, "pictures").size == (side, side)
    with pytest.raises(DDMIError, match="not measured at a resolution"):
        make_plan(
            get_domain("shape"), None, None, None, model="m", model_hash="0", data="d", samples=1, resolution=side
        )


def test_what_does_not_fit_into_memory_at_once_is_sampled_in_halves(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(pipeline, metrics=["clouds-cd"], samples=7, references=1)
    Parts(tmp_path / "whole", plan, pipeline, None, None).make(0, 1)
    real = Pipeline.sample_each

    def short_of_memory(self: Pipeline, prompts: Any, seeds: Any, *others: Any, **options: Any) -> Any:
        if len(seeds) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, prompts, seeds, *others, **options)

    monkeypatch.setattr(Pipeline, "sample_each", short_of_memory)
    Parts(tmp_path / "halves", plan, pipeline, None, None).make(0, 1)
    whole, halves = (Parts(tmp_path / name, plan, pipeline, None, None) for name in ("whole", "halves"))
    points = [one.column("samples", "points") for one in (whole, halves)]
    assert points[0] is not None and points[1] is not None
    torch.testing.assert_close(points[0], points[1], atol=1e-3, rtol=0)


def test_processes_share_the_parts(pipeline: Pipeline, tmp_path: Path) -> None:
    plan = plan_of(pipeline, metrics=["clouds-cd"], samples=20)
    for rank in (1, 0):
        Parts(tmp_path, plan, pipeline, None, None).make(rank, 2)
        made = {path.name for path in tmp_path.iterdir()}
        if rank == 1:
            assert made == {"references-000008.safetensors", "samples-000008.safetensors"}
    points = Parts(tmp_path, plan, pipeline, None, None).column("samples", "points")
    assert points is not None and points.shape == (20, 2048, 3)
    assert torch.allclose(points.norm(dim=-1).mean(), torch.tensor(RADIUS), atol=0.05)


@pytest.mark.slow
def test_two_processes_write_one_report(model: Path, tmp_path: Path) -> None:
    flags = "--data procedural --samples 12 --references 10 --reconstructions 9 --points 32 --steps 2 --device cpu"
    flags += " --metrics iou clouds-cd tmd --per-prompt 6"
    arguments = ["evaluate", str(model), *flags.split(), "--out"]
    assert launch([*arguments, str(tmp_path / "two")], 2) == 0
    assert launch([*arguments, str(tmp_path / "one")], 1) == 0
    one, two = (json.loads((tmp_path / name / "report.json").read_text()) for name in ("one", "two"))
    assert two["figures"] == one["figures"] and two["data"] == one["data"]


def test_what_is_no_number_or_nothing_is_counted_and_told(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Pipeline.sample_each

    def broken(self: Pipeline, prompts: Any, seeds: Any, *others: Any, **options: Any) -> Any:
        latents = real(self, prompts, seeds, *others, **options)
        return [
            latent * float("nan") if seed in (3, 9) else latent for seed, latent in zip(seeds, latents, strict=True)
        ]

    vantage = type(pipeline.domain).vantage

    def sometimes(self: Any, source: Any, index: int, kind: Any) -> Any:
        if kind == "points" and index == empty:
            raise DDMIError("There is no surface.")
        return vantage(self, source, index, kind)

    empty = int(np.random.default_rng(0).permutation(shape_sources.PROCEDURAL_COUNT)[0])  # samples 0 to 4
    monkeypatch.setattr(Pipeline, "sample_each", broken)
    monkeypatch.setattr(type(pipeline.domain), "vantage", sometimes)
    report = evaluate(plan_of(pipeline, metrics=["clouds-cd"]), pipeline, tmp_path, device="cpu")
    assert report["not_measured"]["samples"] == {"not_finite": 2, "nothing_to_see": 4}
    assert figure(report, "MMD-CD")["counts"]["samples"] == 4
    assert "2 of the samples held values that are not numbers" in (tmp_path / "report.html").read_text()


def test_too_few_for_a_covariance_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ddmi_core.evaluation.figures import figures_of
    from ddmi_core.metrics.feature_networks import load_network

    network = load_network("efficientnet-lite0")
    plan = make_plan(
        get_domain("image"),
        ["frechet", "kernel", "precision-recall"],
        None,
        None,
        model="m",
        model_hash="0",
        data="emoji",
        samples=6,
    )
    drawn = torch.randn(2, 6, 1280, generator=torch.Generator().manual_seed(0))
    kept = Parts.__new__(Parts)
    monkeypatch.setattr(Parts, "read", lambda self, kind: iter([{"features": drawn[int(kind == "samples")].clone()}]))
    frechet, kernel, *others = figures_of(kept, plan, network, None)
    assert frechet.value is None and "too few" in frechet.reason and "kernel distance" in frechet.reason
    assert kernel.value is not None and all(other.value is not None for other in others)
    assert all("(EfficientNet-lite0)" in one.name for one in (frechet, *others)) and "FID" not in frechet.name


def test_a_damaged_part_is_named(pipeline: Pipeline, tmp_path: Path) -> None:
    plan = plan_of(pipeline, metrics=["clouds-cd"], samples=2)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "samples-000000.safetensors").write_bytes(b"no")
    with pytest.raises(DDMIError, match=r"samples-000000.safetensors is damaged"):
        evaluate(plan, pipeline, tmp_path, device="cpu")


def test_a_plot_escapes_and_leaves_infinity_out() -> None:
    plot = histogram("<b>", [1.0, 2.0, float("inf")])
    assert "&lt;b&gt; (2 values, 1 not finite left out)" in plot and "<rect" in plot
    assert histogram("x", [float("nan")]) == ""


def test_the_command(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = f"--data procedural --samples 3 --references 3 --reconstructions 1 --points 64 --steps 2 --out {tmp_path}/r"
    metrics = "--metrics iou clouds-cd tmd --per-prompt 3 --device cpu"
    assert cli.main(f"evaluate {model} {flags} {metrics} --json".split()) == 0
    report = json.loads(capsys.readouterr().out)
    assert [figure["metric"] for figure in report["figures"]] == ["iou", *["clouds-cd"] * 3, "tmd"]
    assert cli.main(f"evaluate {model} {flags} {metrics}".split()) == 0
    assert f"{tmp_path}/r/report.html" in capsys.readouterr().out
    assert newest_reports()[describe(model).hash].page == tmp_path / "r" / "report.html"
    assert cli.main(f"evaluate {model} --samples 0 --out {tmp_path}/s".split()) == 2
    assert cli.main(f"evaluate {model} --metrics nice --out {tmp_path}/s".split()) == 1
    assert "cannot be measured by 'nice'" in capsys.readouterr().err
    assert cli.main(f"evaluate {model} --metrics clip-s --out {tmp_path}/s --device cpu".split()) == 1
    assert "ViT-B-32.pt" in capsys.readouterr().err


def test_the_starter_sets_show_what_is_asked_of_them() -> None:
    for name, kind in (("image", "pictures"), ("video", "clip"), ("nerf", "pictures")):
        domain = get_domain(name)
        starter_set = "emoji-motion" if name == "video" else domain.starter_sets[0]  # skies leave nothing white
        source = domain.items(starter_set, "held_out", seed=0, queries=64)
        seen = domain.observed(source, 1, kind)
        assert seen.ndim == 4 and seen.shape[1] == 3 and 0 <= float(seen.min()) <= float(seen.max()) <= 1.0001
        assert torch.equal(seen, domain.observed(source, 1, kind))
        assert float(seen[..., 0, 0].mean()) > 0.9  # on white
