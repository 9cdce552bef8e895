"""`reelvet schema`: the JSON Schemas of what crosses the boundary."""

import difflib
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelvet.cli import completion, exits, output
from reelvet.cli import options as o
from reelvet.cli.session import Session
from reelvet.schema.errors import InvalidJob

if TYPE_CHECKING:
    from pydantic import BaseModel

PLACES = {
    "job": "reelvet.schema.job:ModerationJob",
    "media": "reelvet.schema.media:Media",
    "plan": "reelvet.schema.plan:Plan",
    "ticket": "reelvet.schema.ticket:Ticket",
    "result": "reelvet.schema.result:ModerationResult",
    "delta": "reelvet.schema.delta:Delta",
    "finding": "reelvet.schema.result:Finding",
    "coverage": "reelvet.schema.result:Coverage",
    "task": "reelvet.schema.task:RawTask",
    "policy": "reelvet.policy:Policy",
    "config": "reelvet.config:Config",
}
_PARTS = ("settings", "options")


def print_schema(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            show_default=False,
            help="Which one; PROVIDER.settings and PROVIDER.options too.",
            autocompletion=completion.schemas,
        ),
    ] = None,
    *,
    as_json: o.JsonFlag = False,
) -> int:
    """Print the JSON Schema of job, ticket, result, policy, configuration, ...; without NAME, what there is."""
    session = Session.of(context)
    if name is not None:
        output.write_json(_schema(_model(name, session)))
    elif as_json:
        output.write_json({known: _schema(_load(place)) for known, place in PLACES.items()})
    else:
        from rich.table import Table  # noqa: PLC0415  (rich, for people only)

        table = Table.grid(padding=(0, 2))
        for known, place in PLACES.items():
            table.add_row(known, (_load(place).__doc__ or "").strip().splitlines()[0])
        output.console().print(table)
    return exits.Exit.PASS


def _schema(model: "type[BaseModel]") -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}


def _model(name: str, session: Session) -> "type[BaseModel]":
    if name in PLACES:
        return _load(PLACES[name])
    provider, _, part = name.rpartition(".")
    if provider and part in _PARTS:
        model: type[BaseModel] | None = session.registry(session.config()).load(provider, part)
        if model is None:
            raise InvalidJob(
                f"provider {provider!r} has no {part}",
                field="NAME",
                way_out="There is nothing to give it; `reelvet schema` lists what else there is.",
            )
        return model
    close = difflib.get_close_matches(name, PLACES, n=1)
    raise InvalidJob(
        f"there is no schema {name!r}", field="NAME",
        way_out=f"Did you mean {close[0]!r}?" if close else f"There are {', '.join(PLACES)}, PROVIDER.settings and PROVIDER.options.",
    )  # fmt: skip


def _load(place: str) -> "type[BaseModel]":
    module, _, name = place.partition(":")
    model: type[BaseModel] = getattr(import_module(module), name)
    return model
