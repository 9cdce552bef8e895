"""`reelvet settle`: submissions of which nobody knows what they created, looked up or decided."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelvet.cli import exits, known, output, submission
from reelvet.cli import options as o
from reelvet.cli.session import Session
from reelvet.cli.state import State, meanings, name_of
from reelvet.cli.text import clean, count
from reelvet.schema.errors import ReelvetError, SubmitOutcomeUnknown

if TYPE_CHECKING:
    from reelvet.config import Config
    from reelvet.journal import Journal, Record
    from reelvet.moderator import Moderator
    from reelvet.moderator.deciding import Decision
    from reelvet.moderator.settling import Settled
    from reelvet.schema.ticket import Ticket

_PAYS = {
    "absent": "Submitted again, it is paid for again, should it exist after all.",
    "resubmit": "It is sent again now, and paid for again, should it exist after all.",
}


def settle(
    context: typer.Context,
    key: Annotated[
        str | None,
        typer.Argument(metavar="KEY", show_default=False, help="Only the job of this key. Needed for a decision."),
    ] = None,
    *,
    attempt: Annotated[int | None, typer.Option(metavar="N", min=1, help="Which attempt of it.")] = None,
    use: o.Use = None,
    adopt: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TASK_ID",
            help="Decide: this task of the vendor's is its own. Once for each that is unknown, in the order of the tasks.",
        ),
    ] = None,
    absent: Annotated[
        bool, typer.Option("--absent", help="Decide: it does not exist, so the key may be submitted again.")
    ] = False,
    resubmit: Annotated[bool, typer.Option("--resubmit", help="Decide the same, and send it again at once.")] = False,
    review: Annotated[
        bool, typer.Option("--review", help="Decide: leave it, and have a person look at the video.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before what may be paid for twice.")] = False,
    as_json: o.JsonFlag = False,
) -> int:
    """Look up every submission of which nobody knows what it created, or decide about one.

    Exit code 0 if nothing is left to decide, 12 if something is.
    """
    decision = _decision(context, adopt=adopt, absent=absent, resubmit=resubmit, review=review)
    session = Session.of(context)
    config = session.config()
    if decision is None:
        rows = [row for row in _looked_up(session, config, key, use) if attempt in {None, row["attempt"]}]
        return _show(rows, as_json=as_json, decided=False)
    if key is None:
        raise typer.BadParameter("say which job is decided about: give its KEY", ctx=context)
    with known.opened(session, config) as journal:
        record = _record(journal, key, attempt)
    if record is not None and use not in {None, record.instance}:
        raise typer.BadParameter(f"job {key!r} was submitted at {record.instance}", ctx=context)
    if not _is_agreed(context, decision, key, yes=yes or record is None, as_json=as_json):
        output.note("Nothing was decided.")
        return exits.Exit.ERROR
    place = (record.key, record.attempt) if record is not None else (key, attempt or 1)
    with session.moderator_of(config, use=record.instance if record is not None else use) as moderator:
        return _show([_decided(moderator, *place, decision, adopt or ())], as_json=as_json, decided=True)


def _decision(
    context: typer.Context, *, adopt: list[str] | None, absent: bool, resubmit: bool, review: bool
) -> "Decision | None":
    said: dict[Decision, bool] = {"adopt": bool(adopt), "absent": absent, "resubmit": resubmit, "review": review}
    chosen = [name for name, is_chosen in said.items() if is_chosen]
    if len(chosen) > 1:
        raise typer.BadParameter("give one of --adopt, --absent, --resubmit, --review", ctx=context)
    return chosen[0] if chosen else None


def _record(journal: "Journal | None", key: str, attempt: int | None) -> "Record | None":
    if journal is None:
        return None
    return known.named(journal, key) if attempt is None else known.at(journal, key, attempt)


def _is_agreed(context: typer.Context, decision: "Decision", key: str, *, yes: bool, as_json: bool) -> bool:
    """Whether whoever sits here wants what may be paid for twice."""
    if yes or decision not in _PAYS:
        return True
    if as_json or not sys.stdin.isatty():
        raise typer.BadParameter(f"{_PAYS[decision]} Nobody can be asked here: give --yes", ctx=context)
    return typer.confirm(f"Job {clean(key)}: {_PAYS[decision]} Is it certain that it does not exist?", err=True)


# --- looking up ---


def _looked_up(session: Session, config: "Config", key: str | None, use: str | None) -> list[dict[str, Any]]:
    """A row for each submission of unknown outcome. One instance that cannot be had hides none of the others'."""
    records: list[Record] = []
    with known.opened(session, config) as journal:
        if journal is not None:
            records = _unsettled(journal, key, use)
    state, rows = State(), []
    for instance in dict.fromkeys(record.instance for record in records):
        mine = {(record.key, record.attempt): record for record in records if record.instance == instance}
        keys: list[str | None] = list(dict.fromkeys(key for key, _ in mine)) if key is not None else [None]
        try:
            with session.moderator_of(config, use=instance) as moderator:
                rows += [
                    _row(one)
                    for name in keys
                    for one in _each(moderator, name, instance, state)
                    if (one.key, one.attempt) in mine
                ]
        except ReelvetError as error:
            rows += [_row_of(record, f"{error.message}. {error.way_out}") for record in mine.values()]
    return rows


