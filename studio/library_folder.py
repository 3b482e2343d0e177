"""Which library is opened at the start: that of the chosen folder, or the usual one where that is not there."""

from __future__ import annotations

from pathlib import Path

from ddmi_core.support.errors import DataError, DDMIError
from ddmi_core.support.paths import user_data
from studio.state.library import Library, check_folder
from studio.state.ready_items import open_or_begin


def usual_folder() -> Path:
    """The folder of the library unless another one is chosen."""
    return user_data() / "library"


def open_library(chosen: Path | None) -> tuple[Library, str]:
    """Open the library of a folder, None being the usual one.

    Returns:
        The library, and what to tell the person if it is not the chosen one. A folder that is not there is not made: it
        may be on a disk that is not plugged in.

    Raises:
        DDMIError: not even the usual library can be opened.
    """
    if chosen is None:
        return open_or_begin(usual_folder()), ""
    try:
        if not (chosen / "items").is_dir():  # the empty folder, perhaps, on which a disk is mounted usually
            raise DataError(f"{chosen} is not there, or holds no library.")
        check_folder(chosen)
        return Library(chosen), ""
    except DDMIError as error:
        return open_or_begin(usual_folder()), (
            f"The library that was chosen cannot be opened: {error} The usual library is open instead, in "
            f"{usual_folder()}. Nothing of the other one is lost: bring its folder back and start again, or choose "
            "another one in the settings."
        )
