from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox, QPushButton, QWidget

from ddmi_core.domains.image import ImageDomain
from ddmi_core.domains.shape import ShapeDomain
from ddmi_core.export.options import ImageExport
from ddmi_core.fidelity import FitFacts
from ddmi_core.fields.image import ImageField
from ddmi_core.fields.shape import ShapeField
from ddmi_core.placement import Placement
from studio.panels.export_dialog import Place, file_stem
from studio.rooms.images import facts as images
from studio.rooms.images.export_page import PictureChoice, PictureExportDialog
from studio.rooms.shapes import facts as shapes
from studio.rooms.shapes.export_page import ShapeChoice, ShapeExportDialog
from studio.settings import Settings
from studio.widgets.saving import ask_where
from tests.studio.window.fakes import MODEL


@pytest.fixture
def make_dialog(qtbot, theme, tmp_path: Path):
    def make(choice: ShapeChoice | None = None, place: Place | None = None, **given: object) -> ShapeExportDialog:
        dialog = ShapeExportDialog("a round table", choice or ShapeChoice(), place or Place(tmp_path), **given)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch):
    """Answer questions with these buttons, one after the other; what was asked."""

    def answer(*wanted: str) -> list[str]:
        asked: list[str] = []
        answers = iter(wanted)

        def exec_(question: QMessageBox) -> None:
            asked.append(question.text())
            text = next(answers)
            chosen = next(button for button in question.buttons() if button.text() == text)
            monkeypatch.setattr(question, "clickedButton", lambda: chosen, raising=False)

        monkeypatch.setattr(QMessageBox, "exec", exec_)
        return asked

    return answer


def test_formats_are_those_of_the_domain():
    assert images.FACTS.export is ImageField.export_options
    assert set(images.FACTS.import_formats) == set(ImageDomain.import_formats)
    assert shapes.FACTS.export is ShapeField.export_options
    assert set(shapes.FACTS.import_formats) == set(ShapeDomain.import_formats)


def test_it_begins_with_the_last_format_and_the_usual_fineness(make_dialog, tmp_path: Path):
    choice = ShapeChoice(suffix=".stl", resolution=64, simplify=True, faces=500)
    Settings().keep_export_choice(choice)
    dialog = make_dialog(Settings().export_choice(ShapeChoice))
    assert dialog.path() == tmp_path / "a-round-table.stl"
    assert dialog.options().resolution == 256 and dialog.options().faces is None and not dialog.faces.isEnabled()
    assert dialog.as_last_time.isVisible()
    dialog.as_last_time.click()
    assert dialog.choice() == choice and dialog.options().faces == 500 and dialog.options().resolution == 64
    assert not make_dialog(ShapeChoice(suffix=".obj")).as_last_time.isVisible()


def test_the_suffix_follows_the_format(make_dialog, tmp_path: Path):
    dialog = make_dialog()
    dialog.format.setCurrentIndex(dialog.format.findData(".obj"))
    assert dialog.path() == tmp_path / "a-round-table.obj"
    dialog.file.setText(str(tmp_path / "mine"))
    dialog.export.click()
    assert dialog.result() == ShapeExportDialog.DialogCode.Accepted
    assert dialog.path() == tmp_path / "mine.obj"


@pytest.mark.parametrize(
    ("typed", "suffix", "name"),
    [
        ("bed.glb", ".glb", "bed.glb"),
        ("bed.STL", ".stl", "bed.STL"),
        ("bed.v2", ".obj", "bed.v2.obj"),
        ("bed", ".obj", "bed.obj"),
    ],
)
def test_the_format_follows_a_suffix_that_is_typed(qtbot, make_dialog, tmp_path, typed: str, suffix: str, name: str):
    dialog = make_dialog(ShapeChoice(suffix=".obj"))
    dialog.file.clear()
    qtbot.keyClicks(dialog.file, typed)
    dialog.export.click()
    assert dialog.result() == ShapeExportDialog.DialogCode.Accepted
    assert dialog.suffix() == suffix and dialog.order().path == tmp_path / name, "a bare name lies in the folder"


def test_a_dot_in_a_name_is_no_suffix(make_dialog, tmp_path: Path):
    dialog = make_dialog()
    dialog.file.setText(str(tmp_path / "bed.v2.glb"))
    dialog.format.setCurrentIndex(dialog.format.findData(".obj"))
    assert dialog.path().name == "bed.v2.obj"
    dialog.file.setText(str(tmp_path / "bed.v2"))
    dialog.format.setCurrentIndex(dialog.format.findData(".ply"))
    assert dialog.path().name == "bed.v2.ply"


