"""Two processes train together on the CPU (gloo): they stay equal, and make the steps of one with twice the batch."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ddmi_core.support.processes import launch
from ddmi_core.training.config import RunConfig
from ddmi_core.training.ownership import status_of
from ddmi_core.training.run_folder import RunFolder
from tests.core.training.quick import losses, quick

SCRIPT = """
import os
import sys
from pathlib import Path
from safetensors.torch import save_file
import torch
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from ddmi_core.training import loop, run
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.config import RunConfig
from ddmi_core.training.sharding import whole

loop.RECORD_SECONDS = 0.0
if os.environ.get("RANK") == os.environ.get("SHORT_OF_MEMORY", "none"):  # of memory that holds one example
    usual = AutoencoderStage.loss
    def short(self, batch, step):
        if len(batch["noise"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return usual(self, batch, step)
    AutoencoderStage.loss = short
if os.environ.get("SPREAD"):  # as Accelerate's configuration asks for on GPUs alone
    make = run.make_accelerator
    def make_spreading(*arguments):
        accelerator = make(*arguments)
        accelerator.state.fsdp_plugin = FullyShardedDataParallelPlugin(fsdp_version=2)
        accelerator.state.distributed_type = DistributedType.FSDP
        return accelerator
    run.make_accelerator = make_spreading
out = Path(sys.argv[2])
finish = loop._Loop.finish
def kept(self):
    weights = {name: whole(value).contiguous() for name, value in self.trained.module.state_dict().items()}
    save_file(weights, out.parent / f"{out.name}-{self.stage.name}-{self.accelerator.process_index}")
    finish(self)
loop._Loop.finish = kept
run.train(RunConfig.from_file(Path(sys.argv[1])), out, resume="resume" in sys.argv, device="cpu")
"""


def _train(config: RunConfig, out: Path, processes: int, *arguments: str, **more: str) -> None:
    file = out.with_suffix(".yaml")
    file.write_text(config.to_yaml())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {**os.environ, **more, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    if processes > 1:
        shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(file), str(out), *arguments],
            env=shared | ({"RANK": str(rank), "LOCAL_RANK": str(rank)} if processes > 1 else {}),
        )
        for rank in range(processes)
    ]
    assert [child.wait() for child in children] == [0] * processes


@pytest.mark.slow
def test_two_processes_are_one_with_twice_the_batch(tmp_path: Path) -> None:
    few = ("stage1.steps=3", "stage2.steps=3", "stage1.sample_every=2", "stage2.sample_prompts=['']")
    # What one of them has no room for is trained on in parts by both
    _train(quick(*few, "stage1.batch=2", "stage2.batch=2"), tmp_path / "two", 2, SHORT_OF_MEMORY="1")
    _train(quick(*few, "stage1.batch=4", "stage2.batch=4"), tmp_path / "one", 1)
    for stage in ("autoencoder", "diffusion"):
        first, second = (load_file(tmp_path / f"two-{stage}-{rank}") for rank in (0, 1))
        assert all(torch.equal(first[name], second[name]) for name in first)
    together, apart = losses(tmp_path / "two"), losses(tmp_path / "one")
    assert together.keys() == apart.keys() and len(apart) == 6
    assert together == {step: pytest.approx(loss, rel=1e-3) for step, loss in apart.items()}
    events = [RunFolder(tmp_path / name).events() for name in ("two", "one")]
    assert any(
        "out of memory: a batch of 2 is trained on 1 at a time" in event.get("message", "") for event in events[0]
    )
    held_out, alone = ([event["held_out"] for event in of_run if "held_out" in event] for of_run in events)
    assert held_out == [pytest.approx(figures, rel=1e-3) for figures in alone] and len(alone) == 1
    sheets = [imageio.imread(tmp_path / name / "samples" / "autoencoder-00000002.png") for name in ("two", "one")]
    assert sheets[0].shape == sheets[1].shape and np.abs(sheets[0].astype(int) - sheets[1]).mean() < 2


@pytest.mark.slow
def test_processes_that_hold_parts_of_the_weights_make_the_same_steps(tmp_path: Path) -> None:
    few = ("stage1.steps=3", "stage2.steps=3", "stage1.sample_every=2", "stage2.sample_prompts=['']")
    few = (*few, "stage1.batch=2", "stage2.batch=2")
    _train(quick(*few), tmp_path / "spread", 2, SPREAD="1")
    _train(quick(*few), tmp_path / "whole", 2)
    spread, apart = losses(tmp_path / "spread"), losses(tmp_path / "whole")
    assert spread.keys() == apart.keys() and len(apart) == 6
    assert spread == {step: pytest.approx(loss, rel=1e-3) for step, loss in apart.items()}
    models = [tmp_path / name / "model" / "denoiser" / "weights.safetensors" for name in ("spread", "whole")]
    for name, weights in load_file(models[0]).items():
        torch.testing.assert_close(weights, load_file(models[1])[name], atol=2e-3, rtol=1e-2)
    # A checkpoint is the same file, so that one process goes on where several stopped
    file = tmp_path / "spread" / "run.yaml"
    file.write_text(quick(*few, "stage2.steps=4", "stage2.batch=4").to_yaml())
    shutil.rmtree(tmp_path / "spread" / "model")
    _train(quick(*few), tmp_path / "spread", 1, "resume")
    assert ("diffusion", 4) in losses(tmp_path / "spread")


@pytest.mark.slow
def test_one_that_fails_ends_the_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert launch(["train", "--out", str(tmp_path / "none"), "--resume"], 2) == 1
    assert "cannot be read" in capfd.readouterr().err


@pytest.mark.slow
def test_a_run_of_two_processes_is_launched_by_the_command(tmp_path: Path) -> None:
    config = quick("processes=2", "stage1.batch=1", "stage1.steps=1", "stage2.steps=1", "device=cpu")
    (tmp_path / "mine.yaml").write_text(config.to_yaml())
    command = [sys.executable, "-m", "ddmi_core.cli", "train", "--config", str(tmp_path / "mine.yaml")]
    done = subprocess.run([*command, "--out", str(tmp_path / "run")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert status_of(RunFolder(tmp_path / "run")).state == "done"
    assert json.loads((tmp_path / "run" / "model" / "model_index.json").read_text())["domain"] == "shape"
