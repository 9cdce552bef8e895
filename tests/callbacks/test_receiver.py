"""What is answered, what is kept, and what is told of it: without a web framework, a server or a vendor."""

import asyncio
import json
import logging

import pytest

from reelvet import AsyncModerator, Config
from reelvet.callbacks import Receiver
from reelvet.journal import MemoryJournal, Record, State
from reelvet.schema.errors import JournalError

TENCENT = {"secret_id": "i", "secret_key": "k", "region": "ap-guangzhou", "biz_type": "reels_1"}
HUAWEI = {"ak": "a", "sk": "s", "region": "cn-north-4", "api": "v3"}


@pytest.fixture
async def receiver():
    """Makes receivers; further settings of Tencent's instance by name."""
    opened = []

    def make(journal=None, secrets=None, **settings):
        tencent = TENCENT | {"seed": "seed_1"} | settings
        providers = {"tencent": {name: value for name, value in tencent.items() if value is not None}}
        providers |= {"huawei": HUAWEI, "gcore": {"api_key": "g"}}
        config = Config.parse({"use": "tencent", "providers": providers, "secrets": {"callbacks": secrets or {}}})
        made = Receiver(AsyncModerator(config, journal=journal), patience=0.2)
        opened.append(made)
        return made

    yield make
    for one in opened:
        await one.aclose()
        await one._moderator.aclose()


def vectors(sign):
    """Name -> instance, body, headers, and how it is answered."""
    body, headers = sign()
    _, others = sign(seed="another")
    malformed = [
        sign(raw=raw)
        for raw in (b"", b"[]", b"{", b'{"Status": "FINISH"}', b'{"TaskId": "a\\u0000b"}', b'{"TaskId": "\\ud800"}')
    ]
    return [
        ("tencent", body, headers, 200, "received"),
        ("tencent", body, headers, 200, "duplicate"),
        ("tencent", body, {}, 401, "forged"),
        ("tencent", body, others, 401, "forged"),
        ("tencent", body.replace(b"Pass", b"Best"), headers, 401, "forged"),
        *(("tencent", *one, 400, "malformed") for one in malformed),
        ("tencent", *sign(Label="x" * 3000), 413, "too large"),
        ("huawei", b"{}", {}, 400, "malformed"),
        ("gcore", body, headers, 501, "no callbacks"),
        ("local", body, headers, 404, "no such instance"),  # installed, and not configured
        ("nobody", body, headers, 404, "no such instance"),
    ]


async def test_each_is_answered_as_it_deserves_counted_and_told_without_its_body(receiver, tencent_body, caplog):
    made = receiver()
    made.most = 2000
    caplog.set_level(logging.DEBUG)
    told = []
    for instance, body, headers, status, outcome in vectors(tencent_body):
        answer = await made.receive(instance, body, headers, {})
        assert (answer.status, answer.outcome, answer.body) == (status, outcome, outcome.encode()), body
        told.append(outcome)
    assert len(await made._moderator.journal.news(0)) == 1
    assert {outcome: made.counts[outcome] for outcome in told} == {outcome: told.count(outcome) for outcome in told}
    assert "refused: forged" in caplog.text
    assert not {"Best", "FINISH", "xxx", "nobody:"} & set(caplog.text.split())
    assert made.instances() == ["tencent", "huawei"]


async def test_any_of_the_secrets_verifies_so_that_they_can_be_changed(receiver, tencent_body, monkeypatch):
    monkeypatch.setenv("OLD_SEED", "retired")
    made = receiver(seeds={"reels": "of-the-job"}, secrets={"old": "env:OLD_SEED", "none": " "})
    for task, seed in enumerate(("seed_1", "of-the-job", "retired")):
        assert (await made.receive("tencent", *tencent_body(f"w-{task}", seed=seed), {})).status == 200
    assert (await made.receive("tencent", *tencent_body("w-9", seed=" "), {})).status == 401


async def test_what_nobody_has_signed_is_a_hint_to_look_at_a_known_task_and_its_key_is_worth_nothing(
    receiver, tencent_body
):
    journal = MemoryJournal()
    made = receiver(journal, seed=None)
    body, _ = tencent_body("w-1", status="ERROR")
    assert (await made.receive("tencent", body, {}, {"key": "k"})).outcome == "not signed"
    record = Record("k", 1, "f", "tencent", "tencent", State.SUBMITTED, b"{}", owner="me")
    await journal.keep(record, ["w-1"])
    assert (await made.receive("tencent", body, {}, {"key": "k"})).outcome == "received"
    (news,) = await journal.news(0)
    assert (news.task, news.key, news.raw) == ("w-1", None, None)


async def test_what_a_callback_tells_is_kept_only_if_it_is_all_can_be_trusted_and_holds_no_signature(
    receiver, tencent_body
):
    made = receiver()
    for task, fields in {
        "w-1": {"status": "ERROR", "ErrorType": "DECODE_ERROR"},
        "w-2": {"status": "FINISH"},
        "w-3": {"status": "ERROR", "InputInfo": {"Url": "https://h/a.mp4?sign=abc"}},
    }.items():
        assert (await made.receive("tencent", *tencent_body(task, **fields), {})).status == 200
    kept = {news.task: news.raw for news in await made._moderator.journal.news(0)}
    assert json.loads(kept["w-1"])["status"] == "failed"
    assert kept["w-2"] is kept["w-3"] is None


class Broken(MemoryJournal):
    async def hear(self, news):
        raise JournalError("the disk is full")


class Slow(MemoryJournal):
    async def hear(self, news):
        await asyncio.sleep(60)


@pytest.mark.parametrize("journal", [Broken, Slow])
async def test_what_cannot_be_kept_in_time_is_to_be_sent_again(receiver, tencent_body, journal, caplog):
    answer = await receiver(journal()).receive("tencent", *tencent_body(), {})
    assert (answer.status, answer.outcome) == (503, "not kept")
    assert "refused: not kept" in caplog.text


async def test_a_provider_that_fails_is_no_word_about_the_callback(receiver, tencent_body, monkeypatch, caplog):
    made = receiver()

    def parse(*_):
        raise KeyError("quotes the body")

    monkeypatch.setattr(made._moderator.instance_of("tencent").provider, "parse_callback", parse)
    assert (await made.receive("tencent", *tencent_body(), {})).status == 500
    assert "KeyError" in caplog.text
    assert "quotes" not in caplog.text


async def test_a_new_process_follows_up_what_the_last_one_kept_and_no_more(receiver, tencent_body, until):
    """It died between the answer and the follow-up; another died in the midst of it, and its lease runs out."""
    journal = MemoryJournal()
    first = receiver(journal)
    first._follower.start = lambda: None
    for task in ("w-1", "w-2"):
        await first.receive("tencent", *tencent_body(task), {})
    assert [news.task for news in await journal.unfollowed(0.05, 1)] == ["w-1"]
    second = receiver(journal)
    second.start()
    await until(lambda: second.counts["nobody's"] == 1)
    second._follower.poke()
    await asyncio.sleep(0.1)
    second._follower.poke()
    await until(lambda: second.counts["nobody's"] == 2)
    assert await journal.unfollowed(60) == []
