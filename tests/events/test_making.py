"""Events as Standard Webhooks has them: what they say, what they leave out, and that the same one is made once."""

import json
from datetime import UTC, datetime

import pytest

from reelvet import ModerationResult, Ticket, Verdict
from reelvet.config import EventsConfig
from reelvet.events import MOST_BYTES, Telling, of_decision, of_parked, of_result
from reelvet.journal import MemoryJournal, Place

AT = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
ALL = EventsConfig(url="https://platform.example.com/hook", secrets="env:NOT_NEEDED")


def finding(label="sexual.explicit.nudity", score=0.9, **more):
    native = {"field": "x", "label": "Porn", "extra": {"picture": "https://cdn/x.jpg?sig=hush"}}
    return {"label": label, "channel": "visual", "score": score, "provider": "acme", "native": native} | more


def result(**fields):
    told = {
        "key": "album-7", "provider": "acme", "instance": "acme", "status": "succeeded", "verdict": "block", "finished_at": AT,
        "findings": [finding(evidence="https://cdn/a.jpg?sig=hush")], "user": "u-17", "metadata": {"album": 3},
        "media": {"source": "https://cdn/clip.mp4?sig=hush"},
        "tasks": [{"provider": "acme", "id": "t1", "status": "succeeded", "raw": {"all": "of it"}, "attachments": {"file": 1}}],
    }  # fmt: skip
    return ModerationResult(**{**told, **fields})


def body(event):
    return json.loads(event.body)


def test_the_event_of_a_result():
    event = of_result(result(), 2)
    told = body(event)
    assert (event.type, event.place) == ("moderation.result", Place("album-7", 2))
    assert (told["type"], told["timestamp"]) == ("moderation.result", "2026-11-25T08:30:00Z")
    data = told["data"]
    assert {name: data[name] for name in ("key", "attempt", "verdict", "status", "user", "metadata", "left_out")} == {
        "key": "album-7", "attempt": 2, "verdict": "block", "status": "succeeded", "user": "u-17", "metadata": {"album": 3}, "left_out": {},
    }  # fmt: skip
    assert data["tasks"] == [
        {"provider": "acme", "instance": None, "id": "t1", "status": "succeeded", "native_status": None, "request_ids": [], "error": None}
    ]  # fmt: skip
    assert b"hush" not in event.body
    assert "of it" not in str(told)


def test_of_what_is_under_quarantine_nothing_is_shown():
    event = of_result(
        result(findings=[finding("child_safety.csam", text="words", matches=("w",), evidence="https://cdn/a.jpg")])
    )
    (told,) = body(event)["data"]["findings"]
    assert (told["label"], told["evidence"], told["text"], told["matches"]) == ("child_safety.csam", None, None, [])
    assert b"cdn/x.jpg" not in event.body


def test_a_large_result_is_cut_and_says_what_is_left_out():
    many = [finding(f"sexual.l{n % 7}", (n % 100) / 100, text="x" * 100) for n in range(3000)]
    looked = [
        {"label": f"sexual.l{n}", "channel": "visual", "state": "not_evaluated" if n % 10 else "clean"}
        for n in range(400)
    ]
    event = of_result(result(findings=many, transcripts=[{"text": "y" * 100_000}], coverage=looked))
    data = body(event)["data"]
    assert len(event.body) <= MOST_BYTES
    assert data["transcripts"] == []
    assert data["left_out"] == {
        "transcripts": 1, "findings": 3000 - len(data["findings"]), "coverage": 400 - len(data["coverage"]),
    }  # fmt: skip
    assert len(event.body) > MOST_BYTES - 2000
    assert 100 < len(data["coverage"]) < 360
    assert {row["state"] for row in data["coverage"]} == {"not_evaluated"}  # what was clean went first
    assert len({one["label"] for one in data["findings"]}) == 7  # of each label the highest
    assert data["findings"][0]["score"] == 0.99
    assert data["metadata"] == {"album": 3}


def test_no_metadata_is_too_large():
    event = of_result(result(metadata={"all": "z" * 200_000}, user="u" * 100_000))
    data = body(event)["data"]
    assert len(event.body) <= MOST_BYTES
    assert (data["metadata"], data["user"], data["verdict"]) == ({}, None, "block")


def test_any_text_is_json_in_utf_8():
    event = of_result(result(metadata={"half": "\ud800", "none": float("nan"), "ü": "ü"}))
    assert body(event)["data"]["metadata"] == {"half": "\\ud800", "none": None, "ü": "ü"}


async def test_the_same_event_is_put_once():
    journal = MemoryJournal()
    await journal.post([of_result(result()), of_result(result(finished_at=None)), of_result(result(), 2)])
    assert (await journal.outbox())["waiting"] == 2


def test_the_event_of_a_parked_job():
    ticket = Ticket.adopt("acme", "", key="k", media={"source": "https://h/a?sig=hush"})
    event = of_parked(ticket, "GET https://api/x?key=hush failed", at=AT)
    data = body(event)["data"]
    assert event.type == "moderation.parked"
    assert data["why"] == "GET https://api/x?*** failed"
    assert data["tasks"] == [{"name": "", "id": "", "category": None, "state": "created"}]
    assert b"hush" not in event.body


def test_the_event_of_a_decision_is_one_per_decision():
    def decided(**how):
        return of_decision(Place("k"), **{"verdict": Verdict.PASS, "by": "ann", "at": AT, "note": "art"} | how)

    assert body(decided(user="u-17"))["data"] == {
        "key": "k", "attempt": 1, "verdict": "pass", "by": "ann", "at": "2026-11-25T08:30:00Z", "note": "art", "user": "u-17", "left_out": {},
    }  # fmt: skip
    assert decided().id == decided().id
    assert len({decided().id, decided(verdict=Verdict.BLOCK).id, decided(by="bob").id}) == 3


def test_only_what_somebody_wants_is_made():
    some = ALL.model_copy(update={"types": ("moderation.parked",)})
    ticket = Ticket.adopt("acme", "t")
    assert [e.type for e in Telling(ALL).events_for_result(result())] == ["moderation.result"]
    assert Telling(some).events_for_result(result()) == []
    assert len(Telling(some).events_for_parked(ticket, "why")) == 1
    assert Telling(None).events_for_parked(ticket, "why") == []
    assert Telling(ALL).events_for_result(result(status="running", verdict=None)) == []
    assert Telling(ALL).events_for_decision(Place("k"), Verdict.PASS, by="ann", at=AT)[0].place == Place("k")


@pytest.mark.filterwarnings("ignore")
def test_an_event_that_cannot_be_made_is_no_failure_of_the_job(caplog):
    assert Telling(ALL).events_for_result(result(metadata={"odd": object()})) == []
    assert "could not be made" in caplog.text
