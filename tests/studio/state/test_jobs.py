from __future__ import annotations

import pytest

from studio.state.jobs import Job, JobQueue


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> JobQueue:
    return JobQueue(clock)


def add(queue: JobQueue, *, quiet: bool = False) -> Job:
    return queue.add(queue.new_id(), "a chair", None, quiet=quiet)


def test_the_time_left_follows_from_the_work_and_not_from_loading(queue: JobQueue, clock: Clock) -> None:
    job = add(queue)
    queue.start(job.id)
    clock.now += 50  # loading
    queue.progress(job.id, 0.0, "step 0 of 10")
    assert job.eta is None
    clock.now += 2
    queue.progress(job.id, 0.2, "step 2 of 10")
    assert job.eta == pytest.approx(8.0)
    clock.now += 3
    queue.progress(job.id, 0.5, "step 5 of 10")
    assert job.eta == pytest.approx(5.0)


def test_progress_never_goes_back_or_past_the_end(queue: JobQueue) -> None:
    job = add(queue)
    queue.start(job.id)
    queue.progress(job.id, 0.5, "half")
    queue.progress(job.id, 0.1, "less")
    assert job.fraction == 0.5
    queue.progress(job.id, 7.0, "more")
    assert job.fraction == 1.0


def test_late_reports_about_an_ended_job_are_ignored(queue: JobQueue) -> None:
    job = add(queue)
    queue.start(job.id)
    queue.cancelled(job.id)
    queue.progress(job.id, 0.9, "still here")
    queue.fail(job.id, "too late")
    queue.start(job.id)
    assert (job.status, job.error, job.fraction) == ("cancelled", "", 0.0)


def test_quiet_and_finished_jobs(queue: JobQueue) -> None:
    loud, quiet = add(queue), add(queue, quiet=True)
    ended: list[tuple[Job, int]] = []
    queue.changed.connect(lambda job: None if job.is_active else ended.append((job, len(queue))))
    assert queue.active() == [loud]
    assert queue.active(quiet=True) == [loud, quiet]
    queue.start(loud.id)
    queue.finish(loud.id)
    assert ended == [(loud, 1)] and queue.get(loud.id) is None and queue.active(quiet=True) == [quiet]


def test_a_job_being_cancelled_says_so_until_it_ends(queue: JobQueue) -> None:
    job = add(queue)
    queue.start(job.id)
    queue.mark_cancelling(job.id)
    queue.progress(job.id, 0.4, "step 4 of 10")
    assert (job.status, job.text, job.eta) == ("running", "cancelling", None)
    queue.cancelled(job.id)
    assert job.status == "cancelled" and not job.is_active


def test_the_newest_job_of_a_room_and_how_long_it_runs(queue: JobQueue, clock: Clock) -> None:
    first = queue.add(queue.new_id(), "a chair", None, room="shape")
    other = queue.add(queue.new_id(), "a cat", None, room="image")
    second = queue.add(queue.new_id(), "a sofa", None, room="shape")
    queue.add(queue.new_id(), "Refine the view", None, quiet=True, room="shape")
    assert (queue.newest("shape"), queue.newest("image"), queue.newest("video")) == (second, other, None)
    queue.start(first.id)
    clock.now += 12
    assert (queue.seconds(first), queue.seconds(second)) == (12, 0)
    queue.mark_cancelling(second.id)
    assert queue.newest("shape") is first
