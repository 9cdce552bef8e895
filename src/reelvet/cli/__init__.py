"""The command line, `reelvet`. Thin: every command is a few calls of the library and a way of printing what they give."""

from __future__ import annotations

import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Runs the command line and exits with its code."""
    from reelvet.cli import interrupts  # noqa: PLC0415  (importing this package costs nothing)
    from reelvet.cli.run import run  # noqa: PLC0415

    interrupts.install()
    code = run(sys.argv[1:])
    interrupts.finish()
    sys.exit(code)
