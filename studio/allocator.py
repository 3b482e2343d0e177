"""How glibc's allocator treats large blocks, such as a tile's pixels or a picture's features.

By itself it keeps ever larger ones among the small ones once they were freed, where anything small that comes to lie
behind them holds them fast: after a while the studio has hundreds of megabytes that nobody uses.
"""

import ctypes
import sys

LARGE = 8 * 2**20
"""Bytes from which a block goes back to the system when it is freed; less would cost time in drawing."""
_M_MMAP_THRESHOLD = -3  # of malloc.h


def return_large_blocks() -> None:
    """Give every large block back when it is freed. Other allocators than glibc's are left as they are."""
    if sys.platform.startswith("linux") and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE)
