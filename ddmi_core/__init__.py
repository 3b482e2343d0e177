"""DDMI's library: generation of continuous shapes, pictures and scenes. Torch, and never Qt.

Importing the package is cheap: it loads none of its modules and no torch, so that a command line can print its help at
once. Import what is needed: ``from ddmi_core.pipeline import Pipeline``.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("ddmi-studio")
except PackageNotFoundError:  # a source tree on PYTHONPATH that nobody installed
    __version__ = "0.0.0"
