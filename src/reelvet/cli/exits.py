"""Exit codes. They are permanent: scripts branch on them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from reelvet.schema.errors import ReelvetError

if TYPE_CHECKING:
    from reelvet.schema.result import ModerationResult


class Exit(IntEnum):
    """What a command comes to."""

    PASS = 0
    """The verdict is pass; or it succeeded, where there is no verdict."""
    USAGE = 2
    """The command line, the configuration or the job must be changed, or the provider has no such thing."""
    REVIEW = 10
    BLOCK = 11
    ERROR = 12
    """The verdict is error, or it did not succeed."""
    NOT_FINISHED = 13
    INTERRUPTED = 130


class Interrupted(ReelvetError):
    """Ctrl-C came while a job was on its way. `key` names the job; `ticket` is the file of its ticket, where there is one."""

    default_way_out = "Run the command again."

    def __init__(
        self, message: str, *, key: str, ticket: str | None = None, abandons: bool = False, way_out: str | None = None
    ) -> None:
        super().__init__(message, way_out=way_out)
        self.key = key
        self.ticket = ticket
        self._abandons = abandons

    @property
    def abandons(self) -> bool:
        """Whether a submission is still under way which nobody waits for."""
        return self._abandons


class TicketNotKept(ReelvetError):
    """A job was submitted, or may have been, and its ticket could not be written. `tasks` are its ids at the vendor."""

    default_way_out = (
        "Do not submit it again: save the ticket that is printed here to a file and go on with: reelvet wait FILE"
    )

    def __init__(
        self, message: str, *, key: str, tasks: tuple[str, ...], held: dict[str, Any], way_out: str | None = None
    ) -> None:
        super().__init__(message, way_out=way_out)
        self.key = key
        self.tasks = tasks
        self._held = held

    def as_dict(self) -> dict[str, Any]:
        """As every error's, with the ticket, without a URL that may be a secret."""
        return {**super().as_dict(), "ticket": self._held}


def of_result(result: ModerationResult) -> Exit:
    """The code of a result: the verdict decides; where there is none, only a job that was to be transcribed succeeded."""
    if not result.status.final:
        return Exit.NOT_FINISHED
    if result.verdict is not None:
        return Exit[result.verdict.name]
    return Exit.PASS if result.status == "succeeded" and result.transcribes_only else Exit.ERROR


def of_error(error: ReelvetError) -> Exit:
    """The code of an error: what the caller can mend is 2, what went wrong while talking is 12."""
    from reelvet.schema import errors  # noqa: PLC0415

    if isinstance(error, Interrupted):
        return Exit.INTERRUPTED
    if isinstance(error, errors.NotFinished | errors.WaitTimeout):
        return Exit.NOT_FINISHED
    if isinstance(error, errors.CallerError | errors.OperationUnsupported):
        return Exit.USAGE
    return Exit.ERROR
