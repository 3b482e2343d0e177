"""How much memory what is kept at hand may take, and how that is shared out."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 256 * 2**20
"""Bytes below which a budget makes no sense: one model takes more than half of that."""


@dataclass(frozen=True)
class MemoryBudget:
    """Bytes for what is kept so that it need not be made again; what is being worked on takes memory besides.

    Of each kind the one used last is kept in any case.
    """

    total: int = 2 * 2**30

    @property
    def models(self) -> int:
        """For loaded models."""
        return self.total // 2

    @property
    def decoded(self) -> int:
        """For the basis fields of decoded items."""
        return self.total // 4

    @property
    def tiles(self) -> int:
        """For the tiles of each viewer that has some; there are two."""
        return 3 * self.total // 32

    @property
    def thumbnails(self) -> int:
        """For the thumbnails of the history."""
        return self.total // 16
