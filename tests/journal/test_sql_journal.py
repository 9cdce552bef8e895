"""What is special to a journal in a file: other processes, modes, versions, a disk that fails."""

import asyncio
import os
import sqlite3
import stat
import threading

import pytest

from reelvet.journal import Place, State, WorkerId, open_journal
from reelvet.journal.sql import SqlJournal
from reelvet.schema.errors import ConfigurationError, JournalError


@pytest.fixture
def file(tmp_path):
    return tmp_path / "deep" / "journal.db"


@pytest.fixture
async def journal(file):
    journal = SqlJournal(f"sqlite:///{file}")
    yield journal
    await journal.close()


async def test_the_file_is_its_owners_alone_and_every_commit_reaches_the_disk(journal, file, record):
    assert journal.private
    await journal.begin(record(), 60)
    for path in file.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    pragmas = await journal._worker.run(
        lambda c: [c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    )
    assert pragmas == ["wal", 2]
    file.chmod(0o644)
    assert not open_journal(f"sqlite:///{file}").private


async def test_what_was_kept_is_there_for_another_process(journal, file, record):
    await journal.begin(record(), 60)
    other = SqlJournal(f"sqlite:///{file}")
    assert (await other.get(Place("k"))).owner == "me"
    assert (await other.begin(record(owner="you"), 60)).owner == "me"
    await other.close()


async def test_calls_that_wait_together_share_a_commit(journal, record):
    await journal.begin(record(), 60)
    commits = []
    held = threading.Event()
    original = journal._worker._commit
    journal._worker._commit = lambda batch: (commits.append(len(batch)), original(batch))[1]
    blocked = asyncio.create_task(journal._worker.run(lambda _: held.wait(5)))
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(journal.begin(record(f"k{n}"), 60)) for n in range(100)]
    await asyncio.sleep(0.05)
    held.set()
    await asyncio.gather(blocked, *waiting)
    assert commits == [1, 100]


async def test_one_call_that_fails_takes_none_of_the_others_with_it(journal, record):
    await journal.begin(record(), 60)
    held = threading.Event()
    blocked = asyncio.create_task(journal._worker.run(lambda _: held.wait(5)))
    await asyncio.sleep(0.05)
    wrong = asyncio.create_task(journal._worker.run(lambda c: c.exec_driver_sql("SELECT nonsense")))
    right = [asyncio.create_task(journal.begin(record(f"k{n}"), 60)) for n in range(5)]
    await asyncio.sleep(0.05)
    held.set()
    await blocked
    with pytest.raises(JournalError, match="no such column: nonsense"):
        await wrong
    assert [one.owner for one in await asyncio.gather(*right)] == ["me"] * 5


async def test_a_file_of_a_later_version_is_left_alone(journal, file, record):
    await journal.begin(record(), 60)
    await journal.close()
    with sqlite3.connect(file) as database:
        database.execute("INSERT INTO reelvet_journal VALUES (2)")
    with pytest.raises(JournalError, match=r"version 2, this reelvet knows 1.*Upgrade"):
        await SqlJournal(f"sqlite:///{file}").get(Place("k"))


async def test_a_file_that_is_no_database_is_told(file, record):
    file.parent.mkdir()
    file.write_text("not a database, but a text of some length that somebody wrote there")
    journal = SqlJournal(f"sqlite:///{file}")
    with pytest.raises(JournalError, match="not a database"):
        await journal.begin(record(), 60)
    await journal.close()


async def test_a_directory_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"cannot be opened.*REELVET_STATE_DIR"):
        await SqlJournal(f"sqlite:///{tmp_path}/file/journal.db").get(Place("k"))


async def test_a_transaction_of_another_process_is_waited_for(journal, file, record):
    await journal.begin(record(), 60)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(journal.begin(record("k2"), 60))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    assert (await waiting).owner == "me"


async def test_it_is_used_again_after_a_close(journal, record):
    await journal.begin(record(), 60)
    await journal.close()
    assert (await journal.get(Place("k"))).state is State.INTENT


async def test_a_child_of_a_fork_has_connections_of_its_own(journal, file, record):
    await journal.begin(record(), 60)
    child = journal.forked()
    assert child is not journal
    assert (await child.get(Place("k"))).owner == "me"
    await child.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://x/y", "'mysql' names no kind of journal.*memory:"),
        ("sqlite://", "names no file.*sqlite:///PATH"),
        ("sqlite:///:memory:", "names no file.*memory:"),
        ("postgresql:/nonsense", "cannot be read|names no|psycopg"),
    ],
)
def test_a_url_that_names_no_journal_is_refused_without_its_password(url, says):
    with pytest.raises(ConfigurationError, match=says):
        open_journal(url)


def test_a_worker_that_has_ended_on_this_machine_is_known_to():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    here = WorkerId()
    assert here.outlived(WorkerId(process=child).name)
    assert not here.outlived(here.name)
    assert not here.outlived(WorkerId(host="elsewhere", process=child).name)
    assert not here.outlived("something else")
