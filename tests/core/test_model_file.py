import json
import zipfile
from pathlib import Path

import pytest

from ddmi_core import model_folder
from ddmi_core.model_file import import_path, is_model, proposed_name, save_as_file
from ddmi_core.model_folder import describe, models_folder
from ddmi_core.support.errors import ModelError
from tests.tiny_model import save_tiny_model


def test_a_model_goes_through_one_file(tmp_path: Path) -> None:
    model = describe(save_tiny_model(tmp_path / "tiny"))
    (model.folder / "private.txt").write_text("no part of a model")
    file = tmp_path / proposed_name(model)
    save_as_file(model, file)
    assert is_model(file) and is_model(model.folder) and not is_model(tmp_path)
    added = import_path(file)
    assert added.hash == model.hash and added.folder.parent == models_folder()
    assert added.origin == f"Imported from {file}" and not (added.folder / "private.txt").exists()
    with pytest.raises(ModelError, match="there already"):
        import_path(model.folder / model_folder.INDEX)


def test_nothing_is_taken_from_a_file_that_does_not_belong_into_a_model(tmp_path: Path) -> None:
    file = tmp_path / "evil.ddmi"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../outside.txt", "outside")
        archive.writestr(
            model_folder.INDEX, json.dumps({"_class_name": "DDMIPipeline", "format": 1, "domain": "shape"})
        )
    with pytest.raises(ModelError, match="incomplete"):
        import_path(file)
    assert not list(tmp_path.parent.rglob("outside.txt")) and not models_folder().exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.ddmi"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        import_path(file)


def test_a_name_becomes_a_file_name(tmp_path: Path) -> None:
    model = describe(save_tiny_model(tmp_path / "tiny"))
    named = model_folder.ModelInfo("my chairs / 2", "shape", model.folder, 1, "", "none")
    assert proposed_name(named) == "my-chairs-2.ddmi"
