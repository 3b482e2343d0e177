"""What can be seen of a portrait, from the parts that it was put together from."""

from collections.abc import Mapping

Parts = Mapping[str, str]
"""DiceBear's names of the parts, such as ``{"hair": "pixie", "hairColor": "#724830", "glasses": "square"}``."""
