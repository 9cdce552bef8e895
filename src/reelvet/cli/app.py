"""All commands, and the options that stand before them."""

from pathlib import Path
from typing import Annotated

import typer

from reelvet.cli import (
    demo,
    doctor,
    events,
    learn,
    listing,
    moderate,
    planning,
    purge,
    sandbox,
    schema,
    serve,
    settle,
    tickets,
    watch,
)  # fmt: skip
from reelvet.cli.session import Session
from reelvet.version import __version__

app = typer.Typer(
    name="reelvet",
    help="Vets video: one command line over content moderation vendors, and a local model that needs no account.",
    epilog="Exit codes: 0 pass, 10 review, 11 block, 12 error, 13 not finished, 2 usage or configuration, 130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

_VET, _TICKET, _AFTER, _KNOW = "Vet", "The life of a ticket", "What comes after", "Know what there is"

app.command(rich_help_panel=_VET)(demo.demo)
app.command(rich_help_panel=_VET)(moderate.moderate)
app.command(rich_help_panel=_VET)(planning.plan)
app.command(rich_help_panel=_VET)(planning.normalize)
app.command(rich_help_panel=_TICKET)(moderate.submit)
app.command(rich_help_panel=_TICKET)(tickets.status)
app.command(rich_help_panel=_TICKET)(tickets.wait)
app.command(rich_help_panel=_TICKET)(watch.watch)
app.command(rich_help_panel=_TICKET)(tickets.cancel)
app.command(rich_help_panel=_TICKET)(tickets.find)
app.command(rich_help_panel=_TICKET)(tickets.adopt)
app.command(rich_help_panel=_TICKET)(settle.settle)
app.add_typer(events.app, name="events", rich_help_panel=_AFTER)
app.command(rich_help_panel=_AFTER)(purge.purge)
app.add_typer(listing.app, name="providers", rich_help_panel=_KNOW)
app.command(rich_help_panel=_KNOW)(listing.labels)
app.command("schema", rich_help_panel=_KNOW)(schema.print_schema)
app.command("doctor", rich_help_panel=_KNOW)(doctor.doctor)
app.add_typer(serve.app, name="serve", rich_help_panel=_TICKET)
app.add_typer(sandbox.app, name="sandbox", rich_help_panel=_KNOW)
listing.app.command("learn")(learn.learn)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reelvet {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The configuration. Default: REELVET_CONFIG, ./reelvet.toml, or the user's own."
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="A \\[profiles.NAME] table to lay over it.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Vets video: one command line over content moderation vendors, and a local model that needs no account."""
    del version
    context.obj = Session(config, profile, verbose)
