"""A journal in this process's memory: for tests, and for whoever keeps tickets in a database of their own."""

from __future__ import annotations

import threading
import time
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reelvet.journal.base import Journal
from reelvet.journal.record import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from reelvet.journal.record import Event, News, Place, Record, Selection

_MOST = 10_000
_GIVEN_UP = float("inf")


@dataclass(slots=True)
class _Entry:
    record: Record
    """Its ticket is compressed: most are never asked for again."""
    lease_until: float = 0.0
    tasks: tuple[str, ...] = ()
    result: bytes | None = None


@dataclass(slots=True)
class _Posted:
    event: Event
    due: float = 0.0


@dataclass(slots=True)
class _Held:
    """All that there is, shared by nobody."""

    entries: OrderedDict[Place, _Entry] = field(default_factory=OrderedDict)
    tasks: dict[tuple[str, str], Place] = field(default_factory=dict)
    news: OrderedDict[str, News] = field(default_factory=OrderedDict)
    unfollowed: OrderedDict[str, float] = field(default_factory=OrderedDict)
    """When each of the news that are yet to be followed up is due."""
    numbered: int = 0
    waiting: OrderedDict[str, _Posted] = field(default_factory=OrderedDict)
    sent: OrderedDict[str, None] = field(default_factory=OrderedDict)


