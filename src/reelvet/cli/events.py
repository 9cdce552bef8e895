"""`reelvet events`: what the platform is still to be told, and telling it."""

import contextlib
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelvet.cli import exits, output
from reelvet.cli import options as o
from reelvet.cli.session import Session
from reelvet.cli.text import count
from reelvet.schema.errors import ConfigurationError

if TYPE_CHECKING:
    from reelvet.config import EventsConfig
    from reelvet.events import Delivered, Deliverer
    from reelvet.journal import Journal

app = typer.Typer(help="Show what the platform is still to be told, and what went wrong in telling it.")


@app.callback(invoke_without_command=True)
def events(context: typer.Context, *, as_json: o.JsonFlag = False) -> int:
    """Show what the platform is still to be told, and what went wrong in telling it."""
    if context.invoked_subcommand is not None:
        return exits.Exit.PASS
    import asyncio  # noqa: PLC0415  (--help needs none of this)

    session = Session.of(context)
    config = session.config()
    told = asyncio.run(_looked(session.journal(config)))
    if as_json:
        output.write_json(told)
        return exits.Exit.PASS
    output.plain(f"waiting {told['waiting']}, sent {told['sent']}, given up {told['given_up']}")
    for event in told["failing"]:
        output.plain(
            f"{event['id']} {event['type']} {event['key']}: {count(event['tries'], 'try', 'tries')}, {event['says']}"
        )
    if config.events is None:
        output.note("Nobody is told anything: there is no [events] in the configuration.")
    if told["given_up"]:
        output.note("Those that were given up are sent again with: reelvet events deliver --given-up")
    return exits.Exit.PASS


@app.command("deliver")
def deliver(
    context: typer.Context,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until Ctrl-C, which exits with 0, and send what comes.")
    ] = False,
    given_up: Annotated[bool, typer.Option("--given-up", help="Also send those that were given up.")] = False,
    as_json: o.JsonFlag = False,
) -> int:
    """Send what is due now. Exit code 12 if something could not be sent; it is sent again when it is due again."""
    import asyncio  # noqa: PLC0415

    from reelvet.events import Deliverer  # noqa: PLC0415  (each command loads what it needs)

    session = Session.of(context)
    config = session.config()
    wanted = _wanted(config.events, config.source)
    journal = session.journal(config)
    deliverer = Deliverer(wanted, journal)
    done = None
    with contextlib.suppress(*([KeyboardInterrupt] if follow else [])):
        done = asyncio.run(_sent(deliverer, journal, follow=follow, given_up=given_up))
    if done is None:
        output.note("reelvet: no events are sent any more")
        return exits.Exit.PASS
    if as_json:
        told = {
            "sent": done.sent,
            "put_off": done.put_off,
            "given_up": done.given_up,
            "last_failure": done.last_failure,
        }
        output.write_json(told)
    else:
        output.plain(f"sent {done.sent}, put off {done.put_off}, given up {done.given_up}")
    return exits.Exit.ERROR if done.last_failure is not None else exits.Exit.PASS


def _wanted(events: "EventsConfig | None", source: str | None) -> "EventsConfig":
    if events is None:
        raise ConfigurationError(
            "there is no [events], so nobody is to be told anything",
            field="events",
            source=source,
            way_out="Write an [events] table with the `url` and `secrets` of whoever is to be told.",
        )
    return events


async def _looked(journal: "Journal") -> dict[str, Any]:
    try:
        counts, failing = await journal.outbox(), await journal.failing()
    finally:
        await journal.close()
    return {
        **counts,
        "failing": [
            {
                "id": event.id,
                "type": event.type,
                "key": event.place.key if event.place else None,
                "attempt": event.place.attempt if event.place else None,
                "tries": event.tries,
                "says": event.says,
            }
            for event in failing
        ],
    }


async def _sent(deliverer: "Deliverer", journal: "Journal", *, follow: bool, given_up: bool) -> "Delivered | None":
    """What was sent; `None` where it was followed, which has no end of its own."""
    import asyncio  # noqa: PLC0415

    try:
        if given_up:
            await journal.revive()
        if not follow:
            return await deliverer.drain()
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Where the loop cannot hear signals, Ctrl-C breaks it off: what was on its way is then sent once more.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, stop.set)
        deliverer.start()
        output.note("Events are sent as they come; Ctrl-C ends it.")
        try:
            await stop.wait()
        finally:
            await deliverer.aclose()
        return None
    finally:
        await journal.close()
