from pathlib import Path

import pytest

from ddmi_core.model_folder import describe
from ddmi_core.pipeline import Pipeline
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.paths import assets
from ddmi_core.training.config import RunConfig
from ddmi_core.training.fine_tuning import further, further_from
from ddmi_core.training.run import train
from tests.core.training.quick import QUICK, quick


@pytest.mark.parametrize("name", ["furniture", "portraits", "skies"])
def test_a_model_that_came_along_can_be_gone_on_from(name: str) -> None:
    recipe = further_from(name)
    assert RunConfig.from_text(recipe.to_yaml(), name) == recipe
    assert recipe.start_from == name and recipe.name == f"{name}-further"
    usual = RunConfig.from_preset(name)
    assert recipe.stage1.learning_rate < usual.stage1.learning_rate / 3
    assert recipe.stage1.kl_start == recipe.stage1.kl_weight
    assert "## Licence" not in recipe.card.splitlines() and "### Licence" in recipe.card  # a part of what was before


def test_what_cannot_be_gone_on_from_is_told() -> None:
    with pytest.raises(DDMIError, match="no model"):
        further_from("nothing")


@pytest.mark.slow
def test_a_run_of_ones_own_goes_on_as_it_was_trained(tmp_path: Path) -> None:
    own = ["denoiser.prediction=epsilon", "stage1.kl_weight=0.002"]
    model = train(quick(*own), tmp_path / "first", device="cpu")
    recipe = further(describe(model))
    assert recipe.denoiser.prediction == "epsilon" and recipe.stage1.kl_start == 0.002
    assert recipe.start_from == str(model) and assets() not in Path(recipe.start_from).parents
    again = train(recipe.with_overrides(QUICK), tmp_path / "second", device="cpu")
    assert Pipeline.from_pretrained(again, device="cpu").autoencoder.config == recipe.autoencoder
    assert "went on from the weights of shape-tiny" in (again / "README.md").read_text(encoding="utf-8")