def _unsettled(journal: "Journal", key: str | None, use: str | None) -> "list[Record]":
    from reelvet.journal.record import UNSETTLED  # noqa: PLC0415  (each command loads what it needs)

    found = known.listed(journal, states=UNSETTLED, key=key, instance=use)
    for name, attempt in meanings(key)[1:] if key is not None and not found else ():
        some = known.listed(journal, states=UNSETTLED, key=name, instance=use)
        found += [record for record in some if record.attempt == attempt]
    return found


def _each(moderator: "Moderator", key: str | None, instance: str, state: State) -> "Iterator[Settled]":
    with contextlib.closing(moderator.settle(key=key, use=instance)) as outcomes:
        for settled in outcomes:
            if state.ticket_path(settled.key, settled.attempt).exists():
                state.save_ticket(settled.ticket)
            yield settled


# --- deciding ---


def _decided(
    moderator: "Moderator", key: str, attempt: int, decision: "Decision", tasks: Sequence[str]
) -> dict[str, Any]:
    """The row of a submission that was decided about, its ticket kept as it is now."""
    state = State()
    state.prepare()
    outcomes: list[Settled] = []

    def decide() -> "Ticket":
        try:
            outcomes.append(moderator.decide(key, decision, attempt=attempt, tasks=tasks))
        except SubmitOutcomeUnknown as error:  # sent again, and lost again
            error.way_out = submission.way_out(key, attempt)
            if error.ticket is not None:
                state.save_ticket(error.ticket)
            raise
        ticket = outcomes[0].ticket
        if any(task.state == "created" for task in ticket.tasks) or decision == "review":
            state.save_ticket(ticket)
        else:
            state.drop_ticket(ticket)
        return ticket

    submission.let_end(decide, known.Others(moderator.journal, key, attempt), state)
    return _row(outcomes[0])


# --- showing ---


def _row(settled: "Settled") -> dict[str, Any]:
    return {
        "key": settled.key, "attempt": settled.attempt, "provider": settled.ticket.provider, "instance": settled.instance,
        "begun_at": settled.begun_at.isoformat(), "outcome": settled.outcome, "why": settled.why,
        "tasks": [{"name": t.ref.name, "category": t.category, "state": t.state, "id": t.ref.id or None} for t in settled.ticket.tasks],
    }  # fmt: skip


def _row_of(record: "Record", why: str) -> dict[str, Any]:
    """The row of a submission that could not be looked up at all."""
    return {
        "key": record.key, "attempt": record.attempt, "provider": record.provider, "instance": record.instance,
        "begun_at": datetime.fromtimestamp(record.begun_at, UTC).isoformat(), "outcome": "parked", "why": why, "tasks": [],
    }  # fmt: skip


def _show(rows: Sequence[dict[str, Any]], *, as_json: bool, decided: bool) -> exits.Exit:
    left = [row for row in rows if row["outcome"] == "parked"]
    if as_json:
        output.write_json(rows)
    elif not rows:
        output.note("There is no submission of unknown outcome.")
    else:
        _print(rows)
    if left:
        row = left[0]
        output.note(
            f"{count(len(left), 'submission')} may or may not exist. Look at the vendor's console, then decide: reelvet settle KEY "
            "--adopt TASK_ID (it is there), --absent (it is not), --resubmit (it is not, send it again), --review (leave it).\n"
            f"For the first: {submission.way_out(row['key'], row['attempt'])}"
        )
    for row in rows if decided else ():
        name = name_of(row["key"], row["attempt"])
        if row["outcome"] == "absent" and not any(task["state"] == "created" for task in row["tasks"]):
            output.note("It is forgotten: the same key may be submitted again.")
        else:
            output.note(f"Go on with: reelvet wait {name}")
    return exits.Exit.ERROR if left else exits.Exit.PASS


def _print(rows: Sequence[dict[str, Any]]) -> None:
    from rich import box  # noqa: PLC0415  (rich, for people only)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("job", "instance", "sent (UTC)", "outcome", "why"):
        table.add_column(name, overflow="fold")
    for row in rows:
        when = datetime.fromisoformat(row["begun_at"])
        cells = (
            name_of(row["key"], row["attempt"]),
            row["instance"],
            f"{when:%Y-%m-%d %H:%M:%S}",
            row["outcome"],
            row["why"] or "",
        )
        table.add_row(*(Text(clean(cell)) for cell in cells))
    output.console().print(table)
