"""The sandbox as a whole, from Python and over its control port."""

import json
import socket
import sys
import threading
import types
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from reelvet import Config
from reelvet.errors import ConfigurationError, PluginBroken, PluginNotFound
from reelvet.plugins import ProviderSpec, Registry
from reelvet.sandbox import Emulator, Sandbox

URL = {"url": "https://cdn.example.com/a.mp4"}


def test_where_everything_is(sandbox):
    told = sandbox.describe()
    assert set(told) == {"providers", "control"}
    assert set(told["providers"]) == {"acme"}
    assert told["providers"]["acme"]["settings"] == {"api_key": "sesame", "nested": {"region name": "moon"}}
    assert told["providers"]["acme"]["base_url"] == sandbox.base_url("acme") != sandbox.control == told["control"]
    assert sandbox.settings("acme")["base_url"] == sandbox.base_url("acme")
    assert sandbox.base_url("acme").startswith("http://127.0.0.1:")


def test_an_emulator_knows_where_it_is_while_it_is_served():
    class Pointing(Emulator):
        id = "pointing"
        routes = ()

        def settings(self):
            return {"second_url": self.base_url}

        def answer(self, call):
            raise AssertionError

        def failure(self, call, status):
            raise AssertionError

    registry = Registry()
    registry.register(ProviderSpec("pointing", "Pointing", "x:X", sandbox="pointing_sandbox:Pointing"))
    module = types.ModuleType("pointing_sandbox")
    module.Pointing = Pointing
    sys.modules["pointing_sandbox"] = module
    try:
        served = Sandbox(registry=registry)
        with served:
            assert served.settings("pointing")["second_url"] == served.base_url("pointing")
            assert served.describe()["providers"]["pointing"]["settings"] == {"second_url": served.base_url("pointing")}
        assert served._emulator("pointing").base_url is None
    finally:
        del sys.modules["pointing_sandbox"]


def test_its_configuration_is_one(sandbox):
    config = Config.parse(sandbox.config())
    assert config.use == "acme"
    assert config.providers["acme"]["base_url"] == sandbox.base_url("acme")
    assert config.polling.first < 0.1
    assert Config.parse(sandbox.config(use="acme-2")).use == "acme-2"


def test_requests_are_kept_byte_for_byte(sandbox, acme):
    body = '{"url":  "https://cdn.example.com/ü.mp4"}'.encode()
    acme("POST", "/v1/tasks?a=%2F&b=c+d", body, X_Twice="ä")
    (received,) = sandbox.requests("acme")
    assert (received.method, received.path, received.query) == ("POST", "/v1/tasks", "a=%2F&b=c+d")
    assert received.body == body
    assert received.header("X-Api-Key") == "sesame"
    assert [name for name, _ in received.headers][:2] == ["host", "content-length"]
    assert (received.operation, received.status) == ("create", 201)
    acme("GET", "/v1/a%2Fb/%C3%BC")
    assert sandbox.requests()[-1].path == "/v1/a%2Fb/%C3%BC"
    assert (sandbox.requests()[-1].operation, sandbox.requests()[-1].status) == (None, 404)
    assert "sesame" not in repr(received)


def test_tasks_prove_what_was_created(sandbox, acme):
    acme("POST", "/v1/tasks", URL | {"n": 1})
    acme("POST", "/v1/tasks", {"url": "https://sandbox.reelvet.example/sport.mp4"})
    first, second = sandbox.tasks("acme")
    assert (first.id, first.provider, first.operation, first.phase, first.scenario) == (
        "t0",
        "acme",
        "create",
        "queued",
        "clean",
    )
    assert first.data == URL | {"n": 1}
    assert second.scenario == "sport"
    sandbox.clock.advance(2)
    assert sandbox.tasks()[0].phase == "running"


def test_reset_is_as_at_the_start(sandbox, acme):
    sandbox.scenario("https://cdn.example.com/a.mp4", "violence")
    acme("POST", "/v1/tasks", URL)
    sandbox.fault("acme", "cut")
    sandbox.set_up("acme", per_second=1)
    sandbox.clock.advance(500)
    sandbox.reset()
    assert (sandbox.tasks(), sandbox.requests(), sandbox.faults(), sandbox.clock.now()) == ([], [], [], 0)
    assert sandbox.setups()["acme"]["per_second"] is None
    assert acme("POST", "/v1/tasks", URL).json == {"id": "t0"}
    assert sandbox.tasks()[0].scenario == "clean"


