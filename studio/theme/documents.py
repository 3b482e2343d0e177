"""How a document to be read looks: headings, code, tables and links of Markdown, in the theme's colours."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrame,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)

from studio.theme.tokens import FONT_BODY, FONT_SMALL, FONT_TITLE, GRID, Colours

_HEADINGS = {1: FONT_TITLE, 2: (FONT_TITLE + FONT_BODY) // 2}  # level and px; deeper ones are as large as the text
_LINE_HEIGHT = 140  # percent
_CODE = QTextFormat.Property.BlockCodeLanguage
_THIN = QTextFormat.Property.UserProperty


def dress(document: QTextDocument, colours: Colours, *, ruled: bool = True) -> None:
    """Give a document that was read from Markdown the look of a theme; it may have had that of another one before.

    Tables are `ruled`, below a bold first row, unless they only lay things out.

    Qt's reader of Markdown takes no notice of a document's style sheet, so the formats are set one by one.
    """
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    for first, last in _bare_code(document):
        _put_into_frame(cursor, first, last)
    for block in _blocks(document):
        _dress_block(block, colours)
    for frame in document.rootFrame().childFrames():
        if ruled or not isinstance(frame, QTextTable):
            _dress_frame(frame, colours)
    cursor.endEditBlock()


def _blocks(document: QTextDocument) -> Iterator[QTextBlock]:
    block = document.begin()
    while block.isValid():
        yield block
        block = block.next()


def _is_code(block: QTextBlock) -> bool:
    return block.blockFormat().hasProperty(_CODE)


def _bare_code(document: QTextDocument) -> list[tuple[int, int]]:
    """Where blocks of code that follow each other begin and end, the last ones first; without those in a frame."""
    runs: list[tuple[int, int]] = []
    before = False
    for block in _blocks(document):
        is_bare = _is_code(block) and QTextCursor(block).currentFrame() is document.rootFrame()
        end = block.position() + block.length() - 1
        if is_bare and before:
            runs[-1] = runs[-1][0], end
        elif is_bare:
            runs.append((block.position(), end))
        before = is_bare
    return runs[::-1]


def _put_into_frame(cursor: QTextCursor, first: int, last: int) -> None:
    """Put what stands between two places into a frame; the empty lines that Qt leaves around it become thin."""
    cursor.setPosition(first)
    code = cursor.blockFormat()
    cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)
    frame = cursor.insertFrame(QTextFrameFormat())
    frame.firstCursorPosition().setBlockFormat(code)
    thin = QTextBlockFormat()
    thin.setProperty(_THIN, True)
    thin.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    for place in (frame.firstPosition() - 1, frame.lastPosition() + 1):
        cursor.setPosition(place)
        if not cursor.block().text():
            cursor.setBlockFormat(thin)


def _dress_block(block: QTextBlock, c: Colours) -> None:
    present = block.blockFormat()
    if present.hasProperty(_THIN):
        return
    look = QTextBlockFormat()
    if present.headingLevel():
        look.setTopMargin(0 if present.headingLevel() == 1 else 2.5 * GRID)
        look.setBottomMargin(GRID)
    elif not _is_code(block) and QTextCursor(block).currentTable() is None:
        look.setTopMargin(0)
        goes_on = block.textList() is not None and block.next().textList() is not None
        look.setBottomMargin(GRID // 2 if goes_on else GRID + GRID // 2)
    has_picture = any(part.format.isImageFormat() for part in block.textFormats())
    height = 100 if has_picture else _LINE_HEIGHT  # else there were a gap below it, as high as 40 % of the picture
    look.setLineHeight(height, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    cursor = QTextCursor(block)
    cursor.mergeBlockFormat(look)
    for part in block.textFormats():
        letters = _dressed(part.format, present.headingLevel(), _is_code(block), c)
        cursor.setPosition(block.position() + part.start)
        cursor.setPosition(block.position() + part.start + part.length, QTextCursor.MoveMode.KeepAnchor)
        cursor.setCharFormat(letters)


def _dressed(letters: QTextCharFormat, level: int, in_code: bool, c: Colours) -> QTextCharFormat:
    """How letters look in a heading of a level or in text (0), and in a block of code."""
    if level:
        letters.clearProperty(QTextFormat.Property.FontSizeAdjustment)  # it would win
        letters.setProperty(QTextFormat.Property.FontPixelSize, _HEADINGS.get(level, FONT_BODY))
        letters.setFontWeight(QFont.Weight.DemiBold)
    if letters.isAnchor():
        letters.setForeground(QBrush(QColor(c.accent)))
        letters.setFontUnderline(False)
    if letters.fontFixedPitch() or in_code:
        letters.setProperty(QTextFormat.Property.FontPixelSize, FONT_SMALL)
        letters.setForeground(QBrush(QColor(c.text)))
        if not in_code:
            letters.setBackground(QBrush(QColor(c.control)))
    return letters


def _dress_frame(frame: QTextFrame, c: Colours) -> None:
    """Put code on a plate of its own, and lines between the rows of a table."""
    line, plate = QBrush(QColor(c.line)), QBrush(QColor(c.raised))
    if isinstance(frame, QTextTable):
        table = QTextTableFormat(frame.format())
        table.setBorderCollapse(True)
        table.setBorder(0)
        table.setCellPadding(0.75 * GRID)
        table.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        frame.setFormat(table)
        for row, column in itertools.product(range(frame.rows()), range(frame.columns())):
            cell = frame.cellAt(row, column)
            letters = QTextTableCellFormat(cell.format().toTableCellFormat())
            letters.setBottomBorder(1)
            letters.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            letters.setBottomBorderBrush(line)
            if row == 0:
                letters.setFontWeight(QFont.Weight.DemiBold)
            cell.setFormat(letters)
    look = QTextFrameFormat(frame.frameFormat())
    if not isinstance(frame, QTextTable):
        look.setBackground(plate)
        look.setBorder(1)
        look.setBorderBrush(line)
        look.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        look.setPadding(GRID)
    look.setTopMargin(GRID // 2)
    look.setBottomMargin(GRID + GRID // 2)
    frame.setFrameFormat(look)
