"""Prompts, names and cards are shown as they stand, whatever markup is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6 import QtGui
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractItemView, QLabel, QMessageBox, QWidget

from ddmi_core.training.run_folder import RunFolder
from studio.panels.model_card import ModelCard
from studio.state.runs import Curve
from studio.widgets.basics import plain_tip
from studio.widgets.curve_plot import Figure, Line
from studio.window import MainWindow
from tests.studio.window.fakes import MODEL

pytestmark = pytest.mark.gl

HOSTILE = "<img src='file:///etc/hostname'><b>bold</b> & <a href='http://localhost/x'>link</a>"
PATIENCE = 60_000


@pytest.fixture
def hostile(window: MainWindow, home: Path, qtbot) -> MainWindow:
    """A window all of whose texts that are not its own are hostile."""
    run = RunFolder(home / "runs" / "<b>run<u>")
    run.samples.mkdir(parents=True)
    run.config_file.write_text(f'name: "{HOSTILE}"\ndomain: shape\n')
    run.record(stage="autoencoder", step=1, steps=9, losses={"loss": 1.0})
    run.record(stage="autoencoder", step=2, steps=9, losses={"loss": 0.5})
    run.write_notes(HOSTILE)
    window.state.set_models([replace(MODEL, name=HOSTILE)])
    window.state.update_form(prompt=HOSTILE)
    window.actions_["generate"].trigger()
    qtbot.waitUntil(lambda: window.state.shown is not None, timeout=PATIENCE)
    window.state.notifications.error(HOSTILE, details=HOSTILE)
    qtbot.waitUntil(lambda: window.runs.monitor.title.text() == HOSTILE, timeout=PATIENCE)
    return window


def _tips(widget: QWidget) -> Iterator[str]:
    yield widget.toolTip()
    if isinstance(widget, QAbstractItemView) and widget.model() is not None:
        model = widget.model()
        for row in range(model.rowCount()):
            yield str(model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole) or "")


def test_no_label_and_no_tip_takes_a_name_or_prompt_for_html(hostile: MainWindow) -> None:
    widgets = hostile.findChildren(QWidget)
    shown = [one for one in widgets if isinstance(one, QLabel) and "bold" in one.text()]
    assert len(shown) >= 3, "the prompt, the run and the message are shown"
    for one in shown:
        assert one.textFormat() == Qt.TextFormat.PlainText, one.text()
    tips = [tip for widget in widgets for tip in _tips(widget) if "bold" in tip or "run" in tip]
    assert any("&lt;b&gt;bold" in tip for tip in tips) and any("&lt;b&gt;run" in tip for tip in tips)
    for tip in tips:
        assert "<b>" not in tip and "<img" not in tip


def test_the_legend_of_the_curves_shows_names_as_they_stand(hostile: MainWindow) -> None:
    curve = Curve(np.array([1.0]), np.array([1.0]))
    curves = hostile.runs.monitor.curves
    curves.show_figures([Figure("loss", [Line(HOSTILE, curve, 0), Line("other", curve, 1)])])
    assert "<b>" not in curves.legend.text() and "&lt;b&gt;" in curves.legend.text()


def test_questions_show_names_as_they_stand(hostile: MainWindow, monkeypatch) -> None:
    asked: list[QMessageBox] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append(box) or 0)
    hostile.installed.delete(hostile.state.models[0])
    hostile.trainings.discard(hostile.runs.monitor.run)
    assert [box.textFormat() for box in asked] == [Qt.TextFormat.PlainText] * 2
    assert all(HOSTILE in box.text() for box in asked)


def test_a_model_card_shows_no_html_loads_nothing_and_opens_only_the_web(
    window: MainWindow, qtbot, monkeypatch
) -> None:
    text = f"# Card\n\n{HOSTILE}\n\n![picture](file:///etc/hostname)\n\n[run](file:///bin/true) [web](https://a.b/)\n"
    card = ModelCard(MODEL, text, window.theme, window.state.notifications, window)
    qtbot.addWidget(card)
    assert "<b>bold</b>" in card.text.toPlainText()
    assert "\ufffc" not in card.text.toPlainText() and card.text.textCursor().atStart()  # no broken picture
    assert card.text.loadResource(2, QUrl("file:///etc/hostname")) is None
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or True)
    for link in ("file:///bin/true", "javascript:1", "other.md", "https://a.b/"):
        card.text.anchorClicked.emit(QUrl(link))
    assert opened == [QUrl("https://a.b/")]
    assert card.text.source().isEmpty()


@pytest.mark.parametrize("text", ["plain", "two\nlines", HOSTILE, "a < b > c"])
def test_a_tip_says_what_the_text_says(text: str) -> None:
    document = QtGui.QTextDocument()
    tip = plain_tip(text)
    document.setHtml(tip) if QtGui.Qt.mightBeRichText(tip) else document.setPlainText(tip)
    assert document.toPlainText() == text
