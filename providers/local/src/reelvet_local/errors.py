"""The engine's error codes -> typed error and whether another attempt may succeed.

There is no vendor here, so there is no page to cite: the codes are those of `reelvet_local.outcome`. None of them
creates anything that is billed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelvet.schema.errors import FetchError, MediaRejected, ProviderError, VendorUnavailable
from reelvet.schema.task import TaskError

if TYPE_CHECKING:
    from reelvet_local.wire import Failure


@dataclass(frozen=True, slots=True)
class Row:
    """What a code comes to."""

    error: type[ProviderError]
    retryable: bool
    way_out: str


CODES = {
    "unreadable": Row(MediaRejected, False, "Check that the file exists and may be read"),
    "not_media": Row(MediaRejected, False, "Give a video or a picture"),
    "unsupported_format": Row(
        MediaRejected, False, "Give the media itself in one file such as MP4 or JPEG, not a playlist"
    ),
    "truncated": Row(MediaRejected, False, "Upload the file again, whole"),
    "no_video": Row(MediaRejected, False, "The local model looks at pictures only"),
    "zero_length": Row(MediaRejected, False, "Upload the file again"),
    "too_many_pixels": Row(MediaRejected, False, "Scale it down, or raise max_pixels in [providers.local]"),
    "decode_failed": Row(MediaRejected, False, "Re-encode the file"),
    "broken_tail": Row(MediaRejected, False, "What was seen before the break is kept; upload the file again, whole"),
    "broken_middle": Row(MediaRejected, False, "What was seen around the hole is kept; upload the file again, whole"),
    "detector_failed": Row(ProviderError, False, "Check `detector` in [providers.local] and reinstall its package"),
    "thumbnails": Row(ProviderError, False, "Name a directory that can be written to, or none: `thumbnails`"),
    "worker_died": Row(VendorUnavailable, True, "Try again; a file that does this every time is hostile or broken"),
}
UNKNOWN = Row(ProviderError, False, "The code is not one that this version knows")


def task_error(failure: Failure) -> TaskError:
    """An engine's failure as the data of a task."""
    row = CODES.get(failure.code or "", UNKNOWN)
    return TaskError(
        code=failure.code,
        message=f"{failure.message or failure.code}. {row.way_out}",
        type=row.error.__name__,
        retryable=row.retryable,
    )


def fetch_error(error: FetchError) -> TaskError:
    """Why a download failed, as the data of a task."""
    return TaskError(code="fetch", message=str(error), type=type(error).__name__, retryable=error.retryable)
