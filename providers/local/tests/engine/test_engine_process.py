"""The worker processes: what they are given, how they are stopped, how they die."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from reelvet_local.child import WorkerError
from reelvet_local.engine import Engine
from reelvet_local.outcome import Outcome

FLASH = [250 if 50 <= i < 75 else 20 for i in range(150)]  # bright in the third of six seconds


def fake(name, **options):
    return Engine(workers=1, detector=f"fake_detectors:{name}", **options)


def all_workers():
    found = set()
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # gone, or not reaped yet
            if "reelvet_local.worker" in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


@pytest.fixture
def workers():
    """Process ids of the workers that this test started."""
    before = all_workers()
    return lambda: sorted(all_workers() - before)


def environ(pid):
    return Path(f"/proc/{pid}/environ").read_bytes()


def data_size(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmData"))


async def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


# --- what comes back --------------------------------------------------------------------------------------------------


async def test_hits_progress_and_facts(encode):
    seen = []
    async with fake("Slow") as engine:
        outcome = await engine.run(encode("a.mp4", FLASH), interval=0.2, on_progress=seen.append)
    assert outcome.status == "succeeded"
    assert {round(hit.start, 3) for hit in outcome.hits} >= {2.0, 2.2, 2.4, 2.6, 2.8}
    assert outcome.through == 6.0
    assert outcome.detector.name == "bright"
    assert [p.frames for p in seen] == sorted(p.frames for p in seen)
    assert seen[-1].duration == 6.0
    assert any(p.seconds and 0 < p.seconds < 6 for p in seen)


async def test_outcome_survives_json(encode):
    """The outcome is the raw payload of a result: it is stored and read again."""
    async with fake("Bright") as engine:
        outcome = await engine.run(encode("a.mp4", FLASH))
        failed = await engine.run("/nowhere.mp4")
    for each in (outcome, failed):
        assert Outcome.from_dict(json.loads(json.dumps(each.as_dict()))) == each


async def test_thumbnails_only_where_a_directory_is_named(encode, tmp_path):
    path = encode("a.mp4", FLASH, size=(1280, 720))
    async with fake("Bright") as engine:
        without = await engine.run(path)
        outcome = await engine.run(path, thumbnails=tmp_path / "new" / "pictures", run_id="job-1")
    assert {hit.thumbnail for hit in without.hits} == {None}
    pictures = sorted((tmp_path / "new" / "pictures").iterdir())
    assert [str(picture) for picture in pictures] == sorted({hit.thumbnail for hit in outcome.hits})
    assert pictures[0].name.startswith("job-1-")
    with Image.open(pictures[0]) as picture:
        assert (picture.format, picture.size) == ("JPEG", (640, 360))
        assert np.asarray(picture).mean() == pytest.approx(250, abs=6)


async def test_thumbnails_are_upright(encode, tmp_path):
    async with fake("Bright") as engine:
        path = encode("a.mp4", [250] * 5, rotation=90, size=(640, 480))
        outcome = await engine.run(path, thumbnails=tmp_path)
    with Image.open(outcome.hits[0].thumbnail) as picture:
        assert picture.size == (480, 640)


# --- stopping ---------------------------------------------------------------------------------------------------------


async def test_stop_on_stops_decoding(encode):
    """The run ends at the frame that met the score, and claims nothing beyond it."""
    async with fake("Bright") as engine:
        outcome = await engine.run(encode("a.mp4", FLASH * 20), stop_on={"bright": 0.9})
    assert outcome.status == "succeeded"
    assert outcome.stopped_early
    assert [hit.start for hit in outcome.hits if hit.label == "bright"] == [2.0]
    assert outcome.through == 2.0
    assert outcome.sampling.frames == 3
    assert outcome.sampling.largest_gap == 1.0


async def test_stop_on_that_is_never_met_changes_nothing(encode):
    path = encode("a.mp4", FLASH)
    async with fake("Bright") as engine:
        plain, outcome = await engine.run(path), await engine.run(path, stop_on={"bright": 1.0, "red": 0.5})
    assert outcome == plain
    assert not outcome.stopped_early


async def test_stop_on_below_the_report_floor_is_reported(encode):
    """What stopped the run is always among the hits."""
    async with fake("Bright") as engine:
        outcome = await engine.run(encode("a.mp4", [100] * 50), stop_on={"bright": 0.3})
    assert [(hit.label, hit.start) for hit in outcome.hits] == [("bright", 0.0)]


async def test_cancel_in_the_middle(encode, workers):
    """Within a second, with what was found so far; the worker lives on."""
    path = encode("a.mp4", [250] * 250)
    async with fake("Slow") as engine:
        await engine.detector()
        before = workers()
        run = asyncio.create_task(engine.run(path, interval=0.04, run_id="mine"))
        await asyncio.sleep(1.0)
        asked = time.monotonic()
        assert engine.cancel("mine")
        outcome = await run
        assert time.monotonic() - asked < 1.5
        assert outcome.status == "canceled"
        assert outcome.error is None
        assert 0 < len(outcome.hits) < 250
        assert outcome.through == max(hit.start for hit in outcome.hits)
        assert workers() == before
        assert (await engine.run(path)).status == "succeeded"
    assert not engine.cancel("mine")


async def test_cancel_while_waiting_for_a_worker(encode):
    path = encode("a.mp4", [250] * 100)
    async with fake("Slow") as engine:
        first = asyncio.create_task(engine.run(path, interval=0.04, run_id="first"))
        second = asyncio.create_task(engine.run(path, run_id="second"))
        await asyncio.sleep(0.5)
        assert engine.cancel("second")
        assert engine.cancel("first")
        assert {(await first).status, (await second).status} == {"canceled"}
        assert (await second).facts is None


async def test_canceled_task_leaves_no_process_behind(encode, workers):
    """Canceling the asyncio task ends the run, its worker, and leaves the engine usable."""
    path = encode("a.mp4", [250] * 250)
    async with fake("Slow") as engine:
        run = asyncio.create_task(engine.run(path, interval=0.04))
        await until(workers)
        await asyncio.sleep(0.8)
        before = workers()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert not set(before) & set(workers())
        assert (await engine.run(path)).status == "succeeded"


async def test_event_loop_is_not_blocked(encode):
    async with fake("Slow") as engine:
        await engine.detector()
        run = asyncio.create_task(engine.run(encode("a.mp4", [250] * 50), interval=0.04))
        longest, last = 0.0, time.monotonic()
        while not run.done():
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert run.result().sampling.frames == 50
    assert longest < 1.0


async def test_pool_is_bounded(encode, workers):
    """Five runs on two workers: never more than two processes, each model loaded once."""
    path = encode("a.mp4", FLASH)
    async with Engine(workers=2, detector="fake_detectors:Slow") as engine:
        runs = [asyncio.create_task(engine.run(path)) for _ in range(5)]
        seen = set()
        while not all(run.done() for run in runs):
            assert len(workers()) <= 2
            seen |= set(workers())
            await asyncio.sleep(0.02)
        assert len(seen) == 2
        assert {run.result().status for run in runs} == {"succeeded"}
    assert workers() == []


# --- dying ------------------------------------------------------------------------------------------------------------


async def test_crash_fails_the_run_and_nothing_else(encode):
    """The hits before the crash are kept, the cause is named, and the next run gets a new worker."""
    levels = [200 if i < 25 else 20 if i < 50 else 250 for i in range(100)]
    async with fake("Crashing") as engine:
        outcome = await engine.run(encode("a.mp4", levels), interval=0.04, report_floor=0.7)
        assert outcome.status == "failed"
        assert outcome.error.code == "worker_died"
        assert "SIGKILL" in outcome.error.message
        assert len([hit for hit in outcome.hits if hit.label == "bright"]) == 25
        assert outcome.facts.codec == "h264"
        assert (await engine.run(encode("b.mp4", [20] * 50))).status == "succeeded"


async def test_worker_killed_while_idle_is_replaced(encode, workers):
    path = encode("a.mp4", FLASH)
    async with fake("Bright") as engine:
        await engine.run(path)
        (pid,) = workers()
        os.kill(pid, signal.SIGKILL)
        await until(lambda: pid not in workers())
        await asyncio.sleep(0.2)
        assert (await engine.run(path)).status == "succeeded"


async def test_worker_that_hangs_is_given_up(encode):
    async with fake("Hanging", stall_timeout=1.0) as engine:
        outcome = await engine.run(encode("a.mp4", FLASH))
    assert outcome.error.code == "worker_died"
    assert "no progress for 1 s" in outcome.error.message


async def test_cancel_of_a_worker_that_hangs(encode, monkeypatch):
    monkeypatch.setattr("reelvet_local.engine._GRACE", 0.3)
    async with fake("Hanging") as engine:
        run = asyncio.create_task(engine.run(encode("a.mp4", FLASH), run_id="mine"))
        await asyncio.sleep(1.0)
        engine.cancel("mine")
        assert (await run).status == "canceled"


async def test_detector_that_raises(encode):
    levels = [20] * 50 + [250] * 50
    async with fake("Raising") as engine:
        outcome = await engine.run(encode("a.mp4", levels), report_floor=0)
        assert outcome.error.code == "detector_failed"
        assert "ArithmeticError: too bright" in outcome.error.message
        assert outcome.through == 1.0
        assert outcome.sampling.frames == 2
        assert (await engine.run(encode("b.mp4", [20] * 50))).status == "succeeded"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("fake_detectors:Unloadable", "no weights here"),
        ("fake_detectors:Incomplete", "lacks version, width"),
        ("fake_detectors:Absent", "cannot be imported"),
        ("no_such_module:Absent", "cannot be imported"),
        ("nonsense", "package.module:Class"),
    ],
)
async def test_detector_that_cannot_be_loaded(encode, path, words, workers):
    async with Engine(workers=1, detector=path) as engine:
        outcome = await engine.run(encode("a.mp4", FLASH))
        assert outcome.error.code == "detector_failed"
        assert words in outcome.error.message
        with pytest.raises(WorkerError, match=words):
            await engine.detector()
    assert workers() == []


async def test_close_ends_what_runs(encode, workers):
    engine = fake("Slow")
    run = asyncio.create_task(engine.run(encode("a.mp4", [250] * 250), interval=0.04))
    await until(workers)
    await asyncio.sleep(0.8)
    await engine.close()
    assert (await run).error.code == "worker_died"
    assert workers() == []
    with pytest.raises(RuntimeError, match="closed"):
        await engine.run("a.mp4")


# --- what the child is given ------------------------------------------------------------------------------------------


async def test_secrets_of_the_parent_are_not_in_the_child(encode, monkeypatch, workers):
    """The child sees where to find programs and libraries, and no credential whatever its name."""
    for name in ("AWS_SECRET_ACCESS_KEY", "GCORE_TOKEN", "HTTPS_PROXY", "PYTHONPATH", "HOME", "my_password"):
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    async with fake("Environment") as engine:
        outcome = await engine.run(encode("a.mp4", [20] * 5))
        (pid,) = workers()
        environment = environ(pid)
    names = {hit.label for hit in outcome.hits}
    assert "PATH" in names
    assert "OPENBLAS_NUM_THREADS" in names
    assert not names & {"AWS_SECRET_ACCESS_KEY", "GCORE_TOKEN", "HTTPS_PROXY", "PYTHONPATH", "HOME", "my_password"}
    assert b"hush" not in environment


async def test_limits_and_session_of_the_child(encode, workers):
    """No core dumps, no large files, bounded memory; and Ctrl-C in the terminal does not reach it."""
    async with fake("Bright", max_memory=3 << 30) as engine:
        await engine.run(encode("a.mp4", [20] * 5))
        (pid,) = workers()
        assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
        assert resource.prlimit(pid, resource.RLIMIT_FSIZE)[0] == 64 << 20
        assert resource.prlimit(pid, resource.RLIMIT_DATA)[0] == 3 << 30
        assert os.getsid(pid) == pid != os.getsid(0)
        assert psutil.Process(pid).cwd() == "/"


async def test_decoding_beyond_the_memory_limit_fails_the_run(encode, workers):
    """With room for one 8K frame and not for several, the run fails, and the worker goes on."""
    path, small = (
        encode("a.mp4", [20, 20], size=(7680, 4320), options={"preset": "ultrafast"}),
        encode("b.mp4", [20] * 5),
    )
    async with fake("Bright") as engine:
        await engine.run(small)
        (pid,) = workers()
        needed = data_size(pid)
    async with fake("Bright", max_memory=needed + (60 << 20)) as engine:
        outcome = await engine.run(path)
        after = await engine.run(small)
    assert outcome.error, outcome
    assert outcome.error.code == "decode_failed"
    assert after.status == "succeeded", after


def test_child_ends_with_its_parent(encode, tmp_path):
    """Killed without a chance to tidy up, the parent leaves nothing behind, even if a fork holds the pipe open."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, os, signal, sys, time\n"
        "from reelvet_local.engine import Engine\n"
        "async def main():\n"
        "    engine = Engine(workers=1, detector='fake_detectors:Slow')\n"
        "    await engine.detector()\n"
        "    pid = engine._idle[0].process.pid\n"
        "    fork = os.fork()\n"
        "    if not fork:\n"
        "        time.sleep(30)\n"
        "        os._exit(0)\n"
        "    print(pid, fork, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    with done:
        worker, fork = map(int, done.stdout.readline().split())
    try:
        deadline = time.monotonic() + 10
        while psutil.pid_exists(worker) and psutil.Process(worker).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(fork, signal.SIGKILL)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python 3.12 warns of fork in a process with threads
