import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ddmi_core.training.tensor_file import read_tensors, write_tensors


def test_what_is_written_is_a_safetensors_file(tmp_path: Path) -> None:
    tensors = {
        "rows": torch.randn(3, 5),
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "half": torch.randn(7).half(),
        "brain": torch.randn(7).bfloat16(),
        "count": torch.tensor(3),
        "flags": torch.tensor([True, False]),
        "empty": torch.zeros(0, 4),
    }
    digest = write_tensors(tmp_path / "file", tensors)
    assert digest == hashlib.sha256((tmp_path / "file").read_bytes()).hexdigest()
    for read in (load_file(tmp_path / "file"), dict(read_tensors(tmp_path / "file"))):
        assert read.keys() == tensors.keys()
        for name, tensor in tensors.items():
            assert read[name].dtype == tensor.dtype and torch.equal(read[name], tensor)


def test_a_place_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        write_tensors(tmp_path / "nowhere" / "file", {"a": torch.zeros(1)})
