"""Where output goes: what was asked for to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from reelvet.cli.text import clean, clean_lines, safe_json
from reelvet.schema.errors.base import with_way_out

if TYPE_CHECKING:
    from rich.console import Console

    from reelvet.schema.errors import ReelvetError


_INDENT = 2
_style: dict[str, int | None] = {"indent": _INDENT}


def console(stream: TextIO | None = None) -> Console:
    """A console on stdout (or another stream) that takes no text for markup."""
    from rich.console import Console  # noqa: PLC0415  (rich is loaded when something is printed with it)

    return Console(file=stream or sys.stdout, markup=False, emoji=False, highlight=False)


def plain(text: str) -> None:
    """A line on stdout, as it is: for paths, ids and whatever else is copied."""
    sys.stdout.write(f"{clean(text)}\n")


def note(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(f"{clean_lines(text)}\n")
    sys.stderr.flush()


def write_json(data: Any) -> None:
    """JSON on stdout."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(safe_json(json.dumps(data, indent=_style["indent"], ensure_ascii=ascii_only)) + "\n")


def set_lines(wanted: bool) -> None:
    """Has all JSON of this command, an error at its end too, be written one document a line, or each over several."""
    _style["indent"] = None if wanted else _INDENT


def write_error(error: ReelvetError, *, as_json: bool) -> None:
    """An error: one line on stderr, or `{"error": {...}}` on stdout."""
    if as_json:
        write_json({"error": error.as_dict()})
    else:
        note(clean(f"reelvet: {error}"))


def write_failure(kind: str, message: str, way_out: str, *, as_json: bool) -> None:
    """The same for what is no error of the library."""
    text = with_way_out(message, way_out)
    if as_json:
        write_json({"error": {"type": kind, "message": text, "way_out": way_out}})
    else:
        note(clean(f"reelvet: {text}"))


def close_stdout() -> None:
    """Whoever read stdout has gone: what is still to be written goes nowhere, the flush at exit included."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def prefers_ascii() -> bool:
    """Whether stdout cannot show block characters."""
    try:
        "█·░…—".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return False
