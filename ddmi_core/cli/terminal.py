"""What the commands have in common: flags, complaints, and what they print."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import FlagCreatePairsOff, arg

from ddmi_core.support.errors import ModelError

Device = Annotated[str, arg(metavar="auto|cpu|cuda|cuda:N|mps")]
Flag = FlagCreatePairsOff[bool]


class Meter:
    """One line on a terminal that says how far the work is; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, fraction: float, text: str) -> None:
        """Say that the work is at a fraction (0..1), and at what."""
        if self._shown:
            print(f"\r\033[K{fraction:4.0%}  {text[:70]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()


def require(condition: bool, message: str) -> None:
    """Complain of wrong usage, with exit code 2, unless something holds."""
    if not condition:
        print(f"ddmi: {message}", file=sys.stderr)
        raise SystemExit(2)


def print_json(value: dict[str, Any]) -> None:
    """Print a JSON object on a line of its own."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def model_folder(model: str | None, domain: str | None) -> Path:
    """Return the folder of a model, which must be of the domain, or of the domain's first model.

    Raises:
        ModelError: there is none, or it is of another domain.
    """
    from ddmi_core.model_folder import describe, find_model, list_models

    if model is None:
        fitting = list_models(domain)
        if not fitting:
            raise ModelError(f"There is no model for {domain} on this machine. Give one with --model, or train one.")
        return fitting[0].folder
    folder = find_model(model)
    own = describe(folder).domain
    if domain is not None and own != domain:
        raise ModelError(f"{folder} is a model for {own}, not for {domain}. `ddmi models` lists what there is.")
    return folder
