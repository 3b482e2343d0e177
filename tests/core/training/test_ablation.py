from __future__ import annotations

from pathlib import Path

import pytest

from ddmi_core.support.errors import DDMIError
from ddmi_core.training import ablation
from ddmi_core.training.ablation import VARIANTS, ablate, count_parameters, matched
from ddmi_core.training.config import RunConfig
from ddmi_core.training.run_folder import RunFolder


@pytest.mark.parametrize("preset", ["furniture", "emoji"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_have_as_many_parameters_as_the_full_method(preset: str, variant: str) -> None:
    sizes = RunConfig.from_preset(preset).autoencoder
    full = count_parameters(sizes)
    found = count_parameters(matched(sizes.model_copy(update=dict(VARIANTS[variant])), full))
    assert abs(found - full) <= 0.01 * full


def test_the_full_method_is_not_changed_by_matching() -> None:
    sizes = RunConfig.from_preset("emoji").autoencoder
    assert matched(sizes, count_parameters(sizes)) == sizes


@pytest.mark.slow
def test_all_variants_are_trained_and_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "HELD_OUT", 2)
    config = RunConfig.from_preset("image-tiny").with_overrides(["stage1.batch=2", "stage1.queries=64"])
    rows = list(ablate(config, tmp_path, steps=2, device="cpu"))
    assert [row.variant for row in rows] == list(VARIANTS)
    assert all(set(row.figures) == {"psnr"} for row in rows)
    assert len({row.figures["psnr"] for row in rows}) > 1  # they are different networks

    assert list(ablate(config, tmp_path, steps=2, device="cpu")) == rows
    trained = [event for path in tmp_path.iterdir() for event in RunFolder(path).events() if "losses" in event]
    assert len(trained) == len(rows)  # the last step of each, once

    with pytest.raises(DDMIError, match="another recipe"):
        list(ablate(config, tmp_path, steps=3, device="cpu"))
