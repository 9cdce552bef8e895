"""`reelvet purge`: forgets jobs, here and at their vendors where these can."""

import re
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelvet.cli import exits, output
from reelvet.cli import options as o
from reelvet.cli.session import Session
from reelvet.cli.state import State, name_of
from reelvet.cli.text import count

if TYPE_CHECKING:
    from reelvet.config import Config
    from reelvet.moderator.instance import Instance
    from reelvet.moderator.purging import Erasure
    from reelvet.plugins import Registry

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([wdhms])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def purge(
    context: typer.Context,
    *,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="All attempts of one job.")] = None,
    user: Annotated[str | None, typer.Option(metavar="ID", help="All jobs of one user.")] = None,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Jobs submitted longer ago: 30d, 12h, 2w.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would become of them.")] = False,
    local_only: Annotated[
        bool,
        typer.Option("--local-only", help="Ask no vendor, and forget here also what one failed to erase."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: o.JsonFlag = False,
) -> int:
    """Forget jobs: journal, outbox, kept tickets and results, and at the vendor where it can delete. Of several conditions all must hold. Exit code 12 if something could not be erased; it is kept, to be tried again."""
    if key is None and user is None and older_than is None:
        raise typer.BadParameter("give --key, --user or --older-than", ctx=context)
    which: dict[str, Any] = {"key": key, "user": user, "older_than": _age(older_than, context)}
    if not (yes or dry_run) and (as_json or not sys.stdin.isatty()):
        raise typer.BadParameter("nobody can be asked here: give --yes, or --dry-run", ctx=context)
    session = Session.of(context)
    config = session.config()
    work = _Work(session, config, session.registry(config), which, local_only=local_only)
    if not (yes or dry_run):
        would = work.run(dry_run=True)
        _show(would, dry_run=True)
        if not would or not typer.confirm(f"Erase {count(sum(one.erased for one in would), 'job')}?", err=True):
            output.note("Nothing was erased.")
            return exits.Exit.ERROR if would else exits.Exit.PASS
    told = work.run(dry_run=dry_run)
    if as_json:
        output.write_json({"dry_run": dry_run, "jobs": [asdict(one) for one in told]})
    else:
        _show(told, dry_run=dry_run)
    by_name = key is not None or user is not None
    left = [one for one in told if not one.erased and (by_name or one.at_vendor == "failed")]
    return exits.Exit.ERROR if left and not dry_run else exits.Exit.PASS


def _age(text: str | None, context: typer.Context) -> timedelta | None:
    if text is None:
        return None
    written = _AGE.fullmatch(text.strip())
    try:
        return timedelta(**{_UNITS[written[2]]: float(written[1])}) if written else _refuse(text, context)
    except OverflowError:
        return _refuse(text, context)


def _refuse(text: str, context: typer.Context) -> timedelta:
    raise typer.BadParameter(f"{text!r} is no age: write it as 30d, 12h or 2w", ctx=context, param_hint="--older-than")


class _Work:
    """One purge, looked at and then done."""

    def __init__(
        self, session: Session, config: "Config", registry: "Registry", which: dict[str, Any], *, local_only: bool
    ) -> None:
        self._session = session
        self._config = config
        self._registry = registry
        self._which = which
        self._local_only = local_only
        self._instances: dict[str, Instance] = {}
        self._state = State()

    def run(self, *, dry_run: bool) -> "list[Erasure]":
        """What became of each job, or would."""
        import asyncio  # noqa: PLC0415  (--help needs none of this)

        from reelvet.cli import kept  # noqa: PLC0415

        others = kept.tickets_of(self._state, **self._which)
        told = asyncio.run(self._purge(others, dry_run=dry_run))
        for one in told if not dry_run else ():
            if one.erased:
                self._state.forget(one.key, one.attempt)
        return told

    async def _purge(self, others: list[Any], *, dry_run: bool) -> "list[Erasure]":
        import asyncio  # noqa: PLC0415

        from reelvet.moderator.purging import purge as purge_jobs  # noqa: PLC0415  (each command loads what it needs)

        journal = self._session.journal(self._config)
        try:
            return await purge_jobs(
                journal, self._instance, **self._which, local_only=self._local_only, dry_run=dry_run, others=others
            )
        finally:
            made = list(self._instances.values())
            await asyncio.gather(*(instance.close() for instance in made), return_exceptions=True)
            await journal.close()

    def _instance(self, name: str) -> "Instance":
        from reelvet.moderator.instance import Instance  # noqa: PLC0415

        if name not in self._instances:
            self._instances[name] = Instance(name, self._config, self._registry)
        return self._instances[name]


def _show(told: "list[Erasure]", *, dry_run: bool) -> None:
    done = "would be erased" if dry_run else "erased"
    for one in told:
        where = {"erased": ", at the vendor too", "not asked": ", here alone"}.get(one.at_vendor, "")
        what = f"{done}{where}" + (f"; {one.says}" if one.says else "") if one.erased else f"kept; {one.says}"
        output.plain(f"{name_of(one.key, one.attempt)} {one.instance}: {what}")
    erased = sum(one.erased for one in told)
    output.note(f"{done} {erased}, kept {len(told) - erased}" if told else "Nothing is kept of any such job.")
