"""Runs every check and tells what came of it."""

import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from reelvet.cli import exits, output
from reelvet.cli import options as o
from reelvet.cli.session import Session
from reelvet.cli.text import clean, clean_lines, count
from reelvet.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reelvet.cli.doctor.examined import Item

_WORDS = {
    "ok": ("ok", "green"),
    "note": ("note", "cyan"),
    "warning": ("warning", "yellow"),
    "wrong": ("WRONG", "bold red"),
}


def doctor(
    context: typer.Context,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Also ask every provider whether it accepts the credentials; free.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the tracebacks of broken plugins.")] = False,
    as_json: o.JsonFlag = False,
) -> int:
    """Check configuration, plugins, credentials and policies; say what is wrong and how to mend it.

    Exit code 0 if reelvet is usable, 2 if something is wrong, 12 if a provider cannot be reached (--live).
    """
    from reelvet.cli.doctor.checks import run_checks, run_live_checks  # noqa: PLC0415  (each command loads what it needs)
    from reelvet.cli.doctor.examined import examine  # noqa: PLC0415

    session = Session.of(context)
    examined = examine(session)
    told = run_checks(examined)
    asked = run_live_checks(examined, told) if live else []
    code = exits.Exit.PASS
    if any(item.level == "wrong" for _, item in told):
        code = exits.Exit.USAGE
    elif any(item.level == "wrong" for _, item in asked):
        code = exits.Exit.ERROR
    if not (verbose or session.verbose):
        told = [(name, replace(item, detail=None)) for name, item in told]
    everything = [*told, *asked]
    if as_json:
        rows = [
            {"check": name, "level": i.level, "says": i.says, "mend": i.mend, "where": i.where, "detail": i.detail}
            for name, i in everything
        ]
        output.write_json(
            {
                "usable": code == exits.Exit.PASS,
                "reelvet": __version__,
                "python": platform.python_version(),
                "checks": rows,
            }
        )
    else:
        _print(everything)
    return code


def _print(everything: "Sequence[tuple[str, Item]]") -> None:
    from rich.table import Table  # noqa: PLC0415  (rich, for people only)
    from rich.text import Text  # noqa: PLC0415

    out = output.console()
    out.print(Text(f"reelvet {__version__}, Python {platform.python_version()}", style="bold"))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for _, item in everything:
        word, style = _WORDS[item.level]
        told = Text(clean(item.says))
        if item.mend and item.level != "ok":
            told.append(f"\n-> {clean(item.mend)}", style="dim" if item.level == "note" else "")
        if item.detail:
            told.append(f"\n{clean_lines(item.detail.rstrip())}", style="dim")
        table.add_row(Text(word, style=style), told)
    out.print(table)
    wrong = sum(item.level == "wrong" for _, item in everything)
    warned = sum(item.level == "warning" for _, item in everything)
    if wrong:
        out.print(Text(f"{count(wrong, 'thing')} wrong, {count(warned, 'warning')}.", style="bold red"))
    else:
        out.print(Text(f"Usable, {count(warned, 'warning')}.", style="bold green" if not warned else "bold yellow"))
