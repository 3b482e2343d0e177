"""Files of prompts: few come into the form as several in one, of many everything is made, if the person agrees."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ddmi_core.prompt_matrix import in_few, read_prompt_file
from ddmi_core.support.errors import DataError
from studio.window.generation import Generation
from studio.window.models import Models
from studio.window.questions import agrees
from studio.window.shell import Shell
from studio.window.undoing import Undoing

MOST_PROMPTS_OF_A_FILE = 1000


class PromptFiles:
    """What is done with a text file that has a prompt on each line."""

    def __init__(self, shell: Shell, models: Models, generation: Generation, undoing: Undoing) -> None:
        self._shell, self._state, self._engine = shell, shell.state, shell.engine
        self._models, self._generation, self._undoing = models, generation, undoing

    def take(self, path: Path) -> None:
        """Take the prompts of a file.

        Raises:
            DataError: the file cannot be read, has too many prompts, or they cannot stand beside each other.
        """
        prompts, most = read_prompt_file(path), MOST_PROMPTS_OF_A_FILE
        if len(prompts) > most:
            raise DataError(f"{path.name} has {len(prompts):,} prompts, and {most:,} are the most at once.")
        few = in_few(prompts)
        if len(few) > 1:
            self._models.once_known(partial(self._make_all, path.name, len(prompts), few))
        else:
            self._fill_form(path.name, len(prompts), few[0])

    def _fill_form(self, name: str, count: int, prompt: str) -> None:
        """Bring a prompt that stands for so many into the form of this room."""
        self._shell.show_room_of(self._state.domain or "")
        step = self._generation.change_form("prompts", lambda: self._state.update_form(prompt=prompt))
        self._shell.go_to_prompt()
        if step is not None:
            held = "prompt" if count == 1 else f"{count} prompts"
            self._undoing.offer(step, f"The form holds the {held} of {name}.")

    def _make_all(self, name: str, count: int, few: Sequence[str]) -> None:
        """Ask, and make what so many prompts say, given as a few that stand for them; but for what is there already."""
        if not self._generation.has_model():
            return
        self._shell.show_stage()
        noun = self._shell.stage.room.words.noun
        is_kept = self._generation.keeps_seed or self._state.form.difference == 0.0
        asked = agrees(
            self._shell,
            "Make them all?",
            f"{name} has {count:,} prompts.",
            f"That makes {count * len(self._state.form.seeds()):,} {noun}s, with what else the form says. They wait in "
            f"the queue as {len(few)} jobs.",
            do="Make them all",
            keep="Cancel",
        )
        if not asked:
            return
        if not is_kept:
            self._state.roll_seed()
        self._shell.attempt(lambda: self._queue(few))

    def _queue(self, few: Sequence[str]) -> None:
        """Have one prompt after another made by the form's model, with its seeds.

        Raises:
            DDMIError: the model is gone.
        """
        model, form, stage = self._state.selected_model, self._state.form, self._shell.stage
        if model is None:
            return
        is_asked = False
        for prompt in few:
            settings = form.settings.model_copy(update={"prompt": prompt})
            made = self._state.made_of(model, settings, form.seeds()).keys()
            known = made | self._engine.seeds_being_made(model, settings)
            if missing := [seed for seed in form.seeds() if seed not in known]:
                self._engine.make_by(model, settings, missing, stage.room.preview_resolution)
                is_asked = True
        if not is_asked:
            self._state.notifications.info(
                f"All these {stage.room.words.noun}s are there already: the same recipe and seed make the same again."
            )
