"""From arguments to an exit code: the one place where errors become words."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from reelvet.cli import exits, output
from reelvet.cli.app import app
from reelvet.cli.session import close_left_open
from reelvet.schema.errors import ReelvetError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Typer carries its own copy of click and gives the base of its usage errors no public name.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
# Seconds that closing may take after Ctrl-C.
_CLOSING = 5.0


def run(arguments: Sequence[str]) -> int:
    """Runs one command.

    Args:
        arguments: What stands behind `reelvet`.

    Returns:
        The exit code.
    """
    _harden(sys.stdout, sys.stderr)
    output.set_lines(False)
    as_json = "--json" in arguments
    verbose = "--verbose" in arguments
    try:
        code = app(list(arguments) or ["--help"], prog_name="reelvet", standalone_mode=False)
        sys.stdout.flush()
    except ReelvetError as error:
        output.write_error(error, as_json=as_json)
        if isinstance(error, exits.Interrupted):
            _end_interrupted(give_up=error.abandons)
        return exits.of_error(error)
    except _UsageError as error:
        output.write_failure("UsageError", *_usage(error, arguments), as_json=as_json)
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
        mend = (
            "Report it with the traceback above." if verbose else "Run it as `reelvet --verbose ...` for the traceback."
        )
        output.write_failure("InternalError", says, mend, as_json=as_json)
        return exits.Exit.ERROR
    # Typer itself makes this number of a Ctrl-C that came where no job was on its way.
    if code == exits.Exit.INTERRUPTED:
        output.write_failure("Interrupted", "interrupted", "Run the command again.", as_json=as_json)
        _end_interrupted(give_up=False)
    return int(code or 0)


def _end_interrupted(*, give_up: bool) -> None:
    """Closes what is open, told after the fact; what does not close in time is left to die with the process."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    if not close_left_open(patience=0.0 if give_up else _CLOSING):
        _end_at_once()


def _end_at_once() -> NoReturn:
    """Without waiting for threads, which an interpreter that ends as usual does."""
    sys.stderr.flush()
    os._exit(exits.Exit.INTERRUPTED)


def _harden(*streams: object) -> None:
    """A name that the terminal cannot show must not end the command."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _usage(error: Exception, arguments: Sequence[str]) -> tuple[str, str]:
    """What is wrong with a command line, and where to read how it is written."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    value = _given(getattr(error, "param", None), arguments)
    if value is not None and value not in message:
        from reelvet.schema.validation import shown  # noqa: PLC0415  (--help needs no pydantic)

        message = f"{message.rstrip('.')} (got {shown(value)})"
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "reelvet"
    return message, f"See `{path} --help`."


def _given(parameter: Any, arguments: Sequence[str]) -> str | None:
    """The value that a command line gives to an option, of which Typer names the option alone."""
    found = None
    for argument, following in itertools.pairwise([*arguments, ""]):
        name, equals, value = argument.partition("=")
        if name in getattr(parameter, "opts", ()) and name.startswith("-"):
            found = value if equals else following
    return found
