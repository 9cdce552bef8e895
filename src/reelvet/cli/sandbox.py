"""`reelvet sandbox`: the vendors' emulators on loopback, until Ctrl-C."""

import json
import signal
import sys
import threading
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelvet.cli import completion, exits, output
from reelvet.cli import options as o
from reelvet.cli.session import Session
from reelvet.cli.text import safe_json
from reelvet.cli.toml import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.plugins import Registry
    from reelvet.sandbox import Sandbox, Scenario

app = typer.Typer(help="Serve the vendors' emulators on loopback, to work without an account.")

_Providers = Annotated[
    list[str] | None,
    typer.Option(
        "--provider",
        metavar="ID",
        help="Only the emulator of this provider; may be repeated. Default: every one that is installed.",
        autocompletion=completion.instances,
    ),
]
_Scenarios = Annotated[
    list[Path] | None,
    typer.Option(metavar="PATH", help="Scenarios of your own: a YAML file, or a directory of them; may be repeated."),
]


@app.callback(invoke_without_command=True)
def sandbox(
    context: typer.Context,
    *,
    provider: _Providers = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65_535,
            help="The control's port, the emulators' behind it. Default: any that are free.",
        ),
    ] = 0,
    scenarios: _Scenarios = None,
    speed: Annotated[
        float, typer.Option(metavar="N", min=0, help="How many times as fast as the wall's their clock runs.")
    ] = 1.0,
    as_json: o.JsonFlag = False,
) -> int:
    """Serve the vendors' emulators on loopback, to work without an account; until Ctrl-C, which exits with 0."""
    if context.invoked_subcommand is not None:
        return exits.Exit.PASS
    from reelvet.sandbox import Sandbox  # noqa: PLC0415  (an extra)

    session = Session.of(context)
    registry = session.registry(session.config())
    serving = Sandbox(provider, registry=registry, host=host, port=port, speed=speed, scenarios=scenarios or ())
    for problem in serving.problems:
        output.note(f"reelvet: warning: {problem}")
    if not _is_here(host):
        output.note(
            f"reelvet: warning: {host} can be reached from other machines, and the control takes orders from all."
        )
    with serving:
        return _until_interrupted(serving, _as_json(serving) if as_json else _as_toml(serving))


def _until_interrupted(serving: "Sandbox", told: str) -> int:
    """Says where it is, and serves. To be interrupted is how a server ends, and nothing is left undone: hence 0, not 130."""
    try:
        with _terminated_as_interrupted():
            sys.stdout.write(told)
            sys.stdout.flush()
            serving.wait()
    except KeyboardInterrupt:
        output.note("reelvet: the sandbox has ended")
        return exits.Exit.PASS
    output.note("reelvet: the sandbox has ended by itself")
    return exits.Exit.ERROR


@contextmanager
def _terminated_as_interrupted() -> "Iterator[None]":
    """Has SIGTERM, which service managers send, end it as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@app.command("scenarios")
def list_scenarios(context: typer.Context, *, scenarios: _Scenarios = None, as_json: o.JsonFlag = False) -> int:
    """List what can be in a video, and the URL that stands for it; stored videos of the emulated accounts too."""
    session = Session.of(context)
    found, assets = _known(session.registry(session.config()), scenarios or [])
    if as_json:
        output.write_json({"scenarios": found, "assets": assets})
    else:
        _print_scenarios(found, assets)
    return exits.Exit.PASS


def _known(registry: "Registry", paths: list[Path]) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, str]]]]:
    from reelvet.sandbox import Catalogue, Sandbox  # noqa: PLC0415
    from reelvet.schema.errors import PluginError  # noqa: PLC0415

    library = Catalogue(registry.taxonomy)
    for path in paths:
        library.load(path)
    assets: dict[str, list[dict[str, str]]] = {}
    for provider in [spec.id for spec in registry if spec.sandbox]:
        try:
            stored = Sandbox([provider], registry=registry).assets(provider)
        except PluginError as error:
            output.note(f"reelvet: warning: {error}")
            continue
        assets[provider] = [{"id": a.id, "scenario": a.scenario, "says": a.says} for a in stored]
    return [_described(scenario) for scenario in library], assets


def _described(scenario: "Scenario") -> dict[str, Any]:
    from reelvet.sandbox import MAGIC  # noqa: PLC0415

    return {"url": f"https://{MAGIC}/{scenario.name}.mp4", **scenario.model_dump(mode="json")}


def _print_scenarios(found: list[dict[str, Any]], assets: dict[str, list[dict[str, str]]]) -> None:
    from rich.table import Table  # noqa: PLC0415  (rich, for people only)

    from reelvet.cli.text import clean  # noqa: PLC0415

    console = output.console()
    table = Table.grid(padding=(0, 2))
    for scenario in found:
        table.add_row(clean(scenario["name"]), clean(scenario["says"]))
    console.print(table)
    console.print(f"\nEach is at {found[0]['url'].replace(found[0]['name'], 'NAME')}.")
    for provider, stored in assets.items():
        if stored:
            console.print(f"\nStored at {provider}:")
            table = Table.grid(padding=(0, 2))
            for asset in stored:
                table.add_row(clean(asset["id"]), clean(asset["scenario"]), clean(asset["says"]))
            console.print(table)


def _as_json(serving: "Sandbox") -> str:
    return safe_json(json.dumps(serving.describe())) + "\n"


def _as_toml(serving: "Sandbox") -> str:
    """A `reelvet.toml` that can be used as it is."""
    lines = [
        "# reelvet.toml: emulators written from public documentation. What they say is no vendor's word.",
        f"# Control: {serving.control}. Ctrl-C ends them.",
    ]
    providers = serving.providers
    lines.append(f'use = "{providers[0]}"' if len(providers) == 1 else f"# use = one of: {', '.join(providers)}")
    for provider in providers:
        lines += ["", *table(["providers", provider], serving.settings(provider))]
    return "\n".join(lines) + "\n"


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
