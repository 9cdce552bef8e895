"""A result for a person: verdict, why, where in the video, what was looked at, where all of it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich import box
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from reelvet.cli import timeline
from reelvet.cli.looked import looked_at, shortcomings
from reelvet.cli.output import console, prefers_ascii
from reelvet.cli.text import clean, clock, count
from reelvet.taxonomy import QUARANTINE

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from reelvet.schema.result import ModerationResult
    from reelvet.taxonomy import Taxonomy

_SAYS = {
    "pass": ("green", "Nothing that was looked at reaches a threshold."),
    "review": ("yellow", "A person should look at it."),
    "block": ("red", "It should not be shown."),
    "error": ("magenta", "Nobody can say: it was not looked at as asked."),
}
_ENDED = {
    "failed": "the job failed",
    "canceled": "the job was canceled",
    "partial": "only a part of the job succeeded",
}
_MOST_REASONS = 6
_MOST_STRETCHES = 20
_MOST_ROWS = 8
_LABEL_WIDTH = 30
_FACT_WIDTH = 14
_TEXT_WIDTH = 24
_WIDEST = 110


def print_report(result: ModerationResult, taxonomy: Taxonomy | None, path: Path | None) -> None:
    """Prints a result on stdout.

    Args:
        result: The result.
        taxonomy: The labels, those of plugins included.
        path: Where its JSON is.
    """
    out = console()
    out.width = min(out.width, _WIDEST)
    _print_verdict(result, out)
    _print_reasons(result, out)
    _print_timeline(result, out)
    _print_findings(result, out)
    _print_transcripts(result, out)
    _print_facts(result, taxonomy, out)
    if path is not None:
        out.print(Text(f"\nJSON: {clean(path)}"), soft_wrap=True)


def _print_verdict(result: ModerationResult, out: Console) -> None:
    if not result.status.final:
        word, style, says = "NOT FINISHED", "cyan", f"The job is {clean(_queued(result) or result.status)}."
    elif result.verdict is None:
        word, style, says = str(result.status).upper(), "cyan", "There is nothing to judge."
    else:
        style, says = _SAYS[result.verdict]
        word = result.verdict.upper()
        if ended := _ENDED.get(result.status):
            says = f"Nobody can say: {ended}." if result.verdict == "error" else f"{says} But {ended}."
    head = Text(f" {word} ", style=f"bold reverse {style}")
    source = _shorten(clean(result.media.source or result.key), out.width - 4)
    body = Text.assemble(head, f"  {says}\n", (source, "dim"), overflow="fold")
    out.print(Panel(body, box=box.ASCII if prefers_ascii() else box.HEAVY, border_style=style))
    if result.sandbox:
        out.print(
            Text("From an emulator, or from a base URL that is not the vendor's: no real verdict.", style="bold yellow")
        )


def _queued(result: ModerationResult) -> str | None:
    """What a job that is queued waits for, where it is known."""
    waits = result.status == "queued"
    return next((note.says for note in result.warnings if waits and note.code == "queued"), None)


def _shorten(source: str, room: int) -> str:
    """A place in one line: its end, and of a URL the host too."""
    if len(source) <= room:
        return source
    host = re.match(r"[a-z][a-z0-9+.-]*://[^/]*/", source)
    head = f"{host[0]}..." if host and len(host[0]) + 3 <= room // 2 else "..."
    return head + source[len(head) - room :]


def _print_reasons(result: ModerationResult, out: Console) -> None:
    ranked = sorted(
        result.reasons, key=lambda reason: (-reason.says.severity, -(reason.score if reason.score is not None else 1.0))
    )
    for reason in ranked[:_MOST_REASONS]:
        score = "" if reason.score is None else f" {reason.score:.2f}"
        threshold = "" if reason.threshold is None else f" (threshold {reason.threshold:g})"
        what = f"{clean(reason.label)}{score}{threshold}: " if reason.label else ""
        policy = f" (policy {clean(reason.policy)})" if len(result.decisions) > 1 else ""
        why = reason.why
        if reason.label is None and any(task.error and f"{task.id}: " in why for task in result.tasks):
            why = why.partition(" (")[0]  # the tasks' own words follow in full
        out.print(Text(f"{reason.says}: {what}{clean(why)}{policy}"))
    if len(ranked) > _MOST_REASONS:
        out.print(Text(f"and {count(len(ranked) - _MOST_REASONS, 'more reason')}, in the JSON"))
    for task in result.tasks:
        if task.error is not None:
            told = task.error.message or task.error.code or "no reason given"
            line = f"task {clean(task.id) or '-'} {task.status}: {clean(told)}"
            # A URL longer than the line stays whole for whoever copies it.
            long = any("://" in word and len(word) > out.width for word in line.split())
            out.print(Text(line, style="red"), soft_wrap=long)


def _print_timeline(result: ModerationResult, out: Console) -> None:
    span = timeline.length(result.media.duration, result.findings)
    if span is None or not result.status.final or result.media.kind == "image":
        return
    marks = timeline.LETTERS if prefers_ascii() else timeline.BLOCKS
    names = [len(clean(finding.label)) for finding in result.findings] or [len("nothing found")]
    name_width = min(max(names), _LABEL_WIDTH)
    width = max(out.width - name_width - len("  1.00 |"), 10)
    rows = timeline.rows(result.findings, result.coverage, span, width, marks)
    if not rows:
        return
    ends = f"{clock(0.0)}{clock(span).rjust(width - len(clock(0.0)))}"
    out.print(Text(f"\n{'':{name_width}}  {ends}", style="dim"))
    for row in rows[:_MOST_ROWS]:
        name = row.label if len(row.label) <= name_width else "..." + row.label[-(name_width - 3) :]
        score = "" if not row.hits else "  - " if row.score is None else f"{row.score:.2f}"
        out.print(Text.assemble(f"{name:{name_width}} |", (row.bar, "red" if row.hits else "green"), f"| {score}"))
    if len(rows) > _MOST_ROWS:
        out.print(Text(f"and {count(len(rows) - _MOST_ROWS, 'more label')}, in the JSON"))
    legend = [f"{marks.found} found"] if any(row.hits for row in rows) else []
    legend += [f"{marks.clear} looked at, nothing found"] if any(marks.clear in row.bar for row in rows) else []
    legend += ["blank: not looked at"] if any(marks.unseen in row.bar for row in rows) else []
    out.print(Text(f"{'':{name_width}}  {', '.join(legend)}", style="dim"))


def _print_findings(result: ModerationResult, out: Console) -> None:
    if not result.findings:
        return
    stretches = timeline.gather(result.findings, result.media.largest_gap)
    shown = stretches
    if len(stretches) > _MOST_STRETCHES:
        kept = sorted(range(len(stretches)), key=lambda n: -stretches[n].rank)[:_MOST_STRETCHES]
        shown = [stretches[number] for number in sorted(kept)]
    table = Table(box=box.ASCII2 if prefers_ascii() else box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("time", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("hits", justify="right", no_wrap=True)
    table.add_column("channel", no_wrap=True)
    table.add_column("label", overflow="fold")
    if any(_text(stretch) for stretch in shown):
        table.add_column("text", overflow="fold")
    for stretch in shown:
        score = "-" if stretch.score is None else f"{stretch.score:.2f}"
        cells = [_time(stretch), score, str(stretch.hits), stretch.channel, clean(stretch.label)]
        table.add_row(*(Text(cell) for cell in [*cells, _text(stretch)][: len(table.columns)]))
    out.print(
        Text(
            f"\n{count(len(result.findings), 'finding')}"
            + (f" in {count(len(stretches), 'stretch', 'stretches')}" if len(stretches) < len(result.findings) else ""),
            style="bold",
        )
    )
    out.print(table)
    if len(stretches) > len(shown):
        out.print(Text(f"The {len(shown)} with the highest scores are shown; all of them are in the JSON."))


def _text(stretch: timeline.Stretch) -> str:
    # What stands under quarantine is reported and not rendered, its words included.
    return "" if stretch.label.partition(".")[0] == QUARANTINE else clean(stretch.text, _TEXT_WIDTH)


def _time(stretch: timeline.Stretch) -> str:
    if stretch.start is None or stretch.end is None or stretch.end == stretch.start:
        return clock(stretch.start)
    return f"{clock(stretch.start)} to {clock(stretch.end)}"


def _print_transcripts(result: ModerationResult, out: Console) -> None:
    for transcript in result.transcripts:
        language = f" ({clean(transcript.language)})" if transcript.language else ""
        out.print(Text(f"\nTranscript{language}: {clean(transcript.text, 400) or 'nothing was said'}"))


def _print_facts(result: ModerationResult, taxonomy: Taxonomy | None, out: Console) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", width=_FACT_WIDTH)
    table.add_column(overflow="fold")
    for name, value, style in _facts(result, taxonomy):
        table.add_row(name, Text(value, style=style))
    out.print()
    out.print(table)


def _facts(result: ModerationResult, taxonomy: Taxonomy | None) -> list[tuple[str, str, str]]:
    facts: list[tuple[str, str, str]] = []
    if result.coverage:
        seen, unseen = looked_at(result.coverage, result.findings, taxonomy)
        facts += [("Looked at", seen, ""), ("Not looked at", unseen, "")]
        facts += [("", told, "yellow") for told in shortcomings(result.coverage, result.media)]
    media = result.media
    size = f", {media.width} x {media.height}" if media.width and media.height else ""
    if media.duration is not None or size:
        facts.append(
            ("Media", f"{media.kind}{f', {clock(media.duration)}' if media.duration is not None else ''}{size}", "")
        )
    if media.sampling:
        gap = "not known" if media.largest_gap is None else f"{media.largest_gap:.2f} s"
        facts.append(
            ("Sampling", f"{clean(media.sampling)}" + ("" if media.kind == "image" else f"; largest gap {gap}"), "")
        )
    who = clean(result.provider or "several")
    facts.append(
        (
            "Provider",
            who if result.instance in {None, result.provider} else f"{who}, instance {clean(result.instance)}",
            "",
        )
    )
    facts += (
        [("Decisions", ", ".join(f"{clean(name)}: {says}" for name, says in result.decisions.items()), "")]
        if len(result.decisions) > 1
        else []
    )
    warnings = [warning.says for warning in result.warnings if warning.says != _queued(result)]
    facts += [("Warning", clean(says), "yellow") for says in warnings[:_MOST_REASONS]]
    if len(warnings) > _MOST_REASONS:
        facts.append(("", f"and {count(len(warnings) - _MOST_REASONS, 'more warning')}, in the JSON", "yellow"))
    facts.append(("Key", clean(result.key), ""))
    return facts
