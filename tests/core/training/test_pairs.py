"""The first stage's pictures: held-out examples as they are, and beside each what becomes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.domains.shape import ShapeDomain
from ddmi_core.rendering.sheet_texts import SheetTexts
from ddmi_core.support.errors import DataError
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import RunConfig


def stage_of(preset: str) -> AutoencoderStage:
    config = RunConfig.from_preset(preset).with_overrides(["stage1.queries=64"])
    torch.manual_seed(0)
    stage = AutoencoderStage(config, D2CVAE(config.autoencoder))
    stage.module.eval()
    return stage


@pytest.mark.parametrize("domain", ["shape", "image", "nerf", "video"])
def test_the_first_stage_shows_each_example_beside_what_becomes_of_it(domain: str) -> None:
    stage = stage_of(f"{domain}-tiny")
    pictures = stage.evaluate(slice(0, 2)).pictures
    assert sorted(pictures) == [0, 1, 2, 3]
    assert {picture.shape for picture in pictures.values()} == {(160, 160, 3)}
    true, others = pictures[0], stage.evaluate(slice(0, None, 3)).pictures
    assert np.ptp(true) > 100 and not np.array_equal(true, pictures[2])  # things, and not the same one
    assert not np.array_equal(true, pictures[1])  # nothing is learned yet
    assert sorted(others) == [0, 1, 6, 7] and np.array_equal(others[0], true)
    texts = stage.texts()
    assert texts.pairs == "true | drawn" and len(texts.captions) == 16
    assert texts.captions[:2] == ("Held-out example 1: true", "Held-out example 1: drawn")


def test_examples_that_cannot_be_drawn_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of("shape-tiny")

    def unknown(self: ShapeDomain, source: object, index: int, size: int) -> None:
        raise DataError("It is a cloud of points.")

    monkeypatch.setattr(ShapeDomain, "shown", unknown)
    assert sorted(stage.evaluate(slice(0, None, 2)).pictures) == [0, 2] and stage.texts() == SheetTexts()
