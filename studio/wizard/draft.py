"""The training that the wizard is putting together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import prod
from pathlib import Path

from ddmi_core.model_folder import ModelInfo
from studio.engine.recipes import Recipes
from studio.state.recipes import DomainChoice, PresetChoice, TrialReport

_LATENTS = "stage2.cached_latents"
_FEWEST_LATENTS = 256
"""That the second stage learns from, however few steps it has: their mean and spread must be known."""


class Draft:
    """What was chosen so far. `text` is the whole configuration as YAML; every page reads and changes it.

    Args:
        recipes: answers.
        models: that can be gone on from.
    """

    def __init__(self, recipes: Recipes, models: Sequence[ModelInfo]) -> None:
        self.recipes = recipes
        self.domains = recipes.domains()
        self._presets, self._further = recipes.presets(), recipes.further(models)
        self.source: str | None = None
        self._asked = ""
        self._measured: tuple[str, TrialReport] | None = None
        self.choose_domain(self.domains[0].name)

    def choose_domain(self, name: str) -> None:
        """Train another kind of signal, with its smallest preset and its first starter set."""
        self.domain: DomainChoice = next(domain for domain in self.domains if domain.name == name)
        self.source = self.domain.starter_sets[0]
        self.choose_preset(self.presets()[0])

    def presets(self) -> list[PresetChoice]:
        """The presets of the chosen kind, tiny ones first, then what goes on from models, the paper's sizes last."""
        fitting = [preset for preset in (*self._further, *self._presets) if preset.domain == self.domain.name]
        return sorted(fitting, key=lambda preset: ("tiny" not in preset.name, "paper" in preset.name))

    def choose_preset(self, preset: PresetChoice) -> None:
        """Begin anew with a preset, on the data that was chosen."""
        self.preset = preset
        self.text = preset.text
        self._wished_latents = self._set_latents = int(str(self.value(_LATENTS)))
        # Models are told apart by their names
        self.choose_options({"name": f"{preset.name}-{time.strftime('%m%d-%H%M')}"})
        self.choose_source(self.source)

    def choose_source(self, source: str | Path | None) -> None:
        """Train on a starter set, or on a folder; None while none is chosen."""
        self.source = str(source) if source is not None else None
        if self.source is not None:
            self.set({"data": [{"source": self.source}]})

    def choose_options(self, settings: dict[str, object]) -> None:
        """Replace dotted settings, and have no more latents encoded than the steps can draw.

        Raises DDMIError where one is out of range.
        """
        self.set(settings)
        if (stands := int(str(self.value(_LATENTS)))) != self._set_latents:  # somebody wrote it into the text
            self._wished_latents = stands
        drawn = prod(int(str(self.value(key))) for key in ("stage2.steps", "stage2.batch", "processes"))
        self._set_latents = min(self._wished_latents, max(_FEWEST_LATENTS, drawn))
        self.set({_LATENTS: self._set_latents})

    def try_out(self) -> None:
        """Train what stands for some seconds."""
        self._asked = self.text
        self.recipes.try_out(self.text)

    def take_trial(self, report: TrialReport) -> None:
        """Keep what the trial has found."""
        self._measured = self._asked, report

    def run_seconds(self) -> float | None:
        """How long the run should take, as far as a trial of it tells."""
        return None if self._measured is None else self.recipes.run_seconds(self.text, *self._measured)

    def set(self, settings: dict[str, object]) -> None:
        """Replace dotted settings. Raises DDMIError where one is out of range."""
        self.text = self.recipes.changed(self.text, settings)

    def value(self, key: str) -> object:
        """A dotted setting as it stands."""
        found: object = self.recipes.values(self.text)
        for part in key.split("."):
            assert isinstance(found, dict)
            found = found[part]
        return found
