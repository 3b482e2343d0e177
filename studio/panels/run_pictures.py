"""The pictures of a run: the sheets that it has drawn over time, and one picture of a sheet enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from ddmi_core.rendering.picture_layout import number_at, pictures_on
from ddmi_core.rendering.sheet_texts import SHEET_KEY, SheetTexts
from studio.engine.training import Training
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import icon_button, label
from studio.widgets.deep_zoom.images import PictureBox, to_opaque_image
from studio.widgets.dialog import Dialog
from studio.widgets.focus_ring import paint_ring

_SIDE = 480  # px, of a picture enlarged: three of these for each of its pixels
_NONE_YET = "Pictures appear here once the run has drawn some."
_OPENS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class RunPictures(QWidget):
    """The pictures of a run, with a slider over the time of training. At its end it follows the newest."""

    def __init__(self, training: Training, theme: Theme) -> None:
        super().__init__()
        self._training, self._theme = training, theme
        self._samples: tuple[Path, ...] = ()
        self.picture = Sheet(theme)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Time of training")
        self.slider.setRange(0, 0)
        self.slider.valueChanged.connect(self._ask)
        self.picture.chosen.connect(self._enlarge)
        self.caption = label("", "small")
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.slider, 1)
        row.addWidget(self.caption)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self.picture, 1)
        layout.addLayout(row)

    def show_samples(self, samples: tuple[Path, ...]) -> None:
        """Take another list of pictures, oldest first."""
        if samples == self._samples and samples:
            return
        newest = self.slider.value() == self.slider.maximum() or not self._samples
        self._samples = samples
        self.slider.setEnabled(len(samples) > 1)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(0, len(samples) - 1))
            if newest:
                self.slider.setValue(self.slider.maximum())
        if not samples:
            self.picture.show_sheet(QImage())
            self.caption.setText("")
        else:
            self._ask()

    def show_picture(self, path: Path, image: QImage) -> None:
        """Show a picture that was asked for, if it still is the one wanted."""
        if self._samples and path == self._samples[self.slider.value()]:
            self.picture.show_sheet(image)
            self._say_when()

    def _ask(self) -> None:
        if self._samples:
            self._say_when()
            self._training.picture(self._samples[self.slider.value()])

    def _say_when(self) -> None:
        path = self._samples[self.slider.value()]
        stage, _, step = path.stem.rpartition("-")
        when = f"{stage}, step {int(step):,}" if step.isdigit() else path.stem
        pairs = self.picture.texts.pairs
        self.caption.setText(f"{when}  ·  {pairs}" if pairs else when)

    def _enlarge(self, number: int) -> None:
        pictures, captions = self.picture.pictures(), self.picture.texts.captions
        if number < len(pictures):
            EnlargedPictures(pictures, captions, number, self._theme, self).open()


class Sheet(QLabel):
    """A sheet of pictures as large as there is room. `chosen` carries the number of one that was clicked."""

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(_NONE_YET)
        self._theme = theme
        self._image = QImage()
        self.texts = SheetTexts()
        self.setProperty("look", "muted")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)

    def show_sheet(self, image: QImage) -> None:
        """Show another sheet; one without pixels is none."""
        self._image, self.texts = image, SheetTexts.read(image.text(SHEET_KEY))
        is_there = not image.isNull()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if is_there else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if is_there else Qt.CursorShape.ArrowCursor)
        self.setToolTip("Click a picture to see it enlarged" if is_there else "")
        self.setAccessibleName("Pictures of the run; Enter enlarges the first" if is_there else "")
        if is_there:
            self._fit()
        else:
            self.setText(_NONE_YET)

    def pictures(self) -> list[QImage]:
        """The pictures on the sheet."""
        if self._image.isNull():
            return []
        image = self._image.convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
        return [to_opaque_image(picture) for picture in pictures_on(pixels)]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the picture under the pointer."""
        shown = self.pixmap()
        if event.button() != Qt.MouseButton.LeftButton or self._image.isNull() or shown.isNull():
            super().mousePressEvent(event)
            return
        size = shown.deviceIndependentSize()
        x = event.position().x() - (self.width() - size.width()) / 2
        y = event.position().y() - (self.height() - size.height()) / 2
        if 0 <= x < size.width() and 0 <= y < size.height():
            scale = self._image.width() / size.width()
            self.chosen.emit(number_at(x * scale, y * scale, self._image.width()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose the first picture."""
        if event.key() in _OPENS and not self._image.isNull():
            self.chosen.emit(0)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the sheet to the new size."""
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the sheet, and the ring around what has the keys."""
        super().paintEvent(event)
        paint_ring(self, QPainter(self), self._theme.colours.accent)

    def _fit(self) -> None:
        if not self._image.isNull():
            ratio = self.devicePixelRatioF()
            shown = QPixmap.fromImage(self._image).scaled(
                self.size() * ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            shown.setDevicePixelRatio(ratio)
            self.setPixmap(shown)


class EnlargedPictures(Dialog):
    """One of several pictures, enlarged, and what is said of it. Left and right go to the others.

    Args:
        pictures: all of them.
        captions: what is said of each; there may be fewer.
        number: of the first one that is shown.
        theme: of the icons.
        parent: what it lies over.
    """

    def __init__(
        self, pictures: Sequence[QImage], captions: Sequence[str], number: int, theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Picture of the run")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pictures, self._captions, self._number = list(pictures), list(captions), number
        self.picture = PictureBox(theme, _SIDE)
        self.caption = label("", wrap=True, selectable=True)
        self.caption.setFixedWidth(_SIDE)
        self.place = label("", "small")
        self.previous = icon_button(theme, "chevron-left", "The picture before (left arrow)")
        self.next = icon_button(theme, "chevron-right", "The next picture (right arrow)")
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.place)
        row.addStretch(1)
        for button, key, step in ((self.previous, Qt.Key.Key_Left, -1), (self.next, Qt.Key.Key_Right, 1)):
            button.clicked.connect(lambda _=False, step=step: self._go(step))
            QShortcut(QKeySequence(key), self).activated.connect(lambda step=step: self._go(step))
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.picture)
        layout.addWidget(self.caption)
        layout.addLayout(row)
        self._go(0)

    def _go(self, step: int) -> None:
        """Show one so many places further, if there is one."""
        last = len(self._pictures) - 1
        self._number = max(0, min(self._number + step, last))
        said = self._captions[self._number] if self._number < len(self._captions) else ""
        self.picture.show_image(self._pictures[self._number])
        self.picture.setAccessibleName(said or "Picture")
        self.caption.setText(said)
        self.caption.setVisible(bool(said))
        self.place.setText(f"{self._number + 1} of {last + 1}")
        self.previous.setEnabled(self._number > 0)
        self.next.setEnabled(self._number < last)
