"""News out of the journal, for who waits in another process than the one that receives callbacks."""

import asyncio
from contextlib import contextmanager

import pytest

from reelvet.journal import MemoryJournal, News
from reelvet.moderator import hearing as module
from reelvet.moderator.hearing import Hearing
from reelvet.schema.errors import JournalError
from reelvet.schema.task import RawTask, Status, TaskRef


class Shared(MemoryJournal):
    """As if other processes wrote into it; a number may be left out for a while."""

    shared = True
    hidden = frozenset()
    reads = 0
    broken = False

    async def news(self, after, limit=500):
        self.reads += 1
        if self.broken:
            raise JournalError("gone")
        return [news for news in await super().news(after, limit) if news.number not in self.hidden]


@pytest.fixture
def journal():
    return Shared()


@pytest.fixture
def waiting(journal):
    """Somebody who waits for some tasks, and what they were told."""

    @contextmanager
    def wait(*tasks, of=journal):
        hearing, told = Hearing(of, interval=0.01), []
        entered = [hearing.waiting("acme", task, lambda raw, task=task: told.append((task, raw))) for task in tasks]
        for one in entered:
            one.__enter__()
        yield hearing, told
        for one in entered:
            one.__exit__(None, None, None)

    return wait


def heard(task, number, **fields):
    return News(f"e{number}", "acme", task, **fields)


async def test_each_is_told_once_with_what_can_be_believed(journal, waiting, until):
    raw = RawTask(ref=TaskRef(id="b"), status=Status.FAILED)
    with waiting("a", "b") as (hearing, told):
        await journal.hear(heard("a", 1))
        await journal.hear(heard("b", 2, raw=raw.model_dump_json().encode(), complete=True))
        await journal.hear(heard("b", 3, raw=raw.model_dump_json().encode()))
        await journal.hear(heard("c", 4))
        await until(lambda: len(told) == 3)
        await asyncio.sleep(0.05)
        assert told == [("a", None), ("b", raw), ("b", None)]
        (news,) = [news for news in await journal.news(0) if news.task == "a"]
        assert hearing.tell_of(news)  # by the receiver of the same process, which is a little late
        assert len(told) == 3


async def test_nothing_is_read_while_nobody_waits_or_nobody_else_writes(journal, waiting, until):
    with waiting("a"):
        await until(lambda: journal.reads > 1)
    await asyncio.sleep(0.02)
    before = journal.reads
    await asyncio.sleep(0.05)
    assert journal.reads == before
    journal.shared = False
    with waiting("a") as (hearing, told):
        await asyncio.sleep(0.03)
        assert journal.reads == before
        hearing.tell("acme", "a")
        assert told == [("a", None)]


async def test_what_is_numbered_first_and_committed_last_is_not_passed_over(journal, waiting, until, monkeypatch):
    for number, task in enumerate("abc", 1):
        await journal.hear(heard(task, number))
    journal.hidden = {2}
    with waiting("a", "b", "c", "d") as (_, told):
        await until(lambda: len(told) == 2)
        journal.hidden = {}
        await until(lambda: ("b", None) in told)
        await journal.hear(heard("never", 4))
        journal.hidden = {4}  # a number that nobody ever has
        monkeypatch.setattr(module, "_GRACE", 0.02)
        await journal.hear(heard("d", 5))
        await until(lambda: len(told) == 4)
        await asyncio.sleep(0.1)
    assert [task for task, _ in told] == ["a", "c", "b", "d"]


async def test_a_journal_that_cannot_be_read_ends_nobodys_waiting(journal, waiting, until):
    journal.broken = True
    with waiting("a") as (_, told):
        await until(lambda: journal.reads > 1)
        journal.broken = False
        await journal.hear(heard("a", 1))
        await until(lambda: told)
