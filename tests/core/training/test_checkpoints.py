import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from ddmi_core.support.errors import DDMIError
from ddmi_core.training import checkpoints as module_under_test
from ddmi_core.training.averaging import AveragedWeights
from ddmi_core.training.checkpoints import Checkpoints, DamagedCheckpoint, Progressed

Parts = tuple[nn.Module, AveragedWeights, torch.optim.Optimizer]


def _parts() -> Parts:
    module = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(module.parameters())
    module(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    return module, AveragedWeights(module, 0.9), optimiser


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["weights.safetensors", "average.safetensors", "optimiser.safetensors"])
@pytest.mark.parametrize("damage", [Path.unlink, _cut, _flip, lambda path: path.write_bytes(b"")])
def test_damage_of_any_kind_is_found_before_anything_is_changed(
    tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    checkpoints = Checkpoints(tmp_path, "stage")
    path = checkpoints.save(Progressed(5, 1.0), *_parts())
    damage(path / name)
    others = _parts()
    before = {key: value.clone() for key, value in others[0].state_dict().items()}
    with pytest.raises(DamagedCheckpoint, match="stage-00000005"):
        checkpoints.restore(path, *others)
    assert all(torch.equal(value, before[key]) for key, value in others[0].state_dict().items())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"step": 5}'])
def test_a_damaged_note_of_progress_is_damage_too(tmp_path: Path, text: str) -> None:
    checkpoints = Checkpoints(tmp_path, "stage")
    path = checkpoints.save(Progressed(5, 1.0), *_parts())
    (path / "progress.json").write_text(text)
    with pytest.raises(DamagedCheckpoint):
        checkpoints.restore(path, *_parts())


def test_what_was_put_aside_does_not_count_among_the_newest(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "stage")
    parts = _parts()
    for step in (1, 2, 3):
        newest = checkpoints.save(Progressed(step, 1.0), *parts)
    assert [path.name for path in checkpoints.newest_first()] == ["stage-00000003", "stage-00000002"]
    checkpoints.put_aside(newest)
    assert [path.name for path in checkpoints.newest_first()] == ["stage-00000002"]
    assert checkpoints.restore(checkpoints.newest_first()[0], *_parts()) == Progressed(2, 1.0)


def test_a_full_disk_costs_no_earlier_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Checkpoints(tmp_path, "stage")
    checkpoints.save(Progressed(1, 1.0), *_parts())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module_under_test, "write_tensors", full)
    with pytest.raises(DDMIError, match=r"No space left.*one before is kept"):
        checkpoints.save(Progressed(2, 1.0), *_parts())
    assert [path.name for path in tmp_path.iterdir()] == ["stage-00000001"]


def test_checkpoints_of_the_first_version_are_read(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "stage")
    path = checkpoints.save(Progressed(7, 0.5), *_parts())
    (path / "progress.json").write_text('{"step": 7, "rate_factor": 0.5}')
    assert checkpoints.restore(path, *_parts()) == Progressed(7, 0.5)
    shutil.rmtree(path)
    with pytest.raises(DamagedCheckpoint):
        checkpoints.restore(path, *_parts())


def test_all_of_a_fused_optimiser_lies_where_the_weights_do(tmp_path: Path) -> None:
    path = Checkpoints(tmp_path, "stage").save(Progressed(1, 1.0), *_parts())
    module, average, optimiser = _parts()
    module.to("meta")
    average.weights = {name: tensor.to("meta") for name, tensor in average.weights.items()}
    optimiser = torch.optim.AdamW(module.parameters())
    Checkpoints(tmp_path, "stage").restore(path, module, average, optimiser)
    state = optimiser.state[module.weight]
    assert state.keys() == {"step", "exp_avg", "exp_avg_sq"}
    assert all(tensor.device.type == "meta" for tensor in state.values())
