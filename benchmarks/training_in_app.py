"""What the window costs a training, and the training the window.

    python -m benchmarks.training_in_app [--preset emoji] [--seconds 60] [--rounds 2]

Trains from the shell, then from the open studio with its monitor in front (on a virtual display where there is none),
in turns. Prints one JSON object: the samples a second of each, their ratio, and the gaps between the 16 ms ticks of a
timer in the window's thread while it watches.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import tyro

from benchmarks.open_studio import OpenStudio, gap_figures, open_studio
from ddmi_core.training.config import RunConfig
from ddmi_core.training.run_folder import RunFolder

_WARM_UP = 10.0  # seconds of steps that do not count


def main(preset: str = "emoji", seconds: float = 60.0, rounds: int = 2) -> None:
    """Measure.

    Args:
        preset: what to train; its first stage is measured.
        seconds: of steps in each round.
        rounds: how often both ways are tried.
    """
    config = RunConfig.from_preset(preset).with_overrides(["stage1.steps=1000000", "stage1.sample_every=1000000"])
    shell: list[float] = []
    app: list[float] = []
    gaps: list[float] = []
    with open_studio("shape", None) as studio:
        for number in range(rounds):
            run = _make(studio.home / "shell" / str(number), config)
            command = [sys.executable, "-m", "ddmi_core.cli", "train", "--out", str(run.path), "--resume"]
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not _has_trained(run, seconds):
                time.sleep(0.5)  # the window stands still meanwhile
            run.command("stop")
            child.wait()
            shell.append(_speed(run))

            run = _make(studio.home / "runs" / f"app-{number}", config)
            studio.window.trainings.start(run.path)
            _watch(studio, run, 0.0)
            gaps += studio.tick_gaps(lambda run=run: _watch(studio, run, seconds))
            run.command("stop")
            studio.pump(lambda: not studio.window.runs.alive())  # or closing the window would ask
            app.append(_speed(run))
    figures = {
        "preset": preset,
        "shell_samples_per_second": round(statistics.mean(shell), 2),
        "app_samples_per_second": round(statistics.mean(app), 2),
        "ratio": round(statistics.mean(app) / statistics.mean(shell), 3),
        **gap_figures(gaps),
    }
    print(json.dumps({"benchmark": "training_in_app", **figures}), flush=True)


def _make(folder: Path, config: RunConfig) -> RunFolder:
    run = RunFolder(folder)
    run.create(config.to_yaml())
    return run


def _watch(studio: OpenStudio, run: RunFolder, seconds: float) -> None:
    """Look at the files seldom: to read them is the benchmark's work and not the window's."""
    while not _has_trained(run, seconds):
        studio.pump_for(5.0)


def _has_trained(run: RunFolder, seconds: float) -> bool:
    times = _times(run)
    return bool(times) and times[-1] - times[0] > _WARM_UP + seconds


def _times(run: RunFolder) -> list[float]:
    return [event["time"] for event in run.events() if "losses" in event]


def _speed(run: RunFolder) -> float:
    """Return the mean samples a second after the warm-up."""
    first = _times(run)[0]
    return statistics.mean(
        event["samples_per_second"] for event in run.events() if "losses" in event and event["time"] > first + _WARM_UP
    )


if __name__ == "__main__":
    tyro.cli(main)
