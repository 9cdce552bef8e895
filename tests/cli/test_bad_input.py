"""Bad input, from the command line: each is refused with the field, the value (never a secret) and the way out."""

import json
from dataclasses import dataclass, field

import pytest

URL = "https://media.test/pass.mp4"
JOB = {"job.json": "{}"}


def job(**fields):
    return {"job.json": json.dumps({"media": URL, **fields})}


@dataclass(frozen=True)
class Bad:
    """What is given, and what the error names: its class, the field, the value, what to do."""

    arguments: tuple
    names: tuple
    kind: str = "InvalidJob"
    files: dict = field(default_factory=dict)
    config: str = 'use = "acme"\n[providers.acme]\n'
    environ: dict = field(default_factory=dict)
    code: int = 2


VET = ("moderate", "--job", "job.json")
CASES = {
    "media of a wrong type": Bad(VET, ("media", "3", "pathlib.Path"), files=job(media=3)),
    "media that is a path as text": Bad(VET, ("media.url", "'clip.mp4'", "pathlib.Path"), files=job(media="clip.mp4")),
    "a scheme that nobody reads": Bad(("moderate", "ftp://h/a.mp4"), ("media.url", "'ftp'", "https")),
    "no media": Bad(("moderate",), ("media", "Give MEDIA")),
    "an interval below zero": Bad(("moderate", URL, "--interval", "-1"), ("interval", "-1", "above 0")),
    "an interval that is no number": Bad(
        ("moderate", URL, "--interval", "x"), ("--interval", "'x'", "--help"), "UsageError"
    ),
    "an unknown label": Bad(
        ("moderate", URL, "--detect", "violance"), ("detect", "'violance'", "'violence'"), "UnknownLabel"
    ),
    "no label at all": Bad(("moderate", URL, "--detect", "Not a label"), ("detect", "'Not a label'", "lower case")),
    "an empty label": Bad(("moderate", URL, "--detect", ""), ("detect", "''", "lower case")),
    "an unknown channel": Bad(("moderate", URL, "--channel", "smell"), ("channels", "'smell'", "'visual'")),
    "an unknown kind": Bad(("moderate", URL, "--kind", "gif"), ("media.kind", "'gif'", "'video'")),
    "an unknown option": Bad(
        ("moderate", URL, "--option", "acme.prio=1"), ("acme.prio", "'priority'"), "InvalidOptions"
    ),
    "an option of a wrong type": Bad(
        ("moderate", URL, "--option", "acme.priority=high"), ("acme.priority", "'high'", "number"), "InvalidOptions"
    ),
    "options for one who takes none": Bad(
        ("moderate", URL, "--option", "runner.x=1"), ("options.runner", "x", "Take them out"), "InvalidOptions"
    ),
    "an unknown switch": Bad(("moderate", URL, "--detct", "x"), ("--detct", "--help"), "UsageError"),
    "an unknown command": Bad(("moderat", URL), ("moderat", "--help"), "UsageError"),
    "an unknown field": Bad(VET, ("detct", "'detect'"), files=job(detct=[])),
    "a score that is none": Bad(("moderate", URL, "--stop-on", "sexual=9"), ("stop_on", "9", "at most 1")),
    "metadata without a name": Bad(("moderate", URL, "--metadata", "x"), ("--metadata", "'x'", "NAME=TEXT")),
    "a deadline that is none": Bad(("moderate", URL, "--deadline", "soon"), ("deadline", "'soon'", "seconds")),
    "a deadline that has passed": Bad(
        ("moderate", URL, "--deadline", "2020-01-01T00:00:00Z"), ("deadline", "2020-01-01", "later moment")
    ),
    "a deadline without a time zone": Bad(
        ("moderate", URL, "--deadline", "2030-01-01T00:00:00"), ("deadline", "2030-01-01", "time zone")
    ),
    "a price that is none": Bad(("moderate", URL, "--max-cost", "much"), ("max_cost", "'much'", "0.50 USD")),
    "a callback that is none": Bad(("moderate", URL, "--callback", "me"), ("callback.url", "'me'", "https://")),
    "a transcript that nobody writes": Bad(
        ("moderate", URL, "--transcript", "en"), ("transcript", "acme", "another instance"), "UnsupportedFeature"
    ),
    "a label that nobody sees": Bad(
        ("moderate", URL, "--detect", "gambling"), ("detect", "gambling", "on_unsupported"), "UnsupportedFeature"
    ),
    "no such file": Bad(("moderate", "no.mp4"), ("no.mp4", "MEDIA is a file")),
    "a directory": Bad(("moderate", "."), (". is a directory", "one file")),
    "an empty file": Bad(("moderate", "empty.mp4"), ("empty.mp4 is empty", "again"), files={"empty.mp4": ""}),
    "a job in place of media": Bad(("moderate", "job.json"), ("job.json", "--job job.json"), files=JOB),
    "a job that is no JSON": Bad(VET, ("job.json", "no JSON", "that place"), files={"job.json": "{"}),
    "a job that is no object": Bad(VET, ("list", "reelvet schema job"), files={"job.json": "[]"}),
    "a job that is not there": Bad(VET, ("job.json", "exists")),
    "no such instance": Bad(("moderate", URL, "--use", "acne"), ("'acne'", "'acme'"), "UnknownInstance"),
    "no such policy": Bad(("moderate", URL, "--policy", "kid"), ("'kid'", "'kids'")),
    "a policy that is none": Bad(
        ("moderate", URL, "--policy", "p.toml"), ("block", "2", "at most 1"), files={"p.toml": "block = 2\n"}
    ),
    "a key of the configuration that is unknown": Bad(
        ("moderate", URL), ("polisy", "'policy'"), "ConfigurationError", config="polisy = 1\n"
    ),
    "a wrong type in the configuration": Bad(
        ("moderate", URL), ("polling.first", "'soon'", "number"), "ConfigurationError", config='[polling]\nfirst = "soon"\n'
    ),
    "a wrong type in an instance": Bad(
        ("moderate", URL), ("acme", "quality", "whole number", "acme.settings"), "ConfigurationError",
        config='[providers.acme]\nquality = "best"\n',
    ),
    "a profile that is not there": Bad(
        ("moderate", URL), ("profile", "'gone'", "[profiles.NAME]"), "ConfigurationError", config='profile = "gone"\n'
    ),
    "a profile that is no name": Bad(
        ("moderate", URL), ("profile", "[1]", "[profiles.NAME]"), "ConfigurationError", config="profile = [1]\n"
    ),
    "a configuration that is no TOML": Bad(
        ("moderate", URL), ("reelvet.toml", "line 1", "that place"), "ConfigurationError", config="use = x"
    ),
    "a secret that is missing": Bad(
        ("moderate", URL), ("providers.acme.api_key", "ACME_API_KEY"), "MissingSecret", environ={"ACME_API_KEY": ""}
    ),
    "a reference that leads nowhere": Bad(
        ("moderate", URL), ("providers.acme.api_key", "NOT_SET", "Set NOT_SET"), "ConfigurationError",
        config='[providers.acme]\napi_key = "env:NOT_SET"\n',
    ),
    "a variable that is none": Bad(
        ("moderate", URL), ("REELVET_USES", "REELVET_USE"), "ConfigurationError", environ={"REELVET_USES": "x"}
    ),
    "a word for the network that is none": Bad(
        ("moderate", "http://h/a.mp4", "--use", "local"), ("REELVET_NETWORK", "'perhaps'", "off"), "ConfigurationError",
        environ={"REELVET_NETWORK": "perhaps"},
    ),
    "a provider that is not installed": Bad(
        ("moderate", URL), ("'gone'", "Install"), "PluginNotFound", config="[providers.gone]\n"
    ),
    "a ticket that is none": Bad(
        ("wait", "t.json"), ("key", "is required", "submit"), "InvalidTicket", files={"t.json": "{}"}
    ),
    "a ticket that is no JSON": Bad(("wait", "t.json"), ("no JSON", "JSON"), "InvalidTicket", files={"t.json": "x"}),
    "a ticket of a later version": Bad(
        ("wait", "t.json"), ("schema", "7", "Upgrade"), "InvalidTicket", files={"t.json": '{"schema": 7}'}
    ),
    "a ticket that is not there": Bad(("wait", "album"), ("'album'", "path of a ticket"), "InvalidTicket"),
    "a directory for a ticket": Bad(("status", "."), (". is a directory", "path of a ticket"), "InvalidTicket"),
    "a payload that is none": Bad(
        ("normalize", "p.json", "--provider", "local"), ("local engine", "status", "tasks[].raw"), files={"p.json": "{}"}
    ),
    "a payload of a wrong type": Bad(
        ("normalize", "p.json", "--provider", "local"), ("hits", "3", "tasks[].raw"), files={"p.json": '{"hits": 3}'}
    ),
    "a payload that is no JSON": Bad(
        ("normalize", "p.json", "--provider", "local"), ("p.json", "no JSON", "that place"), files={"p.json": "x"}
    ),
    "a payload of nobody": Bad(
        ("normalize", "p.json", "--provider", "acne"), ("'acne'", "'acme'"), "UnknownInstance", files={"p.json": "{}"}
    ),
    "a place that cannot be written to": Bad(
        ("moderate", URL, "--out", "no/r.json"), ("--out", "r.json", "directory that exists")
    ),
    "a schema that is none": Bad(("schema", "jobb"), ("'jobb'", "'job'")),
    "a provider without options": Bad(("schema", "runner.options"), ("'runner'", "options", "reelvet schema")),
    "an operation that is none": Bad(
        ("find", "k", "--use", "runner"), ("runner", "key", "ticket"), "LookupUnsupported"
    ),
    "a task that cannot be elsewhere": Bad(
        ("adopt", "runner", "t-1"), ("runner", "Submit the job"), "OperationUnsupported"
    ),
    "a vendor that refuses": Bad(
        ("moderate", "https://media.test/rejected.mp4"), ("acme", "does not like it", "reelvet plan"), "InvalidRequest",
        code=12,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_refused_with_field_value_and_way_out(reelvet, here, monkeypatch, case):
    (here / "reelvet.toml").write_text(case.config)
    for name, text in case.files.items():
        (here / name).write_text(text)
    for name, value in case.environ.items():
        monkeypatch.setenv(name, value)
    called = reelvet(*case.arguments, "--json")
    error = called.json["error"]
    assert (called.code, error["type"]) == (case.code, case.kind)
    told = f"{error.get('field')} {error['message']}"
    assert not [name for name in case.names if name not in told]
    assert error["way_out"]
    assert error["message"].endswith(error["way_out"])
    assert error["message"].count(error["way_out"]) == 1
    assert ".." not in error["message"].replace("...", "")
    assert "sesame-1234" not in called.out


@pytest.mark.parametrize(
    ("source", "kind", "way"),
    [
        ("http://127.0.0.1:9/a.mp4?sign=s3cr3t", "FetchRefused", "[fetch] allow"),
        ("text.mp4", "MediaRejected", "Give a video or a picture"),
    ],
)
def test_a_job_that_failed_is_data_and_says_the_way_out_too(reelvet, here, source, kind, way):
    """Law 7: what is wrong with the media is no error of the call."""
    (here / "text.mp4").write_text("no video at all\n")
    called = reelvet("moderate", source, "--use", "local", "--json")
    (task,) = called.json["tasks"]
    assert (called.code, task["error"]["type"]) == (12, kind)
    assert way in task["error"]["message"]
    assert "s3cr3t" not in called.out
