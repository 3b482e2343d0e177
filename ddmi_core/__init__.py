"""DDMI's library: generation of continuous shapes, pictures and scenes. Torch, and never Qt.

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
