"""Providers and labels for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from reelvet.cli.output import console
from reelvet.cli.text import clean, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reelvet.taxonomy import Label

_NAME_WIDTH = 12
_CARD_WIDTH = 22
_KIND_STYLES = {"harm": "red", "sensitive": "yellow", "context": "", "meta": "dim"}


def print_providers(cards: Sequence[Mapping[str, Any]], problems: Sequence[Mapping[str, str]]) -> None:
    """The capability matrix: one column per provider, as many side by side as there is room for."""
    out = console()
    together = max(1, (out.width - _NAME_WIDTH) // _CARD_WIDTH)
    for start in range(0, len(cards), together):
        _print_matrix(cards[start : start + together])
    if cards:
        out.print(Text("`reelvet labels --provider ID` lists what a provider looks for.", style="dim"))
    else:
        out.print(
            Text(
                "No provider is installed. From a clone, pip install -e providers/local brings one that needs no account."
            )
        )
    for problem in problems:
        out.print(
            Text(
                f"Not usable: plugin {clean(problem['plugin'])!r} of {clean(problem['distribution'])}: {clean(problem['says'])}",
                style="red",
            )
        )


def _print_matrix(cards: Sequence[Mapping[str, Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", style="dim", width=_NAME_WIDTH)
    for card in cards:
        table.add_column(Text(clean(card["id"]), style="bold"), overflow="fold", ratio=1)
    for name, tell in _ROWS.items():
        table.add_row(name, *(Text(clean(tell(card))) for card in cards))
    console().print(table)
    console().print()


def _transcripts(card: Mapping[str, Any]) -> str:
    told = card["transcripts"]
    if told is None:
        return "no"
    return "yes" if told["languages"] is None else ", ".join(told["languages"])


def _parallel(card: Mapping[str, Any]) -> str:
    told = (
        f"{one['tasks']} {one['media']} ({'others wait' if one['waits'] else 'others are refused'})"
        for one in card["parallel"]
    )
    return ", ".join(told) or "not known"


def _handling(field: str) -> Any:
    return lambda card: card["data_handling"][field] if card["data_handling"] else "not stated"


_ROWS: dict[str, Any] = {
    "title": lambda card: card["title"],
    "from": lambda card: card["distribution"],
    "account": lambda card: "needed" if card["needs_account"] else "not needed",
    "media": lambda card: ", ".join(card["media"]) or "-",
    "channels": lambda card: ", ".join(card["channels"]) or "-",
    "labels": lambda card: str(len({entry["label"] for entry in card["labels"]})),
    "transcripts": _transcripts,
    "sources": lambda card: ", ".join(card["sources"]) or "-",
    "operations": lambda card: ", ".join(card["operations"]) or "-",
    "wishes": lambda card: ", ".join(card["wishes"]) or "-",
    "regions": lambda card: ", ".join(card["regions"]) if card["regions"] is not None else "not known",
    "at a time": _parallel,
    "price": lambda card: card["price_class"] or "not known",
    "processed": _handling("place"),
    "kept": _handling("retention"),
    "says so": _handling("source"),
}


def print_labels(labels: Iterable[Label], version: str) -> None:
    """The tree of labels."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("label", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("stands for", ratio=1)
    kinds: dict[str, int] = {}
    for label in labels:
        kinds[label.kind] = kinds.get(label.kind, 0) + 1
        table.add_row(
            Text(clean(label.id)),
            Text(str(label.kind), style=_KIND_STYLES.get(str(label.kind), "")),
            Text(clean(label.definition)),
        )
    console().print(table)
    console().print()
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    console().print(Text(f"{count(sum(kinds.values()), 'label')} ({told}), taxonomy version {version}"))


def print_provider_labels(
    provider: str, sees: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], version: str | None
) -> None:
    """What a provider looks for, and what its own words stand for."""
    out = console()
    out.print(Text(f"{clean(provider)} looks for", style="bold"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("label", "relation", "channels", "floor", "turned on by"):
        table.add_column(name, overflow="fold")
    for entry in sees:
        floor = "-" if entry["floor"] is None else f"{entry['floor']:g}"
        cells = (entry["label"], entry["relation"], ", ".join(entry["channels"]), floor, entry["switch"] or "-")
        table.add_row(*(Text(clean(cell)) for cell in cells))
    out.print(table)
    out.print()
    if version is None:
        return
    out.print(Text(f"its own words ({clean(version)})", style="bold"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("its word", "stands for", "relation", "channel", "field"):
        table.add_column(name, overflow="fold")
    for row in rows:
        cells = (row["native"], row["label"] or "nothing found", row["relation"], row["channel"] or "any", row["field"])
        table.add_row(*(Text(clean(cell)) for cell in cells))
    out.print(table)
