"""DDMI Studio: the desktop application around :mod:`ddmi_core`."""

from studio.immortals import make_constants_immortal

make_constants_immortal()  # before anything calls Qt
