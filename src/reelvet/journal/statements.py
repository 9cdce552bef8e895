"""The statements that every submission runs, put into the database's own words once, and rows made of records and back.

SQLAlchemy works a statement out anew each time: that costs several times what SQLite needs to carry it out.
"""

from __future__ import annotations

import json
import time
import zlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from reelvet.journal import tables as t
from reelvet.journal.record import UNSETTLED, Event, News, Place, PlannedTask, Record, State

if TYPE_CHECKING:
    from collections.abc import Mapping

OPEN = tuple(state.value for state in UNSETTLED)
_NEVER_CHANGED = frozenset({"key", "attempt"})


class Prepared:
    """One statement in the database's own words.

    Args:
        statement: It, with a named parameter wherever a value belongs.
        dialect: The database's.
        columns: Of an INSERT: those that are given, under their own names.
    """

    def __init__(self, statement: Any, dialect: sa.Dialect, columns: list[str] | None = None) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self._words = str(compiled)
        self._order: list[str] | None = compiled.positiontup
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> sa.CursorResult[Any]:
        """Runs it with these values."""
        given = {**self._constants, **values}
        parameters: Any = given if self._order is None else tuple(given[name] for name in self._order)
        return connection.exec_driver_sql(self._words, parameters)


class Statements:
    """What a submission needs, for one database.

    Args:
        dialect: The database's.
    """

    def __init__(self, dialect: sa.Dialect) -> None:
        self.is_sqlite = dialect.name == "sqlite"
        c, insert = t.jobs.c, sqlite.insert if self.is_sqlite else postgresql.insert
        at = (c.key == sa.bindparam("key_")) & (c.attempt == sa.bindparam("attempt_"))
        is_open = c.state.in_([sa.bindparam(f"open_{number}", value) for number, value in enumerate(OPEN)])
        still = c.owner.is_not_distinct_from(sa.bindparam("owner_")) | is_open
        now: Any = sa.bindparam("now_", type_=sa.Double) if self.is_sqlite else server_now()
        columns = [column.name for column in t.jobs.columns if column.name != "lease_until"]
        entered = insert(t.jobs).values(
            **{name: sa.bindparam(f"{name}_") for name in columns},
            lease_until=now + sa.bindparam("lease_", type_=sa.Double),
        )
        kept: dict[str, Any] = {
            name: sa.bindparam(f"{name}_") for name in columns if name not in _NEVER_CHANGED | {"owner"}
        }
        self._get = Prepared(sa.select(t.jobs, now.label("now_")).where(at), dialect)
        self._enter = Prepared(entered.on_conflict_do_nothing(), dialect)
        self._keep = Prepared(
            sa.update(t.jobs).where(at, still).values(**kept, owner=sa.bindparam("next_owner_")), dialect
        )
        ended = sa.update(t.jobs).where(at, ~is_open)
        self._end = Prepared(
            ended.values(state=sa.bindparam("state_"), verdict=sa.bindparam("verdict_"), owner=sa.null()), dialect
        )
        stored = insert(t.results).values(
            key=sa.bindparam("key_"), attempt=sa.bindparam("attempt_"), result=sa.bindparam("result_")
        )
        self._store = Prepared(
            stored.on_conflict_do_update(index_elements=["key", "attempt"], set_={"result": stored.excluded.result}),
            dialect,
        )
        self._name = Prepared(
            insert(t.tasks).on_conflict_do_nothing(), dialect, [column.name for column in t.tasks.columns]
        )

    def get(self, connection: sa.Connection, place: Place) -> Record | None:
        """What stands at a place."""
        values = {"key_": place.key, "attempt_": place.attempt, "now_": time.time()}
        row = self._get.run(connection, values).first()
        return None if row is None else record_of(row, row.now_)

    def enter(self, connection: sa.Connection, row: Mapping[str, Any], lease: float) -> bool:
        """Writes a record where there is none, leased for some seconds. Whether there was none."""
        values = {f"{name}_": value for name, value in row.items()}
        return self._enter.run(connection, {**values, "now_": time.time(), "lease_": lease}).rowcount == 1

    def keep(self, connection: sa.Connection, row: Mapping[str, Any], next_owner: str | None) -> bool:
        """Writes over a record that is its owner's, or that nobody has settled. Whether there was one."""
        values = {f"{name}_": value for name, value in row.items()}
        return self._keep.run(connection, {**values, "next_owner_": next_owner}).rowcount == 1

    def end(self, connection: sa.Connection, place: Place, verdict: str | None) -> None:
        """Says of a settled submission that there is a result."""
        state = State.ENDED.value
        self._end.run(connection, {"key_": place.key, "attempt_": place.attempt, "state_": state, "verdict_": verdict})

    def store(self, connection: sa.Connection, place: Place, result: bytes) -> None:
        """Keeps a result, compressed, in the place of an earlier one."""
        self._store.run(connection, {"key_": place.key, "attempt_": place.attempt, "result_": result})

    def name(self, connection: sa.Connection, record: Record, task: str) -> None:
        """Says which submission a vendor's task belongs to."""
        values = {"instance": record.instance, "task": task, "key": record.key, "attempt": record.attempt}
        self._name.run(connection, values)


def server_now() -> Any:
    """PostgreSQL's own time: the clocks of machines differ."""
    return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)


def row_of(record: Record) -> dict[str, Any]:
    """A record as a row, but for its lease."""
    return {
        "key": record.key, "attempt": record.attempt, "fingerprint": record.fingerprint, "provider": record.provider,
        "instance": record.instance, "state": record.state.value, "ticket": record.ticket,
        "plan": json.dumps(record.plan), "begun_at": record.begun_at, "unknown_since": record.unknown_since,
        "owner": record.owner, "user": record.user, "verdict": record.verdict,
    }  # fmt: skip


def record_of(row: Any, now: float) -> Record:
    """The record that a row is."""
    return Record(
        key=row.key, attempt=row.attempt, fingerprint=row.fingerprint, provider=row.provider, instance=row.instance,
        state=State(row.state), ticket=row.ticket,
        plan=tuple(PlannedTask(*task) for task in json.loads(row.plan)), begun_at=row.begun_at,
        unknown_since=row.unknown_since, owner=row.owner,
        lease_left=0.0 if row.owner is None else max(0.0, row.lease_until - now), user=row.user, verdict=row.verdict,
    )  # fmt: skip


def news_of(row: Any) -> News:
    """The callback that a row is."""
    raw = None if row.raw is None else zlib.decompress(row.raw)
    return News(row.event_id, row.instance, row.task, row.category, row.key, raw, row.complete, row.number)


def event_of(row: Any) -> Event:
    """The event that a row is."""
    place = Place(row.key, row.attempt) if row.key is not None else None
    return Event(row.id, row.type, row.body or b"", place, row.tries, row.says)
