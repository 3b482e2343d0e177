"""JSON and YAML of unknown origin."""

import json
from itertools import accumulate
from typing import Any

import yaml

_DEEPEST = 64
_LONGEST_YAML = 2**20  # characters; PyYAML takes seconds for as many
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def parse_json(text: str | bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: it is no JSON, or nested more deeply than anybody nests it.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def parse_yaml(text: str) -> Any:
    """Parse YAML; no tag of it makes anything but plain values.

    Raises:
        ValueError: it is no YAML, too long, or nested more deeply than anybody nests it.
    """
    if len(text) > _LONGEST_YAML:
        raise ValueError("it is too long")
    # PyYAML's time grows with the square of the depth of brackets
    if max(accumulate(_STEPS.get(letter, 0) for letter in text), default=0) > _DEEPEST:
        raise ValueError("it is nested too deeply")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
