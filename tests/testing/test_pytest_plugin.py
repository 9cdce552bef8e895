"""The fixture `reelvet_sandbox`, in a test session of its own as somebody else would have it."""

import os
import subprocess
import sys

import pytest

ACME = """
from reelvet.sandbox import Emulator, Reply, Route, Task


class AcmeSandbox(Emulator):
    id = "acme"
    routes = (Route("create", "POST", "/tasks"), Route("break", "GET", "/break"))

    def settings(self):
        return {"api_key": "sesame"}

    def failure(self, call, status):
        return Reply(status, {})

    def answer(self, call):
        if call.operation == "break":
            raise ZeroDivisionError("a mistake")
        scenario = self.world.catalogue.for_url(call.json["url"])
        self.tasks.add(Task(f"t{len(self.tasks)}", "create", call.json, scenario, queue=0, work=60))
        return Reply(201, {})
"""
PLUGIN = """
from reelvet.plugins import ProviderSpec, hookimpl


@hookimpl
def reelvet_register(register):
    register(ProviderSpec("acme", "Acme", "acme_sandbox:Nothing", sandbox="acme_sandbox:AcmeSandbox"))
"""
TESTS = """
import json
import threading
import time
import urllib.request

import pytest

seen = []


def post(url, data=b'{"url": "https://cdn.example.com/a.mp4"}'):
    return urllib.request.urlopen(urllib.request.Request(url, data)).status


@pytest.mark.parametrize("number", range(3))
def test_each_test_finds_it_as_new(reelvet_sandbox, number):
    assert reelvet_sandbox.tasks("acme") == []
    assert reelvet_sandbox.requests() == []
    assert post(reelvet_sandbox.base_url("acme") + "/tasks") == 201
    assert [task.id for task in reelvet_sandbox.tasks("acme")] == ["t0"]
    reelvet_sandbox.fault("acme", "cut", times=None)
    seen.append(reelvet_sandbox.base_url("acme"))


def test_it_is_started_once():
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert [thread.name for thread in threading.enumerate()].count("reelvet-sandbox") == 1


def test_a_task_of_a_minute_takes_milliseconds(reelvet_sandbox):
    post(reelvet_sandbox.base_url("acme") + "/tasks")
    began = time.monotonic()
    while reelvet_sandbox.tasks()[0].phase != "done":
        time.sleep(0.001)
    assert time.monotonic() - began < 1


def test_its_configuration(reelvet_sandbox):
    from reelvet import Config

    assert Config.parse(reelvet_sandbox.config()).use == "acme"


def test_that_an_emulators_mistake_is_told(reelvet_sandbox):
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(reelvet_sandbox.base_url("acme") + "/break")
"""


@pytest.fixture
def session(tmp_path):
    """Runs the tests of somebody who has a provider with an emulator installed."""
    (tmp_path / "acme_sandbox.py").write_text(ACME)
    (tmp_path / "acme_plugin.py").write_text(PLUGIN)
    info = tmp_path / "reelvet_acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: reelvet-acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[reelvet]\nacme = acme_plugin\n")

    def run(tests, **environ):
        (tmp_path / "test_theirs.py").write_text(tests)
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", "test_theirs.py"],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "REELVET_PLUGINS": "acme", **environ},
        )  # fmt: skip

    return run


def test_the_fixture_in_somebody_elses_tests(session):
    done = session(TESTS)
    assert "7 passed, 1 error" in done.stdout, done.stdout
    assert "the emulator itself failed: ZeroDivisionError: a mistake at GET /break" in done.stdout


def test_without_any_emulator_a_test_that_wants_one_is_told_so(session):
    done = session("def test_x(reelvet_sandbox): ...\ndef test_y(): ...\n", REELVET_PLUGINS="off")
    assert "1 passed, 1 error" in done.stdout, done.stdout
    assert "no installed provider has an emulator" in done.stdout


def test_nothing_is_started_where_nobody_asks(session):
    code = "import sys, threading\ndef test_x():\n    assert threading.active_count() == 1\n    assert not {'uvicorn', 'starlette', 'pydantic', 'reelvet.sandbox'} & set(sys.modules)\n"
    done = session(code)
    assert "1 passed" in done.stdout, done.stdout
