"""Figures of shape models: the prompts, what is found of shapes, and the benchmark from end to end on a tiny model."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import contact_sheet, shape_quality
from benchmarks.judging import furniture, furniture_prompts
from benchmarks.judging.furniture import judge, measured, true_of
from benchmarks.judging.lines import Lines, counts, share
from ddmi_core.data.furniture.geometry import measure
from ddmi_core.data.furniture.procedural import procedural
from ddmi_core.metrics.classifier import KINDS, ShapeClassifier
from ddmi_core.pipeline import Pipeline
from tests.core import solids
from tests.tiny_model import save_tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_prompts_are_80_and_ask_for_each_thing_often_enough() -> None:
    prompts = furniture_prompts.PROMPTS
    assert len({prompt.text for prompt in prompts}) == 80
    assert {prompt.kind for prompt in prompts} == set(KINDS) - {"other"}
    assert Counter(prompt.top for prompt in prompts)["round"] >= 10
    assert min(Counter(prompt.legs for prompt in prompts)[legs] for legs in (1, 3, 4)) >= 8
    assert min(Counter(prompt.armrests for prompt in prompts)[arms] for arms in (True, False)) >= 8
    assert len(set(furniture_prompts.SHEET)) == contact_sheet.PROMPTS


class Shape:
    """As much of a field as is looked at."""

    def __init__(self, logits: solids.Logits) -> None:
        self.logits = logits


@pytest.mark.parametrize(("radius", "whole"), [(0.08, True), (0.2, False)])
def test_dust_is_no_second_component_and_a_scrap_is(radius: float, whole: bool) -> None:
    """Of a ball of radius 0.6, dust is what is below a radius of 0.1."""
    parts = solids.union(solids.sphere(0.6, (-0.3, 0.0, 0.0)), solids.sphere(radius, (0.7, 0.0, 0.0)))
    found = judge(Shape(parts), ShapeClassifier())  # type: ignore[arg-type]
    assert found.whole is whole and found.kind in KINDS and found.geometry is not None


def test_a_cavity_is_part_of_the_solid_around_it() -> None:
    outer, inner = solids.sphere(0.8), solids.sphere(0.5)
    found = judge(Shape(lambda points: torch.minimum(outer(points), -inner(points))), ShapeClassifier())  # type: ignore[arg-type]
    assert found.whole


def test_an_empty_shape_has_nothing() -> None:
    found = judge(Shape(lambda points: -torch.ones(len(points))), ShapeClassifier())  # type: ignore[arg-type]
    assert (found.whole, found.kind, found.points) == (False, "nothing", None)
    assert measured(found.geometry) == {"top": None, "legs": None, "armrests": None}


def test_what_is_measured_of_real_shapes_is_what_they_were_made_by() -> None:
    shapes, pairs = procedural(60, seed=8), []
    for i in range(60):
        truth = {name: value for name, value in true_of(shapes.attributes(i)).items() if value is not None}
        found = measured(measure(shapes.grid(i, 96))) if truth else {}
        pairs += [(value, found[name]) for name, value in truth.items()]
    assert len(pairs) > 25 and np.mean([wanted == is_so for wanted, is_so in pairs]) >= 0.95


def test_lines_are_json_with_model_value_and_goal(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines("b", Pipeline.from_pretrained(model), threads=1)
    lines("kind", 2 / 3, ">= 0.95", samples=3)
    found = json.loads(capsys.readouterr().out)
    assert found.pop("hash") and found == {
        "benchmark": "b", "model": "tiny", "threads": 1, "measurement": "kind", "value": 0.6667, "goal": ">= 0.95",
        "samples": 3,
    }  # fmt: skip
    assert share([True, False]) == 0.5 and np.isnan(share([])) and counts([1, 2, 2]) == {"2": 2, "1": 1}


@pytest.mark.slow
def test_every_figure_of_the_table_is_printed(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shape_quality, "shape_classifier", ShapeClassifier)
    monkeypatch.setattr(furniture, "RESOLUTION", 32)
    monkeypatch.setattr(shape_quality, "RESOLUTION", 32)
    monkeypatch.setattr(shape_quality, "PROMPTS", furniture_prompts.PROMPTS[::20])
    monkeypatch.setattr(shape_quality.refinement, "STEPS", 1)
    shape_quality.main(
        str(model),
        device="cpu",
        threads=1,
        seeds=1,
        procedural_count=3,
        catalogue_count=2,
        compared=3,
        training=3,
        timed=1,
    )
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["measurement"] for line in lines] == [
        "procedural_iou", "catalogue_iou", "catalogue_iou_refined", "classifier", "classifier", "top_of_real",
        "legs_of_real", "armrests_of_real", "whole", "kind", "top", "legs", "armrests", "nearest_neighbour",
        "nearest_training", "first_shape",
    ]  # fmt: skip
    by_name = {line["measurement"]: line for line in lines}
    assert by_name["whole"]["value"] == 1 and by_name["whole"]["samples"] == 4  # the tiny model makes balls
    assert 0 < by_name["procedural_iou"]["value"] < 1
    assert by_name["nearest_neighbour"]["value"] >= 0.8  # all are alike, and like nothing held out
    assert by_name["first_shape"]["value"] > 0


@pytest.mark.slow
def test_a_sheet_of_two_models_side_by_side(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "both.png"
    prompts = ("a ball", "a <b>ball</b>", "éléphant")
    contact_sheet.main(str(model), str(model), out, prompts, size=24, device="cpu", threads=1)
    pixels = np.asarray(Image.open(out))
    left, right = pixels[8:36, 8:62], pixels[8:36, 64:118]
    np.testing.assert_array_equal(left, right)
    assert len(np.unique(left)) > 20 and pixels.shape == (2 * 54 + 8, 2 * 118 + 8, 3)
    assert '"samples": 12' in capsys.readouterr().out
