from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ddmi_core.domains import domain_names
from ddmi_core.model_folder import list_models
from ddmi_core.support.paths import assets
from studio.state.library import LATENT, Library
from studio.state.ready_items import open_or_begin


def domains(library: Library) -> list[str]:
    return sorted(item.recipe.domain for item in library.items())


def test_a_new_library_holds_an_item_of_each_domain_and_two_pictures_to_walk_between(tmp_path: Path) -> None:
    library = open_or_begin(tmp_path / "library")
    assert domains(library) == sorted([*domain_names(), "image"])
    one, other = library.items(domain="image")
    assert one.recipe.model_hash == other.recipe.model_hash
    for item in library.items():
        assert library.load_latent(item).ndim == 3 and item.thumbnail.exists() and item.recipe.prompt
    library.close()


def test_they_are_deleted_like_any_item_and_stay_away(tmp_path: Path) -> None:
    library = open_or_begin(tmp_path / "library")
    (gone,) = library.items(domain="video")
    library.delete(gone)
    library.close()
    library = open_or_begin(tmp_path / "library")
    assert domains(library) == sorted([*(set(domain_names()) - {"video"}), "image"])
    for item in library.items():
        library.delete(item)
    library.empty_trash()
    library.close()
    library = open_or_begin(tmp_path / "library")
    assert library.items() == [] == library.items(deleted=True)
    library.close()


def test_a_library_that_is_there_gets_none(tmp_path: Path) -> None:
    Library(tmp_path / "library").close()
    library = open_or_begin(tmp_path / "library")
    assert library.items() == []
    library.close()


def test_a_damaged_one_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(assets() / "ready", tmp_path / "assets" / "ready")
    (tmp_path / "assets" / "ready" / "nerf" / LATENT).write_bytes(b"damaged")
    monkeypatch.setenv("DDMI_ASSETS", str(tmp_path / "assets"))
    library = open_or_begin(tmp_path / "library")
    assert domains(library) == sorted([*(set(domain_names()) - {"nerf"}), "image"])
    library.close()


def test_the_shipped_models_made_them(tmp_path: Path) -> None:
    hashes = {model.name: model.hash for model in list_models()}
    library = open_or_begin(tmp_path / "library")
    for item in library.items():
        recipe = item.recipe
        assert hashes[recipe.model] == recipe.model_hash, (
            f"{recipe.model} has changed: run scripts/build_ready_items.py and look at assets/ready"
        )
    library.close()
