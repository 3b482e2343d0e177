"""A person's own files: brought in, encoded and fitted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QDialog, QFileDialog

from ddmi_core.fidelity import Fidelity
from ddmi_core.model_file import is_model
from ddmi_core.placement import Up
from ddmi_core.support.errors import DDMIError, RecipeError
from studio.engine.work.fitting import FitRequest, ReconstructRequest, SpanWanted
from studio.engine.work.items import ItemReady
from studio.panels.fidelity import is_unlike, nearness
from studio.panels.room import Stage
from studio.panels.span_dialog import SpanDialog
from studio.state.library import Item
from studio.state.notifications import Action
from studio.window.generation import Generation
from studio.window.models import Models
from studio.window.prompt_files import PromptFiles
from studio.window.shell import Shell

_MUTE_ABOUT_UP = (".obj", ".ply", ".stl", ".off")
"""Kinds of files that do not say which axis is up."""
PROMPTS = ".txt"
"""Of a text file with a prompt on each line."""
_PROSPECTS = 4  # files of which it is said what becomes of each


@dataclass(frozen=True)
class Prospect:
    """What will become of a file that is dragged over the window."""

    title: str
    text: str
    is_possible: bool = True


class OwnFiles:
    """What is done with a person's own files."""

    def __init__(self, shell: Shell, models: Models, generation: Generation, prompts: PromptFiles) -> None:
        self._shell, self._state, self._engine, self._settings = shell, shell.state, shell.engine, shell.settings
        self._models, self._generation, self._prompts = models, generation, prompts
        shell.actions_.on("import", self.choose)
        for stage in shell.stages:
            stage.refit_asked.connect(self.reconstruct)
            stage.refine_asked.connect(self._go_on)
        self._engine.answers(SpanWanted).connect(self.ask_span)
        self._engine.answers(ItemReady).connect(self._on_item_ready)

    def choose(self) -> None:
        """Ask for a file to bring in, as if it had been dropped."""
        own = self._shell.stage.room
        rooms = [own, *(stage.room for stage in self._shell.stages if stage.room is not own)]
        every = [*dict.fromkeys(suffix for room in rooms for suffix in room.import_formats), PROMPTS]
        kinds = {"All that can be opened": every} | {room.import_kind: room.import_formats for room in rooms}
        kinds["Prompts, one a line"] = [PROMPTS]
        filters = [f"{kind} ({' '.join(f'*{suffix}' for suffix in suffixes)})" for kind, suffixes in kinds.items()]
        path, _ = QFileDialog.getOpenFileName(
            self._shell, "Open a file", str(self._settings.folder("files")), ";;".join(filters)
        )
        if path:
            self._settings.set_folder("files", Path(path).parent)
            self.bring_in(Path(path))

    def bring_in(self, *paths: Path) -> None:
        """Take files that were dropped or opened: one made here brings its recipe back, any other is encoded.

        A folder may be one of posed pictures, which goes by a file in it. A model is added to the others. Prompts of a
        text file come into the form.
        """
        for path in map(self._in_folder, paths):
            if is_model(path):
                self._models.add(path)
            elif self._holds_prompts(path):
                self._shell.attempt(partial(self._prompts.take, path))
            else:
                self._models.once_known(partial(self._bring_in, path))

    def _holds_prompts(self, path: Path) -> bool:
        """Whether a file is a text, and not one that a folder of posed pictures goes by."""
        return path.suffix.lower() == PROMPTS and self._stage_for(path) is None

    def _in_folder(self, path: Path) -> Path:
        """The file that a folder is brought in by; anything else as it is."""
        named = (path / name for stage in self._shell.stages for name in stage.room.import_names)
        return next(filter(Path.is_file, named), path) if path.is_dir() else path

    def _bring_in(self, path: Path) -> None:
        stage = self._stage_for(path)
        fits = stage is not None and self._fits(stage)
        encode = None
        if stage is not None and stage.room.takes(path):
            encode = Action("Fit the file" if fits else "Encode the file", lambda: self.reconstruct(path))
        recipe = None
        if stage is not None:
            try:
                recipe = stage.recipe_in(path)
            except RecipeError as error:
                self._state.notifications.warning(str(error), action=encode)
                return
            except DDMIError:
                pass  # encoding it will say what is wrong with it
        if stage is None or recipe is None or recipe.source is not None:
            self.reconstruct(path)
            return
        self._generation.bring_back(recipe, path.name)  # in its own room: views of radiance fields carry recipes too
        self._state.notifications.info(
            f"The recipe of {path.name} is in the form. "
            + (
                "Generate makes it again."
                if self._state.model_for(recipe)
                else f"Its model, {recipe.model}, is not installed here, so another one makes something else of it."
            ),
            action=encode,
        )

    def _fits(self, stage: Stage[Any]) -> bool:
        """Whether files of a room are fitted, and not only encoded."""
        return stage.room.fits_at_once and self._settings.fidelity != "small"

    def foretell(self, paths: Sequence[Path]) -> None:
        """Say over the window what will become of files that are dragged over it."""
        prospects = [self.prospect_of(path) for path in paths]
        title = prospects[0].title if len(paths) == 1 else f"Drop {len(paths)} files"
        lines = [prospect.text for prospect in prospects[:_PROSPECTS]]
        if len(prospects) > _PROSPECTS:
            lines.append(f"and {len(prospects) - _PROSPECTS} more")
        self._shell.drop.say(title, lines, possible=any(prospect.is_possible for prospect in prospects))

    def prospect_of(self, path: Path) -> Prospect:
        """What will become of a file that is dropped, as :meth:`bring_in` takes it."""
        path = self._in_folder(path)
        if is_model(path):
            return Prospect("Drop to add this model", f"{path.name} is copied among your models.")
        if self._holds_prompts(path):
            return Prospect("Drop to use its prompts", f"The prompts in {path.name}, one a line, come into the form.")
        stage = self._stage_for(path)
        if stage is None:
            return Prospect("This file cannot be read", self._unreadable(path), is_possible=False)
        words = stage.room.words
        recipe = None
        with suppress(DDMIError):
            recipe = stage.recipe_in(path)
        if recipe is not None and recipe.source is None:
            return Prospect(
                "Drop to bring its recipe back", f"{path.name} was made here: its recipe goes into the form."
            )
        if self._state.models_known and not any(model.domain == words.domain for model in self._state.models):
            text = f"No model for {words.noun}s is installed, so {path.name} cannot be encoded."
            return Prospect("No model takes this file", text, is_possible=False)
        where = (
            "here"
            if stage is self._shell.stage and self._shell.room_name() == words.domain
            else f"in the room {stage.room.title}"
        )
        done = "encoded"
        if self._fits(stage):
            done = "fitted"
        elif self._settings.fidelity != "small" and stage.room.fits_afterwards:
            done = "encoded, then fitted"
        return Prospect(
            f"Drop to reconstruct a {words.noun}",
            f"{path.name} is {done}, and its continuous reconstruction appears {where}.",
        )

    def _unreadable(self, path: Path) -> str:
        """That a file is of no kind that can be read, and which are."""
        room = self._shell.stage.room
        if path.is_dir():
            known = " or ".join(name for stage in self._shell.stages for name in stage.room.import_names)
            return f"{path.name} is a folder without posed pictures, which would have {known}. Drop single files."
        known = ", ".join(suffix[1:].upper() for suffix in room.import_formats)
        return f"{path.name} cannot be read as a {room.words.noun}. Files of these kinds can: {known}."

    def reconstruct(self, path: Path, fidelity: Fidelity | None = None) -> None:
        """Encode a file or fit to it, as closely as is usual if not told; show it in the room that takes such files."""
        stage = self._stage_for(path)
        if stage is None:
            self._state.notifications.error(self._unreadable(path))
            return
        self._shell.show_room(self._shell.stages.index(stage))
        if self._state.selected_model is None:
            self._state.notifications.warning(
                f"No model for {stage.room.words.noun}s is installed, so nothing can be reconstructed. "
                "Open Models to add one."
            )
            return
        request = ReconstructRequest(
            path=path,
            fidelity=fidelity or self._settings.fidelity,
            preview_resolution=stage.room.preview_resolution,
        )
        self._shell.attempt(lambda: self._engine.ask(request))

    def ask_span(self, wanted: SpanWanted) -> None:
        """Ask which part of a film to encode that is too long as a whole, and encode it."""
        request = wanted.request
        dialog = SpanDialog(request.path, wanted.seconds, wanted.longest, self._shell)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self._ask_again(request, span=dialog.span())
        dialog.deleteLater()

    def _stage_for(self, path: Path) -> Stage[Any] | None:
        """The stage that takes a file, that of this room before the others."""

        def takes(stage: Stage[Any]) -> bool:
            return stage.room.takes(path) or _takes_recipe(stage, path)

        return next((one for one in (self._shell.stage, *self._shell.stages) if takes(one)), None)

    def _fit_or_offer(self, request: ReconstructRequest, item: Item) -> None:
        """Fit to a file that was encoded, if that is wanted; else say if the model makes little of it, and offer to.

        Where a fit follows, the inspector says it of what is shown until then.
        """
        facts = item.recipe.fit
        if facts is None or item.recipe.is_fitted:
            return
        if facts.remark:
            self._state.notifications.warning(f"{request.path.name}: {facts.remark}")
        if request.fidelity != "small":
            self._fit(item, request.fidelity)
        elif is_unlike(facts):
            afterwards = self._shell.stage_of(item.recipe.domain).room.fits_afterwards
            fit = partial(self._fit, item) if afterwards else partial(self.reconstruct, request.path, "faithful")
            self._state.notifications.warning(
                f"{item.recipe.model} makes little of {request.path.name} ({nearness(facts)}): it is unlike what the "
                "model was taught.",
                action=Action("Fit it faithfully", fit),
            )

    def _fit(self, item: Item, fidelity: Fidelity = "faithful", *, goes_on: bool = False) -> None:
        """Fit to the file that an item stands for."""
        resolution = self._shell.stage_of(item.recipe.domain).room.preview_resolution
        self._engine.ask(FitRequest(item=item, fidelity=fidelity, goes_on=goes_on, preview_resolution=resolution))

    def _go_on(self, item: Item) -> None:
        """Fit on from what a fit is."""
        if item.recipe.fit is not None:
            self._fit(item, item.recipe.fit.fidelity, goes_on=True)

    def _offer_other_axis(self, request: ReconstructRequest, item: Item) -> None:
        """Most files do not say which axis is up: say which one was taken, and offer the other."""
        placement = item.recipe.placement
        if placement is None or placement.up != request.up or request.path.suffix.lower() not in _MUTE_ABOUT_UP:
            return
        other: Up = "z" if request.up == "y" else "y"
        self._state.notifications.info(
            f"{request.path.name} was read with {request.up} up.",
            action=Action(
                f"{other} is up",
                lambda: self._read_again(request, item, other),
            ),
        )

    def _read_again(self, request: ReconstructRequest, item: Item, up: Up) -> None:
        """Reconstruct a file once more, with another axis up than in an item that was made of it."""
        self._engine.stop_fit(item)
        self._ask_again(request, up=up)

    def _ask_again(self, request: ReconstructRequest, **changed: Any) -> None:
        """Have a file made an item of as before, but for what is changed; with the model that is chosen now."""
        self._shell.attempt(lambda: self._engine.ask(replace(request, model=None, **changed)))

    def _on_item_ready(self, result: ItemReady) -> None:
        if isinstance(result.request, ReconstructRequest):
            self._offer_other_axis(result.request, result.item)
            self._fit_or_offer(result.request, result.item)


def _takes_recipe(stage: Stage[Any], path: Path) -> bool:
    """Whether a file of a room can be made again, though it cannot be brought in."""
    if path.suffix.lower() not in stage.room.recipe_formats:
        return False
    with suppress(DDMIError):
        return stage.recipe_in(path) is not None
    return True  # what is wrong with its recipe is said when that is read