class MemoryJournal(Journal):
    """The most recent submissions, as long as the process lives. Safe to share between threads and event loops.

    Args:
        most: Settled submissions that are kept; of those whose outcome is not known none is ever forgotten.
    """

    private = True
    shared = False

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._held = _Held()
        self._lock = threading.Lock()

    async def begin(self, record: Record, lease: float) -> Record:
        with self._lock:
            entry = self._held.entries.get(record.place)
            if entry is None:
                entry = self._held.entries[record.place] = _Entry(_packed(record), time.monotonic() + lease)
                self._forget()
            return _shown(entry)

    async def get(self, place: Place) -> Record | None:
        with self._lock:
            entry = self._held.entries.get(place)
            if entry is None:
                return None
            self._held.entries.move_to_end(place)
            return _shown(entry)

    async def take(self, record: Record, owner: str, lease: float) -> Record | None:
        with self._lock:
            entry = self._held.entries.get(record.place)
            if entry is None or (entry.record.owner, entry.record.state) != (record.owner, record.state):
                return None
            if record.lease_left > 0 and entry.lease_until > time.monotonic():
                return None
            entry.record, entry.lease_until = replace(entry.record, owner=owner), time.monotonic() + lease
            return _shown(entry)

    async def renew(self, owner: str, lease: float) -> set[Place]:
        with self._lock:
            mine = {place: entry for place, entry in self._held.entries.items() if entry.record.owner == owner}
            for entry in mine.values():
                entry.lease_until = time.monotonic() + lease
            return set(mine)

    async def keep(self, record: Record, tasks: Sequence[str] = (), events: Sequence[Event] = ()) -> bool:
        with self._lock:
            entry = self._held.entries.get(record.place)
            if entry is not None and entry.record.owner != record.owner and entry.record.state.settled:
                return False
            kept = _packed(record if record.state is State.INTENT else replace(record, owner=None))
            self._held.entries[record.place] = _Entry(kept, entry.lease_until if entry else 0.0, tuple(tasks))
            self._held.tasks.update({(record.instance, task): record.place for task in tasks})
            self._post(events)
            self._forget()
            return True

    async def drop(self, record: Record) -> bool:
        with self._lock:
            entry = self._held.entries.get(record.place)
            if entry is None or entry.record.owner != record.owner or entry.record.state.settled:
                return False
            del self._held.entries[record.place]
            return True

    async def records(self, selection: Selection) -> AsyncIterator[Record]:
        with self._lock:
            found = [_shown(entry) for entry in self._held.entries.values()]
        for record in sorted(found, key=lambda one: one.begun_at):
            if _is_meant(record, selection):
                yield record

    async def of_task(self, instance: str, task: str) -> Record | None:
        with self._lock:
            place = self._held.tasks.get((instance, task))
            entry = self._held.entries.get(place) if place is not None else None
            return None if entry is None else _shown(entry)

    async def conclude(
        self,
        place: Place,
        *,
        verdict: str | None,
        result: bytes | None = None,
        events: Sequence[Event] = (),
        ticket: bytes | None = None,
    ) -> None:
        with self._lock:
            entry = self._held.entries.get(place)
            if entry is not None:
                if entry.record.state.settled:
                    kept = entry.record.ticket if ticket is None else zlib.compress(ticket, 1)
                    entry.record = replace(entry.record, state=State.ENDED, verdict=verdict, owner=None, ticket=kept)
                entry.result = zlib.compress(result, 1) if result is not None else entry.result
            self._post(events)

    async def result(self, place: Place) -> bytes | None:
        with self._lock:
            entry = self._held.entries.get(place)
            return zlib.decompress(entry.result) if entry is not None and entry.result is not None else None

    async def hear(self, news: News) -> bool:
        with self._lock:
            if news.event_id in self._held.news:
                return False
            self._held.numbered += 1
            self._held.news[news.event_id] = replace(news, number=self._held.numbered)
            self._held.unfollowed[news.event_id] = 0.0
            if len(self._held.news) > self._most:
                forgotten, _ = self._held.news.popitem(last=False)
                self._held.unfollowed.pop(forgotten, None)
            return True

    async def unfollowed(self, lease: float, limit: int = 50) -> list[News]:
        with self._lock:
            now = time.monotonic()
            due = [event for event, at in self._held.unfollowed.items() if at <= now][:limit]
            self._held.unfollowed.update(dict.fromkeys(due, now + lease))
            return [self._held.news[event] for event in due]

    async def followed(self, news: News, again: float | None = None) -> None:
        with self._lock:
            if again is None:
                self._held.unfollowed.pop(news.event_id, None)
            elif news.event_id in self._held.unfollowed:
                self._held.unfollowed[news.event_id] = time.monotonic() + again

    async def news(self, after: int, limit: int = 500) -> list[News]:
        with self._lock:
            return [news for news in self._held.news.values() if news.number > after][:limit]

    async def last_news(self) -> int:
        return self._held.numbered

    async def post(self, events: Sequence[Event]) -> None:
        with self._lock:
            self._post(events)

    async def due(self, owner: str, lease: float, limit: int = 50) -> list[Event]:
        with self._lock:
            now = time.monotonic()
            due = [posted for posted in self._held.waiting.values() if posted.due <= now][:limit]
            for posted in due:
                posted.due = now + lease
            return [posted.event for posted in due]

    async def sent(self, event: Event) -> None:
        with self._lock:
            self._held.waiting.pop(event.id, None)
            self._held.sent[event.id] = None
            if len(self._held.sent) > self._most:
                self._held.sent.popitem(last=False)

    async def put_off(self, event: Event, delay: float | None, says: str) -> None:
        with self._lock:
            if (posted := self._held.waiting.get(event.id)) is not None:
                posted.event = replace(event, tries=event.tries + 1, says=says)
                posted.due = _GIVEN_UP if delay is None else time.monotonic() + delay

    async def outbox(self) -> dict[str, int]:
        with self._lock:
            given_up = sum(1 for posted in self._held.waiting.values() if posted.due == _GIVEN_UP)
            waiting = len(self._held.waiting) - given_up
            return {"waiting": waiting, "sent": len(self._held.sent), "given_up": given_up}

    async def failing(self, limit: int = 20) -> list[Event]:
        with self._lock:
            failed = [posted.event for posted in self._held.waiting.values() if posted.event.tries]
        return sorted(failed, key=lambda event: -event.tries)[:limit]

    async def revive(self) -> int:
        with self._lock:
            given_up = [posted for posted in self._held.waiting.values() if posted.due == _GIVEN_UP]
            for posted in given_up:
                posted.event, posted.due = replace(posted.event, tries=0), 0.0
            return len(given_up)

    async def erase(self, places: Sequence[Place]) -> int:
        with self._lock:
            held, erased = self._held, 0
            gone = set(places)
            for place in gone:
                if (entry := held.entries.pop(place, None)) is not None:
                    erased += 1
                    for task in entry.tasks:
                        held.tasks.pop((entry.record.instance, task), None)
                        held.news = OrderedDict((i, n) for i, n in held.news.items() if n.task != task)
                        held.unfollowed = OrderedDict((i, at) for i, at in held.unfollowed.items() if i in held.news)
            held.waiting = OrderedDict((i, p) for i, p in held.waiting.items() if p.event.place not in gone)
            return erased

    async def close(self) -> None:
        pass

    def forked(self) -> MemoryJournal:
        """One of what is settled in this one: what is under way is the parent's."""
        journal = MemoryJournal(self._most)
        for place, entry in list(self._held.entries.items()):
            if entry.record.state.settled:
                journal._held.entries[place] = entry
        return journal

    def _post(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.id not in self._held.sent:
                self._held.waiting.setdefault(event.id, _Posted(event))

    def _forget(self) -> None:
        if len(self._held.entries) <= self._most:
            return
        # Never one whose outcome is not known: it would be submitted again.
        oldest = next((place for place, entry in self._held.entries.items() if entry.record.state.settled), None)
        if oldest is not None:
            entry = self._held.entries.pop(oldest)
            for task in entry.tasks:
                self._held.tasks.pop((entry.record.instance, task), None)


def _packed(record: Record) -> Record:
    return replace(record, ticket=zlib.compress(record.ticket, 1))


def _shown(entry: _Entry) -> Record:
    left = 0.0 if entry.record.owner is None else max(0.0, entry.lease_until - time.monotonic())
    return replace(entry.record, ticket=zlib.decompress(entry.record.ticket), lease_left=left)


def _is_meant(record: Record, selection: Selection) -> bool:
    return (
        (selection.states is None or record.state in selection.states)
        and selection.instance in {None, record.instance}
        and selection.key in {None, record.key}
        and (selection.user is None or record.user == selection.user)
        and (selection.begun_before is None or record.begun_at < selection.begun_before)
        and (not selection.ownerless or record.lease_left <= 0)
    )
