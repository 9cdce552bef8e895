"""`reelvet status`, `wait`, `cancel`, `find`, `adopt`: what is done with a ticket."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from reelvet.cli import completion, exits, output, submission, vetting
from reelvet.cli import options as o
from reelvet.cli.session import Session
from reelvet.cli.state import State


def status(context: typer.Context, ticket: o.TicketArgument, *, as_json: o.JsonFlag = False) -> int:
    """Say how far a job is, without waiting (exit code 13 while it is not finished)."""
    state, session = State(), Session.of(context)
    held, file = vetting.load_ticket(ticket, state, session)
    if held is None:
        return _show_finished(file, as_json=as_json)
    with session.moderator(use=held.instance, looks_once=True) as moderator:
        held = submission.take_up(moderator, held, file, state)
        result = moderator.status(held)
        path = vetting.keep_result(result, held, state)
        if path is not None:
            vetting.erase_seal(held, file)
        return vetting.show_result(result, moderator, path, as_json=as_json)


def wait(
    context: typer.Context,
    ticket: o.TicketArgument,
    *,
    policy: o.Policies = None,
    timeout: o.Timeout = None,
    as_json: o.JsonFlag = False,
    out: o.Out = None,
) -> int:
    """Wait for a job that was submitted before, here or elsewhere, and print the verdict."""
    vetting.check_out(out)
    state, session = State(), Session.of(context)
    held, file = vetting.load_ticket(ticket, state, session)
    if held is None:
        return _show_finished(file, as_json=as_json)
    with session.moderator(use=held.instance, policy=policy) as moderator:
        if file is None:  # it came by stdin: kept, so that this can be interrupted too
            state.save_ticket(held)
        held = submission.take_up(moderator, held, file, state)
        result = vetting.wait(moderator, held, state, timeout=timeout, quiet=as_json)
        path = vetting.keep_result(result, held, state, out=out)
        if path is not None:
            vetting.erase_seal(held, file)
        return vetting.show_result(result, moderator, path, as_json=as_json)


def cancel(context: typer.Context, ticket: o.TicketArgument, *, as_json: o.JsonFlag = False) -> int:
    """Stop a job and print what there is of its result. The verdict decides the exit code: 12 if it was canceled, 11 if what was found before blocks it."""
    state, session = State(), Session.of(context)
    held, file = vetting.load_ticket(ticket, state, session)
    if held is None:
        return _show_finished(file, as_json=as_json)
    with session.moderator(use=held.instance) as moderator:
        held = submission.take_up(moderator, held, file, state)
        result = moderator.cancel(held)
        path = vetting.keep_result(result, held, state)
        if path is not None:
            vetting.erase_seal(held, file)
        return vetting.show_result(result, moderator, path, as_json=as_json)


def find(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", show_default=False, help="The job's key.")],
    *,
    use: o.Use = None,
    attempt: Annotated[int, typer.Option(metavar="N", min=1, help="Which attempt of it.")] = 1,
    days: Annotated[float, typer.Option(metavar="DAYS", min=0, help="How far back to look.")] = 3.0,
    as_json: o.JsonFlag = False,
) -> int:
    """Look a job up at the vendor by its key. Exit code 12 if there is none."""
    session = Session.of(context)
    with session.moderator(use=use) as moderator:
        found = moderator.find(key, attempt=attempt, use=use, since=datetime.now(UTC) - timedelta(days=days))
    if as_json:
        output.write_json([ticket.dump() for ticket in found])
    elif not found:
        output.note(f"The vendor holds no task under the key {key!r} (attempt {attempt}).")
    for ticket in () if as_json else found:
        task = ticket.tasks[0].ref
        output.plain(f"{ticket.instance} {task.id}" + (f" {task.category}" if task.category else ""))
        output.note(f"  take it over: reelvet adopt {ticket.instance} {task.id} --key {key}")
    return exits.Exit.PASS if found else exits.Exit.ERROR


def adopt(
    context: typer.Context,
    instance: Annotated[
        str,
        typer.Argument(
            metavar="INSTANCE",
            show_default=False,
            help="The instance whose account owns the task.",
            autocompletion=completion.instances,
        ),
    ],
    task: Annotated[str, typer.Argument(metavar="TASK_ID", show_default=False, help="The vendor's task id.")],
    *,
    detect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL",
            help="What it was created to look for; may be repeated. Default: whatever its reply shows.",
            autocompletion=completion.labels,
        ),
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="The job's key. Default: INSTANCE:TASK_ID.")] = None,
    category: Annotated[
        str | None, typer.Option(metavar="NAME", help="The vendor's category or task type, where its id needs one.")
    ] = None,
    as_json: o.JsonFlag = False,
) -> int:
    """Take over a task that was created elsewhere: keep a ticket for it."""
    from reelvet.schema.errors import OperationUnsupported  # noqa: PLC0415  (each command loads what it needs)
    from reelvet.schema.ticket import Ticket  # noqa: PLC0415

    session = Session.of(context)
    config = session.config()
    registry = session.registry(config)
    provider = config.plugin_of(instance, registry)
    if "run" in registry.spec(provider).at_most.operations:
        raise OperationUnsupported(
            "does its own work, so there is no task elsewhere to take over",
            provider,
            instance,
            way_out="Submit the job instead.",
        )
    registry.taxonomy.expand_all(detect or ())
    ticket = Ticket.adopt(
        provider, task, detect=detect, instance=instance, key=key or f"{instance}:{task}", category=category
    )
    state = State()
    ticket = submission.adopt(ticket, session, config, state)
    vetting.show_ticket(ticket, state.ticket_path(ticket.key, ticket.attempt), as_json=as_json)
    return exits.Exit.PASS


def _show_finished(file: Path | None, *, as_json: bool) -> int:
    """The stored result of a job that ended before."""
    if file is None:
        return exits.Exit.USAGE
    return vetting.show_result(vetting.load_result(file), None, file, as_json=as_json)
