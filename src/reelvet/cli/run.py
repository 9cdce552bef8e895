"""From arguments to an exit code: the one place where errors become words."""

from __future__ import annotations

import io
import sys
import traceback
from typing import TYPE_CHECKING

import typer

from reelvet.cli import exits, output
from reelvet.cli.app import app
from reelvet.schema.errors import ReelvetError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Typer carries its own copy of click and gives the base of its usage errors no public name.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def run(arguments: Sequence[str]) -> int:
    """Runs one command.

    Args:
        arguments: What stands behind `reelvet`.

    Returns:
        The exit code.
    """
    _harden(sys.stdout, sys.stderr)
    as_json = "--json" in arguments
    verbose = "--verbose" in arguments
    try:
        code = app(list(arguments) or ["--help"], prog_name="reelvet", standalone_mode=False)
        sys.stdout.flush()
    except ReelvetError as error:
        output.write_error(error, as_json=as_json)
        return exits.of_error(error)
    except _UsageError as error:
        output.write_failure("UsageError", _usage(error), as_json=as_json)
        return exits.Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        code = exits.Exit.INTERRUPTED
    except BrokenPipeError:
        output.close_stdout()
        return exits.Exit.ERROR
    except Exception as error:  # noqa: BLE001  (a bug of ours; its user gets a line, and all of it on demand)
        if verbose:
            traceback.print_exc()
        says = f"internal error: {type(error).__name__}: {error}"
        output.write_failure(
            "InternalError",
            says if verbose else f"{says}. Run it as `reelvet --verbose ...` for the traceback.",
            as_json=as_json,
        )
        return exits.Exit.ERROR
    # Typer itself makes this number of a Ctrl-C that came where no job was on its way.
    if code == exits.Exit.INTERRUPTED:
        output.write_failure("Interrupted", "interrupted", as_json=as_json)
    return int(code or 0)


def _harden(*streams: object) -> None:
    """A name that the terminal cannot show must not end the command."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _usage(error: Exception) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "reelvet"
    end = "" if message.endswith((".", "?", "!")) else "."
    return f"{message}{end} See `{path} --help`."
