"""The root of the tree: what all errors have in common."""

from __future__ import annotations

import copy
import math
from typing import Any, ClassVar

_ENDS = (".", "?", "!")


class ReelvetError(Exception):
    """The root of every error of reelvet.

    Args:
        message: What happened, naming the field and the value (never a secret).
        way_out: What the reader can do about it; appended to the message. By default what the class knows.
    """

    default_way_out: ClassVar[str] = "`reelvet doctor` looks for what can be mended."
    """What can be done about any error of the class, for where it is raised without a word of its own."""

    def __init__(self, message: str, *, way_out: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.way_out = way_out or self.default_way_out

    def __str__(self) -> str:
        return with_way_out(self.message, self.way_out)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, {name: _fit_to_leave(value) for name, value in self.__dict__.items()})

    def __copy__(self) -> ReelvetError:
        return _rebuild(type(self), self.args, self.__dict__)

    def __deepcopy__(self, memo: dict[int, Any]) -> ReelvetError:
        return _rebuild(type(self), self.args, copy.deepcopy(self.__dict__, memo))

    def as_dict(self) -> dict[str, Any]:
        """The error as JSON-safe data, as `--json` prints it below `error`."""
        data = {
            key: shown
            for key, value in self.__dict__.items()
            if not key.startswith("_") and key != "message" and (shown := _shown(value)) is not None
        }
        return {"type": type(self).__name__, "message": str(self), **data}


def with_way_out(message: str, way_out: str) -> str:
    """One text of both: the message as a sentence, then the way out."""
    return f"{message} {way_out}" if message.endswith(_ENDS) else f"{message}. {way_out}"


def _shown(value: Any) -> Any:
    """What of an attribute goes into JSON: plain values, and lists of what has something to say."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, tuple):
        return [item if isinstance(item, str) else item.model_dump(mode="json") for item in value]
    return None


def _fit_to_leave(value: Any) -> Any:
    """A ticket with an unsealed URL is no reason for a worker to die of its own error: it leaves without."""
    return value.with_secret_url(None) if hasattr(value, "with_secret_url") else value


def _rebuild(cls: type[ReelvetError], args: tuple[Any, ...], state: dict[str, Any]) -> ReelvetError:
    error = cls.__new__(cls, *args)
    Exception.__init__(error, *args)
    error.__dict__.update(state)
    return error
