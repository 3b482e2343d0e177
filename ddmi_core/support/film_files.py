"""Films as they come, opened so that nothing but the file itself is read."""

from pathlib import Path

import av

from ddmi_core.support.errors import DataError

_OPENING = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi", "protocol_whitelist": "file"}
"""FFmpeg goes by the content, and would follow a playlist, whatever its suffix, to other files and hosts."""


def open_film(path: Path) -> av.container.InputContainer:
    """Open a MOV, MP4, MKV, WebM or AVI by its content, whatever its suffix says. The caller closes it.

    Raises:
        DataError: no such file, an empty one, or not a film of these kinds; the message names the file.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty.")
    try:
        return av.open(str(path.absolute()), options=_OPENING, metadata_errors="replace")
    except (av.FFmpegError, MemoryError) as error:
        raise DataError(
            f"{path.name} is damaged, or no video ({getattr(error, 'strerror', None) or error})."
        ) from error
