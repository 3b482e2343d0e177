from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QPushButton, QWidget

from studio.widgets.basics import ElidedLabel, Fold, SliderField, label
from studio.widgets.prompt_edit import PromptEdit
from studio.widgets.toasts import Toast, ToastArea


def test_slider_and_figure_follow_each_other(qtbot):
    field = SliderField("Guidance", 0.0, 30.0, decimals=1, step=0.5, slider_high=10.0)
    qtbot.addWidget(field)
    values: list[float] = []
    field.changed.connect(values.append)
    field.slider.setValue(35)
    assert field.value() == 3.5
    field.set_value(7.0)
    assert field.slider.value() == 70
    field.set_value(20.0)  # beyond the slider, within the range
    assert field.value() == 20.0 and field.slider.value() == 100
    assert values == [3.5, 7.0, 20.0]


def test_prompt_is_plain_text_that_grows_and_is_left_with_tab(qtbot):
    edit, other = PromptEdit("Describe"), QPushButton()
    qtbot.addWidget(edit)
    qtbot.addWidget(other)
    height = edit.height()
    edit.insertFromMimeData(_html("<b>a chair</b>"))
    assert edit.text() == "a chair"
    edit.set_text("\n".join("line" for _ in range(50)))
    assert height < edit.height() < 4 * height
    assert edit.tabChangesFocus()


def test_another_placeholder_is_drawn_at_once(qtbot):
    class Painted(QObject):
        count = 0

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            # All of it: the cursor blinks by itself
            self.count += isinstance(event, QPaintEvent) and event.rect() == edit.viewport().rect()
            return False

    edit, painted = PromptEdit("Describe a chair"), Painted()
    qtbot.addWidget(edit)
    with qtbot.waitExposed(edit):
        edit.show()
    edit.viewport().installEventFilter(painted)
    for placeholder in ("Describe a picture", "Describe a clip"):  # Qt by itself draws every other one
        qtbot.wait(100)  # until all is drawn that Qt draws by itself
        before = painted.count
        edit.describe(placeholder)
        qtbot.waitUntil(lambda before=before: painted.count > before, timeout=10_000)
        assert edit.placeholderText() == placeholder


def test_fold_opens_and_closes(qtbot, theme):
    content = label("inside")
    fold = Fold(theme, "Advanced", content)
    qtbot.addWidget(fold)
    assert not fold.is_open
    qtbot.mouseClick(fold.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert fold.is_open and not content.isHidden()


def test_toasts_stack_in_the_corner_and_can_be_dismissed(qtbot, theme):
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(800, 600)
    parent.show()
    area = ToastArea(parent)
    done: list[str] = []
    toasts = [Toast(theme, "info", "Saved.", action=("Undo", lambda: done.append("undone")))]
    toasts += [Toast(theme, "error", f"Problem {i}", details="trace") for i in range(5)]
    for toast in toasts:
        toast.dismissed.connect(lambda toast=toast: area.remove(toast))
        area.add(toast)
    assert sum(not toast.isHidden() for toast in area.toasts()) == 4
    assert area.geometry().right() < 800 and area.geometry().bottom() < 600
    undo = next(button for button in toasts[0].findChildren(QPushButton) if button.text() == "Undo")
    undo.click()
    assert done == ["undone"] and toasts[0] not in area.toasts()
    for toast in list(area.toasts()):
        toast.dismissed.emit()
    assert area.isHidden()


def test_messages_go_after_a_while_and_errors_last(theme, qtbot):
    left = []
    for level in ("info", "warning", "error"):
        toast = Toast(theme, level, "text")
        qtbot.addWidget(toast)
        assert not toast._timer.isActive()
        toast.begin()
        assert toast._timer.isActive()
        left.append(toast._timer.interval())
    assert left == sorted(left) and left[0] < left[-1]
    with qtbot.waitSignal(toast.dismissed):
        toast._timer.setInterval(1)


@pytest.fixture
def crowded(qtbot, theme):
    """A place for messages among controls, and what had no room there."""
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(800, 600)
    parent.show()
    area = ToastArea(parent)
    out: list[str] = []
    area.crowded_out.connect(out.append)

    def add_button(*place: int) -> QPushButton:
        button = QPushButton("Generate", parent)
        button.setGeometry(*place)
        button.show()
        return button

    return area, add_button, out


def covers(area: ToastArea, button: QPushButton) -> bool:
    return not area.isHidden() and area.geometry().intersects(button.geometry())


def test_messages_cover_no_control_and_move_when_one_comes(qtbot, theme, crowded):
    area, add_button, out = crowded
    first = add_button(600, 520, 120, 40)
    area.add(Toast(theme, "error", "It failed."))
    assert not area.isHidden() and not covers(area, first) and area.geometry().bottom() < 520
    second = add_button(500, area.y() + 5, 120, 30)
    assert covers(area, second)
    qtbot.waitUntil(lambda: not covers(area, second), timeout=5000)
    assert not covers(area, first) and not area.isHidden()
    column = [add_button(640, y, 100, 30) for y in range(0, 600, 40)]
    qtbot.waitUntil(lambda: not any(covers(area, one) for one in column), timeout=5000)
    assert not area.isHidden() and area.x() < 200 and out == []


def test_where_there_is_no_room_a_message_is_said_elsewhere_until_there_is(qtbot, theme, crowded):
    area, add_button, out = crowded
    rows = [add_button(0, y, 800, 30) for y in range(0, 600, 60)]
    toast = Toast(theme, "info", "Saved.")
    area.add(toast)
    assert area.isHidden() and out == ["Saved."] and area.toasts() == [toast]
    for row in rows:
        row.hide()
    qtbot.waitUntil(lambda: not area.isHidden(), timeout=5000)
    assert toast.isVisible()


def test_as_many_messages_are_shown_as_there_is_room_for(theme, crowded):
    area, add_button, _ = crowded
    add_button(0, 0, 800, 470)
    toasts = [Toast(theme, "info", f"Saved {i}.") for i in range(4)]
    for toast in toasts:
        area.add(toast)
    shown = [toast for toast in toasts if not toast.isHidden()]
    assert 0 < len(shown) < 4 and shown[-1] is toasts[-1]
    assert area.geometry().top() >= 470 and area.geometry().bottom() < 600


def _html(text: str):
    from PySide6.QtCore import QMimeData

    data = QMimeData()
    data.setHtml(text)
    data.setText("a chair")
    return data


def test_text_that_has_no_room_for_a_letter_is_left_out(qtbot):
    text = ElidedLabel("17,204 faces")
    qtbot.addWidget(text)

    def shades(width):
        text.resize(width, 24)
        picture = text.grab().toImage()
        return len({picture.pixel(x, y) for x in range(picture.width()) for y in range(picture.height())})

    dots = text.fontMetrics().horizontalAdvance("\u2026")
    assert shades(dots + 2) == 1
    assert shades(200) > 1
