from __future__ import annotations

import numpy as np

from ddmi_core.rendering.picture_layout import DARK, contact_sheet, pictures_on


def test_contact_sheet_keeps_the_order() -> None:
    pictures = [np.full((4, 6, 3), value, dtype=np.uint8) for value in (50, 100, 150)]
    sheet = contact_sheet(pictures, 2, gap=1)
    assert sheet.shape == (2 * 5 + 1, 2 * 7 + 1, 3)
    assert [sheet[2, 2, 0], sheet[2, 9, 0], sheet[7, 2, 0]] == [50, 100, 150]
    assert tuple(sheet[7, 9]) == DARK


def test_a_sheet_is_taken_apart_into_its_pictures() -> None:
    for count in (1, 2, 8, 11):
        pictures = [np.full((20, 20, 3), 100 + value, dtype=np.uint8) for value in range(count)]
        found = pictures_on(contact_sheet(pictures, 8))
        assert len(found) == count and all((a == b).all() for a, b in zip(found, pictures, strict=True))


def test_a_picture_that_is_no_sheet_stays_whole() -> None:
    picture = np.zeros((100, 150, 3), dtype=np.uint8)
    (found,) = pictures_on(picture)
    assert found is picture
