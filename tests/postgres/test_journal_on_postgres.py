"""The contract that every journal keeps, kept by PostgreSQL; and what only it promises."""

import asyncio
import importlib.util
import time
from pathlib import Path

from reelvet.journal import Place, open_journal

_spec = importlib.util.spec_from_file_location(
    "journal_contract", Path(__file__).parents[1] / "journal" / "test_journal_contract.py"
)
_contract = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_contract)
globals().update({name: test for name, test in vars(_contract).items() if name.startswith("test_")})


async def test_leases_are_by_the_databases_clock_and_not_by_anybodys_own(journal, record, monkeypatch):
    mine = await journal.begin(record(), 60)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    found = await journal.get(Place("k"))
    assert 50 < found.lease_left <= 60
    assert await journal.take(found, "you", 60) is None
    monkeypatch.setattr(time, "time", lambda: now() - 3600)
    assert await journal.renew("me", 0.0) == {mine.place}
    assert (await journal.take(await journal.get(Place("k")), "you", 60)).owner == "you"


async def test_two_that_make_the_tables_at_the_same_time_do_not_fail_one_another(url, record):
    journals = [open_journal(url) for _ in range(4)]
    stand = await asyncio.gather(*(one.begin(record(owner=f"o{n}"), 60) for n, one in enumerate(journals)))
    assert len({one.owner for one in stand}) == 1
    await asyncio.gather(*(one.close() for one in journals))
