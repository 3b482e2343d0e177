"""The About dialog: what this is, and whose work is in it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ddmi_core import __version__
from studio.theme.icons import icon_pixmap
from studio.theme.theme import Theme
from studio.theme.tokens import GRID
from studio.widgets.basics import label, line
from studio.widgets.dialog import Dialog

_WIDTH = 520  # px
_CREDITS = (
    (
        "Method",
        "D. Park, S. Kim, S. Lee, H. J. Kim: DDMI, Domain-Agnostic Latent Diffusion Models for "
        "Synthesizing High-Quality Implicit Neural Representations (ICLR 2024). An independent "
        "implementation; no code of theirs is used.",
    ),
    (
        "Furniture",
        "The shipped models of shapes and radiance fields were trained on the furniture libraries of Sweet Home 3D: "
        "CC BY 3.0 (Scopia, Blend Swap authors, Kator Legaz, Reallusion) and CC0. The attribution of each piece lies "
        "beside the data, in assets/datasets/furniture.",
    ),
    (
        "Emoji and faces",
        "Starter sets of Microsoft's Fluent emoji, still and animated (MIT), and of cartoon faces of DiceBear whose "
        "artists gave them to the public domain (CC0), come along.",
    ),
    (
        "Portraits",
        "The shipped model of pictures was trained on portraits that are put together by DiceBear (MIT) from parts by "
        "Draftbit, Johan Melin, Ashley Seo, Micah Lanier, Lisa Wischofsky and Webpixels (CC BY 4.0) and Pablo Stanley "
        "(CC0), recoloured. Links to their works and to the licences lie beside the data, in "
        "assets/datasets/portraits.",
    ),
    ("Text encoder", "all-MiniLM-L6-v2 by the Sentence Transformers team, Apache 2.0."),
    (
        "Libraries",
        "PyTorch, VisPy, NumPy and scikit-image (BSD); diffusers, transformers, accelerate and Embree (Apache 2.0); "
        "trimesh, OpenCLIP and pyqtgraph (MIT); PyAV (BSD) with FFmpeg and x264 (GPL); libigl (MPL 2.0); Qt and "
        "PySide6 (LGPL 3). The icons are the project's own.",
    ),
)


class AboutDialog(Dialog):
    """Name, version, licence and credits."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About DDMI Studio")
        self.finished.connect(self.deleteLater)  # its parent, the window, would keep it
        self.setFixedWidth(_WIDTH)
        ratio = self.devicePixelRatioF()
        mark = icon_pixmap("app", theme.colours.accent, round(48 * ratio))
        mark.setDevicePixelRatio(ratio)
        picture = QLabel()
        picture.setPixmap(mark)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label("DDMI Studio", "title"))
        words.addWidget(label(f"Version {__version__}  ·  MIT licence", "muted"))
        top = QHBoxLayout()
        top.setSpacing(2 * GRID)
        top.addWidget(picture)
        top.addLayout(words, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * GRID, 4 * GRID, 4 * GRID, 4 * GRID)
        layout.setSpacing(GRID)
        layout.addLayout(top)
        layout.addSpacing(GRID)
        layout.addWidget(
            label(
                "Generates continuous signals from prompts: pictures, shapes, radiance fields and videos that are "
                "functions, not pixels or polygons, until you export them.",
                wrap=True,
            )
        )
        layout.addWidget(line())
        for title, text in _CREDITS:
            layout.addWidget(label(title, "heading"))
            layout.addWidget(label(text, "muted", wrap=True, selectable=True))
        self.setFixedHeight(layout.heightForWidth(_WIDTH))