def test_a_url_stands_for_a_scenario_by_name_or_by_data(sandbox, acme):
    sandbox.scenario(URL["url"], "violence")
    acme("POST", "/v1/tasks", URL)
    sandbox.scenario(URL["url"], {"name": "own", "duration": 3})
    acme("POST", "/v1/tasks", URL)
    assert [task.scenario for task in sandbox.tasks()] == ["violence", "own"]
    with pytest.raises(ConfigurationError, match="Did you mean 'violence'"):
        sandbox.scenario(URL["url"], "violense")


def test_quotas_can_be_set_and_a_wrong_one_is_refused(sandbox, acme):
    assert sandbox.set_up("acme", per_second=2, parallel=1)["parallel"] == 1
    assert [acme("GET", "/v1/batch").status for _ in range(3)] == [200, 200, 429]
    for wrong, says in (
        ({"persecond": 1}, "did you mean 'per_second'"),
        ({"parallel": 0}, "greater than or equal to 1"),
    ):
        with pytest.raises(ConfigurationError, match=says):
            sandbox.set_up("acme", **wrong)


def test_wrong_credentials_are_seen_before_anything_else(sandbox, acme):
    assert acme("POST", "/v1/tasks", URL, key="simsim").status == 401
    assert not sandbox.tasks()


def test_a_mistake_of_an_emulators_author_is_no_vendors_answer(sandbox, acme, caplog):
    answer = acme("GET", "/v1/break")
    assert answer.status == 500
    assert b"The emulator of acme is at fault" in answer.body
    assert sandbox.requests()[0].error == "ZeroDivisionError: a mistake"
    assert "acme" in caplog.text


# --- control ---


def test_the_control_port_has_all_of_it(sandbox, acme, control):
    assert control("GET", "/").json == sandbox.describe()
    number = control("POST", "/faults", {"provider": "acme", "kind": "too_many", "times": 2}).json["id"]
    assert acme("GET", "/v1/batch").status == 429
    (fault,) = control("GET", "/faults").json["faults"]
    assert (fault["kind"], fault["left"], fault["struck"]) == ("too_many", 1, 1)
    assert control("DELETE", f"/faults/{number}").status == 200
    assert control("DELETE", f"/faults/{number}").status == 400
    control("POST", "/faults", {"kind": "cut"})
    control("DELETE", "/faults")
    assert control("GET", "/faults").json == {"faults": []}

    assert control("POST", "/scenarios", {"name": "own", "duration": 7, "urls": [URL["url"]]}).json["duration"] == 7
    assert "own" in [scenario["name"] for scenario in control("GET", "/scenarios").json["scenarios"]]
    acme("POST", "/v1/tasks", URL)
    (task,) = control("GET", "/tasks?provider=acme").json["tasks"]
    assert (task["id"], task["phase"], task["scenario"]) == ("t0", "queued", "own")
    assert control("POST", "/clock", {"advance": 1.2}).json["now"] == control("GET", "/clock").json["now"] == 1.2
    assert control("GET", "/tasks").json["tasks"][0]["phase"] == "running"
    assert control("POST", "/clock", {"speed": 2}).json["speed"] == 2
    assert control("POST", "/clock", {"speed": 0}).status == 200

    requests = control("GET", "/requests").json["requests"]
    assert [(one["operation"], one["status"]) for one in requests] == [("batch", 429), ("create", 201)]
    assert json.loads(requests[1]["body"]) == URL
    assert control("POST", "/setup", {"provider": "acme", "queue": 3}).json["queue"] == 3
    assert control("GET", "/setup").json["acme"]["queue"] == 3
    assert control("GET", "/callbacks").json == {"callbacks": []}
    assert control("POST", "/reset").status == 200
    assert control("GET", "/requests").json == {"requests": []}


