"""Ctrl-C: quick, nothing lost, and another process goes on."""

import json
import os
import signal
import time

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as a terminal sends them")


def wait_for(path):
    until = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < until, f"{path} did not appear"
        time.sleep(0.02)


@pytest.mark.parametrize("instance", ["acme", "runner"])
def test_interrupted_and_resumed_by_another_process(start, state, here, instance):
    (here / "reelvet.toml").write_text(f'use = "{instance}"\n[polling]\nfirst = 0.01\n')
    process = start("moderate", "https://media.test/slow.mp4?sig=hush", "--key", "k1")
    ticket = state / "tickets" / "k1.json"
    wait_for(ticket)
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert out == ""
    assert str(ticket) in err
    assert "reelvet wait k1" in err
    assert "Traceback" not in err
    assert "hush" not in err
    assert ticket.exists()

    resumed = start("wait", "k1", "--json", ACME_DONE="1")
    out, err = resumed.communicate(timeout=20)
    assert resumed.returncode == 0, err
    assert json.loads(out)["verdict"] == "pass"
    assert not ticket.exists()


def test_interrupted_with_json_says_so_in_json(start, state, here):
    (here / "reelvet.toml").write_text('use = "runner"\n')
    process = start("moderate", "https://media.test/slow.mp4", "--key", "k1", "--json")
    wait_for(state / "tickets" / "k1.json")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    error = json.loads(out)["error"]
    assert (error["type"], error["key"]) == ("Interrupted", "k1")
    assert error["ticket"] == str(state / "tickets" / "k1.json")
    assert "reelvet wait k1" in error["message"]
    assert err == ""


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.003, 0.01, 0.05])
def test_ctrl_c_that_comes_twice_at_once_is_one(start, state, here, pause):
    (here / "reelvet.toml").write_text('use = "runner"\n')
    process = start("moderate", "https://media.test/slow.mp4", "--key", "k1")
    wait_for(state / "tickets" / "k1.json")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(pause)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "reelvet wait k1" in err
    assert "Traceback" not in err