def test_neither_what_exists_nor_what_is_being_written_is_proposed(make_dialog, tmp_path: Path):
    (tmp_path / "a-round-table.glb").touch()
    assert make_dialog().path().name == "a-round-table-2.glb"
    written = {tmp_path / "a-round-table-2.glb"}
    dialog = make_dialog(place=Place(tmp_path, written.__contains__))
    assert dialog.path().name == "a-round-table-3.glb"
    dialog.file.setText(str(tmp_path / "a-round-table-2.glb"))
    dialog.export.click()
    assert "being written just now" in dialog.problem.text() and not dialog.result()
    written.clear()  # the other export has ended meanwhile
    dialog.export.click()
    assert dialog.result()


def test_a_file_is_replaced_only_if_the_person_agrees_each_time(make_dialog, answer, tmp_path: Path):
    target = tmp_path / "mine.glb"
    target.write_text("mine")
    asked = answer("Keep it", "Replace", "Keep it")
    dialog = make_dialog()
    dialog.file.setText(str(target))
    dialog.export.click()
    assert asked == ["Replace mine.glb?"] and dialog.isVisible() and not dialog.result()
    dialog.export.click()
    assert dialog.order().replace and not dialog.isVisible()
    again = make_dialog()
    again.file.setText(str(target))
    again.export.click()
    assert len(asked) == 3 and again.isVisible()
    again.file.setText(str(tmp_path / "other.glb"))
    again.export.click()
    assert again.order().path.name == "other.glb" and not again.order().replace


@pytest.mark.parametrize("text", ["", "/no/such/folder/table.glb"])
def test_a_bad_target_is_explained(make_dialog, tmp_path: Path, text: str):
    dialog = make_dialog()
    dialog.file.setText(text)
    dialog.export.click()
    assert dialog.isVisible() and dialog.problem.text()


def test_units_are_offered_for_what_had_some(make_dialog):
    dialog = make_dialog(placement=Placement(centre=(0.0, 0.0, 0.0), unit=2.6 / 1.8))
    assert dialog.units.isVisible() and "2.6" in dialog.units.currentText() and not dialog.options().unit_cube
    dialog.units.setCurrentIndex(1)
    assert dialog.options().unit_cube
    assert not make_dialog().units.isVisible() and not make_dialog().options().unit_cube


def test_a_picture_that_stands_for_a_file_has_the_files_size(qtbot, theme, tmp_path: Path):
    fit = FitFacts(fidelity="faithful", size_bytes=13_800_000, pixels=(1800, 1200))
    about = ("photo.jpg", PictureChoice(), Place(tmp_path), (-0.5, -0.25, 0.5, 0.25))
    dialog = PictureExportDialog(*about, (-1.0, -2 / 3, 1.0, 2 / 3), fit=fit)
    qtbot.addWidget(dialog)
    assert dialog.remark.text() == "1,800 × 1,200 px"
    dialog.seen_only.setChecked(True)
    assert dialog.remark.text() == "900 × 450 px"
    dialog.resolution.setValue(333)
    dialog.seen_only.setChecked(False)
    assert dialog.options().resolution == 333, "a size that was chosen stays"
    tiny = PictureExportDialog(*about, fit=fit.model_copy(update={"pixels": (3, 3)}))
    qtbot.addWidget(tiny)
    assert tiny.options().resolution == 3


def test_a_picture_that_stands_for_a_file_of_16_bits_leaves_with_them(qtbot, theme, tmp_path: Path):
    fit = FitFacts(fidelity="faithful", size_bytes=900, pixels=(18, 12), bits=16)
    dialog = PictureExportDialog("photo.tif", PictureChoice(), Place(tmp_path), fit=fit)
    qtbot.addWidget(dialog)
    assert dialog.bits.isEnabled() and dialog.options().bits == 16
    dialog.format.setCurrentIndex(dialog.format.findData(".jpg"))
    assert dialog.options().bits == 8
    plain = PictureExportDialog("photo.png", PictureChoice(), Place(tmp_path), fit=fit.model_copy(update={"bits": 8}))
    qtbot.addWidget(plain)
    assert plain.options().bits == 8