@pytest.mark.parametrize(
    ("method", "path", "data", "says"),
    [
        ("POST", "/faults", b"{", "is no JSON"),
        ("POST", "/clock", {"forward": 1}, "the clock has no forward. Give `advance` (seconds), `speed`, or both."),
        ("POST", "/clock", {"advance": -1}, "not negative"),
        ("POST", "/setup", {"queue": 1}, "`provider`"),
        ("POST", "/setup", {"provider": "acme", "queue": "x"}, "queue"),
        ("POST", "/scenarios", {"name": "own", "x": 1}, "x: no such field"),
        ("GET", "/tasks?provider=nobody", None, "there is no emulator of 'nobody'"),
    ],
)
def test_the_control_port_says_what_is_wrong(control, method, path, data, says):
    answer = control(method, path, data)
    assert answer.status == 400
    assert says in answer.json["error"]["message"]


def test_credentials_are_masked_on_the_control_port(sandbox, acme, control):
    acme(
        "GET", "/v1/batch", Authorization="APIKey hush", X_Auth_Token="hush", X_Security_Token="hush", X_TC_Token="hush"
    )
    headers = dict(control("GET", "/requests").json["requests"][0]["headers"])
    assert {headers[name] for name in ("authorization", "x-auth-token", "x-security-token", "x-tc-token")} == {"***"}
    assert sandbox.requests()[0].header("authorization") == "APIKey hush"


def test_a_body_that_is_no_text_is_shown_in_base64(acme, control):
    acme("GET", "/v1/batch", b"\xff\x00")
    assert control("GET", "/requests").json["requests"][0]["body_base64"] == "/wA="


# --- starting and stopping ---


def test_it_frees_its_ports_and_can_start_again(registry):
    sandbox = Sandbox(registry=registry)
    with sandbox:
        port = int(sandbox.control.rpartition(":")[2])
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    with pytest.raises(ConfigurationError, match="does not serve"):
        _ = sandbox.control
    with sandbox:
        assert sandbox.control


def test_ports_are_in_order_and_a_taken_one_is_named(registry):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=rf"cannot listen on 127.0.0.1, port {port}: .* Choose another --port"
        ):
            Sandbox(registry=registry, port=port).start()
    try:
        with Sandbox(registry=registry, port=port) as sandbox:
            assert sandbox.control.endswith(f":{port}")
            assert sandbox.base_url("acme").endswith(f":{port + 1}")
    except ConfigurationError:
        pytest.skip("the next port belongs to somebody else")


def test_it_listens_on_ipv6_too(registry):
    try:
        with Sandbox(registry=registry, host="::1") as sandbox:
            assert sandbox.control.startswith("http://[::1]:")
    except ConfigurationError:
        pytest.skip("this machine has no IPv6")


def test_who_has_no_emulator_and_who_is_not_there(registry):
    with pytest.raises(ConfigurationError, match=r"provider 'plain' has no emulator\. These have one: acme"):
        Sandbox(["plain"], registry=registry)
    with pytest.raises(PluginNotFound):
        Sandbox(["nobody"], registry=registry)


def test_a_broken_emulator_stops_others_only_if_it_was_named(registry):
    registry.register(ProviderSpec("broken", "Broken", "b:B", sandbox="no_such_module_anywhere:X"))
    sandbox = Sandbox(registry=registry)
    assert sandbox.providers == ("acme",)
    assert "no_such_module_anywhere" in str(sandbox.problems[0])
    with pytest.raises(PluginBroken, match="no_such_module_anywhere"):
        sandbox.set_up("broken", queue=1)
    with pytest.raises(PluginBroken):
        Sandbox(["acme", "broken"], registry=registry)


def test_without_any_emulator_it_says_so(registry):
    empty = type(registry)()
    with pytest.raises(ConfigurationError, match="no installed provider has an emulator"):
        Sandbox(registry=empty)


@pytest.mark.parametrize("package", ["uvicorn", "starlette"])
def test_without_the_extra_it_says_how_to_get_it(registry, monkeypatch, package):
    for name in [name for name in sys.modules if name.startswith(("reelvet.sandbox.serving", "reelvet.sandbox.control", "reelvet.sandbox.wire", package))]:  # fmt: skip
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigurationError, match=rf"needs the package {package}.*pip install 'reelvet\[sandbox\]'"):
        Sandbox(registry=registry).start()


