import json
from pathlib import Path

from ddmi_core.training.history import CurveName, History
from ddmi_core.training.run_folder import RunFolder

LOSS = CurveName("autoencoder", "losses", "loss")


def _line(step: int, **more: object) -> str:
    return json.dumps({"time": 1.0, "stage": "autoencoder", "step": step, "losses": {"loss": 1 / step}, **more}) + "\n"


def test_events_are_followed_while_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    history = History(file)
    assert not history.refresh() and history.names() == []
    whole = _line(3)
    file.write_text(_line(1) + _line(2, learning_rate=0.5) + whole[:20])
    assert history.refresh()
    assert history.curve(LOSS).steps.tolist() == [1, 2]
    assert history.curve(CurveName("autoencoder", "figures", "learning_rate")).values.tolist() == [0.5]
    assert not history.refresh()
    with file.open("a") as stream:
        stream.write(whole[20:])
    assert history.refresh()
    assert history.curve(LOSS).values.tolist() == [1, 1 / 2, 1 / 3]
    assert history.latest["step"] == 3


def test_a_damaged_line_costs_that_line_alone(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(_line(1).encode() + b'{"time": 2, "sta\n\xff\xfe\n' + _line(2).encode())
    history = History(file)
    history.refresh()
    assert history.curve(LOSS).steps.tolist() == [1, 2]


def test_an_event_that_a_power_failure_cut_short_does_not_spoil_the_next(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.events_file.write_text(_line(1) + _line(2)[:15])
    run.prepare()
    run.record(stage="autoencoder", step=3, losses={"loss": 0.25})
    assert [event["step"] for event in run.events()] == [1, 3]


def test_steps_that_are_trained_again_replace_the_first_ones(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    again = json.dumps({"stage": "autoencoder", "step": 2, "message": "resumed", "back_to": 2}) + "\n"
    file.write_text("".join(_line(step) for step in (1, 2, 3, 4)) + again + _line(3) + _line(5))
    history = History(file)
    history.refresh()
    assert history.curve(LOSS).steps.tolist() == [1, 2, 3, 5]


def test_what_is_said_counts_until_the_next_step(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    history = History(file)
    said = [
        json.dumps({"stage": "diffusion", "step": 0, "message": f"encoded {count} of 20 examples"}) + "\n"
        for count in (5, 9)
    ]
    file.write_text(_line(1) + "".join(said))
    history.refresh()
    assert history.message == "encoded 9 of 20 examples" and history.latest["step"] == 1
    with file.open("a") as stream:
        stream.write(_line(2))
    history.refresh()
    assert history.message == ""


def test_another_run_in_the_same_place_is_read_from_its_start(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(_line(step) for step in (1, 2, 3)))
    history = History(file)
    history.refresh()
    file.write_text(_line(1))
    history.refresh()
    assert history.curve(LOSS).steps.tolist() == [1]


def test_a_long_run_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(_line(step) for step in range(1, 100_001)))
    history = History(file)
    history.refresh()
    assert len(history.curve(LOSS).steps) == 100_000
