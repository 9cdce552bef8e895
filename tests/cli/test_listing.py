"""`reelvet providers`, `labels`, `schema`: what there is."""

import json

import pytest


def test_providers_as_a_matrix_in_80_columns(acme):
    called = acme("providers")
    assert called.code == 0
    assert "Acme Vision" in called.out
    assert "Acme's cellar" in called.out
    assert "10 video (others" in called.out
    assert max(map(len, called.out.splitlines())) <= 80


def test_providers_in_full(acme):
    cards = {card["id"]: card for card in acme("providers", "--json").json["providers"]}
    assert cards["acme"]["distribution"] == "reelvet-acme 1.0"
    assert cards["acme"]["operations"] == ["cancel", "find", "learn"]
    assert cards["acme"]["parallel"] == [
        {"media": "video", "tasks": 10, "waits": True},
        {"media": "live", "tasks": 100, "waits": False},
    ]
    assert cards["runner"]["parallel"] == []
    assert cards["acme"]["needs_account"] is True
    assert cards["acme"]["labels"][0] == {
        "label": "sexual.explicit.pornography", "channels": ["visual"], "relation": "exact", "floor": None, "languages": None,
        "media": ["video", "image"], "switch": "all",
    }  # fmt: skip


@pytest.mark.parametrize("shown", [[], ["--json"]])
def test_providers_tells_broken_plugins(acme, distribution, shown):
    distribution("broken-dist", "broken = broken_plugin", {"broken_plugin.py": "raise RuntimeError('out of order')"})
    called = acme("providers", *shown)
    assert called.code == 0
    assert "broken-dist 1.0" in called.out
    assert "out of order" in called.out
    assert "acme" in called.out


def test_listing_imports_no_implementation(start):
    code = """
import sys
from reelvet.cli.run import run
code = run(["providers", "--json"])
loaded = [name for name in sys.modules if name in ("reelvet_acme.provider", "reelvet_local.provider", "httpx", "aiohttp", "av", "onnxruntime", "numpy")]
sys.stderr.write(repr((code, loaded)))
"""
    process = start(code=code)
    out, err = process.communicate(timeout=30)
    assert err == "(0, [])"
    assert {"acme", "runner"} <= {card["id"] for card in json.loads(out)["providers"]}


def test_labels(acme):
    everything = acme("labels", "--json").json
    assert len([label for label in everything["labels"] if label["kind"] == "harm"]) == 106
    some = acme("labels", "violence")
    assert "violence.graphic.blood_gore" in some.out
    assert "sexual" not in some.out
    assert max(map(len, some.out.splitlines())) <= 80


def test_labels_of_a_provider(acme):
    called = acme("labels", "--provider", "acme")
    assert "Gore" in called.out
    assert "nothing found" in called.out
    rows = acme("labels", "violence", "--provider", "acme", "--json").json["map"]
    assert [(row["native"], row["label"], row["relation"]) for row in rows] == [
        ("Gore", "violence.graphic.blood_gore", "close")
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["violance"], "Did you mean 'violence'"), (["--provider", "acne"], "no installed plugin provides 'acne'")],
)
def test_labels_that_are_not_known(acme, arguments, says):
    called = acme("labels", *arguments)
    assert called.code == 2
    assert says in called.err


@pytest.mark.parametrize(
    ("name", "field"),
    [("job", "media"), ("media", "path"), ("plan", "requests"), ("ticket", "sealed"), ("result", "findings"), ("policy", "rules"), ("config", "providers"),
     ("finding", "native"), ("coverage", "through"), ("task", "payload"), ("acme.settings", "api_key"), ("acme.options", "priority")],
)  # fmt: skip
def test_schema(acme, name, field):
    schema = acme("schema", name).json
    assert field in schema["properties"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_schemas_are_listed(acme):
    assert "result" in acme("schema").out
    assert set(acme("schema", "--json").json) >= {"job", "media", "plan", "ticket", "result", "policy", "config"}


@pytest.mark.parametrize(
    ("name", "says"),
    [("jop", "Did you mean 'job'?"), ("runner.options", "has no options"), ("zzz", "There are job, media")],
)
def test_schema_that_is_not_known(acme, name, says):
    called = acme("schema", name)
    assert called.code == 2
    assert says in called.err
