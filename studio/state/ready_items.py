"""What a library begins with: an item of each domain, two pictures to walk between, made by the models that come along.

They lie in folders of ``assets/ready/`` in the files of a library item, and are rebuilt by
``scripts/build_ready_items.py`` when a model that made one of them has changed.
"""

from __future__ import annotations

import logging
from pathlib import Path

from ddmi_core.support.errors import DataError
from ddmi_core.support.paths import assets
from studio.state.library import Library

log = logging.getLogger(__name__)


def open_or_begin(folder: Path) -> Library:
    """Open the library in a folder. One that is not there yet is made, and begins with the ready items.

    So those that were deleted stay away. Raises `DataError` as :class:`Library` does.
    """
    is_new = not folder.exists()
    library = Library(folder)
    if is_new:
        for ready in sorted((assets() / "ready").glob("*/")):
            try:
                library.add_copy(ready)
            except DataError as error:  # a studio without them is as good
                log.warning("ready item left out: %s", error)
    return library
