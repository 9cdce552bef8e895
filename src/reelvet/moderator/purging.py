"""Forgetting jobs: in the journal with all that belongs to them, and at their vendor where it can.

Nothing is forgotten that may have been paid for and is not known: under its key it would be submitted again. And nothing
that the vendor failed to erase, as it could not be tried again.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from reelvet.http import logger
from reelvet.journal import Place, Selection, State, WorkerId
from reelvet.moderator.checks import check_owner
from reelvet.moderator.looking import Search, search
from reelvet.moderator.settling import unknown_tasks, with_found
from reelvet.moderator.waiting import existing
from reelvet.schema.errors import DeleteUnsupported, InvalidJob, ReelvetError, TaskNotFound
from reelvet.schema.urls import mask_urls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from reelvet.journal import Journal, Record
    from reelvet.moderator.instance import Instance
    from reelvet.schema.task import TaskRef
    from reelvet.schema.ticket import Ticket

AtVendor = Literal["erased", "cannot", "failed", "nothing", "not asked"]
_AT_A_TIME = 16
_LEASE = 120.0
"""Seconds in which a submission of unknown outcome is looked up."""
_UNSETTLED = "nobody knows whether it exists at the vendor, and forgotten it could be submitted and paid for again"
_UNDER_WAY = "somebody is at work on it"
_log = logger("moderator")


@dataclass(frozen=True, slots=True)
class Erasure:
    """What became of one job."""

    key: str
    attempt: int
    provider: str
    instance: str
    erased: bool
    """Whether it is forgotten here; in a dry run, whether it would be."""
    at_vendor: AtVendor
    """`erased`; `cannot`: the vendor has no delete; `failed`: so it is kept here, to be tried again; `nothing` is there, as far
    as is known; `not asked`."""
    says: str | None = None
    """Why it is kept, or what the vendor cannot."""

    @property
    def place(self) -> Place:
        """Its key and attempt."""
        return Place(self.key, self.attempt)


async def purge(
    journal: Journal,
    instance: Callable[[str], Instance],
    *,
    key: str | None = None,
    user: str | None = None,
    older_than: timedelta | None = None,
    local_only: bool = False,
    dry_run: bool = False,
    others: Iterable[Ticket] = (),
) -> list[Erasure]:
    """Forgets the jobs that are meant by all that is said: here with results, events and callbacks, and at their vendors.

    A key that was forgotten is free again: the same job under it is submitted anew, and paid for anew. So nothing is
    forgotten of which nobody knows whether it exists, unless its vendor shows it now; nor what a vendor failed to erase.

    Args:
        journal: Where they stand.
        instance: An instance by its name.
        key: All attempts of one key.
        user: All jobs of one `user`.
        older_than: Those submitted longer ago. Alone, it never means one of which nobody knows whether it exists.
        local_only: Asks no vendor, and forgets also what one failed to erase.
        dry_run: Only tells what would become of them.
        others: Tickets that are kept elsewhere, of jobs that are meant too. Whoever keeps them erases them.

    Raises:
        InvalidJob: Nothing is said of which are meant.
        JournalError: The journal cannot be read or written.
    """
    if key is None and user is None and older_than is None:
        raise InvalidJob("nothing is said of which jobs to erase", way_out="Give a key, a user, or an age.")
    before = None if older_than is None else time.time() - older_than.total_seconds()
    selection = Selection(key=key, user=user, begun_before=before)
    # Only their places: what is read and erased at the same time may be passed over.
    places = [record.place async for record in journal.records(selection)]
    elsewhere = {Place(ticket.key, ticket.attempt): ticket for ticket in others}
    by_name = key is not None or user is not None
    purging = _Purging(journal, instance, by_name=by_name, local_only=local_only, dry_run=dry_run)
    jobs = [(place, elsewhere.pop(place, None)) for place in places] + list(elsewhere.items())
    told: list[Erasure] = []
    for start in range(0, len(jobs), _AT_A_TIME):
        some = await asyncio.gather(*(purging.one(place, other) for place, other in jobs[start : start + _AT_A_TIME]))
        gone = [erasure.place for erasure in some if erasure is not None and erasure.erased]
        if gone and not dry_run:
            await journal.erase(gone)
        told += [erasure for erasure in some if erasure is not None]
    return told


class _Kept(Exception):
    """Why a job is not forgotten."""


def _of(job: Record | Ticket, erased: bool, at_vendor: AtVendor, says: str | None) -> Erasure:
    return Erasure(job.key, job.attempt, job.provider, job.instance, erased, at_vendor, says)


class _Purging:
    def __init__(
        self,
        journal: Journal,
        instance: Callable[[str], Instance],
        *,
        by_name: bool,
        local_only: bool,
        dry_run: bool,
    ) -> None:
        self._journal = journal
        self._instance = instance
        self._by_name = by_name
        self._local_only = local_only
        self._dry_run = dry_run
        self._owner = WorkerId().name

    async def one(self, place: Place, other: Ticket | None) -> Erasure | None:
        """What becomes of a job at its vendor, and whether it is to be forgotten; `None` if it has been meanwhile."""
        record = await self._journal.get(place)
        if record is None:
            return None if other is None else await self._kept_elsewhere(other)
        try:
            if not record.state.settled:
                record = await self._settled(record)
            ticket = record.load_ticket()
        except _Kept as kept:
            return _of(record, False, "not asked", str(kept))
        except ReelvetError as error:
            return _of(record, self._local_only, "not asked" if self._local_only else "failed", str(error))
        return await self._known(ticket)

    async def _known(self, ticket: Ticket) -> Erasure:
        """A job of which it is known what exists, or was decided that nobody asks any more."""
        at_vendor, says = await self._at_vendor(ticket)
        if says is None and (left := len(unknown_tasks(ticket))) and not self._is_done_here(ticket):
            says = f"whether {left} of its tasks exist at the vendor, nobody knows"
        return _of(ticket, at_vendor != "failed", at_vendor, says)

    async def _kept_elsewhere(self, ticket: Ticket) -> Erasure:
        """A job that is in no journal."""
        if unknown_tasks(ticket) and not self._is_done_here(ticket):
            return _of(ticket, False, "not asked", f"{_UNSETTLED}: settle it first")
        return await self._known(ticket)

    # --- at the vendor ---

    async def _at_vendor(self, ticket: Ticket) -> tuple[AtVendor, str | None]:
        refs = [task.ref for task in existing(ticket) if task.ref.id]
        if not refs:
            return "nothing", None
        if self._local_only:
            return "not asked", None
        try:
            instance = self._instance(ticket.instance)
            check_owner(ticket, instance)
            operations = instance.capabilities.operations
            if "delete" not in operations:
                return ("nothing", None) if "run" in operations else ("cannot", _keeps(instance))
            if self._dry_run:
                return "erased", None
            await instance.open()
        except ReelvetError as error:
            return "failed", str(error)
        told = await asyncio.gather(*(_delete(ref, instance) for ref in refs))
        return next(one for wanted in ("failed", "cannot", "erased") for one in told if one[0] == wanted)

    # --- what is not known ---

    async def _settled(self, record: Record) -> Record:
        """The record once it is known what exists.

        Raises:
            _Kept: That cannot be known.
        """
        if not self._by_name:
            raise _Kept(f"{_UNSETTLED}: settle it first")
        try:
            ticket, instance = record.load_ticket(), self._instance(record.instance)
            check_owner(ticket, instance)
        except ReelvetError as error:
            raise _Kept(f"{_UNSETTLED}, and it cannot be looked up: {error}") from error
        if self._is_done_here(ticket):
            if record.lease_left > 0:
                raise _Kept(_UNDER_WAY)
            return record
        if "find" not in instance.capabilities.operations:
            raise _Kept(f"{_UNSETTLED}, and its vendor cannot be asked: settle it first")
        if self._local_only or self._dry_run:
            raise _Kept(f"{_UNSETTLED}: {'it would be looked up first' if self._dry_run else 'settle it first'}")
        return await self._looked_up(record, ticket, instance)

    async def _looked_up(self, record: Record, ticket: Ticket, instance: Instance) -> Record:
        taken = await self._journal.take(record, self._owner, _LEASE)
        if taken is None:
            raise _Kept(_UNDER_WAY)
        looked = await _look(taken, ticket, instance)
        # Nothing is left to send, so without its whole URL.
        known = with_found(ticket, looked.found).model_copy(update={"sealed": None}).with_secret_url(None)
        if unknown_tasks(known):
            if taken.state is State.PARKED:  # ends the lease; an intent's runs out
                await self._journal.keep(taken)
            raise _Kept(f"{_UNSETTLED}; {looked.why}: settle it first")
        # Written down before anything is deleted, so that it is not lost if that fails.
        settled = taken.with_state(State.SUBMITTED, known.dump_json().encode(), plan=())
        if not await self._journal.keep(settled, [ref.id for ref in looked.found.values()]):
            raise _Kept(_UNDER_WAY)
        return settled

    def _is_done_here(self, ticket: Ticket) -> bool:
        """Whether it is done on this machine: submitting it created nothing anywhere, whatever became of it."""
        try:
            provider = self._instance(ticket.instance)
            job = ticket.moderation_job()
            return (
                "run" in provider.capabilities.operations
                and job is not None
                and not provider.provider.plan(job).requests
            )
        except ReelvetError:
            return False


async def _delete(ref: TaskRef, instance: Instance) -> tuple[AtVendor, str | None]:
    try:
        await instance.provider.delete(ref)
    except DeleteUnsupported:
        return "cannot", _keeps(instance)
    except TaskNotFound as error:
        if error.code is None:  # it may be a page of something between here and the vendor
            return "failed", str(error)
    except ReelvetError as error:
        return "failed", str(error)
    except Exception as error:  # noqa: BLE001  (a provider's bug must not end what is done for the others)
        _log.debug("a provider failed in delete", exc_info=True)
        return "failed", mask_urls(f"the provider failed: {type(error).__name__}: {error}")
    return "erased", None


def _keeps(instance: Instance) -> str:
    """What becomes of it at a vendor that cannot be told to forget."""
    handling = instance.spec.data_handling
    kept = f"; how long it keeps what it has: {handling.retention}" if handling is not None else ""
    return f"{instance.spec.title} has no delete{kept}"


async def _look(record: Record, ticket: Ticket, instance: Instance) -> Search:
    """What the vendor shows of the tasks of unknown fate, now."""
    try:
        await instance.open()
    except ReelvetError as error:
        return Search(why=f"it could not be looked up: {error.message}")
    names = {task.ref.name for task in unknown_tasks(ticket)}
    taken = {task.ref.id for task in ticket.tasks if task.ref.id}
    since = datetime.fromtimestamp(record.begun_at, UTC)
    tasks = [task for task in record.plan if task.name in names]
    return await search(tasks, instance, since, window=0.0, taken=taken)
