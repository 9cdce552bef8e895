"""Who waits for a ticket shares the work with all others who do, and nobody ends it for them."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from reelvet import AsyncModerator, ModerationJob, Moderator, Status, Verdict
from reelvet.schema.errors import TaskConflict, WaitTimeout
from reelvet_local.spool import Spool, sweep


async def running(moderator, ticket):
    while (await moderator.status(ticket)).status is not Status.RUNNING:
        await asyncio.sleep(0.01)


async def test_a_hasty_waiter_leaves_the_work_to_the_others(bright_config, clip):
    async with AsyncModerator(bright_config("Slow", interval=0.2)) as moderator:
        ticket = await moderator.submit(ModerationJob(media=clip(255, *[0] * 7)))
        patient = asyncio.create_task(moderator.wait(ticket))
        await running(moderator, ticket)
        with pytest.raises(WaitTimeout):
            await moderator.wait(ticket, timeout=0.2)
        assert (await moderator.status(ticket)).status is Status.RUNNING
        assert (await patient).status is Status.SUCCEEDED


async def test_the_last_waiter_to_leave_ends_the_work_and_the_ticket_still_stands(bright_config, clip):
    async with AsyncModerator(bright_config("Slow", interval=0.2)) as moderator:
        ticket = await moderator.submit(ModerationJob(media=clip(255, *[0] * 7)))
        with pytest.raises(WaitTimeout):
            await moderator.wait(ticket, timeout=1)
        assert (await moderator.status(ticket)).status is Status.QUEUED
        assert (await moderator.wait(ticket)).status is Status.SUCCEEDED


async def test_a_cancel_after_the_last_waiter_left_gives_what_was_seen(bright_config, clip):
    async with AsyncModerator(bright_config("Slow", interval=0.2)) as moderator:
        ticket = await moderator.submit(ModerationJob(media=clip(255, *[0] * 60)))
        with pytest.raises(WaitTimeout):
            await moderator.wait(ticket, timeout=2)
        result = await moderator.cancel(ticket)
        assert (result.status, result.findings[0].start) == (Status.CANCELED, 0.0)
        assert (await moderator.status(ticket)).status is Status.CANCELED


async def test_who_comes_while_the_last_one_is_leaving_gets_work_of_their_own(bright_config, clip):
    async with AsyncModerator(bright_config("Slow", interval=0.2)) as moderator:
        ticket = await moderator.submit(ModerationJob(media=clip(255, *[0] * 4)))
        first = asyncio.create_task(moderator.wait(ticket))
        await running(moderator, ticket)
        first.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (await moderator.wait(ticket)).status is Status.SUCCEEDED


async def test_waiting_for_a_turn_can_be_given_up(bright_config, clip):
    """One worker, and it is busy: whose time is up need not wait until it is free."""
    async with AsyncModerator(bright_config("Slow", interval=0.04)) as moderator:
        long = asyncio.create_task(moderator.moderate(ModerationJob(media=clip(*[0] * 60, rate=25))))
        await asyncio.sleep(1)
        started = time.monotonic()
        with pytest.raises(WaitTimeout):
            await moderator.moderate(ModerationJob(media=clip(0, name="b.mp4")), timeout=0.2)
        assert time.monotonic() - started < 1
        assert not long.done()
        long.cancel()


async def test_two_tickets_of_one_key_share_nothing(bright_config, clip):
    """From two processes, say: neither knows of the other's job."""
    media = {255: clip(*[255] * 4, name="bright.mp4"), 0: clip(*[0] * 4, name="dark.mp4")}
    tickets = {}
    for level, path in media.items():
        async with AsyncModerator(bright_config("Slow")) as other:
            tickets[level] = await other.submit(ModerationJob(media=path, key="user-42"))
    assert len({ticket.tasks[0].ref.id for ticket in tickets.values()}) == 2
    async with AsyncModerator(bright_config("Slow", interval=0.2, workers=2)) as moderator:
        bright, dark = await asyncio.gather(*(moderator.wait(ticket) for ticket in tickets.values()))
    assert (bright.verdict, dark.verdict) == (Verdict.BLOCK, Verdict.PASS)


