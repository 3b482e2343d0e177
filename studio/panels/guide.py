"""The guide: its pages at the left, the one that is read at the right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QHideEvent,
    QImage,
    QImageReader,
    QKeyEvent,
    QKeySequence,
    QMovie,
    QPainter,
    QResizeEvent,
    QShortcut,
    QShowEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextImageFormat,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from studio.engine.gallery import Exhibition
from studio.panels.gallery_page import SIDE, GalleryPage
from studio.state.guide import GuidePage, Hit, find
from studio.theme.documents import dress
from studio.theme.theme import Theme
from studio.theme.tokens import CONTROL_HEIGHT, GRID
from studio.widgets.basics import icon_button, label, line, styled
from studio.widgets.dialog import Dialog

_SIZE = (1080, 720)
_LIST_WIDTH = 264
_LONGEST_LINE = 760  # px; longer ones are hard to read
_PAGE_ROLE = Qt.ItemDataRole.UserRole
_PICTURES = (".webp", ".png")


class GuideWindow(Dialog):
    """A window of its own beside the work. Opens at the first page; closing keeps the page.

    The gallery is its last page. `recipe_asked` carries the recipe of a picture there that was clicked, `link_asked` a
    QUrl that is to be opened elsewhere.
    """

    recipe_asked = Signal(object)
    link_asked = Signal(object)

    def __init__(
        self, pages: Sequence[GuidePage], gallery: GalleryPage, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Guide")
        self.resize(*_SIZE)
        self._written, self._gallery, self._theme = pages, gallery, theme
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search the guide")
        self.search.setAccessibleName("Search the guide")
        self.list = QListWidget()
        self.list.setAccessibleName("Pages")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.nothing = label("No page says that.", "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.page = PageView(gallery, theme)
        self.back = icon_button(theme, "chevron-left", "Back  (Alt+Left)", look="")
        self.forward = icon_button(theme, "chevron-right", "Forward  (Alt+Right)", look="")
        self._lay_out()
        self._wire()
        self._fill("")
        self.show_page(self._pages[0])

    @property
    def _pages(self) -> list[GuidePage]:
        return [*self._written, self._gallery.page]

    def open_at(self, name: str) -> None:
        """Turn to the page whose file is called so."""
        self.show_page(next(page for page in self._pages if page.path.name == name))

    def show_gallery(self) -> None:
        """Turn to the gallery."""
        self.show_page(self._gallery.page)

    def fill_gallery(self, exhibitions: Sequence[Exhibition]) -> None:
        """Show in the gallery what there is to be seen of the models."""
        if self._gallery.fill(exhibitions):
            self.page.make_again()
            self._fill(self.search.text())

    def show_page(self, page: GuidePage) -> None:
        """Turn to a page."""
        self.page.setSource(QUrl.fromLocalFile(str(page.path)))

    def shown(self) -> GuidePage | None:
        """The page that is read; None while a picture is looked at."""
        path = Path(self.page.current.toLocalFile())
        return next((page for page in self._pages if page.path == path), None)

    def _lay_out(self) -> None:
        left = QWidget()
        styled(left, "panel")
        left.setFixedWidth(_LIST_WIDTH)
        column = QVBoxLayout(left)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        top = QHBoxLayout()
        top.setSpacing(GRID // 2)
        top.addWidget(self.back)
        top.addWidget(self.forward)
        top.addWidget(self.search, 1)
        column.addLayout(top)
        column.addWidget(self.nothing)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(left)
        row.addWidget(line(vertical=True))
        row.addWidget(self.page, 1)

    def _wire(self) -> None:
        self.list.currentItemChanged.connect(self._on_choice)
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self._go_on)
        self.page.sourceChanged.connect(self._on_page)
        self.page.recipe_asked.connect(self.recipe_asked)
        self.page.link_asked.connect(self.link_asked)
        self.back.clicked.connect(self.page.backward)
        self.forward.clicked.connect(self.page.forward)
        for button, available in ((self.back, self.page.backwardAvailable), (self.forward, self.page.forwardAvailable)):
            button.setEnabled(False)
            available.connect(button.setEnabled)
        for keys, act in (
            (QKeySequence.StandardKey.Find, self._to_search),
            (QKeySequence.StandardKey.FindNext, self._go_on),
            (QKeySequence.StandardKey.Back, self.page.backward),
            (QKeySequence.StandardKey.Forward, self.page.forward),
        ):
            QShortcut(keys, self).activated.connect(act)

    def _to_search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def _go_on(self) -> None:
        """Go to the next place on the page that was searched for."""
        self.page.go_on()

    def _fill(self, wanted: str) -> None:
        """List what is found, and show the first of it unless what is read is among it."""
        shown = self.shown()
        hits = find(self._pages, wanted)
        self.list.blockSignals(True)
        self.list.clear()
        for hit in hits:
            self.list.addItem(self._row(hit))
        for row, hit in enumerate(hits):
            if hit.excerpt:
                self.list.setItemWidget(self.list.item(row), _found(hit))
        self.list.blockSignals(False)
        self.nothing.setVisible(not hits)
        self.list.setVisible(bool(hits))
        self.page.mark(wanted.split())
        if wanted and hits and shown not in [hit.page for hit in hits]:
            self.show_page(hits[0].page)
        self._on_page()

    def _row(self, hit: Hit) -> QListWidgetItem:
        row = QListWidgetItem("" if hit.excerpt else hit.page.title)
        row.setData(_PAGE_ROLE, hit.page)
        row.setData(Qt.ItemDataRole.AccessibleTextRole, f"{hit.page.title}. {hit.excerpt}".rstrip(". "))
        row.setSizeHint(QSize(0, _found(hit).heightForWidth(_LIST_WIDTH - 3 * GRID) if hit.excerpt else CONTROL_HEIGHT))
        return row

    def _on_choice(self, current: QListWidgetItem | None, _before: object = None) -> None:
        if current is not None:
            page: GuidePage = current.data(_PAGE_ROLE)
            if page != self.shown():
                self.show_page(page)

    def _on_page(self, _source: object = None) -> None:
        """Choose in the list what is read."""
        shown = self.shown()
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            if self.list.item(row).data(_PAGE_ROLE) == shown:
                self.list.setCurrentRow(row)
        self.list.blockSignals(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Esc clear the search first, and close the window then; Enter is the search's."""
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)


