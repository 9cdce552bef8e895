"""`reelvet providers` and `reelvet labels`: what there is, without importing any provider's implementation."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelvet.cli import completion, exits, output
from reelvet.cli import options as o
from reelvet.cli.session import Session

if TYPE_CHECKING:
    from reelvet.plugins import ProviderSpec, Registry
    from reelvet.taxonomy import LabelMap, Taxonomy


app = typer.Typer(help="List the installed providers and what each can do at most; broken plugins too.")


@app.callback(invoke_without_command=True)
def providers(context: typer.Context, *, as_json: o.JsonFlag = False) -> int:
    """List the installed providers and what each can do at most; broken plugins too."""
    if context.invoked_subcommand is not None:
        return exits.Exit.PASS
    session = Session.of(context)
    registry = session.registry(session.config(), quiet=True)
    cards = []
    problems = [{"plugin": p.plugin, "distribution": p.distribution, "says": p.says} for p in registry.problems]
    for spec in registry:
        try:
            cards.append(describe(spec, registry))
        except Exception as error:  # noqa: BLE001  (a stranger's callable; one broken plugin must not hide the others)
            says = f"its capabilities cannot be had: {type(error).__name__}: {error}"
            problems.append({"plugin": spec.id, "distribution": registry.origin(spec.id), "says": says})
    if as_json:
        output.write_json({"providers": cards, "problems": problems})
    else:
        from reelvet.cli.listing_report import print_providers  # noqa: PLC0415  (rich, for people only)

        print_providers(cards, problems)
    return exits.Exit.PASS


def describe(spec: "ProviderSpec", registry: "Registry") -> dict[str, Any]:
    """A provider's card as JSON-safe data."""
    able = spec.at_most
    handling = spec.data_handling
    return {
        "id": spec.id,
        "title": spec.title,
        "distribution": registry.origin(spec.id),
        "needs_account": spec.needs_account,
        "media": sorted(able.kinds),
        "channels": list(able.channels),
        "sources": sorted(able.schemes),
        "operations": sorted(able.operations),
        "wishes": sorted(able.wishes),
        "transcripts": None if able.transcript is None else {"languages": able.transcript.languages, "translations": able.transcript.translations},
        "regions": None if able.regions is None else list(able.regions),
        "price_class": able.price_class,
        "parallel": [{"media": one.kind, "tasks": one.tasks, "waits": one.waits} for one in able.parallel],
        "key_fits": able.key_fits,
        "data_handling": None if handling is None else {"place": handling.place, "retention": handling.retention, "source": handling.source},
        "labels": [
            {
                "label": entry.label, "channels": list(entry.channels), "relation": entry.relation, "floor": entry.floor,
                "languages": entry.languages, "media": list(entry.kinds), "switch": entry.switch,
            }
            for entry in able.entries
        ],
    }  # fmt: skip


def labels(
    context: typer.Context,
    pattern: Annotated[
        str | None,
        typer.Argument(
            metavar="PATTERN",
            show_default=False,
            help="A label (it and all below it), or one ending in *.",
            autocompletion=completion.labels,
        ),
    ] = None,
    *,
    provider: Annotated[
        str | None,
        typer.Option(
            metavar="PROVIDER", help="What this provider's own labels stand for.", autocompletion=completion.instances
        ),
    ] = None,
    as_json: o.JsonFlag = False,
) -> int:
    """List the labels, or with --provider what that provider's own words stand for."""
    session = Session.of(context)
    registry = session.registry(session.config())
    taxonomy = registry.taxonomy
    chosen = [taxonomy[label] for label in taxonomy.expand(pattern, field="PATTERN")] if pattern else list(taxonomy)
    if provider is not None:
        return _provider_labels(provider, {label.id for label in chosen}, registry, pattern, as_json=as_json)
    if as_json:
        rows = [
            {"id": x.id, "kind": x.kind, "parent": x.parent, "definition": x.definition, "aws_v7": x.aws_v7}
            for x in chosen
        ]
        output.write_json({"taxonomy": taxonomy.version, "labels": rows})
    else:
        from reelvet.cli.listing_report import print_labels  # noqa: PLC0415

        print_labels(chosen, taxonomy.version)
    return exits.Exit.PASS


def _provider_labels(
    provider: str, chosen: set[str], registry: "Registry", pattern: str | None, *, as_json: bool
) -> int:
    sees = [entry for entry in describe(registry.spec(provider), registry)["labels"] if entry["label"] in chosen]
    label_map = load_map(provider, registry, registry.taxonomy)
    rows = [
        {
            "field": row.field, "native": row.native, "label": row.label, "relation": row.relation,
            "channel": row.channel, "note": row.note,
        }
        for row in label_map or ()
        if row.label in chosen or (row.label is None and pattern is None)
    ]  # fmt: skip
    if as_json:
        output.write_json(
            {"provider": provider, "version": str(label_map) if label_map else None, "sees": sees, "map": rows}
        )
    else:
        from reelvet.cli.listing_report import print_provider_labels  # noqa: PLC0415

        print_provider_labels(provider, sees, rows, str(label_map) if label_map else None)
    return exits.Exit.PASS


def load_map(provider: str, registry: "Registry", taxonomy: "Taxonomy") -> "LabelMap | None":
    """A provider's label map, read from its package's data; `None` where it ships none."""
    from reelvet.taxonomy import LabelMap  # noqa: PLC0415

    package = registry.spec(provider).provider.partition(":")[0].partition(".")[0]
    try:
        return LabelMap.load(package, taxonomy)
    except (FileNotFoundError, ModuleNotFoundError):
        return None
