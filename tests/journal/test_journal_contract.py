"""What every journal promises, whatever it keeps its records in."""

import asyncio
import time
from dataclasses import replace

import pytest

from reelvet.journal import Event, News, Place, Selection, State


async def all_of(journal, **selection):
    return [(one.key, one.attempt) async for one in journal.records(Selection(**selection))]


async def test_an_intent_comes_back_as_it_was_entered(journal, record):
    mine = await journal.begin(record(), 60)
    assert mine.owner == "me"
    assert 0 < mine.lease_left <= 60
    found = await journal.get(Place("k"))
    assert replace(found, lease_left=0.0) == record()
    assert await journal.get(Place("k", 2)) is None
    assert await journal.get(Place("other")) is None


async def test_of_many_who_begin_at_the_same_time_one_wins_and_all_learn_who(journal, record):
    stand = await asyncio.gather(*(journal.begin(record(owner=f"o{n}"), 60) for n in range(50)))
    assert len({one.owner for one in stand}) == 1


async def test_what_is_leased_is_not_taken_until_the_lease_is_over(journal, record):
    await journal.begin(record(), 0.2)
    assert await journal.take(await journal.get(Place("k")), "you", 60) is None
    await asyncio.sleep(0.25)
    found = await journal.get(Place("k"))
    assert found.lease_left == 0
    assert (await journal.take(found, "you", 60)).owner == "you"
    assert await journal.take(found, "third", 60) is None, "it is no longer as it was found"


async def test_what_certainly_has_no_owner_any_more_is_taken_at_once(journal, record):
    await journal.begin(record(), 60)
    dead = replace(await journal.get(Place("k")), lease_left=0.0)
    taken = await asyncio.gather(*(journal.take(dead, f"o{n}", 60) for n in range(20)))
    assert sum(one is not None for one in taken) == 1


async def test_a_lease_is_renewed_only_for_what_is_still_ones_own(journal, record):
    await journal.begin(record("a"), 0.05)
    await journal.begin(record("b"), 0.05)
    await asyncio.sleep(0.1)
    await journal.take(await journal.get(Place("b")), "you", 60)
    assert await journal.renew("me", 60) == {Place("a")}
    assert (await journal.get(Place("a"))).lease_left > 50


async def test_an_outcome_frees_the_record_and_can_be_found_by_its_tasks(journal, record):
    mine = await journal.begin(record(), 60)
    assert await journal.keep(mine.with_state(State.SUBMITTED, b'{"schema":1,"x":2}', plan=()), ["t1", "t2"])
    found = await journal.get(Place("k"))
    assert (found.state, found.owner, found.plan, found.ticket) == (State.SUBMITTED, None, (), b'{"schema":1,"x":2}')
    assert (await journal.of_task("acme", "t2")).place == Place("k")
    assert await journal.of_task("other", "t2") is None


async def test_an_intent_that_is_renewed_keeps_its_owner(journal, record):
    mine = await journal.begin(record(), 60)
    await journal.keep(mine.with_state(State.INTENT, begun_at=2000.0))
    found = await journal.get(Place("k"))
    assert (found.owner, found.begun_at) == ("me", 2000.0)
    assert found.lease_left > 50


async def test_what_another_has_settled_is_not_written_over(journal, record):
    mine = await journal.begin(record(), 60)
    theirs = await journal.take(replace(mine, lease_left=0.0), "you", 60)
    await journal.keep(theirs.with_state(State.SUBMITTED, b'{"theirs":1}'), ["t1"])
    assert not await journal.keep(mine.with_state(State.PARKED, b'{"mine":1}'))
    assert (await journal.get(Place("k"))).ticket == b'{"theirs":1}'


async def test_what_another_has_only_taken_over_is_told_by_whoever_knows(journal, record):
    mine = await journal.begin(record(), 60)
    await journal.take(replace(mine, lease_left=0.0), "you", 60)
    assert await journal.keep(mine.with_state(State.SUBMITTED, b'{"mine":1}'), ["t1"])
    assert (await journal.get(Place("k"))).state is State.SUBMITTED


async def test_only_its_owner_forgets_a_submission_and_only_before_it_is_settled(journal, record):
    mine = await journal.begin(record(), 60)
    assert not await journal.drop(replace(mine, owner="you"))
    assert await journal.drop(mine)
    assert await journal.get(Place("k")) is None
    await journal.keep(record(state=State.SUBMITTED))
    assert not await journal.drop(record(owner=None))


async def test_records_are_selected_and_come_oldest_first(journal, record):
    await journal.keep(record("old", state=State.PARKED, begun_at=1.0, user="u2"))
    await journal.keep(record("new", state=State.SUBMITTED, begun_at=3.0, instance="other"))
    await journal.begin(record("mid", begun_at=2.0), 60)
    assert await all_of(journal) == [("old", 1), ("mid", 1), ("new", 1)]
    assert await all_of(journal, states=frozenset({State.PARKED, State.INTENT})) == [("old", 1), ("mid", 1)]
    assert await all_of(journal, ownerless=True) == [("old", 1), ("new", 1)]
    assert await all_of(journal, user="u2") == [("old", 1)]
    assert await all_of(journal, instance="other") == [("new", 1)]
    assert await all_of(journal, begun_before=2.5) == [("old", 1), ("mid", 1)]
    assert await all_of(journal, key="mid") == [("mid", 1)]


async def test_more_records_than_a_page_are_all_given_once(journal, record):
    await asyncio.gather(
        *(journal.keep(record(f"k{n:04}", state=State.SUBMITTED, begun_at=float(n % 7))) for n in range(1203))
    )
    keys = await all_of(journal)
    assert len(keys) == len(set(keys)) == 1203


