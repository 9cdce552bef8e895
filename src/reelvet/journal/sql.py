"""A journal in a database: an SQLite file on one machine, PostgreSQL on many. The same code for both."""

from __future__ import annotations

import json
import os
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from reelvet.journal import tables as t
from reelvet.journal.base import Journal
from reelvet.journal.record import UNSETTLED, Event, News, Place, PlannedTask, Record, State
from reelvet.journal.worker import Worker
from reelvet.schema.errors import ConfigurationError, JournalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from reelvet.journal.record import Selection

_PAGE = 500
_BUSY = 30_000
"""Milliseconds for which SQLite waits for another process's transaction."""
_OPEN = tuple(state.value for state in UNSETTLED)


class SqlJournal(Journal):
    """Submissions in a database. A file is made with mode 0600, in WAL mode, and every commit reaches the disk.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/DATABASE`.

    Raises:
        ConfigurationError: It names no database, or the driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._where = _checked(url)
        self._file = Path(str(self._where.database)).absolute() if self._where.drivername == "sqlite" else None
        self._worker = Worker(self._connect)
        self._insert = sqlite.insert if self._file is not None else postgresql.insert
        self.shared = True

    @property
    def private(self) -> bool:  # type: ignore[override]
        """Whether only this user can read the file."""
        if self._file is None:
            return False
        try:
            return os.name != "posix" or not self._file.stat().st_mode & 0o077
        except FileNotFoundError:
            return True  # it will be made so

    def forked(self) -> SqlJournal:
        return SqlJournal(self._url)

    async def close(self) -> None:
        await self._worker.close()

    # never twice

    async def begin(self, record: Record, lease: float) -> Record:
        row = _row(record)

        def work(connection: sa.Connection) -> Record:
            values = {**row, "lease_until": self._now() + lease}
            if connection.execute(self._insert(t.jobs).values(values).on_conflict_do_nothing()).rowcount == 1:
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
        row = _row(record)
        if record.state is not State.INTENT:
            row["owner"] = None
        still = (t.jobs.c.owner == record.owner) | t.jobs.c.state.in_(_OPEN)

        def work(connection: sa.Connection) -> bool:
            changes = {name: value for name, value in row.items() if name not in {"key", "attempt"}}
            kept = connection.execute(sa.update(t.jobs).where(_at(t.jobs, record.place), still).values(changes))
            if kept.rowcount == 0:
                values = {**row, "lease_until": 0.0}
                if connection.execute(self._insert(t.jobs).values(values).on_conflict_do_nothing()).rowcount == 0:
                    return False
            self._name_tasks(connection, record, tasks)
            self._post(connection, events)
            return True

        return await self._worker.run(work)

    async def drop(self, record: Record) -> bool:
        mine = (t.jobs.c.owner == record.owner) & t.jobs.c.state.in_(_OPEN)

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
                return [_record(row, now) for row in connection.execute(page)]

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
        self, place: Place, *, verdict: str | None, result: bytes | None = None, events: Sequence[Event] = ()
    ) -> None:
        packed = zlib.compress(result, 1) if result is not None else None

        def work(connection: sa.Connection) -> None:
            ended = {"state": State.ENDED.value, "verdict": verdict, "owner": None}
            connection.execute(sa.update(t.jobs).where(_at(t.jobs, place)).values(ended))
            if packed is not None:
                values = {"key": place.key, "attempt": place.attempt, "result": packed}
                stored = self._insert(t.results).values(values)
                connection.execute(
                    stored.on_conflict_do_update(index_elements=["key", "attempt"], set_={"result": packed})
                )
            self._post(connection, events)

        await self._worker.run(work)

    async def result(self, place: Place) -> bytes | None:
        wanted = sa.select(t.results.c.result).where(_at(t.results, place))
        packed = await self._worker.run(lambda connection: connection.scalar(wanted), writes=False)
        return None if packed is None else zlib.decompress(packed)

    # callbacks

    async def hear(self, news: News) -> bool:
        values = {
            "event_id": news.event_id, "instance": news.instance, "task": news.task, "key": news.key,
            "raw": None if news.raw is None else zlib.compress(news.raw, 1), "complete": news.complete,
        }  # fmt: skip
        heard = self._insert(t.news).values(values).on_conflict_do_nothing(index_elements=["event_id"])
        return await self._worker.run(lambda connection: connection.execute(heard).rowcount == 1)

    async def news(self, after: int, limit: int = 500) -> list[News]:
        wanted = sa.select(t.news).where(t.news.c.number > after).order_by(t.news.c.number).limit(limit)

        def work(connection: sa.Connection) -> list[News]:
            return [
                News(
                    row.event_id, row.instance, row.task, row.key,
                    None if row.raw is None else zlib.decompress(row.raw), row.complete, row.number,
                )
                for row in connection.execute(wanted)
            ]  # fmt: skip

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
                _event(row)
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
        row = connection.execute(sa.select(t.jobs).where(_at(t.jobs, place))).first()
        return None if row is None else _record(row, self._read_now(connection))

    def _name_tasks(self, connection: sa.Connection, record: Record, tasks: Sequence[str]) -> None:
        if tasks:
            of = {"instance": record.instance, "key": record.key, "attempt": record.attempt}
            connection.execute(self._insert(t.tasks).on_conflict_do_nothing(), [{**of, "task": task} for task in tasks])

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
        return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)

    def _read_now(self, connection: sa.Connection) -> float:
        return time.time() if self._file is not None else float(connection.scalar(sa.select(self._now())) or 0.0)

    def _connect(self) -> sa.Engine:
        # Without being asked, SQLAlchemy forgets how many rows an INSERT has made before anybody can look.
        counts = {"preserve_rowcount": True}
        engine = sa.create_engine(self._where, pool_size=1, max_overflow=0, execution_options=counts)
        if self._file is not None:
            _make_private(self._file)
            sa.event.listen(engine, "connect", _tune)
            sa.event.listen(engine, "begin", _begin)
        try:
            with engine.begin() as connection:
                if self._file is None:
                    # Two processes that make the tables at the same time would fail one another.
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(7366453)"))
                t.metadata.create_all(connection)
                _check_version(connection, self._insert)
        except BaseException:
            engine.dispose()
            raise
        return engine


def _checked(url: str) -> sa.URL:
    try:
        where = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigurationError(
            "the journal's URL cannot be read", field="journal.url",
            way_out="Write it as sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE; special characters in the password as %XX.",
        ) from None  # fmt: skip
    if where.drivername == "sqlite":
        if not where.database or where.database == ":memory:":
            raise ConfigurationError(
                "the journal's URL names no file", field="journal.url", way_out="Write sqlite:///PATH, or memory:."
            )
        return where
    try:
        import psycopg  # noqa: F401, PLC0415  (an extra)
    except ImportError:
        raise ConfigurationError(
            "a journal in PostgreSQL needs psycopg", field="journal.url", way_out="pip install 'psycopg[binary]'."
        ) from None
    return where.set(drivername="postgresql+psycopg")


def _make_private(file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise JournalError(
            f"the journal {file} cannot be opened: {error.strerror or error}",
            way_out='Set REELVET_STATE_DIR or `[journal] url` to a place that may be written; `url = "memory:"` keeps it in memory alone.',
        ) from None


def _tune(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in (f"busy_timeout={_BUSY}", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads first and then wants to write could be refused: it asks for the right at once.
    writes = connection.get_execution_options().get("reelvet_writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _check_version(connection: sa.Connection, insert: Any) -> None:
    connection.execute(insert(t.versions).values(version=t.VERSION).on_conflict_do_nothing())
    version = connection.scalar(sa.select(sa.func.max(t.versions.c.version)))
    if version != t.VERSION:
        raise JournalError(
            f"the journal has version {version}, this reelvet knows {t.VERSION}", way_out="Upgrade reelvet."
        )


def _at(table: sa.Table, place: Place) -> sa.ColumnElement[bool]:
    return (table.c.key == place.key) & (table.c.attempt == place.attempt)


def _row(record: Record) -> dict[str, Any]:
    return {
        "key": record.key, "attempt": record.attempt, "fingerprint": record.fingerprint, "provider": record.provider,
        "instance": record.instance, "state": record.state.value, "ticket": zlib.compress(record.ticket, 1),
        "plan": json.dumps(record.plan), "begun_at": record.begun_at, "owner": record.owner, "user": record.user,
        "verdict": record.verdict,
    }  # fmt: skip


def _record(row: Any, now: float) -> Record:
    return Record(
        key=row.key, attempt=row.attempt, fingerprint=row.fingerprint, provider=row.provider, instance=row.instance,
        state=State(row.state), ticket=zlib.decompress(row.ticket),
        plan=tuple(PlannedTask(*task) for task in json.loads(row.plan)), begun_at=row.begun_at, owner=row.owner,
        lease_left=0.0 if row.owner is None else max(0.0, row.lease_until - now), user=row.user, verdict=row.verdict,
    )  # fmt: skip


def _event(row: Any) -> Event:
    place = Place(row.key, row.attempt) if row.key is not None else None
    return Event(row.id, row.type, row.body or b"", place, row.tries, row.says)
