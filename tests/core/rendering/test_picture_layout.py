from __future__ import annotations

import numpy as np

from ddmi_core.rendering.picture_layout import DARK, contact_sheet, number_at, pictures_on
from ddmi_core.rendering.sheet_texts import SheetTexts


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


def test_each_picture_of_a_sheet_is_found_at_its_pixels() -> None:
    sheet = contact_sheet([np.full((20, 20, 3), 100 + value, dtype=np.uint8) for value in range(11)], 8)
    height, width = sheet.shape[:2]
    for y in range(height):
        for x in range(width):
            if (found := int(sheet[y, x, 0])) >= 100:
                assert number_at(x, y, width) == found - 100
    assert number_at(width - 1, 0, width) == 7  # the gap at the edge is the nearest one's


def test_what_is_said_of_a_sheet_is_read_again_and_anything_else_says_nothing() -> None:
    texts = SheetTexts(("an ärmchair, seed 0", "x"), "true | drawn")
    assert texts.to_json().isascii() and SheetTexts.read(texts.to_json()) == texts
    for other in ("", "[", "[]", "3", '{"captions": [1], "pairs": ""}', '{"captions": ["a"], "pairs": 3}'):
        assert SheetTexts.read(other) == SheetTexts()
