"""The menu from which a person chooses how closely an item represents its file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtGui import QAction, QCursor
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from ddmi_core.fidelity import Fidelity
from studio.panels.fidelity import NAMES, TIPS, gone, has_its_file
from studio.state.library import Item
from studio.state.notifications import Notifications

Refit = Callable[[Path, Fidelity], None]


def show_fidelities(
    item: Item,
    sizes: Callable[[Fidelity], str],
    refit: Refit,
    go_on: Callable[[Item], None] | None,
    notifications: Notifications,
    action: QAction,
    parent: QWidget,
) -> None:
    """Open the menu below the button of the action that asked for it, or at the pointer.

    Args:
        item: stands for a file; what it is now is checked.
        sizes: what an item of a fidelity takes, in words; empty if nobody knows.
        refit: called with the file and what the person has chosen.
        go_on: called with the item if its fit shall go on; None where fits are not learned step by step.
        notifications: say so if the file is gone.
        action: the action.
        parent: owns the menu.
    """
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    for fidelity, name in NAMES.items():
        size = sizes(fidelity)
        entry = menu.addAction(f"{name}  ·  {size}" if size else name)
        entry.setToolTip(TIPS[fidelity])
        entry.setCheckable(True)
        entry.setChecked(item.recipe.fit is not None and item.recipe.fit.fidelity == fidelity)
        refit_so = partial(refit, Path(item.recipe.source or ""), fidelity)
        entry.triggered.connect(partial(_with_its_file, item, refit_so, notifications))
    if go_on is not None and item.recipe.is_fitted and item.recipe.fit is not None:
        menu.addSeparator()
        entry = menu.addAction("Go on where it stopped" if item.recipe.fit.done < 1 else "Refine further")
        entry.setToolTip("Fit on from what there is, instead of anew")
        entry.triggered.connect(partial(_with_its_file, item, partial(go_on, item), notifications))
    buttons = (one for one in action.associatedObjects() if isinstance(one, QToolButton) and one.isVisible())
    button = next(buttons, None)
    place = button.mapToGlobal(button.rect().bottomLeft()) if button is not None else QCursor.pos()
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(place)


def _with_its_file(item: Item, act: Callable[[], None], notifications: Notifications) -> None:
    if has_its_file(item):
        act()
    else:
        notifications.warning(f"{gone(item)} Drop it on the window to fit it anew.")
