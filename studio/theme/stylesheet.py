"""The one stylesheet, generated from the tokens. Widgets choose a look by the property `look`, or by their class."""

from pathlib import Path

from studio.theme import tokens as t
from studio.theme.tokens import Colours


def stylesheet(c: Colours, images: Path) -> str:
    """The stylesheet for one theme. `images` is the folder of the tinted arrows and ticks (`write_images`)."""
    url = images.as_posix()
    half, radius = t.GRID // 2, t.RADIUS
    return f"""
* {{ font-size: {t.FONT_BODY}px; outline: none; }}
QMainWindow, QDialog {{ background: {c.panel}; }}
QWidget {{ color: {c.text}; }}
QToolTip {{
    background: {c.raised}; color: {c.text}; border: 1px solid {c.line}; border-radius: {half}px;
    padding: {half}px {t.GRID}px; font-size: {t.FONT_SMALL}px;
}}

QLabel {{ background: transparent; }}
QLabel[look="title"] {{ font-size: {t.FONT_TITLE}px; font-weight: 600; }}
QLabel[look="heading"] {{ font-weight: 600; }}
QLabel[look="muted"] {{ color: {c.muted}; }}
QLabel[look="small"] {{ color: {c.muted}; font-size: {t.FONT_SMALL}px; }}
QLabel[look="error"] {{ color: {c.error}; }}
QLabel:disabled {{ color: {c.disabled}; }}
QLabel[look="key"] {{
    background: {c.control}; border: 1px solid {c.line}; border-radius: {half}px;
    padding: 1px 6px; font-size: {t.FONT_SMALL}px; color: {c.text};
}}

QAbstractScrollArea {{ border: none; }}
QGraphicsView {{ border: 1px solid transparent; }}
QGraphicsView:focus {{ border-color: {c.accent}; }}
QFrame[look="line"] {{ background: {c.line}; border: none; }}
QWidget[look="panel"] {{ background: {c.panel}; }}
QWidget[look="stage"] {{ background: {c.stage}; }}
QWidget[look="card"] {{ background: {c.raised}; border: 1px solid {c.line}; border-radius: {radius}px; }}
QWidget[look="toast"] {{ background: {c.raised}; border: 1px solid {c.line}; border-radius: {radius}px; }}
QWidget[look="toast-error"] {{ background: {c.error_soft}; border: 1px solid {c.error}; border-radius: {radius}px; }}

QMenuBar {{ background: {c.panel}; color: {c.muted}; padding: 2px {half}px; border-bottom: 1px solid {c.line}; }}
QMenuBar::item {{ padding: {half}px {t.GRID}px; border-radius: {half}px; background: transparent; }}
QMenuBar::item:selected, QMenuBar::item:pressed {{ background: {c.control}; color: {c.text}; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QInputDialog QLineEdit {{ min-width: 320px; }}
QMenu, QDialog[look="popup"] {{ background: {c.raised}; border: 1px solid {c.line}; }}
QMenu {{ padding: {half}px; }}
QMenu::item {{ padding: 6px 28px 6px 12px; border-radius: {half}px; }}
QMenu::icon {{ padding-left: {t.GRID}px; }}
QMenu::item:selected {{ background: {c.accent_soft}; }}
QMenu::item:disabled {{ color: {c.disabled}; }}
QMenu::separator {{ height: 1px; background: {c.line}; margin: {half}px {t.GRID}px; }}
QMenu::indicator {{ width: 16px; height: 16px; padding-left: {t.GRID}px; }}
QMenu::indicator:checked {{ image: url({url}/check-text.svg); }}

QPushButton {{
    background: {c.control}; border: 1px solid transparent; border-radius: {radius}px;
    padding: 0 {t.GRID * 3 // 2}px; min-height: {t.CONTROL_HEIGHT - 2}px;
}}
QPushButton:hover {{ background: {c.control_hover}; }}
QPushButton:pressed {{ background: {c.control_pressed}; }}
QPushButton:focus {{ border-color: {c.accent}; }}
QPushButton:disabled {{ color: {c.disabled}; }}
QPushButton[look="primary"] {{
    background: {c.accent}; color: {c.on_accent}; font-weight: 600; min-height: {t.CONTROL_HEIGHT + 6}px;
}}
QPushButton[look="primary"]:hover {{ background: {c.accent_hover}; }}
QPushButton[look="primary"]:pressed {{ background: {c.accent_pressed}; }}
QPushButton[look="primary"]:focus {{ border: 2px solid {c.text}; }}
QPushButton[look="primary"]:disabled {{ background: {c.control}; color: {c.disabled}; }}
QPushButton[look="link"] {{ background: transparent; color: {c.accent}; padding: 0 {half}px; }}
QPushButton[look="link"]:hover {{ color: {c.accent_hover}; text-decoration: underline; }}
QPushButton[look="chip"] {{
    background: {c.raised}; border: 1px solid {c.line}; border-radius: {radius}px; padding: 0 {t.GRID * 3 // 2}px;
}}
QPushButton[look="chip"]:hover {{ border-color: {c.accent}; background: {c.accent_soft}; }}
QPushButton[look="chip"]:focus {{ border-color: {c.accent}; }}
QPushButton[look="fold"] {{
    background: transparent; border: 1px solid transparent; text-align: left; padding: 0 {half}px 0 0; font-weight: 600;
}}
QPushButton[look="fold"]:hover {{ color: {c.accent}; }}
QPushButton[look="fold"]:focus {{ border-color: {c.accent}; }}

QToolButton {{
    background: transparent; border: 1px solid transparent; border-radius: {radius}px; padding: {half + 1}px;
}}
QToolButton:hover {{ background: {c.control_hover}; }}
QToolButton:pressed {{ background: {c.control_pressed}; }}
QToolButton:checked {{ background: {c.control}; }}
QToolButton:focus {{ border-color: {c.accent}; }}
QToolButton[look="control"] {{ background: {c.control}; min-width: 20px; min-height: 20px; padding: 5px; }}
QToolButton[look="control"]:hover {{ background: {c.control_hover}; }}
QToolButton[look="control"]:checked {{ background: {c.accent_soft}; }}
QToolButton[look="control"]:focus {{ border-color: {c.accent}; }}
QToolButton[look="room"] {{
    border-radius: {radius}px; padding: {t.GRID}px 0 6px 0; color: {c.muted}; font-size: {t.FONT_SMALL}px;
}}
QToolButton[look="room"]:hover {{ color: {c.text}; background: {c.control}; }}
QToolButton[look="room"]:checked {{ color: {c.text}; background: {c.accent_soft}; }}
QToolButton[look="tiny"] {{ padding: 1px; border-radius: {half}px; }}
QToolButton[look="tiny"]:checked {{ background: {c.accent_soft}; }}
QToolButton::menu-indicator {{ image: none; }}

QAbstractScrollArea {{ border: none; }}
QPlainTextEdit, QLineEdit, QAbstractSpinBox, QComboBox {{
    background: {c.control}; border: 1px solid transparent; border-radius: {radius}px;
    selection-background-color: {c.accent}; selection-color: {c.on_accent};
}}
QPlainTextEdit {{ padding: {half}px; }}
QPlainTextEdit[look="code"] {{ font-family: monospace; font-size: {t.FONT_SMALL}px; }}
QPlainTextEdit[look="log"] {{ background: {c.panel}; color: {c.muted}; font-size: {t.FONT_SMALL}px; }}
QLineEdit, QAbstractSpinBox {{ min-height: {t.CONTROL_HEIGHT - 2}px; padding: 0 {t.GRID}px; }}
QLineEdit[look="slim"] {{ min-height: 20px; font-size: {t.FONT_SMALL}px; }}
QPlainTextEdit:hover, QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover {{
    border-color: {c.line};
}}
QPlainTextEdit:focus, QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {{
    border-color: {c.accent};
}}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{ color: {c.disabled}; }}
QAbstractSpinBox {{ padding-right: 20px; }}
QAbstractSpinBox QLineEdit {{ background: transparent; border: none; padding: 0; min-height: 0; }}
QAbstractSpinBox::up-button {{
    subcontrol-origin: border; subcontrol-position: top right; width: 22px; height: {t.CONTROL_HEIGHT // 2 - 1}px;
    border: none; margin-top: 1px;
}}
QAbstractSpinBox::down-button {{
    subcontrol-origin: border; subcontrol-position: bottom right; width: 22px; height: {t.CONTROL_HEIGHT // 2 - 1}px;
    border: none; margin-bottom: 1px;
}}
QAbstractSpinBox::up-arrow {{ image: url({url}/chevron-up.svg); width: 12px; height: 12px; }}
QAbstractSpinBox::down-arrow {{ image: url({url}/chevron-down.svg); width: 12px; height: 12px; }}

QComboBox {{ min-height: {t.CONTROL_HEIGHT - 2}px; padding: 0 {t.GRID * 3}px 0 {t.GRID}px; }}
QComboBox::drop-down {{
    subcontrol-origin: border; subcontrol-position: center right; width: 24px; border: none;
}}
QComboBox::down-arrow {{ image: url({url}/chevron-down.svg); width: 14px; height: 14px; }}
QComboBox QAbstractItemView {{
    background: {c.raised}; border: 1px solid {c.line}; padding: {half}px;
    selection-background-color: {c.accent_soft}; selection-color: {c.text};
}}
QComboBox QAbstractItemView::item {{ min-height: {t.CONTROL_HEIGHT - 4}px; padding: 0 {half}px; }}

QCheckBox {{ spacing: {t.GRID}px; min-height: 24px; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {c.disabled}; }}
QCheckBox::indicator, QListWidget::indicator {{
    width: 16px; height: 16px; border: 1px solid {c.disabled}; border-radius: {half}px; background: {c.control};
}}
QCheckBox::indicator:hover, QListWidget::indicator:hover {{ border-color: {c.accent}; }}
QCheckBox::indicator:focus {{ border-color: {c.accent}; }}
QCheckBox::indicator:checked, QListWidget::indicator:checked {{
    background: {c.accent}; border-color: {c.accent}; image: url({url}/check.svg);
}}
QListWidget::indicator:indeterminate {{ border-color: {c.accent}; image: url({url}/dash-text.svg); }}
QCheckBox::indicator:checked:focus {{ border-color: {c.text}; }}

QTabWidget::pane {{ border: none; border-top: 1px solid {c.line}; }}
QTabWidget::tab-bar {{ left: 0; }}
QTabBar {{ background: transparent; }}
QTabBar::tab {{
    color: {c.muted}; background: transparent; min-height: {t.CONTROL_HEIGHT - 8}px;
    padding: {half}px {t.GRID * 3 // 2}px; border: 1px solid transparent;
    border-radius: {radius}px; margin: 0 {half}px {half}px 0;
}}
QTabBar::tab:hover {{ color: {c.text}; background: {c.control}; }}
QTabBar::tab:selected {{ color: {c.text}; background: {c.accent_soft}; }}
QTabBar::tab:focus {{ border-color: {c.accent}; }}

QSlider:horizontal {{ min-height: 24px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {c.groove}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {c.accent}; }}
QSlider::handle:horizontal {{
    width: 14px; height: 14px; margin: -6px 0; border-radius: 8px; background: {c.text}; border: 1px solid {c.panel};
}}
QDoubleRangeSlider {{ qproperty-barColor: {c.accent}; }}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {c.accent}; }}
QSlider::sub-page:horizontal:disabled {{ background: {c.groove}; }}
QSlider::handle:horizontal:disabled {{ background: {c.disabled}; }}

QProgressBar {{ background: {c.groove}; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }}
QProgressBar::chunk {{ background: {c.accent}; border-radius: 2px; }}

QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollArea[look="fitted"] {{ border: 1px solid transparent; }}
QScrollArea[look="fitted"]:focus {{ border-color: {c.accent}; }}
QListView, QTextBrowser {{ background: transparent; border: 1px solid transparent; border-radius: {radius}px; }}
QListView:focus, QTextBrowser:focus {{ border-color: {c.accent}; }}
QGraphicsView {{ border: 1px solid transparent; }}
QGraphicsView:focus {{ border-color: {c.accent}; }}
QTextBrowser[look="page"] {{
    background: {c.panel}; selection-background-color: {c.accent}; selection-color: {c.on_accent};
}}
QListWidget::item {{ border-radius: {radius}px; padding: 0 {half}px; color: {c.text}; }}
QListWidget::item:hover {{ background: {c.control}; }}
QListWidget::item:selected {{ background: {c.accent_soft}; }}
QTreeView {{
    background: {c.control}; border: 1px solid transparent; border-radius: {radius}px; show-decoration-selected: 1;
}}
QTreeView:focus {{ border-color: {c.accent}; }}
QTreeView::item {{ min-height: {t.CONTROL_HEIGHT - 6}px; padding: 0 {half}px; color: {c.text}; border: none; }}
QTreeView::item:hover {{ background: {c.control_hover}; }}
QTreeView::item:selected {{ background: {c.accent_soft}; }}
QHeaderView {{ background: transparent; }}
QHeaderView::section {{
    background: {c.control}; color: {c.muted}; border: none; border-bottom: 1px solid {c.line};
    padding: {half}px {t.GRID}px; font-size: {t.FONT_SMALL}px;
}}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {c.groove}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {c.disabled}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}

QStatusBar {{ background: {c.panel}; border-top: 1px solid {c.line}; color: {c.muted}; min-height: 26px; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {c.muted}; font-size: {t.FONT_SMALL}px; padding: 0 {t.GRID}px; }}
"""


def image_colours(c: Colours) -> dict[str, tuple[str, str]]:
    """File name of each tinted image that the stylesheet names: (icon, colour)."""
    return {
        "chevron-down.svg": ("chevron-down", c.muted),
        "chevron-up.svg": ("chevron-up", c.muted),
        "check.svg": ("check", c.on_accent),
        "check-text.svg": ("check", c.text),
        "dash-text.svg": ("dash", c.text),
    }
