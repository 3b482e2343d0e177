import os
from pathlib import Path

import pytest
import torch
from torch import nn

from ddmi_core.support.threads import ALLOWED
from ddmi_core.training import processors
from ddmi_core.training.autoencoder_stage import AutoencoderStage
from ddmi_core.training.processors import processors_for
from ddmi_core.training.run import make_accelerator
from ddmi_core.training.run_folder import RunFolder
from tests.core.training.quick import quick

pytestmark = pytest.mark.skipif(len(ALLOWED) < 2, reason="needs two processors")


class _Stage(AutoencoderStage):
    """Gradients that take as long as is said, by the number of threads."""

    def __init__(self) -> None:
        self.module = nn.Linear(1, 1)
        self.settings, self.precision = quick().stage1, "float32"
        self.draws = [{"x": torch.ones(1)}] * 2  # type: ignore[assignment]

    def chance(self, numbers, device):  # type: ignore[no-untyped-def,override]
        return {}

    def loss(self, batch, step):  # type: ignore[no-untyped-def,override]
        return self.module(batch["x"]).sum(), {}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create(quick().to_yaml())
    return folder


@pytest.mark.parametrize(("gain", "threads"), [(1.1, 1), (1.9, 2)])
def test_a_second_thread_is_taken_where_it_gains_much_and_remembered(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, gain: float, threads: int
) -> None:
    config = quick("threads=0")
    accelerator = make_accelerator(config, "cpu")
    measured: list[int] = []

    def seconds(*_: object) -> float:
        measured.append(torch.get_num_threads())
        return 1.0 if measured[-1] == 1 else 1 / gain

    monkeypatch.setattr(processors, "gradient_seconds", seconds)
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for _ in range(2):
            with processors_for(_Stage(), config, run, accelerator):
                assert torch.get_num_threads() == threads
                assert len(os.sched_getaffinity(0)) == (1 if threads == 1 else len(ALLOWED))
            assert torch.get_num_threads() == 2
            assert os.sched_getaffinity(0) == ALLOWED
    finally:
        torch.set_num_threads(usual)
    assert measured == [1, 2]  # the second start keeps to it
    assert f"{threads} of 2 threads: 2 are {gain:.2f} times as fast as one" in [e["message"] for e in run.events()]


def test_what_the_configuration_says_is_not_measured(run: RunFolder) -> None:
    config = quick("threads=2")
    usual = torch.get_num_threads()
    with processors_for(_Stage(), config, run, make_accelerator(config, "cpu")):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == usual
    assert not run.events()


def test_measuring_leaves_the_weights_as_they_are(run: RunFolder) -> None:
    config = quick("threads=0")
    stage = _Stage()
    before = [weights.clone() for weights in stage.module.parameters()]
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with processors_for(stage, config, run, make_accelerator(config, "cpu")):
            pass
    finally:
        torch.set_num_threads(usual)
    assert all(map(torch.equal, before, stage.module.parameters()))
    assert all(weights.grad is None for weights in stage.module.parameters())
