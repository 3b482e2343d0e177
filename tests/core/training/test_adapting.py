import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ddmi_core.model_file import import_path, save_as_file
from ddmi_core.model_folder import BASE, CHANGES, DENOISER_WEIGHTS, describe, folder_hash, import_model, read_card
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings
from ddmi_core.support.errors import DDMIError, ModelError
from ddmi_core.training import loop
from ddmi_core.training.config import RunConfig
from ddmi_core.training.diffusion_stage import DiffusionStage
from ddmi_core.training.fine_tuning import further
from ddmi_core.training.run import train
from ddmi_core.training.run_folder import RunFolder, Stopped
from tests.core.training.quick import QUICK, losses, quick


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that others are changes to."""
    return tmp_path_factory.mktemp("base")


@pytest.fixture
def base(trained: Path, tmp_path: Path) -> Path:
    if not (trained / "model").exists():
        train(quick("name=before"), trained / "run", device="cpu")
        (trained / "run" / "model").rename(trained / "model")
    return import_model(trained / "model").folder


def _recipe(base: Path, *more: str) -> RunConfig:
    return further(describe(base)).with_overrides([*QUICK, "adapter_rank=2", *more])


@pytest.mark.slow
def test_a_run_learns_changes_that_go_with_the_model(base: Path, tmp_path: Path) -> None:
    folder = train(_recipe(base, "stage2.learning_rate=0.01"), tmp_path / "run", device="cpu")
    model = describe(folder)
    print(model, read_card(model), sorted(folder.rglob("*")))
    own, before = (Pipeline.from_pretrained(one, device="cpu") for one in (folder, base))
    settings = SamplingSettings(steps=2)
    a, b = (one.sample(settings, [3])[0] for one in (own, before))
    assert (a - b).abs().max() > 1e-3