def test_pictures_have_a_size_a_depth_and_a_part(qtbot, theme, tmp_path: Path):
    seen = (-0.5, -0.25, 0.5, 0.25)
    choice = PictureChoice(resolution=16384, bits=16)
    Settings().keep_export_choice(choice)
    place = Place(tmp_path)
    dialog = PictureExportDialog("red heart", Settings().export_choice(PictureChoice), place, seen)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.options() == ImageExport(resolution=2048) and dialog.remark.text() == "2,048 × 2,048 px"
    dialog.as_last_time.click()
    assert dialog.options() == ImageExport(resolution=16384, bits=16) and dialog.choice() == choice
    dialog.seen_only.setChecked(True)
    assert dialog.remark.text() == "16,384 × 8,192 px"
    dialog.format.setCurrentIndex(dialog.format.findData(".jpg"))
    assert dialog.options() == ImageExport(resolution=16384, bits=8, region=seen)
    assert dialog.quality.isEnabled() and not dialog.bits.isEnabled() and dialog.path().suffix == ".jpg"
    dialog.format.setCurrentIndex(dialog.format.findData(".svg"))
    dialog.colours.setValue(9)
    assert dialog.colours.isEnabled() and not dialog.quality.isEnabled() and dialog.options().colours == 9
    whole = PictureExportDialog("red heart", PictureChoice(), place)
    qtbot.addWidget(whole)
    assert not whole.seen_only.isEnabled()
    whole.file.setText(str(tmp_path / "heart.jpeg"))
    whole.export.click()
    assert whole.suffix() == ".jpg" and whole.order().path.name == "heart.jpeg"


def test_a_name_from_the_systems_dialog_is_asked_about_once_it_has_its_suffix(qtbot, answer, monkeypatch, tmp_path):
    (tmp_path / "view.png").write_text("mine")
    names = iter([tmp_path / "view", tmp_path / "view", tmp_path / "new", ""])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(next(names)), "PNG picture (*.png)"))
    parent = QWidget()
    qtbot.addWidget(parent)
    asked = answer("Keep it", "Replace")
    proposal = tmp_path / "view.png"
    assert ask_where(parent, "Save", proposal, "PNG picture") == tmp_path / "view.png"
    assert asked == ["Replace view.png?"] * 2
    assert ask_where(parent, "Save", proposal, "PNG picture") == tmp_path / "new.png"
    assert ask_where(parent, "Save", proposal, "PNG picture") is None


def test_file_names_are_safe():
    assert file_stem("A chair/with: armrests!") == "a-chair-with-armrests"
    assert file_stem("???") == "untitled"
    assert file_stem("my sofa.obj") == "my-sofa" and file_stem("a chair, 1.5 m high") == "a-chair-1-5-m-high"
    assert len(file_stem("word " * 3000)) <= 48


def test_another_format_proposes_a_name_that_is_free_and_says_in_which_folder(make_dialog, tmp_path: Path) -> None:
    (tmp_path / "a-round-table.obj").touch()
    dialog = make_dialog(ShapeChoice(suffix=".glb"))
    assert dialog.path() == tmp_path / "a-round-table.glb" and dialog.folder.text() == f"In {tmp_path}"
    dialog.format.setCurrentIndex(dialog.format.findData(".obj"))
    assert dialog.path() == tmp_path / "a-round-table-2.obj"
    assert dialog.height() == dialog.layout().totalHeightForWidth(dialog.width())


def test_the_dialog_says_under_which_licence_each_model_stands(make_dialog, tmp_path: Path):
    mine, silent = (replace(MODEL, name=name, folder=tmp_path / name, hash=name) for name in ("mine", "silent"))
    mine.folder.mkdir()
    (mine.folder / "README.md").write_text("# mine\n\n## Licence\n\nWeights: <b>MIT</b>. " + "Credit Ann. " * 40)
    dialog = make_dialog(place=Place(tmp_path, models=(mine, silent)))
    first, second = (text for one in dialog.credit.findChildren(QLabel) if (text := one.text()))
    assert first.startswith("Licence of mine  ·  Weights: <b>MIT</b>. Credit Ann.") and len(first) < 260
    assert "silent" in second and "names none" in second
    asked: list[object] = []
    dialog.card_asked.connect(asked.append)
    for button in dialog.credit.findChildren(QPushButton):
        button.click()
    assert asked == [mine, silent] and dialog.isVisible()
    assert not hasattr(make_dialog(), "credit")  # of files that were fitted no model made anything
