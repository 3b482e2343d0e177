from __future__ import annotations

import numpy as np

from ddmi_core.picture_layout import DARK, contact_sheet


def test_contact_sheet_keeps_the_order() -> None:
    pictures = [np.full((4, 6, 3), value, dtype=np.uint8) for value in (50, 100, 150)]
    sheet = contact_sheet(pictures, 2, gap=1)
    assert sheet.shape == (2 * 5 + 1, 2 * 7 + 1, 3)
    assert [sheet[2, 2, 0], sheet[2, 9, 0], sheet[7, 2, 0]] == [50, 100, 150]
    assert tuple(sheet[7, 9]) == DARK