async def test_other_work_under_the_id_of_a_run_is_refused(bright_config, clip):
    async with AsyncModerator(bright_config("Slow", interval=0.2)) as moderator:
        ticket = await moderator.submit(ModerationJob(media=clip(*[0] * 10)))
        waiter = asyncio.create_task(moderator.wait(ticket))
        await running(moderator, ticket)
        provider = next(iter(moderator._instances.values())).provider
        other = moderator.plan(ModerationJob(media=clip(255, name="b.mp4"))).tasks[0]
        with pytest.raises(TaskConflict, match="other work"):
            await provider.run(ticket.tasks[0].ref, other)
        waiter.cancel()


def test_canceled_during_the_download_all_waiters_are_told(bright_config, server):
    server.files["/slow.mp4"] = b"\0" * 1000
    with Moderator(bright_config(fetch={"allow": [server.host]})) as moderator:
        result = moderator.moderate(ModerationJob(media=f"{server.url}/slow.mp4", deadline=timedelta(seconds=1)))
    assert result.status is Status.CANCELED
    assert "deadline_passed" in {note.code for note in result.warnings}


# --- what stays behind ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_download_stays_behind_a_killed_process(server, clip, tmp_path, how):
    server.files["/a.mp4"] = clip(*[0] * 60, rate=25).read_bytes()
    spool = tmp_path / "spool"
    spool.mkdir()
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "# name: b\n# version: 1\nfield,native,unified,relation,channel,note\nb,bright,gambling,exact,visual,\n"
    )
    script = (
        "from reelvet import Config, ModerationJob, Moderator\n"
        f"table = dict(detector='fake_detectors:Slow', labels={str(labels)!r}, interval=0.04)\n"
        f"config = Config.parse(dict(use='local', providers=dict(local=table), fetch=dict(allow=[{server.host!r}])))\n"
        "tell = lambda progress: print(progress.says, flush=True)\n"
        "with Moderator(config) as moderator:\n"
        f"    moderator.moderate(ModerationJob(media='{server.url}/a.mp4'), on_progress=tell)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(spool)}
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment, text=True)
    with process:
        while "frames" not in process.stdout.readline():
            pass
        process.send_signal(how)
    assert process.returncode == -how
    assert list(spool.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    alive = Spool()
    for name, mode in (
        ("reelvet-stale", 0o700),
        ("reelvet-other", 0o755),
        ("unrelated", 0o700),
        ("reelvet-new", 0o700),
    ):
        (tmp_path / name).mkdir(mode=mode)
        (tmp_path / name / "media").touch()
    (tmp_path / "reelvet-link").symlink_to(tmp_path / "unrelated")
    for path in tmp_path.iterdir():
        if path.name not in {"reelvet-new", "reelvet-link"}:
            os.utime(path, (0, 0))
    # The lock is the process's own, so that only another one finds it taken.
    command = "from reelvet_local.spool import sweep; sweep()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", command], check=True, env=environment)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"reelvet-other", "unrelated", "reelvet-new", "reelvet-link", alive.path.parent.name}
    alive.remove()
    sweep()
    assert not alive.path.parent.exists()


def test_pictures_are_for_their_owner_alone(bright_config, clip, tmp_path):
    directory = tmp_path / "evidence"
    with Moderator(bright_config(thumbnails=str(directory))) as moderator:
        result = moderator.moderate(ModerationJob(media=clip(255)))
    picture = Path(result.findings[0].evidence.removeprefix("file://"))
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(picture.stat().st_mode) == 0o600


@pytest.mark.parametrize("place", ["file/x", "readonly"])
def test_pictures_that_cannot_be_written_are_an_honest_failure(bright, clip, tmp_path, place):
    (tmp_path / "file").touch()
    (tmp_path / "readonly").symlink_to("/proc/self")  # a directory in which nobody can make a file
    job = ModerationJob(media=clip(255), options={"local": {"thumbnails": str(tmp_path / place)}})
    result = bright.moderate(job)
    assert (result.status, result.tasks[0].error.code) == (Status.FAILED, "thumbnails")
    assert "`thumbnails`" in result.tasks[0].error.message
    assert bool(result.findings) is (place == "readonly")
