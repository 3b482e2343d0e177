from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from superqt import QDoubleRangeSlider

from ddmi_core.support.paths import assets
from studio.rooms import actions_of
from studio.theme.icons import icon_pixmap
from studio.theme.theme import Theme
from studio.theme.tokens import THEMES, Colours

ACTIONS = actions_of()


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", THEMES.values(), ids=list(THEMES))
def test_text_can_be_read(colours: Colours):
    for ground in (colours.panel, colours.raised, colours.control, colours.stage):
        assert contrast(colours.text, ground) >= 7, ground
        assert contrast(colours.muted, ground) >= 4.5, ground
    assert contrast(colours.on_accent, colours.accent) >= 4.5
    assert contrast(colours.error, colours.panel) >= 4.5
    assert contrast(colours.accent, colours.panel) >= 3


@pytest.mark.parametrize("colours", THEMES.values(), ids=list(THEMES))
def test_sliders_and_progress_bars_can_be_seen(colours: Colours):
    for ground in (colours.panel, colours.raised, colours.stage):
        assert contrast(colours.groove, ground) >= 1.5, ground
        assert contrast(colours.accent, ground) >= 3, ground
    assert contrast(colours.accent, colours.groove) >= 2.5


def test_every_icon_of_an_action_exists_and_is_no_leftover(qapp):
    used = {spec.icon for spec in ACTIONS if spec.icon}
    files = {path.stem for path in (assets() / "icons").glob("*.svg")}
    assert used <= files
    for name in files:
        assert not icon_pixmap(name, "#ffffff", 24).isNull()


def test_icons_and_colours_follow_the_theme(qapp: QApplication, qtbot):
    theme = Theme(qapp, "dark")
    button = QPushButton("Generate")
    qtbot.addWidget(button)
    theme.bind_icon(button, "spark")
    dark = button.icon().pixmap(24).toImage()
    told: list[str] = []
    theme.changed.connect(lambda: told.append(theme.name))
    theme.choice = "light"
    assert told == ["light"]
    assert button.icon().pixmap(24).toImage() != dark
    assert qapp.palette().window().color().name() == THEMES["light"].panel
    theme.choice = "dark"


def test_the_chosen_part_of_a_range_has_the_accent(qapp: QApplication, qtbot):
    theme = Theme(qapp, "light")
    slider = QDoubleRangeSlider(Qt.Orientation.Horizontal)
    qtbot.addWidget(slider)
    slider.show()
    for choice in ("light", "dark"):
        theme.choice = choice
        QApplication.processEvents()
        assert slider.property("barColor").color().name() == THEMES[choice].accent
