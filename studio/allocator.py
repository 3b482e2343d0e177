"""What glibc's allocator does with blocks that were freed.

By itself it keeps ever larger ones, such as a tile's pixels or a picture's features, among the small ones, where
anything small that comes to lie behind them holds them fast, and does so for many threads apart. After some minutes
the studio has hundreds of megabytes that nobody uses.
"""

import ctypes
import sys

LARGE = 8 * 2**20
"""Bytes from which a block goes back to the system when it is freed; less would cost time in drawing."""
POOLS = 2
"""Between which all threads share the small blocks."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of malloc.h


def keep_little() -> None:
    """Keep few freed blocks, and none that are large. Other allocators than glibc's are left as they are."""
    if sys.platform.startswith("linux") and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE)
        libc.mallopt(_M_ARENA_MAX, POOLS)