async def test_an_end_has_its_verdict_result_and_event_together(journal, record):
    await journal.keep(record(state=State.SUBMITTED), ["t1"])
    told = Event("e1", "reelvet.result", b"{}", Place("k"))
    await journal.conclude(Place("k"), verdict="block", result=b'{"r":1}', events=[told])
    await journal.conclude(Place("k"), verdict="block", events=[told])
    found = await journal.get(Place("k"))
    assert (found.state, found.verdict) == (State.ENDED, "block")
    assert await journal.result(Place("k")) == b'{"r":1}'
    assert await journal.outbox() == {"waiting": 1, "sent": 0, "given_up": 0}


async def test_a_callback_is_news_once(journal):
    assert await journal.last_news() == 0
    assert await journal.hear(News("e1", "acme", "t1", key="k", raw=b"{}", complete=True))
    assert not await journal.hear(News("e1", "acme", "t1"))
    assert await journal.hear(News("e2", "acme", "t2"))
    heard = await journal.news(0)
    assert [(one.event_id, one.raw, one.complete) for one in heard] == [("e1", b"{}", True), ("e2", None, False)]
    assert await journal.news(heard[0].number) == heard[1:]
    assert await journal.last_news() == heard[1].number


async def test_news_is_followed_up_once_by_whoever_lives(journal):
    for number in range(3):
        await journal.hear(News(f"e{number}", "acme", f"t{number}", category="porn"))
    first, second = await journal.unfollowed(60, 2)
    assert (first.event_id, first.category, second.event_id) == ("e0", "porn", "e1")
    assert [one.event_id for one in await journal.unfollowed(0)] == ["e2"]  # whose lease has run out at once
    assert [one.event_id for one in await journal.unfollowed(60)] == ["e2"]
    assert await journal.unfollowed(60) == []
    await journal.followed(first)
    await journal.followed(first, again=0)  # by one that was taken to be dead: it stays done
    await journal.followed(second, again=0)
    assert [one.event_id for one in await journal.unfollowed(60)] == ["e1"]
    assert not await journal.hear(News("e0", "acme", "t0"))
    assert await journal.unfollowed(60) == []


async def test_the_number_of_erased_news_is_not_given_again(journal, record):
    await journal.begin(record(), 60)
    await journal.keep(record(state=State.SUBMITTED), ["t1"])
    await journal.hear(News("e1", "acme", "t1"))
    (news,) = await journal.news(0)
    await journal.erase([record().place])
    assert await journal.unfollowed(60) == []
    await journal.hear(News("e2", "acme", "t2"))
    assert [one.event_id for one in await journal.news(news.number)] == ["e2"]


async def test_an_event_is_leased_sent_once_and_put_off_when_refused(journal):
    await journal.post([Event("a", "t", b"1"), Event("b", "t", b"2"), Event("c", "t", b"3")])
    await journal.post([Event("a", "t", b"1")])
    due = await journal.due("me", 60)
    assert sorted(one.id for one in due) == ["a", "b", "c"]
    assert await journal.due("you", 60) == [], "leased"
    by = {one.id: one for one in due}
    await journal.sent(by["a"])
    await journal.put_off(by["b"], 0.0, "refused")
    await journal.put_off(by["c"], None, "gone")
    again = await journal.due("you", 60)
    assert [(one.id, one.tries, one.says) for one in again] == [("b", 1, "refused")]
    await journal.post([Event("a", "t", b"1"), Event("c", "t", b"3")])
    assert await journal.due("you", 60) == [], "what was sent, or given up, is not sent anew"
    assert await journal.outbox() == {"waiting": 1, "sent": 1, "given_up": 1}


async def test_an_event_whose_sender_died_is_due_again(journal):
    await journal.post([Event("a", "t", b"1")])
    await journal.due("me", 0.05)
    await asyncio.sleep(0.1)
    assert [one.id for one in await journal.due("you", 60)] == ["a"]


async def test_what_is_erased_leaves_nothing(journal, record):
    for key in ("k", "other"):
        await journal.keep(record(key, state=State.SUBMITTED), [f"t-{key}"])
        await journal.conclude(
            Place(key), verdict="pass", result=b"{}", events=[Event(f"e-{key}", "t", b"{}", Place(key))]
        )
        await journal.hear(News(f"n-{key}", "acme", f"t-{key}"))
    assert await journal.erase([Place("k"), Place("never")]) == 1
    assert await all_of(journal) == [("other", 1)]
    assert await journal.result(Place("k")) is None
    assert await journal.of_task("acme", "t-k") is None
    assert [one.event_id for one in await journal.news(0)] == ["n-other"]
    assert [one.id for one in await journal.due("me", 1)] == ["e-other"]


async def test_odd_keys_are_told_apart(journal, record):
    keys = ["k", "K", "k ", "ключ", "👍", "%", "k'--", "a" * 256]
    for key in keys:
        await journal.keep(record(key, state=State.SUBMITTED, fingerprint=key))
    for key in keys:
        assert (await journal.get(Place(key))).fingerprint == key


@pytest.mark.parametrize("count", [300])
async def test_many_at_the_same_time_are_all_kept(journal, count, record):
    begun = time.monotonic()
    await asyncio.gather(*(journal.begin(record(f"k{n}"), 60) for n in range(count)))
    assert len(await all_of(journal)) == count
    assert time.monotonic() - begun < 30


async def test_an_end_settles_nothing_that_is_not_settled(journal, record):
    await journal.begin(record(), 60)
    await journal.conclude(Place("k"), verdict="pass")
    assert (await journal.get(Place("k"))).state is State.INTENT
