"""Starter sets are loaded once and kept. A program that goes on can give them back."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

_T = TypeVar("_T")

_clearers: list[Callable[[], None]] = []


def cached(most: int = 1) -> Callable[[Callable[..., _T]], Callable[..., _T]]:
    """Let a function that loads something return the same again: the results of the last `most` arguments."""

    def wrap(load: Callable[..., _T]) -> Callable[..., _T]:
        loader = lru_cache(maxsize=most)(load)
        _clearers.append(loader.cache_clear)
        return loader

    return wrap


def release() -> None:
    """Keep nothing of it any longer; whoever still uses a part of it does so as before."""
    for clear in _clearers:
        clear()
