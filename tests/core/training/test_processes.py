"""Two processes train together on the CPU (gloo): they stay equal, and make the steps of one with twice the batch."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ddmi_core.training.config import RunConfig
from ddmi_core.training.ownership import status_of
from ddmi_core.training.processes import launch
from ddmi_core.training.run_folder import RunFolder
from tests.core.training.quick import losses, quick

SCRIPT = """
import sys
from pathlib import Path
from safetensors.torch import save_file
from ddmi_core.training import loop
from ddmi_core.training.config import RunConfig
from ddmi_core.training.run import train

loop.RECORD_SECONDS = 0.0
out = Path(sys.argv[2])
finish = loop._Loop.finish
def kept(self):
    weights = {name: value.contiguous() for name, value in self.module.state_dict().items()}
    save_file(weights, out.parent / f"{out.name}-{self.stage.name}-{self.accelerator.process_index}")
    finish(self)
loop._Loop.finish = kept
train(RunConfig.from_file(Path(sys.argv[1])), out, device="cpu")
"""


def _train(config: RunConfig, out: Path, processes: int) -> None:
    file = out.with_suffix(".yaml")
    file.write_text(config.to_yaml())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    if processes > 1:
        shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(file), str(out)],
            env=shared | ({"RANK": str(rank), "LOCAL_RANK": str(rank)} if processes > 1 else {}),
        )
        for rank in range(processes)
    ]
    assert [child.wait() for child in children] == [0] * processes


@pytest.mark.slow
def test_two_processes_are_one_with_twice_the_batch(tmp_path: Path) -> None:
    few = ("stage1.steps=3", "stage2.steps=3", "stage1.sample_every=2", "stage2.sample_prompts=['']")
    _train(quick(*few, "stage1.batch=2", "stage2.batch=2"), tmp_path / "two", 2)
    _train(quick(*few, "stage1.batch=4", "stage2.batch=4"), tmp_path / "one", 1)
    for stage in ("autoencoder", "diffusion"):
        first, second = (load_file(tmp_path / f"two-{stage}-{rank}") for rank in (0, 1))
        assert all(torch.equal(first[name], second[name]) for name in first)
    together, apart = losses(tmp_path / "two"), losses(tmp_path / "one")
    assert together.keys() == apart.keys() and len(apart) == 6
    assert together == {step: pytest.approx(loss, rel=1e-3) for step, loss in apart.items()}


def test_one_that_fails_ends_the_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert launch(["train", "--out", str(tmp_path / "none"), "--resume"], 2) == 1
    assert "cannot be read" in capfd.readouterr().err


def test_a_run_of_two_processes_is_launched_by_the_command(tmp_path: Path) -> None:
    config = quick("processes=2", "stage1.batch=1", "stage1.steps=1", "stage2.steps=1", "device=cpu")
    (tmp_path / "mine.yaml").write_text(config.to_yaml())
    command = [sys.executable, "-m", "ddmi_core.cli", "train", "--config", str(tmp_path / "mine.yaml")]
    done = subprocess.run([*command, "--out", str(tmp_path / "run")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert status_of(RunFolder(tmp_path / "run")).state == "done"
    assert json.loads((tmp_path / "run" / "model" / "model_index.json").read_text())["domain"] == "shape"
