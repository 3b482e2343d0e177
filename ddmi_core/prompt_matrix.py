"""Several prompts in one: `a {red|blue} chair {with|without} armrests` stands for four."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from ddmi_core.support.errors import DataError

MOST_PROMPTS = 64
"""That one prompt may stand for: a slip of the keyboard is not to fill the disk."""

_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")


@dataclass(frozen=True)
class PromptMatrix:
    """What a prompt with alternatives in braces stands for.

    Attributes:
        axes: the alternatives of each pair of braces, from left to right; none of a prompt without any.
        prompts: one for each combination, the last axis changing fastest.
    """

    axes: tuple[tuple[str, ...], ...]
    prompts: tuple[str, ...]

    def sheet(self, seeds: Sequence[int]) -> tuple[list[str], list[str]]:
        """Return what rows and columns of a sheet of all prompts are called, each prompt with some seeds after another.

        The columns are the alternatives of the last axis, the rows the combinations of all others.
        """
        rows = [", ".join(filter(None, chosen)) for chosen in itertools.product(*self.axes[:-1])]
        last = self.axes[-1] if self.axes else ("",)
        named = [f"seed {seed}" if len(seeds) > 1 else "" for seed in seeds]
        return rows, [", ".join(filter(None, both)) for both in itertools.product(last, named)]


def prompt_matrix(prompt: str) -> PromptMatrix:
    """Return what a prompt stands for. Alternatives may be empty: `a {round|} table`.

    Braces without a `|` between them are text like any other.

    Raises:
        DataError: it stands for more than MOST_PROMPTS.
    """
    pieces = _CHOICE.split(prompt)  # text, alternatives, text, …, text
    if len(pieces) == 1:
        return PromptMatrix((), (prompt,))
    axes = tuple(tuple(text.strip() for text in piece.split("|")) for piece in pieces[1::2])
    count = prod(map(len, axes))
    if count > MOST_PROMPTS:
        raise DataError(f"This prompt stands for {count:,} prompts, and {MOST_PROMPTS} are the most at once.")
    return PromptMatrix(axes, tuple(_joined(pieces[::2], chosen) for chosen in itertools.product(*axes)))


def _joined(texts: Sequence[str], chosen: Sequence[str]) -> str:
    parts = itertools.chain.from_iterable(itertools.zip_longest(texts, chosen, fillvalue=""))
    return " ".join("".join(parts).split())


def as_one(prompts: Sequence[str]) -> str:
    """Return the prompt that stands for some prompts, one after the other.

    Raises:
        DataError: they are more than MOST_PROMPTS, or one has a brace or a bar in it, which mean something else then.
    """
    if len(prompts) == 1:
        return prompts[0]
    if len(prompts) > MOST_PROMPTS:
        raise DataError(f"These are {len(prompts):,} prompts, and {MOST_PROMPTS} are the most in one.")
    if strange := next((prompt for prompt in prompts if set("{|}") & set(prompt)), None):
        raise DataError(f"“{strange}” cannot be one of several prompts, because of its braces or bars.")
    return "{" + "|".join(prompts) + "}"


def in_few(prompts: Sequence[str]) -> list[str]:
    """Return the prompts that stand for some prompts, one after the other: as few as there can be.

    Raises:
        DataError: one of them cannot be one of several, as for `as_one`.
    """
    return [as_one(prompts[begin : begin + MOST_PROMPTS]) for begin in range(0, len(prompts), MOST_PROMPTS)]


def read_prompt_file(path: Path) -> tuple[str, ...]:
    """Return the prompts of a text file, one a line, and for each with alternatives all that it stands for.

    Raises:
        DataError: the file cannot be read, there is none in it, or one stands for too many.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The prompts in {path} cannot be read: {error}.") from error
    return tuple(prompt for line in read_prompts(text) for prompt in prompt_matrix(line).prompts)


def read_prompts(text: str) -> list[str]:
    """Return the prompts of a text, one a line; empty lines and those that begin with # are left out.

    Raises:
        DataError: there is none.
    """
    lines = [line.strip() for line in text.splitlines()]
    prompts = [line for line in lines if line and not line.startswith("#")]
    if not prompts:
        raise DataError("There is no prompt in it. Write one a line.")
    return prompts
