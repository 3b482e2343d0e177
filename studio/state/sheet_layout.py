"""Where items stand on a sheet: a row for each prompt, or as the alternatives of a prompt have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ddmi_core.prompt_matrix import prompt_matrix
from ddmi_core.support.errors import DataError
from studio.state.library import Item


class SheetLayout(NamedTuple):
    """What rows and columns are called, and the items row after row; None where there is none."""

    rows: list[str]
    columns: list[str]
    items: list[Item | None]


def laid_out(items: Sequence[Item], prompt: str) -> SheetLayout:
    """Lay items out.

    Args:
        items: at least one.
        prompt: what may stand for all of theirs, with alternatives in braces: these are the axes then.
    """
    seeds = sorted({item.recipe.seed for item in items})
    made = {(item.recipe.prompt, item.recipe.seed): item for item in reversed(items)}
    try:
        matrix = prompt_matrix(prompt)
    except DataError:
        matrix = prompt_matrix("")
    if len(matrix.prompts) > 1 and {item.recipe.prompt for item in items} <= set(matrix.prompts):
        rows, columns = matrix.sheet(seeds)
        return SheetLayout(rows, columns, [made.get((one, seed)) for one in matrix.prompts for seed in seeds])
    lines: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: item.recipe.seed):
        lines.setdefault(_named(item), []).append(item)
    width = max(map(len, lines.values()))
    same = all([item.recipe.seed for item in line] == seeds for line in lines.values())
    columns = [f"seed {seed}" for seed in seeds] if same and width > 1 else [""] * width
    names = sorted(lines, key=[_named(item) for item in items].index)
    return SheetLayout(names, columns, [one for name in names for one in _padded(lines[name], width)])


def _named(item: Item) -> str:
    source = item.recipe.source
    return item.recipe.prompt if source is None else source.replace("\\", "/").rsplit("/", 1)[-1]


def _padded(line: list[Item], width: int) -> list[Item | None]:
    return [*line, *[None] * (width - len(line))]
