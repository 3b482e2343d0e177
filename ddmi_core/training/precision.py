"""In which precision a stage computes on a processor that has bfloat16 instructions, but no matrix units.

Whether such instructions (AVX-512's) gain anything depends on the processor and on the networks: from a step that takes
1.8 times as long to one that takes two thirds of the time was measured. So it is measured again where a run begins.
"""

from typing import NamedTuple

from accelerate import Accelerator

from ddmi_core.support.devices import Precision, has_slow_bfloat16
from ddmi_core.training.processors import gradient_seconds
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.stage import Stage

WORTH_IT = 1.15
"""How many times as fast a step must be in bfloat16 to take it."""


class Measured(NamedTuple):
    """The faster precision, and how many times as fast as float32 bfloat16 is."""

    precision: Precision
    gain: float


def settle_precision(stage: Stage, run: RunFolder, accelerator: Accelerator) -> None:
    """Let a stage whose precision is `auto` compute in the faster one, by a measurement where that is not known.

    What was chosen is kept in the run folder, so that a run that goes on computes as before.
    """
    if _is_open(stage, accelerator):
        stage.precision = _kept(run, stage.name) or _settled(stage, run, accelerator)


def try_precision(stage: Stage, accelerator: Accelerator) -> None:
    """Let a stage that is only tried compute as a run of it would, and keep nothing of it."""
    if _is_open(stage, accelerator):
        stage.precision = _measured(stage, accelerator).precision


def _is_open(stage: Stage, accelerator: Accelerator) -> bool:
    return stage.precision == "auto" and accelerator.num_processes == 1 and has_slow_bfloat16(accelerator.device)


def _kept(run: RunFolder, stage: str) -> Precision | None:
    kept = run.settled(f"precision-{stage}")
    return None if kept is None else kept["precision"]


def _settled(stage: Stage, run: RunFolder, accelerator: Accelerator) -> Precision:
    """Return which precision to take, and note it in the run folder."""
    chosen, gain = _measured(stage, accelerator)
    message = f"{chosen}: bfloat16 is {gain:.2f} times as fast as float32 on this processor"
    run.record(stage=stage.name, step=0, message=message)
    run.settle(f"precision-{stage.name}", {"precision": chosen, "gain": round(gain, 3)})
    return chosen


def _measured(stage: Stage, accelerator: Accelerator) -> Measured:
    seconds = {}
    both: tuple[Precision, ...] = ("float32", "bfloat16")
    for precision in both:
        stage.precision = precision
        seconds[precision] = gradient_seconds(stage, accelerator)
    gain = seconds["float32"] / seconds["bfloat16"]
    return Measured("bfloat16" if gain >= WORTH_IT else "float32", gain)
