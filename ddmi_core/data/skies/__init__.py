"""Skies: time-lapses made by rule, as functions of the place, the moment and a seed.

Sky ``i`` depends on (seed, i) alone. Nothing is stored: an example asks for the colours of the pixels that it needs, of
any size, at any moment, so that what happens between frames is known and not guessed.
"""

from ddmi_core.data.skies.sources import Skies, SkySource

__all__ = ["Skies", "SkySource"]
