"""`reelvet serve callbacks`: receives vendors' callbacks, until Ctrl-C."""

import json
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from reelvet.cli import exits, output
from reelvet.cli import options as o
from reelvet.cli.session import Session
from reelvet.cli.text import safe_json

if TYPE_CHECKING:
    from reelvet.callbacks import Receiver

app = typer.Typer(help="Serve what others call: vendors that report how a task has ended.", no_args_is_help=True)

_PORT = 8642


@app.callback()
def serve() -> None:
    """Serve what others call: vendors that report how a task has ended."""


@app.command()
def callbacks(
    context: typer.Context,
    *,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65_535, help="The port; 0 takes any that is free.")
    ] = _PORT,
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Under which vendors reach it, if something stands before it."),
    ] = None,
    as_json: o.JsonFlag = False,
) -> int:
    """Receive vendors' callbacks: verify and keep them, answer, wake who waits; until Ctrl-C, which exits with 0."""
    import asyncio  # noqa: PLC0415  (what `--help` loads is kept small)

    return asyncio.run(_serve(Session.of(context), host, port, public_url, as_json=as_json))


async def _serve(session: Session, host: str, port: int, public_url: str | None, *, as_json: bool) -> int:
    from reelvet.callbacks import Receiver, callbacks_app  # noqa: PLC0415  (an extra)
    from reelvet.callbacks.serving import bind, serve, url_of  # noqa: PLC0415
    from reelvet.moderator import AsyncModerator  # noqa: PLC0415

    config = session.config()
    prefix = _checked(public_url) if public_url is not None else None
    async with AsyncModerator(config, registry=session.registry(config)) as moderator:
        receiver = Receiver(moderator)
        served = _served(receiver)
        with bind(host, port) as bound:
            told = _described(served, prefix or url_of(bound), url_of(bound))
            _warn(served, host, public_url, shared=moderator.journal.shared)
            await serve(callbacks_app(moderator, receiver=receiver), bound, ready=lambda: _tell(told, as_json=as_json))
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(receiver.counts.items())) or "none"
    output.note(f"reelvet: callbacks: {counts}")
    return exits.Exit.PASS


def _served(receiver: "Receiver") -> dict[str, int]:
    """The instances that are called back for, and with how many secrets each verifies."""
    from reelvet.schema.errors import ConfigurationError  # noqa: PLC0415

    served = {name: len(receiver.secrets(name)) for name in receiver.instances()}
    if not served:
        raise ConfigurationError(
            "no configured instance is of a vendor that sends callbacks", field="providers",
            way_out="`reelvet providers` shows which do; the others are polled.",
        )  # fmt: skip
    return served


def _checked(public_url: str) -> str:
    from reelvet.schema.errors import ConfigurationError  # noqa: PLC0415

    parts = urlsplit(public_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(
            "--public-url is no URL to put names behind", field="public_url",
            way_out="Write it as https://hooks.example.com/reelvet, without a query.",
        )  # fmt: skip
    return public_url.rstrip("/")


def _described(served: dict[str, int], prefix: str, here: str) -> dict[str, Any]:
    return {
        "url": here,
        "instances": {
            name: {"callback_url": f"{prefix}/{name}?key={{key}}", "secrets": secrets}
            for name, secrets in served.items()
        },
    }


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(safe_json(json.dumps(told)) + "\n")
    else:
        for name, instance in told["instances"].items():
            output.plain(f"{name}: {instance['callback_url']}")
    sys.stdout.flush()


def _warn(served: dict[str, int], host: str, public_url: str | None, *, shared: bool) -> None:
    for name in [name for name, secrets in served.items() if not secrets]:
        output.note(
            f"reelvet: warning: {name} has no secret to verify callbacks with: they only have known tasks looked at."
        )
    if not shared:
        output.note("reelvet: warning: the journal is in memory: who waits in another process is not woken.")
    if public_url is None and _is_here(host):
        output.note(
            f"reelvet: listening on {host}, where no vendor can reach it; --public-url says under which URL one can."
        )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
