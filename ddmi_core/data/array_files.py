"""Arrays in `.npz` files that come from elsewhere."""

from pathlib import Path

import numpy as np

from ddmi_core.support.errors import DataError

_MOST_BYTES = 2**30  # of all arrays together, once unpacked


def read_arrays(file: Path, *names: str) -> dict[str, np.ndarray]:
    """Return the arrays of these names that an `.npz` file holds; nothing in it is unpickled.

    Raises:
        DataError: the file cannot be read, is damaged, holds no numbers, or would take more than a gigabyte.
    """
    try:
        # NumPy would leave a damaged file open
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as content:
            if sum(member.file_size for member in content.zip.infolist()) > _MOST_BYTES:
                raise DataError(f"{file} holds more than {_MOST_BYTES / 2**30:.0f} GB of arrays. Divide it first.")
            found = {name: content[name] for name in names if name in content}
            if any(array.dtype.kind not in "biuf" for array in found.values()):
                raise DataError(f"{file} holds arrays that are no numbers. Fetch it again.")
            return found
    except DataError:
        raise
    except Exception as error:  # NumPy's reader fails in every way on a damaged file
        raise DataError(f"{file} cannot be read as an .npz file ({error}). Fetch it again.") from error
