from studio.panels import status
from studio.panels.status import StatusBar


def test_of_a_gpu_the_memory_in_use_is_shown(qtbot, state, actions, monkeypatch):
    asked: list[str] = []

    def memory(device: str) -> tuple[int, int] | None:
        asked.append(device)
        return (3 * 2**30, 24 * 2**30) if device == "cuda:1" else None

    monkeypatch.setattr(status, "gpu_memory", memory)
    bar = StatusBar(state, actions)
    qtbot.addWidget(bar)
    assert bar.device.text() == ""
    bar.set_device("cpu")
    assert bar.device.text() == "cpu"
    bar.set_device("cuda:1")
    assert bar.device.text() == "cuda:1  ·  3.0 of 24.0 GB"