def test_scenarios_of_ones_own_stay_after_a_reset(registry, tmp_path):
    (tmp_path / "own.yaml").write_text("scenarios: [{name: own, urls: ['https://h.example/o.mp4']}]")
    sandbox = Sandbox(registry=registry, scenarios=[tmp_path])
    sandbox.scenario(None, {"name": "passing"})
    sandbox.reset()
    assert "own" in {scenario.name for scenario in sandbox.scenarios()}
    assert "passing" not in {scenario.name for scenario in sandbox.scenarios()}


def test_an_emulator_needs_no_more_than_it_says(monkeypatch):
    assert Emulator.__abstractmethods__ == {"settings", "answer", "failure"}


# --- callbacks ---


@pytest.fixture
def listener():
    """Somebody on this machine who takes callbacks."""
    got, arrived = [], threading.Semaphore(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.headers["X-Task"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            arrived.release()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def wait(number):
        return all(arrived.acquire(timeout=5) for _ in range(number))

    yield types.SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/cb?x=1", got=got, wait=wait)
    server.shutdown()
    thread.join()
    server.server_close()


def settled(sandbox):
    """The callbacks, once each is sent or given up."""
    until = threading.Event()
    for _ in range(500):
        if all(delivery.settled for delivery in sandbox.callbacks()):
            break
        until.wait(0.01)
    return sandbox.callbacks("acme")


def test_a_callback_comes_when_its_time_has_come(sandbox, acme, listener):
    acme("POST", "/v1/tasks", URL | {"callback": listener.url})
    assert listener.got == []
    sandbox.clock.advance(3.9)
    assert not sandbox.callbacks()[0].settled
    sandbox.clock.advance(0.2)
    assert listener.wait(1)
    assert listener.got == [("/cb?x=1", "t0", b'{"done": true}')]
    assert [delivery.status for delivery in settled(sandbox)] == [204]


def test_a_callback_that_comes_twice_and_late(sandbox, acme, listener):
    sandbox.fault("acme", "callback_twice", copies=3)
    sandbox.fault("acme", "callback_late", seconds=100)
    acme("POST", "/v1/tasks", URL | {"callback": listener.url})
    sandbox.clock.advance(50)
    assert not any(delivery.settled for delivery in sandbox.callbacks())
    sandbox.clock.advance(60)
    assert listener.wait(3)
    assert len(set(listener.got)) == 1
    assert sandbox.faults() == []


def test_a_fast_clock_needs_no_pushing(registry, listener, raw):
    with Sandbox(registry=registry, speed=1000) as sandbox:
        raw(sandbox.base_url("acme"))("POST", "/v1/tasks", URL | {"callback": listener.url})
        assert listener.wait(1)


def test_what_has_not_been_sent_before_a_reset_is_not_sent_any_more(sandbox, acme, listener):
    acme("POST", "/v1/tasks", URL | {"callback": listener.url})
    sandbox.reset()
    sandbox.clock.advance(1000)
    acme("POST", "/v1/tasks", URL | {"callback": listener.url})
    sandbox.clock.advance(1000)
    assert listener.wait(1)
    assert len(settled(sandbox)) == len(listener.got) == 1


@pytest.mark.parametrize("url", ["http://example.com/cb", "https://127.0.0.1/cb", "http://10.0.0.1/cb", "http://[::ffff:10.0.0.1]/", "ftp://localhost/", "http://127.0.0.1.example.com/", "//localhost/", "http://[bad"])  # fmt: skip
def test_callbacks_go_to_this_machine_only(sandbox, acme, url):
    acme("POST", "/v1/tasks", URL | {"callback": url})
    sandbox.clock.advance(100)
    (delivery,) = settled(sandbox)
    assert delivery.status is None
    assert "this machine only" in delivery.error


def test_a_callback_that_nobody_takes_is_told(sandbox, acme):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    acme("POST", "/v1/tasks", URL | {"callback": f"http://127.0.0.1:{port}/"})
    sandbox.clock.advance(100)
    (delivery,) = settled(sandbox)
    assert "ConnectionRefusedError" in delivery.error
    assert delivery.dump()["body"] == '{"done": true}'
