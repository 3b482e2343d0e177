import json
import logging
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.known_runs import forget, known_runs, register
from ddmi_core.support.paths import user_data
from ddmi_core.training.ownership import Owner, RunState, owned, set_state, status_of
from ddmi_core.training.run_folder import RunFolder, Stopped


def _note(run: RunFolder, state: RunState, owner: Owner) -> None:
    run.status_file.write_text(json.dumps({"state": state, "message": "", "owner": asdict(owner)}))


def test_a_run_is_running_while_it_is_owned_and_done_afterwards(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert status_of(run).state == "interrupted"
    with owned(run):
        assert status_of(run).state == "running"
        assert status_of(run).owner == Owner.this_process()
        set_state(run, "paused")
        assert status_of(run).is_alive
    assert status_of(run).state == "done"


def test_only_one_process_trains_in_a_folder(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from ddmi_core.training.ownership import owned\nfrom ddmi_core.training.run_folder import RunFolder\n"
        "with owned(RunFolder(Path(sys.argv[1]))):\n    print('mine', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdin is not None and other.stdout is not None
    with other, pytest.raises(DDMIError, match=f"Process {other.pid} on .* is training") as refused:
        assert other.stdout.readline() == b"mine\n"
        try:
            with owned(RunFolder(tmp_path)):
                pass
        finally:
            other.kill()
    assert "stop it" in str(refused.value)
    assert status_of(RunFolder(tmp_path)).state == "interrupted"
    with owned(RunFolder(tmp_path)):  # a killed owner's lock is free
        pass


def test_a_process_of_the_same_number_is_not_the_owner(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    me = Owner.this_process()
    _note(run, "running", me)
    assert status_of(run).state == "running"
    _note(run, "running", replace(me, started=me.started - 3600))
    assert status_of(run).state == "interrupted"


def test_an_owner_on_another_machine_is_judged_by_its_heartbeat(tmp_path: Path) -> None:
    import os

    run = RunFolder(tmp_path)
    _note(run, "running", Owner(1, "elsewhere", 0.0))
    assert status_of(run).state == "running"
    with pytest.raises(DDMIError, match="elsewhere"), owned(run):
        pass
    os.utime(run.status_file, (0, 0))
    assert status_of(run).state == "interrupted"


def test_a_failure_leaves_a_report_with_the_last_lines_of_the_log(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with pytest.raises(RuntimeError), owned(run):
        logging.getLogger("ddmi_core.training").info("about to fail")
        raise RuntimeError("the GPU is gone")
    status = status_of(run)
    assert status.state == "failed" and "the GPU is gone" in status.message and "about to fail" in status.log
    report = run.crash_file.read_text()
    assert "about to fail" in report and "Traceback" in report
    with owned(run):
        assert not run.crash_file.exists()


def test_a_run_that_was_told_to_stop_is_stopped(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with pytest.raises(Stopped), owned(run):
        raise Stopped
    assert status_of(run).state == "stopped"


def test_a_command_that_nobody_obeyed_is_void(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.command("stop")
    with owned(run):
        assert run.take_command() is None


def test_damaged_notes_do_not_hide_a_run(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for text in ("", "[]", '{"state": "flying"}'):
        run.status_file.write_text(text)
        assert status_of(run).state == "interrupted"


def test_known_runs_are_those_at_home_and_those_registered(tmp_path: Path) -> None:
    assert known_runs() == []
    home, elsewhere = user_data() / "runs" / "one", tmp_path / "two"
    for folder in (home, elsewhere):
        folder.mkdir(parents=True)
        (folder / "run.yaml").write_text("name: x\n")
        register(folder)
    assert set(known_runs()) == {home, elsewhere}
    forget(elsewhere)
    assert known_runs() == [home]
    with pytest.raises(DDMIError, match="not a run folder"):
        register(tmp_path)