def test_engine_after_a_fork(encode, workers):
    """A forked process gets workers of its own and leaves the parent's alone."""
    path = encode("a.mp4", FLASH)
    engine = fake("Bright")

    async def parent():
        outcome = await engine.run(path)
        (pid,) = workers()
        child = os.fork()
        if not child:
            code = 1
            try:
                asyncio.get_event_loop_policy().set_event_loop(None)
                asyncio._set_running_loop(None)
                code = 0 if asyncio.run(again()) == outcome else 2
            finally:
                os._exit(code)
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert workers() == [pid]
        assert await engine.run(path) == outcome
        await engine.close()

    async def again():
        async with engine:
            return await engine.run(path)

    asyncio.run(parent())


def test_engine_module_loads_nothing_heavy():
    """Importing the engine costs the application no decoder, no model and no numpy."""
    code = (
        "import sys, reelvet_local.engine\n"
        "print(sorted({'av', 'numpy', 'onnxruntime', 'PIL', 'pydantic', 'httpx'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env).stdout
        == "[]\n"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"report_floor": 1.5}, "report_floor"),
        ({"interval": 0}, "interval"),
        ({"sampling": "sometimes"}, "sampling"),
        ({"run_id": "../up"}, "run_id"),
    ],
)
async def test_options_out_of_range(options, words, workers):
    async with fake("Bright") as engine:
        with pytest.raises(ValueError, match=words):
            await engine.run("a.mp4", **options)
    with pytest.raises(ValueError, match="workers"):
        Engine(workers=0)