class PageView(QTextBrowser):
    """Shows pages, Markdown files, in the theme's look.

    A picture is drawn at the screen's own pixels, as wide as the page at most. A click on one shows it alone, large.
    Animated ones move while the page is seen. `recipe_asked` carries that of a picture in the gallery, `link_asked` a
    link that leads out of the guide.
    """

    recipe_asked = Signal(object)
    link_asked = Signal(object)

    def __init__(self, gallery: GalleryPage, theme: Theme) -> None:
        super().__init__()
        self._gallery, self._theme = gallery, theme
        self._made = ""  # the gallery as it was made last
        self.current = QUrl()
        """What is shown; `source` lags behind while `sourceChanged` is told."""
        self._words: list[str] = []
        self._places: list[int] = []
        self._films: list[QMovie] = []
        styled(self, "page")
        self.setOpenLinks(False)
        self.anchorClicked.connect(self._follow)
        self.setAccessibleName("Page of the guide")
        self.document().setDocumentMargin(0)
        self.sourceChanged.connect(lambda _source: self._dress())
        theme.changed.connect(self._on_theme)

    def mark(self, words: list[str]) -> None:
        """Show where on this page, and on those that follow, these words stand."""
        self._words = words
        self._mark()

    def go_on(self) -> None:
        """Go to the next place that is marked; after the last one to the first."""
        here = self.textCursor().position()
        if self._places:
            self._go_to(next((place for place in self._places if place > here), self._places[0]))

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Read a page, or a picture at the size that it is shown at; a picture alone makes a page too."""
        url = self.current.resolved(QUrl(name))
        if kind == QTextDocument.ResourceType.ImageResource.value:
            return self._picture(url)
        self.current = url
        if self._shows_gallery:
            self._made = self._gallery.html(self.viewport().width())
            return self._made
        return f'<img src="{url.toString()}">' if url.path().endswith(_PICTURES) else super().loadResource(kind, url)

    def make_again(self) -> None:
        """Make the gallery again, if that is what is shown, and stay where it is read."""
        if self._shows_gallery:
            place = self.verticalScrollBar().value()
            self.reload()
            self.verticalScrollBar().setValue(place)

    @property
    def _shows_gallery(self) -> bool:
        return self.current == self._gallery.url

    def _follow(self, link: QUrl) -> None:
        """Go where a link leads: to a recipe, a page or a picture of the guide, or elsewhere."""
        if (recipe := self._gallery.recipe(link)) is not None:
            self.recipe_asked.emit(recipe)
        elif link.isLocalFile() and link.path().endswith((".md", *_PICTURES)):
            self.setSource(link)
        else:
            self.link_asked.emit(link)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep lines short, and pictures as wide as they."""
        side = max(4 * GRID, (self.width() - _LONGEST_LINE + 1) // 2)
        self.setViewportMargins(side, 0, side, 0)
        super().resizeEvent(event)
        if self._shows_gallery and self._gallery.html(self.viewport().width()) != self._made:
            self.make_again()
        else:
            self._draw_pictures()

    def showEvent(self, event: QShowEvent) -> None:
        """Let the films go on."""
        super().showEvent(event)
        self._pause_films(False)

    def hideEvent(self, event: QHideEvent) -> None:
        """Let the films wait; nobody sees them."""
        super().hideEvent(event)
        self._pause_films(True)

    def _on_theme(self) -> None:
        if self._shows_gallery:
            self.make_again()
        else:
            self._dress()

    def _dress(self) -> None:
        document = self.document()
        dress(document, self._theme.colours, ruled=not self._shows_gallery)
        root = document.rootFrame().frameFormat()
        root.setTopMargin(4 * GRID)
        root.setBottomMargin(4 * GRID)
        document.rootFrame().setFrameFormat(root)
        if not self._shows_gallery:  # whose pictures are links already
            self._link_pictures()
        self._draw_pictures()
        self._open_films()
        self._mark()

    # Pictures

    def _picture_formats(self) -> list[tuple[int, QTextImageFormat]]:
        """Where pictures stand, and their formats."""
        found = []
        block = self.document().begin()
        while block.isValid():
            found += [
                (block.position() + part.start, part.format.toImageFormat())
                for part in block.textFormats()
                if part.format.isImageFormat()
            ]
            block = block.next()
        return found

    def _link_pictures(self) -> None:
        """Name the pictures by their whole paths, and let a click show one alone."""
        for position, picture in self._picture_formats():
            url = self.current.resolved(QUrl(picture.name()))
            picture.setName(url.toString())
            picture.setAnchor(url != self.current)
            picture.setAnchorHref(url.toString())
            cursor = QTextCursor(self.document())
            cursor.setPosition(position)
            cursor.setPosition(position + 1, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(picture)

    def _draw_pictures(self) -> None:
        """Draw all pictures as large as they shall be now."""
        document = self.document()
        for _, picture in self._picture_formats():
            name = QUrl(picture.name())  # not a whole path yet where the page is still being read
            image = self._picture(self.current.resolved(name))
            document.addResource(QTextDocument.ResourceType.ImageResource.value, name, image)
        document.markContentsDirty(0, document.characterCount())

    def _open_films(self) -> None:
        """Open the animated pictures of this page, in place of those of the page before."""
        for film in self._films:
            film.stop()
            film.deleteLater()
        self._films = []
        for position, picture in [] if self._shows_gallery else self._picture_formats():
            url = QUrl(picture.name())
            if QImageReader(url.toLocalFile()).imageCount() > 1:
                film = QMovie(url.toLocalFile(), parent=self)
                film.frameChanged.connect(partial(self._show_frame, film, position, url))
                film.start()
                self._films.append(film)
        self._pause_films(not self.isVisible())

    def _pause_films(self, pause: bool) -> None:
        for film in self._films:
            film.setPaused(pause)

    def _show_frame(self, film: QMovie, position: int, url: QUrl, _number: int) -> None:
        document = self.document()
        image = self._framed(film.currentImage(), url)
        document.addResource(QTextDocument.ResourceType.ImageResource.value, url, image)
        document.markContentsDirty(position, 1)

    def _picture(self, url: QUrl) -> QImage:
        made = self._gallery.picture(url)
        return self._framed(QImage(url.toLocalFile()) if made is None else made, url)

    def _framed(self, image: QImage, url: QUrl) -> QImage:
        """A picture, of a file, in the screen's pixels, with a thin line around it."""
        if image.isNull():
            return image
        ratio = self.devicePixelRatioF()
        if self._shows_gallery:
            width = SIDE
        else:
            width = image.width() if url == self.current else min(image.width(), self.viewport().width())
        image = image.scaledToWidth(max(1, round(width * ratio)), Qt.TransformationMode.SmoothTransformation)
        image = image.convertToFormat(QImage.Format.Format_RGB32)
        painter = QPainter(image)
        painter.setPen(QColor(self._theme.colours.line))
        painter.drawRect(0, 0, image.width() - 1, image.height() - 1)
        painter.end()
        image.setDevicePixelRatio(ratio)
        return image

    # Searching

    def _mark(self) -> None:
        """Mark the words and go to the first of them behind the title."""
        look = QTextCharFormat()
        look.setBackground(QColor(self._theme.colours.accent_soft))
        look.setForeground(QColor(self._theme.colours.text))
        marked, self._places = [], []
        for word in self._words:
            cursor = self.document().find(word)
            while not cursor.isNull():
                selection = QTextEdit.ExtraSelection()
                selection.cursor, selection.format = cursor, look
                marked.append(selection)
                self._places.append(cursor.selectionStart())
                cursor = self.document().find(word, cursor)
        self._places.sort()
        self.setExtraSelections(marked)
        title = self.document().firstBlock().length()
        if self._places:
            self._go_to(next((place for place in self._places if place >= title), self._places[0]))

    def _go_to(self, place: int) -> None:
        cursor = self.textCursor()
        cursor.setPosition(place)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()


def _found(hit: Hit) -> QWidget:
    """A page's title and what was found in it."""
    row = QWidget()
    column = QVBoxLayout(row)
    column.setContentsMargins(GRID // 2, GRID // 2, 0, GRID // 2)
    column.setSpacing(2)
    column.addWidget(label(hit.page.title))
    column.addWidget(label(hit.excerpt, "small", wrap=True))
    return row
