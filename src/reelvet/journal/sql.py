"""A journal in a database: an SQLite file on one machine, PostgreSQL on many. The same code for both."""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from reelvet.journal import tables as t
from reelvet.journal.base import Journal
from reelvet.journal.database import begin_transaction, check_version, checked, make_private, tune
from reelvet.journal.record import Event, News, Place, Record, State
from reelvet.journal.statements import OPEN, Statements, event_of, news_of, record_of, row_of, server_now
from reelvet.journal.worker import Worker
from reelvet.schema.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from reelvet.journal.record import Selection

_PAGE = 500


class SqlJournal(Journal):
    """Submissions in a database. A file is made with mode 0600, in WAL mode, and every commit reaches the disk.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/DATABASE`.

    Raises:
        ConfigurationError: It names no database, or the driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._where = checked(url)
        self._file = Path(str(self._where.database)).absolute() if self._where.drivername == "sqlite" else None
        self._worker = Worker(self._connect)
        self._statements = Statements(self._where.get_dialect()())
        self._insert = sqlite.insert if self._file is not None else postgresql.insert
        self.shared = True
        self._is_private: bool | None = None

    @property
    def private(self) -> bool:  # type: ignore[override]
        """Whether only this user could read the file when it was opened; one that is not there yet will be made so."""
        if self._is_private is None:
            if self._file is None:
                return False
            with contextlib.suppress(FileNotFoundError):
                self._is_private = os.name != "posix" or not self._file.stat().st_mode & 0o077
        return self._is_private is not False

    def forked(self) -> SqlJournal:
        return SqlJournal(self._url)

    async def close(self) -> None:
        await self._worker.close()

    # never twice

    async def begin(self, record: Record, lease: float) -> Record:
        row = row_of(record)

        def work(connection: sa.Connection) -> Record:
            if self._statements.enter(connection, row, lease):
                return record.with_state(record.state, lease_left=lease)
            found = self._get(connection, record.place)
            if found is None:  # erased in this very instant
                raise JournalError(f"job {record.key} was erased while it was submitted", way_out="Submit it again.")
            return found

        return await self._worker.run(work)

    async def get(self, place: Place) -> Record | None:
        return await self._worker.run(lambda connection: self._get(connection, place), writes=False)

    async def take(self, record: Record, owner: str, lease: float) -> Record | None:
        def work(connection: sa.Connection) -> Record | None:
            free = sa.true() if record.lease_left <= 0 else t.jobs.c.lease_until <= self._now()
            was = t.jobs.c.owner.is_not_distinct_from(record.owner) & (t.jobs.c.state == record.state.value)
            taken = connection.execute(
                sa.update(t.jobs)
                .where(_at(t.jobs, record.place), was, free)
                .values(owner=owner, lease_until=self._now() + lease)
            )
            return self._get(connection, record.place) if taken.rowcount == 1 else None

        return await self._worker.run(work)

    async def renew(self, owner: str, lease: float) -> set[Place]:
        def work(connection: sa.Connection) -> set[Place]:
            mine = t.jobs.c.owner == owner
            connection.execute(sa.update(t.jobs).where(mine).values(lease_until=self._now() + lease))
            return {Place(*row) for row in connection.execute(sa.select(t.jobs.c.key, t.jobs.c.attempt).where(mine))}

        return await self._worker.run(work)

    async def keep(self, record: Record, tasks: Sequence[str] = (), events: Sequence[Event] = ()) -> bool:
        row, statements = row_of(record), self._statements
        next_owner = record.owner if record.state is State.INTENT else None

        def work(connection: sa.Connection) -> bool:
            kept = statements.keep(connection, row, next_owner)
            if not kept and not statements.enter(connection, {**row, "owner": next_owner}, 0.0):
                return False
            for task in tasks:
                statements.name(connection, record, task)
            self._post(connection, events)
            return True

        return await self._worker.run(work)

    async def drop(self, record: Record) -> bool:
        mine = (t.jobs.c.owner == record.owner) & t.jobs.c.state.in_(OPEN)

        def work(connection: sa.Connection) -> bool:
            return connection.execute(sa.delete(t.jobs).where(_at(t.jobs, record.place), mine)).rowcount == 1

        return await self._worker.run(work)

    # looking around

    async def records(self, selection: Selection) -> AsyncIterator[Record]:
        c, after = t.jobs.c, (float("-inf"), "", 0)
        while True:
            wanted = sa.select(t.jobs).where(
                sa.tuple_(c.begun_at, c.key, c.attempt) > sa.tuple_(*map(sa.literal, after)),
                *self._conditions(selection),
            )
            page = wanted.order_by(c.begun_at, c.key, c.attempt).limit(_PAGE)

            def work(connection: sa.Connection, page: sa.Select[Any] = page) -> list[Record]:
                now = self._read_now(connection)
                return [record_of(row, now) for row in connection.execute(page)]

            found = await self._worker.run(work, writes=False)
            for record in found:
                yield record
            if len(found) < _PAGE:
                return
            after = (found[-1].begun_at, found[-1].key, found[-1].attempt)

    async def of_task(self, instance: str, task: str) -> Record | None:
        named = sa.select(t.tasks.c.key, t.tasks.c.attempt).where(
            t.tasks.c.instance == instance, t.tasks.c.task == task
        )

        def work(connection: sa.Connection) -> Record | None:
            row = connection.execute(named).first()
            return None if row is None else self._get(connection, Place(*row))

        return await self._worker.run(work, writes=False)

    # what came of it

    async def conclude(
        self,
        place: Place,
        *,
        verdict: str | None,
        result: bytes | None = None,
        events: Sequence[Event] = (),
        ticket: bytes | None = None,
    ) -> None:
        packed = zlib.compress(result, 1) if result is not None else None

        def work(connection: sa.Connection) -> None:
            self._statements.end(connection, place, verdict)
            if ticket is not None:
                settled = _at(t.jobs, place) & (t.jobs.c.state == State.ENDED.value)
                connection.execute(sa.update(t.jobs).where(settled).values(ticket=ticket))
            if packed is not None:
                self._statements.store(connection, place, packed)
            self._post(connection, events)

        await self._worker.run(work)

    async def result(self, place: Place) -> bytes | None:
        wanted = sa.select(t.results.c.result).where(_at(t.results, place))
        packed = await self._worker.run(lambda connection: connection.scalar(wanted), writes=False)
        return None if packed is None else zlib.decompress(packed)

    # callbacks

    async def hear(self, news: News) -> bool:
        values = {
            "event_id": news.event_id, "instance": news.instance, "task": news.task, "category": news.category, "key": news.key,
            "raw": None if news.raw is None else zlib.compress(news.raw, 1), "complete": news.complete,
        }  # fmt: skip

        def work(connection: sa.Connection) -> bool:
            heard = self._insert(t.news).values({**values, "due": self._now()})
            return connection.execute(heard.on_conflict_do_nothing(index_elements=["event_id"])).rowcount == 1

        return await self._worker.run(work)

    async def unfollowed(self, lease: float, limit: int = 50) -> list[News]:
        c = t.news.c

        def work(connection: sa.Connection) -> list[News]:
            due = sa.select(c.number).where(c.due <= self._now()).order_by(c.number).limit(limit)
            numbers = list(connection.scalars(due.with_for_update(skip_locked=True)))
            connection.execute(sa.update(t.news).where(c.number.in_(numbers)).values(due=self._now() + lease))
            found = sa.select(t.news).where(c.number.in_(numbers)).order_by(c.number)
            return [news_of(row) for row in connection.execute(found)]

        return await self._worker.run(work)

    async def followed(self, news: News, again: float | None = None) -> None:
        of = (t.news.c.event_id == news.event_id) & t.news.c.due.is_not(None)

        def work(connection: sa.Connection) -> None:
            due = None if again is None else self._now() + again
            connection.execute(sa.update(t.news).where(of).values(due=due))

        await self._worker.run(work)

    async def news(self, after: int, limit: int = 500) -> list[News]:
        wanted = sa.select(t.news).where(t.news.c.number > after).order_by(t.news.c.number).limit(limit)

        def work(connection: sa.Connection) -> list[News]:
            return [news_of(row) for row in connection.execute(wanted)]

        return await self._worker.run(work, writes=False)

    async def last_news(self) -> int:
        wanted = sa.select(sa.func.max(t.news.c.number))
        return await self._worker.run(lambda connection: connection.scalar(wanted), writes=False) or 0

    # the outbox

    async def post(self, events: Sequence[Event]) -> None:
        await self._worker.run(lambda connection: self._post(connection, events))

    async def due(self, owner: str, lease: float, limit: int = 50) -> list[Event]:
        c = t.events.c

        def work(connection: sa.Connection) -> list[Event]:
            due = sa.select(c.id).where(c.due <= self._now()).order_by(c.due).limit(limit)
            ids = list(connection.scalars(due.with_for_update(skip_locked=True)))
            connection.execute(sa.update(t.events).where(c.id.in_(ids)).values(due=self._now() + lease))
            return [
                event_of(row)
                for row in connection.execute(sa.select(t.events).where(c.id.in_(ids)).order_by(c.posted_at))
            ]

        return await self._worker.run(work)

    async def sent(self, event: Event) -> None:
        done = sa.update(t.events).where(t.events.c.id == event.id).values(due=None, body=None, says=None)
        await self._worker.run(lambda connection: connection.execute(done))

    async def put_off(self, event: Event, delay: float | None, says: str) -> None:
        def work(connection: sa.Connection) -> None:
            due = None if delay is None else self._now() + delay
            connection.execute(
                sa.update(t.events)
                .where(t.events.c.id == event.id, t.events.c.body.is_not(None))
                .values(due=due, tries=event.tries + 1, says=says)
            )

        await self._worker.run(work)

    async def outbox(self) -> dict[str, int]:
        c = t.events.c
        counted = sa.select(
            sa.func.count().filter(c.due.is_not(None)),
            sa.func.count().filter(c.body.is_(None)),
            sa.func.count().filter(c.due.is_(None), c.body.is_not(None)),
        )

        def work(connection: sa.Connection) -> dict[str, int]:
            waiting, sent, given_up = connection.execute(counted).one()
            return {"waiting": waiting, "sent": sent, "given_up": given_up}

        return await self._worker.run(work, writes=False)

    async def failing(self, limit: int = 20) -> list[Event]:
        c = t.events.c
        wanted = sa.select(t.events).where(c.body.is_not(None), c.tries > 0).order_by(c.tries.desc(), c.posted_at)

        def work(connection: sa.Connection) -> list[Event]:
            return [event_of(row) for row in connection.execute(wanted.limit(limit))]

        return await self._worker.run(work, writes=False)

    async def revive(self) -> int:
        given_up = t.events.c.due.is_(None) & t.events.c.body.is_not(None)

        def work(connection: sa.Connection) -> int:
            again = sa.update(t.events).where(given_up).values(due=self._now(), tries=0)
            return connection.execute(again).rowcount

        return await self._worker.run(work)

    # erasure

    async def erase(self, places: Sequence[Place]) -> int:
        def work(connection: sa.Connection) -> int:
            erased = 0
            for place in places:
                named = sa.select(t.tasks.c.instance, t.tasks.c.task).where(_at(t.tasks, place))
                for instance, task in connection.execute(named).all():
                    of_task = (t.news.c.instance == instance) & (t.news.c.task == task)
                    connection.execute(sa.delete(t.news).where(of_task))
                for table in (t.tasks, t.results, t.events):
                    connection.execute(sa.delete(table).where(_at(table, place)))
                erased += connection.execute(sa.delete(t.jobs).where(_at(t.jobs, place))).rowcount
            return erased

        return await self._worker.run(work)

    # --- inside ---

    def _get(self, connection: sa.Connection, place: Place) -> Record | None:
        return self._statements.get(connection, place)

    def _post(self, connection: sa.Connection, events: Sequence[Event]) -> None:
        for event in events:
            place = event.place or Place("", 0)
            values = {
                "id": event.id, "type": event.type, "body": event.body, "tries": event.tries, "says": event.says,
                "key": place.key or None, "attempt": place.attempt or None, "posted_at": time.time(), "due": self._now(),
            }  # fmt: skip
            connection.execute(self._insert(t.events).values(values).on_conflict_do_nothing())

    def _conditions(self, selection: Selection) -> list[sa.ColumnElement[bool]]:
        c = t.jobs.c
        said = [
            c.state.in_([state.value for state in selection.states]) if selection.states is not None else None,
            c.instance == selection.instance if selection.instance is not None else None,
            c.key == selection.key if selection.key is not None else None,
            c.user == selection.user if selection.user is not None else None,
            c.begun_at < selection.begun_before if selection.begun_before is not None else None,
            c.owner.is_(None) | (c.lease_until <= self._now()) if selection.ownerless else None,
        ]
        return [condition for condition in said if condition is not None]

    def _now(self) -> Any:
        """The database's own time where it has one: the clocks of machines differ."""
        if self._file is not None:
            return time.time()
        return server_now()

    def _read_now(self, connection: sa.Connection) -> float:
        return time.time() if self._file is not None else float(connection.scalar(sa.select(self._now())) or 0.0)

    def _connect(self) -> sa.Engine:
        # Without being asked, SQLAlchemy forgets how many rows an INSERT has made before anybody can look.
        counts = {"preserve_rowcount": True}
        engine = sa.create_engine(self._where, pool_size=1, max_overflow=0, execution_options=counts)
        if self._file is not None:
            make_private(self._file)
            sa.event.listen(engine, "connect", tune)
            sa.event.listen(engine, "begin", begin_transaction)
        try:
            with engine.begin() as connection:
                if self._file is None:
                    # Two processes that make the tables at the same time would fail one another.
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(7366453)"))
                t.metadata.create_all(connection)
                check_version(connection, self._insert)
        except BaseException:
            engine.dispose()
            raise
        return engine


def _at(table: sa.Table, place: Place) -> sa.ColumnElement[bool]:
    return (table.c.key == place.key) & (table.c.attempt == place.attempt)
