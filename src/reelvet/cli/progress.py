"""The progress bar, on stderr and only where a person looks at it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reelvet.cli.output import console
from reelvet.cli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reelvet.plugins import Progress

_LONGEST_TITLE = 24
_LONGEST_WORDS = 36
_ROOM_FOR_ECHO = 3


@contextmanager
def progress_bar(title: str, tasks: int, *, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Shows a bar while the block runs.

    Args:
        title: What is going on.
        tasks: How many vendor tasks there are; the bar is their mean.
        quiet: Show nothing.

    Yields:
        What is to be told of progress, from any thread; `None` where nobody looks.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich_progress  # noqa: PLC0415

    columns = (
        rich_progress.TextColumn("{task.description}", markup=False), rich_progress.BarColumn(bar_width=None), rich_progress.TaskProgressColumn(),
        rich_progress.TextColumn("{task.fields[says]}", markup=False), rich_progress.TimeElapsedColumn(),
    )  # fmt: skip
    done: dict[str, float] = {}
    out = console(sys.stderr)
    # The `^C` that a terminal writes behind the bar must find room: on a line of its own it would keep the bar there.
    out.width -= _ROOM_FOR_ECHO
    with rich_progress.Progress(*columns, console=out, transient=True) as bar:
        shown = bar.add_task(clean(title, _LONGEST_TITLE), total=None, says="")

        def tell(progress: Progress) -> None:
            if progress.done is not None:
                done[progress.task] = min(max(progress.done, 0.0), 1.0)
            bar.update(
                shown, total=1.0 if done else None, completed=sum(done.values()) / max(tasks, len(done), 1),
                says=clean(progress.says, _LONGEST_WORDS),
            )  # fmt: skip

        yield tell
