"""Amounts as a person reads them."""

from __future__ import annotations


def formatted_bytes(count: int) -> str:
    """A number of bytes as a person reads it."""
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{max(1, round(count / 1e3)):,} kB"
