"""Everything can be reached by keyboard, has a name for screen readers, and shows that the keys go to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QMenuBar,
    QScrollBar,
    QTabBar,
    QWidget,
)
from shiboken6 import isValid

from ddmi_core.placement import Placement
from ddmi_core.recipe import Recipe
from studio.panels.about import AboutDialog
from studio.panels.evaluate_dialog import EvaluateDialog
from studio.panels.export_dialog import Place
from studio.panels.model_card import ModelCard
from studio.panels.palette import Palette
from studio.panels.run_pictures import EnlargedPictures
from studio.panels.shortcut_sheet import ShortcutSheet
from studio.panels.span_dialog import SpanDialog
from studio.rooms.images.basis_dialog import BasisDialog
from studio.rooms.images.export_page import PictureChoice, PictureExportDialog
from studio.rooms.images.scales_dialog import ScalesDialog
from studio.rooms.images.walk_dialog import WalkDialog
from studio.rooms.shapes.export_page import ShapeChoice, ShapeExportDialog
from studio.rooms.shapes.screenshot_dialog import ScreenshotChoice, ScreenshotDialog
from studio.rooms.video.export_page import VideoChoice, VideoExportDialog
from studio.state.library import Item
from studio.state.runs import RunSummary
from studio.widgets.axis_gizmo import AxisGizmo
from studio.widgets.deep_zoom.navigator import Navigator
from studio.window import MainWindow
from tests.studio.window.fakes import CLIPS, MODEL, PICTURES

pytestmark = pytest.mark.gl
PATIENCE = 60_000  # ms

ACTIVE = Qt.FocusPolicy.TabFocus
OTHER_KEYS = AxisGizmo | Navigator
"""Painted for the mouse; what they do has keys of its own: the standard views, and panning. (Labels whose text can be
copied with the mouse are no controls either.)"""
MOST_STOPS = 6
"""Times that Tab may stay within one widget."""
LEAST_SEEN = 12
"""Pixels that the focus has to change."""


def parts(root: QWidget) -> list[QWidget]:
    """What a person can use: the visible, enabled widgets, each composite one as a whole."""
    return [
        widget
        for widget in root.findChildren(QWidget)
        if widget.isVisibleTo(root) and widget.isEnabled() and widget.window() is root and not is_inside(widget)
    ]


def is_inside(widget: QWidget) -> bool:
    """Whether a widget is a part of a composite one, which has the focus and the name, or can only be scrolled with."""
    parent = widget.parentWidget()
    if isinstance(widget, QScrollBar) or widget.objectName().startswith("qt_"):
        return True
    if isinstance(parent, QAbstractScrollArea) and parent.viewport() is widget:
        return True
    while parent is not None:
        if isinstance(parent, QAbstractSpinBox | QComboBox | QKeySequenceEdit | QLineEdit | QTabBar | QMenuBar):
            return True
        parent = parent.parentWidget()
    return False


def focusable(root: QWidget) -> list[QWidget]:
    return [part for part in parts(root) if part.focusPolicy() != Qt.FocusPolicy.NoFocus]


def name(widget: QWidget) -> str:
    """What a screen reader says."""
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name).strip() if interface is not None else ""


def called(widget: QWidget) -> str:
    return f"{type(widget).__name__} {name(widget)!r}"


def reached_by_tab(root: QWidget) -> set[QWidget]:
    """What Tab comes by, from the widget that has the focus on until it is there again."""
    first = next(part for part in focusable(root) if part.focusPolicy() & ACTIVE)
    first.setFocus(Qt.FocusReason.TabFocusReason)
    found: list[QWidget] = []
    again = 0
    while (at := root.focusWidget()) is not None and again < MOST_STOPS:
        if at in found:  # it may have several stops itself, such as the links of a text
            again += 1
        else:
            found.append(at)
            again = 0
        QTest.keyClick(at, Qt.Key.Key_Tab)
    owners = set(found)
    for widget in found:  # the focus may be in a part of a composite widget
        parent = widget.parentWidget()
        while parent is not None:
            if parent.focusProxy() is widget:
                owners.add(parent)
            parent = parent.parentWidget()
    return owners


def pixels(widget: QWidget) -> np.ndarray:
    """A widget and a little of what is around it, (h, w, 3)."""
    parent = widget.parentWidget()
    assert parent is not None
    place: QRect = widget.geometry().adjusted(-3, -3, 3, 3).intersected(parent.rect())
    image = parent.grab(place).toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int16)


def without_visible_focus(root: QWidget) -> list[str]:
    """What looks the same with the focus and without it."""
    stops = [part for part in focusable(root) if part.focusPolicy() & ACTIVE and part.focusProxy() is None]
    hidden = []
    for stop in stops:
        other = next((one for one in stops if one is not stop), None)
        if other is None:
            continue
        other.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        before = pixels(stop)
        stop.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        after = pixels(stop)
        if before.shape == after.shape and (np.abs(after - before).max(axis=-1) > 16).sum() < LEAST_SEEN:
            hidden.append(called(stop))
    return hidden


def faults(root: QWidget, *, active: bool) -> dict[str, list[str]]:
    """What is wrong with a window or dialog: by kind of fault, the widgets that have it."""
    reached = reached_by_tab(root)
    found = {
        "no name": [called(part) for part in focusable(root) if not name(part)],
        "by mouse alone": [
            called(part)
            for part in parts(root)
            if isinstance(part, QAbstractButton) or part.focusPolicy() & Qt.FocusPolicy.ClickFocus
            if not part.focusPolicy() & ACTIVE and not isinstance(part, OTHER_KEYS | QLabel)
            if not part.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents) and not by_arrows(part)
        ],
        "not reached by Tab": [
            called(part) for part in focusable(root) if part.focusPolicy() & ACTIVE and part not in reached
        ],
        "focus not seen": without_visible_focus(root) if active else [],
    }
    return {kind: widgets for kind, widgets in found.items() if widgets}


def by_arrows(widget: QWidget) -> bool:
    """Whether a button excludes others: Tab goes to the one that is on, the arrow keys from there to the others."""
    group = widget.group() if isinstance(widget, QAbstractButton) else None
    return group is not None and group.exclusive() and group.checkedButton() is not widget


def activate(qtbot, root: QWidget) -> bool:
    """Whether the window is the one that the keys go to."""
    root.show()
    qtbot.waitExposed(root)
    root.activateWindow()
    try:
        qtbot.waitUntil(root.isActiveWindow, timeout=2000)
    except AssertionError:  # the display has no way to say so
        return False
    return True


@pytest.fixture
def items(window: MainWindow) -> dict[str, Item]:
    """An item in each of three rooms."""
    window.state.set_models([MODEL, PICTURES, CLIPS])

    def add(domain: str, model, **more: object) -> Item:
        recipe = Recipe(domain=domain, model=model.name, model_hash=model.hash, prompt="a chair", seed=1, **more)
        return window.state.library.add(np.zeros((1, 2, 2), np.float32), recipe, np.zeros((32, 32, 4), np.uint8))

    return {
        "shape": add("shape", MODEL),
        "image": add("image", PICTURES),
        "other": add("image", PICTURES),
        "video": add("video", CLIPS, seconds=2.0),
    }


def test_the_window_in_each_room(qtbot, window: MainWindow, items: dict[str, Item]):
    window.inspector.advanced.set_open(True)
    window.runs.show_runs([RunSummary(Path("/nowhere/run"), "run", "shape", "running")])
    for name_ in ("look_pane", "sequence"):
        window.actions_[name_].setChecked(True)
    window.state.notifications.error("Something is wrong.", details="More about it")
    is_active = activate(qtbot, window)
    found = {}
    for place in range(window.rooms.count()):
        window.show_room(place)
        found[place] = faults(window, active=is_active)
    window.runs.show_runs([])  # or closing the window would ask what becomes of it
    assert {place: fault for place, fault in found.items() if fault} == {}


def dialogs(window: MainWindow, items: dict[str, Item], tmp_path: Path) -> dict[str, Callable[[], QDialog]]:
    state, engine, theme = window.state, window.engine, window.theme
    words = window.stage.room.words
    place, placement = Place(tmp_path), Placement(centre=(0.0, 0.0, 0.0), unit=2.0)
    return {
        "about": lambda: AboutDialog(theme, window),
        "basis fields": lambda: BasisDialog(items["image"], engine, theme, window),
        "scale by scale": lambda: ScalesDialog(items["image"], state, engine, theme, window.settings, window),
        "walk": lambda: WalkDialog(items["image"], state, engine, theme, window.settings, window),
        "evaluate": lambda: EvaluateDialog(MODEL, ("furniture",), window.settings, window),
        "pictures of a run": lambda: EnlargedPictures(
            [QImage(32, 32, QImage.Format.Format_RGB32)] * 3, ["a chair"] * 3, 1, theme, window
        ),
        "export a shape": lambda: ShapeExportDialog("a chair", ShapeChoice(), place, placement, window),
        "export a picture": lambda: PictureExportDialog("a cat", PictureChoice(), place, (-1, -1, 0, 0), None, window),
        "export a clip": lambda: VideoExportDialog("a cat", VideoChoice(), place, 2.0, (0.5, 1.0), None, window),
        "model card": lambda: ModelCard(
            MODEL, "# Furniture\n\nTrained on [furniture](https://example.org).", theme, state.notifications, window
        ),
        "screenshot of a shape": lambda: ScreenshotDialog(900, lambda width: width // 2, ScreenshotChoice(), window),
        "part of a film": lambda: SpanDialog(tmp_path / "film.mp4", 3600, 30, window),
        "shortcuts": lambda: ShortcutSheet(window.stage.room, window.actions_.keymap, window),
        "palette": lambda: Palette(window.actions_, words, parent=window),
    }


@pytest.fixture
def opened() -> Iterator[list[QDialog]]:
    """Dialogs that are closed after the test."""
    found: list[QDialog] = []
    yield found
    for dialog in filter(isValid, found):  # some go by themselves once they are closed
        dialog.close()
        dialog.deleteLater()


def test_each_dialog(qtbot, window: MainWindow, items: dict[str, Item], tmp_path: Path, opened: list[QDialog]):
    found = {}
    for which, make in dialogs(window, items, tmp_path).items():
        dialog = make()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        opened.append(dialog)
        is_active = activate(qtbot, dialog)
        qtbot.waitUntil(lambda: not window.state.jobs.active(quiet=True), timeout=PATIENCE)
        if any(part.focusPolicy() & ACTIVE for part in focusable(dialog)):  # else there is nothing but text
            found[which] = faults(dialog, active=is_active)
        dialog.close()
    assert {which: fault for which, fault in found.items() if fault} == {}


def test_the_settings(qtbot, window: MainWindow, opened: list[QDialog]):
    window.preferences.open()
    (dialog,) = [child for child in window.findChildren(QDialog) if child.windowTitle() == "Settings"]
    opened.append(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    is_active = activate(qtbot, dialog)
    found = {}
    for page in range(dialog.tabs.count()):
        dialog.tabs.setCurrentIndex(page)
        found[page] = faults(dialog, active=is_active)
    assert {page: fault for page, fault in found.items() if fault} == {}


def test_the_wizard(qtbot, window: MainWindow, opened: list[QDialog]):
    from studio.wizard.wizard import TrainingWizard

    wizard = TrainingWizard(window.settings, parent=window)
    opened.append(wizard)
    is_active = activate(qtbot, wizard)
    found = {}
    for page in range(len(wizard.pages)):
        wizard.go_to(page)
        qtbot.waitUntil(wizard.next.isEnabled, timeout=PATIENCE)
        found[page] = faults(wizard, active=is_active)
    assert wizard.recipes.shutdown(PATIENCE / 1000)  # it still looks through the data
    assert {page: fault for page, fault in found.items() if fault} == {}
