"""What the pictures, sounds and stretches of a task have in common."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import MAGIC
from reelvet_tencent.sandbox.sight import CUSTOM, NORMAL, PASS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reelvet.sandbox import Scenario
    from reelvet_tencent.sandbox.sight import Found, Sight

LIBRARY = ("sandbox_library_1", "sandbox library")
"""Id and name of the library that hits of label Custom come from."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One picture, sound or stretch that was looked at."""

    kind: str
    """The list that it stands in: `ImageSegments`, `AudioSegments` or `VideoSegments`."""
    ready: float
    """Seconds from the beginning of the work until it is known, of a stream."""
    data: dict[str, Any]
    found: tuple[Found, ...] = ()
    tells: bool = False
    """Whether something was recognized: it is listed though nothing speaks against it."""
    text: str = ""
    """What was said in it."""

    @property
    def hits(self) -> bool:
        """Whether something in it speaks against the media."""
        return any(one.hits for one in self.found)


@dataclass(frozen=True, slots=True)
class Watching:
    """One task at its work."""

    task_id: str
    scenario: Scenario
    sight: Sight
    began: datetime
    """When the work begins: the offsets of a stream are dates."""
    live: bool
    frequency: int
    """`DecodeParams.ImageFrequency`."""
    in_seconds: bool
    """Whether times within a sound are seconds, as the international documentation says, and not milliseconds."""
    link_seconds: int
    """How long links to evidence last."""

    def offset(self, seconds: float) -> str:
        """`OffsetTime`: seconds of a file; of a stream the date in seconds."""
        return str(int(self.began.timestamp() + seconds) if self.live else int(seconds))

    def fine_offset(self, seconds: float) -> str:
        """`OffsetusTime`, which is in milliseconds whatever it is called."""
        return str(round((self.began.timestamp() + seconds if self.live else seconds) * 1000))

    def date(self, seconds: float) -> str:
        """`CreatedAt` of a segment."""
        return f"{self.began + timedelta(seconds=seconds if self.live else 0):%Y-%m-%dT%H:%M:%SZ}"

    def sound_time(self, seconds: float) -> float:
        """A time within a sound. Of its unit the documentation contradicts itself."""
        return round(seconds, 3) if self.in_seconds else round(seconds * 1000)

    def request_id(self, kind: str, seconds: float) -> str:
        """The id of the moderation of one segment; the same whenever it is asked for."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.task_id}/{kind}/{seconds}"))

    def link(self, kind: str, seconds: float, ending: str) -> str:
        """A signed link to evidence, to a host that does not exist."""
        place = f"https://{MAGIC}/evidence/{self.task_id}/{kind}_{round(seconds * 1000)}.{ending}"
        signature = hashlib.sha256(place.encode()).hexdigest()
        return (
            f"{place}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={self.began:%Y%m%dT%H%M%SZ}"
            f"&X-Amz-Expires={self.link_seconds}&X-Amz-SignedHeaders=host&X-Amz-Signature={signature}"
        )


def library(one: Found) -> dict[str, str]:
    """The library that a hit comes from, if it is one of a library."""
    id_, name = LIBRARY if one.label == CUSTOM else ("", "")
    return {"LibId": id_, "LibName": name}


def keyword_hits(one: Found, text: str) -> list[dict[str, Any]]:
    """Where in a text the keywords of a hit stand."""
    return [
        {
            "Type": "Keyword",
            "Keyword": word,
            "LibName": library(one)["LibName"],
            "Positions": [{"Start": text.find(word), "End": text.find(word) + len(word)}] if word in text else [],
        }
        for word in one.event.matches
    ]


def hit_type(one: Found, text: str) -> str:
    """How a text was judged: the two words that the documentation has for examples."""
    if not text or not one.hits:
        return ""
    return "text_rule" if one.event.matches else "text_nlp_tianji"


def verdict(found: Sequence[Found], top: Found | None) -> dict[str, Any]:
    """The fields of a segment's result that say what was found in the whole of it."""
    highest = max((one.score for one in found), default=0)
    return {
        "HitFlag": int(top is not None),
        "Label": top.label if top else NORMAL,
        "SubLabel": top.sub_label if top else "",
        "Suggestion": top.suggestion if top else PASS,
        "Score": top.score if top else highest,
    }
