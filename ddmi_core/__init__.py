"""DDMI's library: generation of continuous shapes, pictures, clips and scenes. Torch, and never Qt.

Example:
    >>> from ddmi_core import Pipeline, SamplingSettings
    >>> pipeline = Pipeline.from_pretrained("assets/models/furniture")
    >>> latent = pipeline.sample(SamplingSettings(prompt="a round table with one leg"), seeds=[7])[0]
    >>> mesh = pipeline.decode(latent).mesh(128)
    >>> mesh.export("table.obj")

Where to look for what:

- `ddmi_core.pipeline`: text, a seed or a file becomes a field; models in folders.
- `ddmi_core.fields`: what a decoded signal can be asked, and `ddmi_core.export`: the files that it leaves in.
- `ddmi_core.domains`: all that differs in learning a kind of signal.
- `ddmi_core.autoencoder`, `ddmi_core.diffusion`, `ddmi_core.networks`: the method.
- `ddmi_core.fitting`: basis fields for one file of a person's own.
- `ddmi_core.data`, `ddmi_core.training`, `ddmi_core.evaluation`, `ddmi_core.metrics`: data sets, what learns from them,
  and how well.
- `ddmi_core.rendering`: cameras, surfaces, pictures of scenes.
- `ddmi_core.cli`: the `ddmi` command.

The notebooks in `docs/notebooks` go through it step by step.

Importing the package is cheap: it loads none of its modules and no torch, so that a command line can print its help at
once. ``from ddmi_core import Pipeline`` loads both.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddmi_core.pipeline import Pipeline
    from ddmi_core.recipe import SamplingSettings

__all__ = ["Pipeline", "SamplingSettings", "__version__"]

try:
    __version__ = version("ddmi-studio")
except PackageNotFoundError:  # a source tree on PYTHONPATH that nobody installed
    __version__ = "0.0.0"


def __getattr__(name: str) -> type[Pipeline | SamplingSettings]:
    if name == "Pipeline":
        from ddmi_core.pipeline import Pipeline

        return Pipeline
    if name == "SamplingSettings":
        from ddmi_core.recipe import SamplingSettings

        return SamplingSettings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
