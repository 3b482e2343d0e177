from __future__ import annotations

from pathlib import Path

from ddmi_core.recipe import Seeded
from ddmi_core.training.config import RunConfig
from ddmi_core.training.diffusion_stage import shown_recipes
from ddmi_core.training.finished import card
from ddmi_core.training.run_folder import RunFolder
from tests.core.training.quick import quick


def test_a_card_is_headed_by_the_name_of_the_run_and_not_of_its_preset(tmp_path: Path) -> None:
    config = RunConfig.from_preset("furniture").model_copy(update={"name": "mine"})
    run = RunFolder(tmp_path / "run")
    run.create(config.to_yaml())
    heading, _, rest = card(config, run, (16_000, 20_000)).partition("\n")
    assert heading == "# mine: " + config.card.partition("\n")[0].partition(": ")[2]
    assert "## Training" in rest
    assert card(quick(), run, (8, 8)).startswith(f"# {quick().name}\n")


def test_the_recipes_of_a_preview_are_those_of_the_run_s_samples() -> None:
    config = quick("stage2.sample_prompts=[a chair, a sofa]", "stage2.sampling={steps: 5, guidance: 2}")
    assert shown_recipes(config) == [
        Seeded(prompt=prompt, seed=seed, steps=5, guidance=2) for prompt in ("a chair", "a sofa") for seed in (0, 1)
    ]
