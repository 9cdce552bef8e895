"""`reelvet providers learn`: the declaration of a policy that is kept at a vendor."""

import json
import tomllib

import pytest


@pytest.fixture
def stored(here):
    (here / "one.json").write_text(json.dumps({"id": "block.1", "scenario": "block"}))
    (here / "other.json").write_text(json.dumps({"id": "pass.1", "scenario": "pass"}))
    return "one.json"


def test_it_is_ready_to_paste(acme, stored):
    called = acme("providers", "learn", stored, "--provider", "acme")
    assert called.code == 0
    assert tomllib.loads(called.out) == {
        "providers": {
            "acme": {
                "biz_types": {
                    "reels 1": {"covers": [{"labels": ["sexual.explicit.pornography"], "channels": ["visual"]}]}
                }
            }
        }
    }
    assert "Check it" in called.err


def test_as_json(acme, stored):
    told = acme("providers", "learn", stored, "--provider", "acme", "--json").json
    assert told["setting"] == "biz_types"
    assert told["policies"]["reels 1"]["covers"][0]["channels"] == ["visual"]
    assert [note["code"] for note in told["notes"]] == ["biz_type_refused"]


@pytest.mark.parametrize("payload", ["one.json", "other.json"])
def test_what_is_left_out_is_told(acme, stored, payload):
    called = acme("providers", "learn", payload, "--provider", "acme")
    assert "Left out: 'a!' is no name of a BizType." in called.err
    assert "a!" not in called.out


def test_of_a_task_at_the_vendor(acme):
    called = acme("providers", "learn", "--task", "block.7", "--provider", "acme")
    assert called.code == 0
    assert "sexual.explicit.pornography" in called.out


def test_nothing_was_seen(acme, stored):
    called = acme("providers", "learn", "other.json", "--provider", "acme")
    assert called.code == 12
    assert "Nothing was seen" in called.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--provider", "acme"], 2, "give a PAYLOAD, or a --task"),
        (["one.json"], 2, "--provider"),
        (["gone.json", "--provider", "acme"], 2, "gone.json"),
        (["one.json", "--provider", "runner"], 2, "has no policies whose declaration could be learned. That is for acme"),
        (["one.json", "--provider", "acne"], 2, "acme"),
    ],
)  # fmt: skip
def test_what_cannot_be_learned_from(acme, stored, arguments, code, says):
    called = acme("providers", "learn", *arguments)
    assert called.code == code
    assert says in called.err


def test_the_list_is_as_it_was(acme):
    assert "Acme Vision" in acme("providers").out
    assert "learn" in acme("providers", "--help").out
