"""Contact sheets of what a model makes, for the run's samples."""

from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from ddmi_core.domains import Domain
from ddmi_core.errors import DDMIError
from ddmi_core.fields import Field
from ddmi_core.files import atomic_write
from ddmi_core.picture_layout import SHEET_COLUMNS, contact_sheet

_SIZE = 160


def save_sheet(domain: Domain, fields: Sequence[Field], path: Path) -> None:
    """Write pictures of some signals as one PNG; a signal that cannot be drawn yet (an empty shape) stays black."""
    pictures = []
    for field in fields:
        try:
            pictures.append(domain.preview(field, size=_SIZE))
        except DDMIError:
            pictures.append(np.zeros((_SIZE, _SIZE, 3), dtype=np.uint8))
    with atomic_write(path) as temporary:
        imageio.imwrite(temporary, contact_sheet(pictures, columns=SHEET_COLUMNS))
