"""Whether a training that is killed again and again ends as one that was left alone.

    python -m benchmarks.training_kills [--preset shape-tiny] [--kills 10] [--checkpoint-seconds 5]

Trains the preset once without interruption, and once more with `kill -9` at random moments, resuming each time, both by
`ddmi train` on the CPU. Prints one JSON object: how many kills were survived, whether the final weights are equal bit
for bit, and how many seconds of training were lost at most, beside the interval between two checkpoints.
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import tyro
from safetensors.torch import load_file

from ddmi_core.training.run_folder import RunFolder

_MODELS = ("autoencoder/weights.safetensors", "denoiser/weights.safetensors")


def main(preset: str = "shape-tiny", kills: int = 10, checkpoint_seconds: float = 5.0, seed: int = 0) -> None:
    """Train twice and compare.

    Args:
        preset: what to train.
        kills: how often.
        checkpoint_seconds: between two checkpoints.
        seed: of the moments.
    """
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        settings = [f"checkpoint_minutes={checkpoint_seconds / 60}", "precision=float32"]
        start = ["--preset", preset, "--device", "cpu", "--set", *settings]
        whole, killed = RunFolder(Path(place) / "whole"), RunFolder(Path(place) / "killed")
        began = time.monotonic()
        _train(whole, start).wait()
        seconds = time.monotonic() - began
        survived, lost = 0, 0.0
        for number in range(kills):
            child = _train(killed, start if number == 0 else ["--resume"])
            time.sleep(rng.uniform(0.1, 1.0) * max(10.0, 1.5 * seconds / kills))
            survived += child.poll() is None or child.returncode == 0
            child.send_signal(signal.SIGKILL)
            child.wait()
            lost = max(lost, _seconds_unsaved(killed))
        finished = _train(killed, ["--resume"]).wait() == 0
        equal = finished and all(_equal(whole.model / name, killed.model / name) for name in _MODELS)
    figures = {
        "preset": preset,
        "run_seconds": round(seconds, 1),
        "kills": kills,
        "survived": survived if finished else 0,
        "weights_equal": equal,
        "checkpoint_seconds": checkpoint_seconds,
        "lost_seconds_most": round(lost, 1),
    }
    print(json.dumps({"benchmark": "training_kills", **figures}), flush=True)


def _train(run: RunFolder, options: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ddmi_core.cli", "train", "--out", str(run.path), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _seconds_unsaved(run: RunFolder) -> float:
    """Return the seconds of recorded training that came after the newest checkpoint."""
    written = [path.stat().st_mtime for path in run.checkpoints.glob("[a-z]*-*/progress.json")]
    recorded = [event["time"] for event in run.events() if "losses" in event]
    return max(0.0, recorded[-1] - max(written)) if recorded and written else 0.0


def _equal(one: Path, other: Path) -> bool:
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


if __name__ == "__main__":
    tyro.cli(main)
