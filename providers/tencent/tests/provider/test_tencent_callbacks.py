"""Callbacks: what is trusted, what is refused, and what is one and the same event."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from reelvet.schema.errors import CallbackRejected, ConfigurationError
from reelvet_tencent.callbacks import LARGEST, sign

SAMPLES = Path(__file__).parents[1] / "samples"
VECTOR = json.loads((SAMPLES / "callback_signature_vector.json").read_text(encoding="utf-8"))
SEED = VECTOR["seed"]


@pytest.fixture
def parse(moderator):
    provider = moderator._instance("tencent").provider

    def parsed(body, signature=None, seeds=(SEED,)):
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        told = sign(content, SEED) if signature is None else signature
        return provider.parse_callback(
            content, {"x-signature": told} if told else {}, {}, [SecretStr(seed) for seed in seeds]
        )

    return parsed


def test_the_published_signature_holds(parse):
    body = VECTOR["body"].encode()
    assert sign(body, SEED) == VECTOR["expected"] == hashlib.sha256(SEED.encode() + body).hexdigest()
    callback = parse(body, VECTOR["expected"])
    assert (callback.ref.id, callback.key, callback.trusted) == ("task-video-X0zpcRUMzVidxj20", "test", True)
    assert callback.raw.status == "unknown"
    assert not callback.complete


def test_the_bytes_are_signed_and_not_what_they_mean(parse):
    with pytest.raises(CallbackRejected, match="does not hold"):
        parse(json.dumps(json.loads(VECTOR["body"])).encode(), VECTOR["expected"])


@pytest.mark.parametrize("signature", ["0" * 64, "", VECTOR["expected"][:-1], VECTOR["expected"].upper(), "é"])
def test_a_signature_that_is_wrong_or_missing_is_refused(parse, signature):
    with pytest.raises(CallbackRejected):
        parse(VECTOR["body"].encode(), signature)


def test_any_of_several_seeds_will_do(parse):
    assert parse(VECTOR["body"].encode(), VECTOR["expected"], ["old-seed", SEED, "new-seed"]).trusted
    with pytest.raises(CallbackRejected):
        parse(VECTOR["body"].encode(), VECTOR["expected"], ["old-seed", "new-seed"])


def test_the_configured_seeds_count_where_none_is_given(make):
    def parse(provider):
        return provider.parse_callback(VECTOR["body"].encode(), {"X-Signature": VECTOR["expected"]}, {}, [])

    from reelvet import AsyncModerator, Config

    table = {"secret_id": "a1b2", "secret_key": "c3d4", "region": "ap-guangzhou", "biz_type": "reels_1"}
    for more in ({"seed": SEED}, {"seed": "other", "seeds": {"mine": SEED}}):
        moderator = AsyncModerator(Config.parse({"use": "tencent", "providers": {"tencent": table | more}}))
        assert parse(moderator._instance("tencent").provider).trusted
    assert not parse(make()._instance("tencent").provider).trusted


def test_a_callback_carried_on_by_somebody_without_the_seed_is_refused(parse):
    """Whoever has seen a signature can sign the same bytes with padding and more behind them: a length extension."""
    body = VECTOR["body"].encode()
    length = len(SEED) + len(body)
    padding = b"\x80" + b"\0" * ((55 - length) % 64) + (length * 8).to_bytes(8, "big")
    forged = body + padding + b'{"TaskId": "another"}'
    with pytest.raises(CallbackRejected, match="JSON"):
        parse(forged, sign(forged, SEED))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'{"TaskId": "t"} x', b'{"TaskId": "t", "Score": NaN}', b'{"TaskId": "t", "TaskId": "u"}', b'{"DataId": "d"}',
     b'{"TaskId": ""}', b'{"TaskId": "\xff"}', b"[" * 100_000, b'\xef\xbb\xbf{"TaskId": "t"}'],
)  # fmt: skip
def test_what_is_malformed_is_refused_however_well_signed(parse, body):
    with pytest.raises(CallbackRejected):
        parse(body)


def test_a_flood_is_refused_before_it_is_read(parse):
    with pytest.raises(CallbackRejected, match="bytes"):
        parse(b" " * (LARGEST + 1), "x")


@pytest.mark.parametrize(
    ("status", "unified", "complete"),
    [("RUNNING", "running", False), ("FINISH", "succeeded", False), ("ERROR", "failed", True), ("CANCELLED", "canceled", True), ("NEW", "unknown", False)],
)  # fmt: skip
def test_what_a_callback_tells_is_all_only_where_nothing_was_moderated(parse, sample, status, unified, complete):
    callback = parse(sample("composed_callback_finish") | {"Status": status})
    assert (callback.raw.status, callback.complete, callback.trusted) == (unified, complete, True)
    assert (callback.key, callback.ref.category) == ("key-1", "VIDEO")


def test_a_running_callback_reads_as_findings(parse, moderator, sample):
    callback = parse(sample("composed_callback_live_running"))
    report = moderator._instance("tencent").provider.read(None, [callback.raw])
    assert [finding.label for finding in report.findings] == ["sexual.explicit.nudity"]


def test_two_deliveries_of_one_event_are_one(parse, sample):
    payload = sample("composed_callback_live_running")
    again = {**payload, "UpdatedAt": "2027-01-01T00:00:00Z"}
    assert parse(payload).event_id == parse(again).event_id != ""
    later = json.loads(json.dumps(payload))
    later["ImageSegments"][0]["OffsetTime"] = "1793527220"
    sound = {
        **payload,
        "ImageSegments": [],
        "AudioSegments": [{"OffsetTime": payload["ImageSegments"][0]["OffsetTime"]}],
    }
    events = [
        parse(one).event_id
        for one in (payload, later, sound, {**payload, "Status": "FINISH"}, {**payload, "TaskId": "t2"})
    ]
    assert len(set(events)) == 5


@pytest.mark.parametrize("seed", ["", " ", "\t\n"])
def test_an_empty_seed_signs_nothing(parse, seed):
    """Whoever knows the body could sign it: SHA-256 over nothing and the body."""
    body = VECTOR["body"].encode()
    forged = hashlib.sha256(seed.encode() + body).hexdigest()
    with pytest.raises(CallbackRejected, match="empty"):
        parse(body, forged, [seed])
    with pytest.raises(CallbackRejected, match="does not hold"):
        parse(body, forged, [seed, SEED])
    assert parse(body, VECTOR["expected"], [seed, SEED]).trusted


@pytest.mark.parametrize("more", [{"seed": ""}, {"seed": " \t"}, {"seeds": {"a": ""}}, {"seeds": {"a": "x", "b": " "}}, {"seed": "\ud800"}], ids=repr)  # fmt: skip
def test_an_empty_seed_is_refused_when_it_is_configured(connect, more):
    with pytest.raises(ConfigurationError, match="seed"):
        connect(**more)


@pytest.mark.parametrize("signature", ["\udcff", "\ud800" * 64, "\x00"])
def test_a_signature_that_is_no_text_is_refused(parse, signature):
    with pytest.raises(CallbackRejected, match="does not hold"):
        parse(VECTOR["body"].encode(), signature)


def test_a_callback_nested_beyond_reason_is_refused(parse):
    with pytest.raises(CallbackRejected, match="nested"):
        parse(b'{"TaskId": "t", "ImageSegments": ' + b"[" * 500 + b"]" * 500 + b"}")


def test_two_events_at_one_place_are_two(parse, sample):
    payload = sample("composed_callback_live_running")

    def event(how=lambda payload: None):
        changed = json.loads(json.dumps(payload))
        how(changed)
        return parse(changed).event_id

    def say(**fields):
        return lambda payload: payload["ImageSegments"][0]["Result"].update(fields)

    events = [event(), event(say(Label="Terror")), event(say(SubLabel="Anus")), event(say(Score=1)), event(lambda p: p.update(Suggestion="Pass"))]  # fmt: skip
    assert len(set(events)) == 5
    again = [event(say(Url="https://h.example/a.jpg?sign=anew", RequestId="r-2")), event(lambda p: p.update(UpdatedAt="2027-01-01T00:00:00Z"))]  # fmt: skip
    assert set(again) == {events[0]}
