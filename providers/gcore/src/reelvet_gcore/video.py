"""A video of Gcore's own as a link to an MP4 file, which is what its AI takes.

https://gcore.com/docs/api-reference/streaming/videos/get-video
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reelvet.schema import lenient
from reelvet.schema.errors import FeatureDisabled, MediaRejected, ProviderError


@dataclass(frozen=True, slots=True)
class Rendition:
    """One converted file of a video."""

    url: str | None
    height: int | None
    status: str | None

    @property
    def is_ready(self) -> bool:
        """Whether it can be downloaded now."""
        return bool(self.url) and self.status in {None, "complete"}


def choose(video: Any, *, height: int) -> str:
    """The link of the lowest rendition at or above a height, else of the highest below.

    Args:
        video: The reply to "get video".
        height: Lines.

    Raises:
        MediaRejected: The one wanted is still being made (`retryable`), or the video is broken.
        FeatureDisabled: There is none because the account has no MP4 files.
    """
    video = video if isinstance(video, dict) else {}
    renditions = [_rendition(item) for item in lenient.items(video.get("converted_videos")) if isinstance(item, dict)]
    ready = [one for one in renditions if one.is_ready]
    enough = sorted((one for one in ready if (one.height or 0) >= height), key=lambda one: one.height or 0)
    if enough and enough[0].url:
        return enough[0].url
    name = f"video {lenient.text(video.get('id')) or ''}".strip()
    status = (lenient.text(video.get("status")) or "").lower()
    at_work = status in {"empty", "pending"} or any(one.status == "processing" for one in renditions)
    best = max(ready, key=lambda one: one.height or 0, default=None)
    if best is not None and best.url and not at_work:
        return best.url
    raise _missing(name, status, at_work=at_work)


def _missing(name: str, status: str, *, at_work: bool) -> ProviderError:
    if status == "error":
        return MediaRejected(f"{name} could not be transcoded", created="no", way_out="Upload it again.")
    if at_work or not status:
        return MediaRejected(
            f"{name} is still being transcoded (status {status or 'unknown'})",
            retryable=True,
            created="no",
            way_out="Try again later, set `wait_for_mp4` to the seconds to wait, or ask for less with `mp4_height`.",
        )
    return FeatureDisabled(
        f"{name} is ready and has no MP4 file: MP4 is not enabled for the account",
        created="no",
        way_out="Have Gcore's support enable MP4 download links: support@gcore.com.",
    )


def _rendition(item: dict[str, Any]) -> Rendition:
    status = lenient.text(item.get("status"))
    return Rendition(
        url=lenient.text(item.get("mp4_url")) or None,
        height=lenient.whole(item.get("height")),
        status=status.lower() if status else None,
    )
