"""A fault of PySide6 6.12 under Python 3.11, made harmless.

Every call of a Qt method that returns nothing takes a reference to None away that it never had, and True and False lose
some too. When none is left, after some hundred thousand calls, the interpreter ends with "none_dealloc" or
"bool_dealloc": a window that follows a training gets there. From Python 3.12 on these objects have no count that could
run out.
"""

import ctypes
import sys

_PLENTY = 2**60


def make_constants_immortal() -> None:
    """Give the constants more references than a process can lose."""
    if sys.version_info >= (3, 12):
        return
    for constant in (None, True, False, NotImplemented):
        if sys.getrefcount(constant) < _PLENTY // 2:
            # A CPython object begins with the count of its references
            ctypes.c_ssize_t.from_address(id(constant)).value += _PLENTY
