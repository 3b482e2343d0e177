"""DDMI Studio: the desktop application around :mod:`ddmi_core`."""
