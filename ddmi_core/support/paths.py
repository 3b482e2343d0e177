"""Where things are on this machine: shipped assets, the user's data, caches."""

import os
from pathlib import Path

import platformdirs

_APP = "ddmi-studio"


def assets() -> Path:
    """Return the folder of shipped models, data sets, presets and icons (`DDMI_ASSETS` overrides it).

    It lies beside the library in a source tree, and likewise in the folder that `make package` makes.
    """
    override = os.environ.get("DDMI_ASSETS")
    return Path(override) if override else Path(__file__).resolve().parents[2] / "assets"


def user_data() -> Path:
    """Return the folder of the user's library and models (`DDMI_HOME` overrides it)."""
    override = os.environ.get("DDMI_HOME")
    return Path(override) if override else Path(platformdirs.user_data_dir(_APP, appauthor=False))


def cache() -> Path:
    """Return the folder of files that can be made again (under `DDMI_HOME` if that is set)."""
    override = os.environ.get("DDMI_HOME")
    return Path(override) / "cache" if override else Path(platformdirs.user_cache_dir(_APP, appauthor=False))
