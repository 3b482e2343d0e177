from __future__ import annotations

from pathlib import Path

import pytest

from ddmi_core.domains.image import ImageDomain
from ddmi_core.domains.shape import ShapeDomain
from ddmi_core.export_options import ImageExport
from studio.panels import images, shapes
from studio.panels.export_dialog import ExportChoice, ExportDialog, PictureChoice, PictureExportDialog, file_stem
from studio.settings import Settings


@pytest.fixture
def make_dialog(qtbot, theme):
    def make(choice: ExportChoice, title: str = "a round table") -> ExportDialog:
        dialog = ExportDialog(title, shapes.FACTS.export_formats, choice)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


def test_formats_are_those_of_the_domain():
    assert set(images.FACTS.export_formats) <= set(ImageDomain.export_formats)
    assert set(images.FACTS.import_formats) == set(ImageDomain.import_formats)
    assert set(shapes.FACTS.export_formats) == set(ShapeDomain.export_formats)
    assert set(shapes.FACTS.import_formats) == set(ShapeDomain.import_formats)


def test_it_begins_as_it_was_left(make_dialog, tmp_path: Path):
    choice = ExportChoice(suffix=".stl", resolution=384, simplify=True, faces=5000, folder=str(tmp_path))
    Settings().export = choice
    dialog = make_dialog(Settings().export)
    assert dialog.path() == tmp_path / "a-round-table.stl"
    assert dialog.choice() == choice and dialog.options().faces == 5000
    dialog.simplify.setChecked(False)
    assert dialog.options().faces is None and not dialog.faces.isEnabled()


def test_the_suffix_follows_the_format(make_dialog, tmp_path: Path):
    dialog = make_dialog(ExportChoice(folder=str(tmp_path)))
    dialog.format.setCurrentIndex(dialog.format.findData(".obj"))
    assert dialog.path() == tmp_path / "a-round-table.obj"
    dialog.file.setText(str(tmp_path / "mine"))
    dialog.export.click()
    assert dialog.result() == ExportDialog.DialogCode.Accepted
    assert dialog.path() == tmp_path / "mine.obj"


def test_a_file_that_exists_is_not_proposed(make_dialog, tmp_path: Path):
    (tmp_path / "a-round-table.glb").touch()
    assert make_dialog(ExportChoice(folder=str(tmp_path))).path().name == "a-round-table-2.glb"


@pytest.mark.parametrize("text", ["", "/no/such/folder/table.glb"])
def test_a_bad_target_is_explained(make_dialog, tmp_path: Path, text: str):
    dialog = make_dialog(ExportChoice(folder=str(tmp_path)))
    dialog.file.setText(text)
    dialog.export.click()
    assert dialog.isVisible() and dialog.problem.text()


def test_pictures_have_a_size_a_depth_and_a_part(qtbot, theme, tmp_path: Path):
    seen = (-0.5, -0.25, 0.5, 0.25)
    choice = PictureChoice(folder=str(tmp_path), resolution=16384, bits=16)
    Settings().picture_export = choice
    dialog = PictureExportDialog("red heart", images.FACTS.export_formats, Settings().picture_export, seen)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.options() == ImageExport(resolution=16384, bits=16) and dialog.choice() == choice
    dialog.seen_only.setChecked(True)
    dialog.format.setCurrentIndex(dialog.format.findData(".jpg"))
    assert dialog.options() == ImageExport(resolution=16384, bits=8, region=seen)
    assert dialog.quality.isEnabled() and not dialog.bits.isEnabled() and dialog.path().suffix == ".jpg"
    whole = PictureExportDialog("red heart", images.FACTS.export_formats, PictureChoice())
    qtbot.addWidget(whole)
    assert not whole.seen_only.isEnabled()


def test_file_names_are_safe():
    assert file_stem("A chair/with: armrests!") == "a-chair-with-armrests"
    assert file_stem("???") == "untitled"
    assert len(file_stem("word " * 3000)) <= 48
