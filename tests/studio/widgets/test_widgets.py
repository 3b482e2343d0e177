from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QPushButton, QWidget

from studio.widgets.basics import Fold, SliderField, label
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


def test_errors_stay_and_others_go(theme, qtbot):
    for level, stays in (("info", False), ("warning", False), ("error", True)):
        toast = Toast(theme, level, "text")
        qtbot.addWidget(toast)
        assert toast._timer.isActive() is not stays


def _html(text: str):
    from PySide6.QtCore import QMimeData

    data = QMimeData()
    data.setHtml(text)
    data.setText("a chair")
    return data
