"""DDMI Studio: the desktop application around :mod:`ddmi_core`."""

from ddmi_core.support.threads import spare_the_machine
from studio.allocator import keep_little
from studio.immortals import make_constants_immortal

spare_the_machine()  # before anything imports torch
keep_little()
make_constants_immortal()  # before anything calls Qt
