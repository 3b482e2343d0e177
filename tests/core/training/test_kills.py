"""A training that is killed at random moments and resumed ends with just the weights of one that was left alone."""

import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ddmi_core.training.ownership import status_of
from ddmi_core.training.run import train
from ddmi_core.training.run_folder import RunFolder
from tests.core.training.quick import quick

KILLS = 10


@pytest.mark.slow
@pytest.mark.timeout(1800)  # a slow machine is no failure
@pytest.mark.skipif(sys.platform != "linux", reason="a forked process starts at once, which keeps this test short")
def test_ten_kills_are_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = quick("checkpoint_minutes=0.00001", "stage1.steps=12", "stage2.steps=12")
    began = time.monotonic()
    model = train(config, tmp_path / "whole", device="cpu")
    seconds = time.monotonic() - began
    # Forks of a process that only has the imports: one of this process might take over a lock that nobody gives back
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    fork, rng = multiprocessing.get_context("forkserver"), random.Random(0)
    fork.set_forkserver_preload(["ddmi_core.training.run"])
    ready = fork.Process(target=os.getpid)
    ready.start()
    ready.join()
    run = RunFolder(tmp_path / "killed")
    for _ in range(KILLS):
        child = fork.Process(target=train, args=(config, run.path, True, "cpu"))
        child.start()
        child.join(rng.uniform(0.0, 1.0) * seconds)
        child.kill()
        child.join()
        assert child.exitcode in (-signal.SIGKILL, 0)
        assert status_of(run).state in ("interrupted", "done")
    resumed = train(config, run.path, resume=True, device="cpu")
    for part in ("autoencoder", "denoiser"):
        a, b = (load_file(folder / part / "weights.safetensors") for folder in (model, resumed))
        assert all(torch.equal(a[name], b[name]) for name in a)
