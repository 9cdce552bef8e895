"""The kill switch, and spans and metrics that say enough and nothing secret."""

import io
import subprocess
import sys
import threading

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from reelvet.http import Effect, Fetcher, Request, RetryPolicy, Session, check_network, network_disabled, telemetry
from reelvet.schema.errors import ConfigurationError, NetworkDisabled, ProviderError


def read(url):
    return Request.build("GET", url, effect=Effect.READ, operation="Describe")


async def test_the_switch_stops_session_and_fetcher_before_anything_is_sent(server):
    async with Session(provider="acme") as session:
        with network_disabled():
            with pytest.raises(NetworkDisabled, match=r"127\.0\.0\.1"):
                await session.send(read(server.url))
            with pytest.raises(NetworkDisabled):
                await Fetcher(allow=["127.0.0.1"]).fetch(server.url, to=io.BytesIO(), max_bytes=10)
        assert server.connections == 0
        await session.send(read(server.url))
    assert len(server.received) == 1


async def test_a_proxy_is_stopped_too(server):
    async with Session(provider="acme", proxy=server.url) as session:
        with network_disabled(allow=("public.test",)), pytest.raises(NetworkDisabled):
            await session.send(read("http://public.test/"))
    assert server.connections == 0


async def test_no_name_is_even_resolved_while_the_switch_is_on():
    async def resolver(host, port):
        raise AssertionError("resolved")

    with network_disabled(), pytest.raises(NetworkDisabled):
        await Fetcher(resolver=resolver).fetch("http://public.test/", to=io.BytesIO(), max_bytes=10)


def test_hosts_are_allowed_by_name_and_the_strictest_of_nested_switches_holds():
    with network_disabled(allow=("localhost", "127.0.0.1")):
        check_network("LOCALHOST")
        with network_disabled(allow=("127.0.0.1",)):
            check_network("127.0.0.1")
            with pytest.raises(NetworkDisabled):
                check_network("localhost")
        check_network("localhost")
        with pytest.raises(NetworkDisabled):
            check_network("127.0.0.2")


def test_the_switch_holds_in_other_threads():
    """The synchronous facade has a loop in a thread of its own."""
    caught = []

    def work():
        try:
            check_network("elsewhere.example")
        except NetworkDisabled as error:
            caught.append(error)

    with network_disabled():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("word", "loopback", "elsewhere"),
    [("off", False, False), ("LOOPBACK", True, False), ("on", True, True), ("", True, True)],
)
def test_the_environment_turns_it_on(word, loopback, elsewhere):
    code = """
import sys
from reelvet.http import check_network
from reelvet.schema.errors import NetworkDisabled
for host in ("127.0.0.1", "elsewhere.example"):
    try:
        check_network(host); print(True)
    except NetworkDisabled:
        print(False)
"""
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "REELVET_NETWORK": word},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(loopback), str(elsewhere)]


def test_an_unknown_word_in_the_environment_is_no_permission(monkeypatch):
    monkeypatch.setenv("REELVET_NETWORK", "offf")
    with pytest.raises(ConfigurationError, match="offf"):
        check_network("127.0.0.1")


# --- telemetry --------------------------------------------------------------------------------------------------

_spans = InMemorySpanExporter()
_reader = InMemoryMetricReader()


@pytest.fixture(scope="module")
def providers():
    """OpenTelemetry lets its providers be set once per process; here they are handed out only while these tests run."""
    tracer = TracerProvider()
    tracer.add_span_processor(SimpleSpanProcessor(_spans))
    return tracer, MeterProvider([_reader])


@pytest.fixture
def otel(providers, monkeypatch):
    tracer, meter = providers
    monkeypatch.setattr(trace, "get_tracer", tracer.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", meter.get_meter)
    _spans.clear()


def points(name):
    data = _reader.get_metrics_data()
    return [
        point
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    ]


async def test_a_call_is_one_span_with_its_tries_in_the_metrics(server, wires, otel):
    server.replies = [wires[0](b"", 503), wires[0]()]
    async with Session(provider="acme", instance="acme-otel", retry=RetryPolicy(base=0)) as session:
        await session.send(read(server.url + "/task/canary?sign=canary"))
    (span,) = _spans.get_finished_spans()
    assert span.name == "reelvet.http Describe"
    assert span.attributes["reelvet.instance"] == "acme-otel"
    assert span.attributes["http.response.status_code"] == 200
    durations = [p for p in points("reelvet.http.duration") if p.attributes["reelvet.instance"] == "acme-otel"]
    assert {p.attributes["outcome"]: p.count for p in durations} == {"ok": 1, "VendorUnavailable": 1}
    (retries,) = [p for p in points("reelvet.http.retries") if p.attributes["reelvet.instance"] == "acme-otel"]
    assert retries.value == 1
    assert "canary" not in span.to_json() + str([p.attributes for p in durations])


async def test_a_failed_call_marks_its_span_by_type_and_quotes_nobody(server, wires, otel):
    server.replies = [wires[0](b"canary", 400)]
    async with Session(provider="acme") as session:
        with pytest.raises(ProviderError):
            await session.send(read(server.url + "/canary"))
    (span,) = _spans.get_finished_spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["error.type"] == "InvalidRequest"
    assert "canary" not in span.to_json()


def test_without_opentelemetry_everything_works_and_nothing_is_imported():
    code = """
import sys
sys.modules["opentelemetry"] = None
from reelvet.http import telemetry
with telemetry.span("a", {"b": 1}) as span:
    span.set_attribute("c", 2)
telemetry.count("n"); telemetry.record("d", 1.0)
print("fine")
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "fine\n"


def test_without_an_sdk_nothing_piles_up():
    """Each meter that is asked for before an SDK is set is kept for good by OpenTelemetry, with its instruments."""
    code = """
from opentelemetry.metrics import _internal as otel
from reelvet.http import telemetry
for _ in range(100):
    with telemetry.span("s"):
        telemetry.count("n"); telemetry.record("d", 1.0)
print(len(otel._PROXY_METER_PROVIDER._meters))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_an_sdk_that_is_set_later_is_told():
    """What was asked for before it was there is handed on to it."""
    code = """
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from reelvet.http import telemetry

def work():
    with telemetry.span("s"):
        telemetry.count("n")

work()
spans, reader, tracer = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()
tracer.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracer)
metrics.set_meter_provider(MeterProvider([reader]))
work()
(resource,) = reader.get_metrics_data().resource_metrics
print([span.name for span in spans.get_finished_spans()], resource.scope_metrics[0].metrics[0].data.data_points[0].value)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['s'] 1\n"


def test_absent_attributes_are_left_out(otel):
    with telemetry.span("s", {"here": 1, "absent": None}):
        pass
    (span,) = _spans.get_finished_spans()
    assert dict(span.attributes) == {"here": 1}
