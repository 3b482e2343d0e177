"""What devices are called. Needs no torch."""

import re
from typing import Annotated

from pydantic import AfterValidator

_NAME = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


def is_device_name(name: str) -> bool:
    """Whether a device may be called so; whether there is such a device is another question."""
    return _NAME.fullmatch(name) is not None


def _known(name: str) -> str:
    if not is_device_name(name):
        raise ValueError(f"{name!r} is no device: give auto, cpu, cuda, cuda:1 and so on, or mps")
    return name


DeviceName = Annotated[str, AfterValidator(_known)]
"""`auto`, `cpu`, `cuda`, `cuda:N` or `mps`."""
