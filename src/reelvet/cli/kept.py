"""Which of the kept tickets and results belong to some jobs: by key, by user, by age."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reelvet.cli import output
from reelvet.cli.state import file_name
from reelvet.schema.errors import InvalidTicket
from reelvet.schema.task import TaskRef
from reelvet.schema.ticket import TaskState, Ticket, TicketTask

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from reelvet.cli.state import State


def tickets_of(state: State, *, key: str | None, user: str | None, older_than: timedelta | None) -> list[Ticket]:
    """A ticket for every kept job that is meant by all that is said; of a result, one made of its tasks.

    A file that cannot be read is told on stderr: nobody can say whose it is.
    """
    found: dict[tuple[str, int], Ticket] = {}
    for path in state.files():
        if (
            key is not None
            and path.stem.partition("@")[0] != file_name(key)
            and not path.stem.startswith(f"{file_name(key)}@")
        ):
            continue
        try:
            ticket = _of_result(path) if state.is_result(path) else Ticket.load(path)
        except (InvalidTicket, OSError, ValueError, KeyError, TypeError):
            output.note(f"reelvet: warning: {path} cannot be read, and is left as it is")
            continue
        is_old = older_than is None or datetime.now(UTC) - ticket.submitted_at > older_than
        if is_old and key in {None, ticket.key} and (user is None or (ticket.job or {}).get("user") == user):
            found.setdefault((ticket.key, ticket.attempt), ticket)  # a ticket, which comes first, knows more
    return list(found.values())


def _of_result(path: Path) -> Ticket:
    """What is needed to erase the tasks of a result, which may be large, so it is not read in full."""
    result: dict[str, Any] = json.loads(path.read_bytes())
    _, at, number = path.stem.rpartition("@")
    attempt = int(number) if at and number.isdigit() and path.stem == file_name(result["key"], int(number)) else 1
    tasks = tuple(
        TicketTask(ref=TaskRef(id=task["id"]), state=TaskState.CREATED) for task in result["tasks"] if task["id"]
    )
    return Ticket(
        key=result["key"], attempt=attempt, provider=result["provider"] or "", instance=result["instance"] or "",
        submitted_at=result["created_at"] or result["finished_at"], tasks=tasks, job={"user": result.get("user")},
    )  # fmt: skip
