"""Captions of portraits: wordings of what can be seen."""

from ddmi_core.data.portraits.colours import nearest
from ddmi_core.data.portraits.facts import Parts

STYLES = {
    "personas": "flat icon",
    "toonHead": "soft cartoon",
    "bigSmile": "big smile cartoon",
    "micah": "line drawing",
    "adventurer": "comic",
    "miniavs": "minimal",
    "openPeeps": "ink drawing",
}


def captions(style: str, parts: Parts) -> list[str]:
    """Return true captions, the shortest first."""
    whose = f"a person, {STYLES[style]} style"
    found = [whose]
    if "hairColor" in parts:
        found.append(f"a person with {nearest(parts['hairColor'])} hair, {STYLES[style]} style")
    if "glasses" in parts or "glasses" in parts.get("eyes", "") or "glasses" in parts.get("accessories", ""):
        found.append(f"a person with glasses, {STYLES[style]} style")
    return found
