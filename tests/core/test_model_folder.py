import json
import shutil
from pathlib import Path

import pytest

from ddmi_core import model_folder
from ddmi_core.model_folder import (
    describe,
    find_model,
    import_model,
    list_models,
    models_folder,
    read_card,
    read_preview_recipes,
    rename_model,
    write_preview_recipes,
)
from ddmi_core.recipe import Seeded
from ddmi_core.support.errors import ModelError
from ddmi_core.support.paths import assets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder without a model in it: what is in the weights does not matter here."""
    folder = tmp_path / "tiny"
    for name in model_folder._REQUIRED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    index = {"_class_name": "DDMIPipeline", "format": model_folder.FORMAT, "domain": "shape", "name": "tiny"}
    (folder / model_folder.INDEX).write_text(json.dumps(index))
    return folder


def test_an_imported_model_is_one_of_the_users_own(folder: Path) -> None:
    model = import_model(folder)
    assert model.folder.parent == models_folder() and model.hash == describe(folder).hash
    assert model.origin == f"Imported from {folder}" and not model.is_shipped
    assert model in list_models()
    with pytest.raises(ModelError, match="there already"):
        import_model(folder)


def test_what_is_no_model_is_not_imported(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a model folder"):
        import_model(tmp_path)
    assert not models_folder().exists()


def test_a_renamed_model_keeps_its_hash_and_its_origin(folder: Path) -> None:
    model = import_model(folder)
    rename_model(model, "  my   chairs ")
    renamed = describe(model.folder)
    assert (renamed.name, renamed.hash, renamed.origin) == ("my chairs", model.hash, model.origin)
    assert find_model("my chairs") == model.folder


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# tiny\n\nOf chairs.", "# my chairs\n\nOf chairs."),
        ("# tiny: text to chairs\n", "# my chairs: text to chairs\n"),
        ("# Chairs\n\nNot tiny.", "# Chairs\n\nNot tiny."),  # no name of the model's
        ("tiny", "tiny"),
    ],
)
def test_the_card_of_a_renamed_model_has_its_name(folder: Path, text: str, shown: str) -> None:
    (folder / model_folder.CARD).write_text(text)
    model = import_model(folder)
    assert read_card(model) == text
    rename_model(model, "my chairs")
    assert read_card(describe(model.folder)) == shown


def test_names_that_cannot_be_are_refused(folder: Path) -> None:
    model = import_model(folder)
    for name, message in (("  ", "needs a name"), ("furniture", "already")):
        with pytest.raises(ModelError, match=message):
            rename_model(model, name)
    with pytest.raises(ModelError, match="came along"):
        rename_model(describe(assets() / "models" / "furniture"), "mine")


def test_the_model_of_a_run_says_so(folder: Path, home: Path) -> None:
    run = home / "runs" / "chairs"
    run.mkdir(parents=True)
    (run / "run.yaml").write_text("name: chairs\n")
    shutil.copytree(folder, run / "model")
    assert describe(run / "model").origin == "Trained in the run chairs"


def test_how_a_preview_was_made_is_kept_and_goes_along_but_does_not_count(folder: Path) -> None:
    before = describe(folder).hash
    how = [Seeded(prompt="a chair", seed=seed, guidance=2.0) for seed in (0, 1)]
    write_preview_recipes(folder, how)
    model = import_model(folder)
    assert model.hash == before and read_preview_recipes(model.folder) == how
    (folder / model_folder.PREVIEW_RECIPES).unlink()
    assert read_preview_recipes(folder) == []
