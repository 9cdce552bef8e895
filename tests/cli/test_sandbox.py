"""`reelvet sandbox`, as a process that serves until it is told to stop."""

import json
import os
import signal
import tomllib
import urllib.request

import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="signals as a terminal sends them")

MODULE = """
from reelvet.sandbox import Asset, Emulator, Reply, Route


class AcmeSandbox(Emulator):
    id = "acme"
    routes = (Route("hello", "GET", "/hello"),)

    def settings(self):
        return {"api_key": "sesame", "biz_types": {"reels 1": {"covers": [{"labels": ["sexual"], "n": 1}]}}}

    def assets(self):
        return (Asset("acme:1", "clean", "ready"),)

    def failure(self, call, status):
        return Reply(status, {})

    def answer(self, call):
        return Reply(200, {"now": self.world.clock.now()})
"""
PLUGIN = """
from reelvet.plugins import ProviderSpec, hookimpl


@hookimpl
def reelvet_register(register):
    register(ProviderSpec("emul", "Emul", "emul_sandbox:Nothing", sandbox="emul_sandbox:AcmeSandbox"))
"""
OWN = "scenarios:\n- name: kitchen-fire\n  says: A pan burns.\n  urls: ['https://cdn.example.com/k.mp4']\n"


@pytest.fixture(autouse=True)
def emulated(distribution, site, monkeypatch):
    """A provider with an emulator, and no other."""
    distribution("reelvet-emul", "emul = emul_plugin", {"emul_plugin.py": PLUGIN, "emul_sandbox.py": MODULE.replace('"acme"', '"emul"')})  # fmt: skip
    monkeypatch.setenv("REELVET_PLUGINS", "emul,acme")


def get(url):
    with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310  (its own server)
        return json.load(reply)


def end(process, how=signal.SIGINT):
    process.send_signal(how)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


@posix
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_json_is_one_line_and_it_serves_until_interrupted(start, how):
    process = start("sandbox", "--json")
    told = json.loads(process.stdout.readline())
    assert set(told) == {"providers", "control"}
    assert told["providers"]["emul"]["settings"]["api_key"] == "sesame"
    assert get(told["providers"]["emul"]["base_url"] + "/hello")["now"] >= 0
    assert get(told["control"]) == told
    code, out, err = end(process, how)
    assert (code, out) == (0, "")
    assert err == "reelvet: the sandbox has ended\n"


@posix
def test_what_is_printed_for_a_person_is_a_configuration(start):
    process = start("sandbox", "--provider", "emul")
    lines = [process.stdout.readline()]
    while not lines[-1].startswith("covers"):  # the last one
        lines.append(process.stdout.readline())
    config = tomllib.loads("".join(lines))
    assert config["use"] == "emul"
    table = config["providers"]["emul"]
    assert table["base_url"].startswith("http://127.0.0.1:")
    assert table["biz_types"] == {"reels 1": {"covers": [{"labels": ["sexual"], "n": 1}]}}
    assert "no vendor's word" in lines[0]
    assert end(process)[0] == 0


@posix
def test_port_speed_and_scenarios(start, here):
    (here / "own.yaml").write_text(OWN)
    process = start("sandbox", "--json", "--speed", "0", "--scenarios", "own.yaml", "--host", "localhost")
    told = json.loads(process.stdout.readline())
    assert get(told["control"] + "/clock")["speed"] == 0
    assert "kitchen-fire" in [scenario["name"] for scenario in get(told["control"] + "/scenarios")["scenarios"]]
    port = int(told["control"].rpartition(":")[2])
    other = start("sandbox", "--port", port)
    _, err = other.communicate(timeout=20)
    assert (other.returncode, f"cannot listen on 127.0.0.1, port {port}" in err) == (2, True)
    end(process)


def test_scenarios_are_listed(reelvet, here):
    told = reelvet("sandbox", "scenarios")
    assert told.code == 0
    assert "block-nudity" in told.out
    assert "https://sandbox.reelvet.example/NAME.mp4" in told.out
    assert "acme:1" in told.out
    (here / "own").mkdir()
    (here / "own" / "k.yaml").write_text(OWN)
    told = reelvet("sandbox", "scenarios", "--scenarios", "own", "--json").json
    last = told["scenarios"][-1]
    assert (last["name"], last["url"]) == ("kitchen-fire", "https://sandbox.reelvet.example/kitchen-fire.mp4")
    assert told["assets"] == {"emul": [{"id": "acme:1", "scenario": "clean", "says": "ready"}]}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--provider", "acme"], "provider 'acme' has no emulator. These have one: emul."),
        (["--provider", "nobody"], "no installed plugin provides 'nobody'"),
        (["--scenarios", "nowhere.yaml"], "nowhere.yaml cannot be read: No such file"),
        (["--port", "99999"], "--port"),
        (["--speed", "-1"], "--speed"),
        (["--host", "no.such.host.example"], "cannot listen on no.such.host.example"),
    ],
)
def test_what_cannot_be_is_told_with_the_way_out(reelvet, arguments, says):
    told = reelvet("sandbox", *arguments)
    assert told.code == 2
    assert says in told.err
    assert json.loads(reelvet("sandbox", *arguments, "--json").out)["error"]["message"]


def test_an_address_that_others_can_reach_is_warned_of(reelvet):
    told = reelvet("sandbox", "--host", "192.0.2.1")  # an address of nobody: it cannot be listened on
    assert "can be reached from other machines" in told.err
    assert told.code == 2


def test_without_the_extra_it_says_how_to_get_it(start):
    code = "import sys; sys.modules['uvicorn'] = None; from reelvet.cli import main; main()"
    process = start("sandbox", code=code)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "pip install 'reelvet[sandbox]'" in err
