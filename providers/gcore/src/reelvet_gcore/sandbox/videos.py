"""GET /streaming/videos/{id}: a few videos that are stored in the emulated account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelvet.sandbox import MAGIC, Asset

if TYPE_CHECKING:
    from reelvet.sandbox import Catalogue

_HEIGHTS = (360, 480, 720)
_KBITS = {360: 450, 480: 800, 720: 2700}


@dataclass(frozen=True, slots=True)
class _Stored:
    scenario: str
    says: str
    status: str = "ready"
    complete: tuple[int, ...] = _HEIGHTS
    """The heights that are transcoded; the others are under way."""
    mp4: bool = True


VIDEOS = {
    2001: _Stored("clean", "ready, in 360p, 480p and 720p"),
    2002: _Stored("block-nudity", "ready, in 360p, 480p and 720p"),
    2003: _Stored("speech-only", "ready, in 360p, 480p and 720p"),
    2004: _Stored("clean", "still being transcoded: 360p can be played, the others cannot", "viewable", (360,)),
    2005: _Stored("clean", "just uploaded: nothing is transcoded yet", "pending", ()),
    2006: _Stored("clean", "ready, but the account has no MP4: no mp4_url anywhere", mp4=False),
    2007: _Stored("broken", "its transcoding failed", "error", ()),
}


def assets() -> tuple[Asset, ...]:
    """All of them, as a job names them."""
    return tuple(Asset(f"gcore:{id_}", video.scenario, video.says) for id_, video in VIDEOS.items())


def video(id_: str, library: Catalogue, client_id: int, *, mp4: bool) -> dict[str, Any] | None:
    """A video as the API shows it; `None` where there is none."""
    stored = next((video for known, video in VIDEOS.items() if str(known) == id_), None)
    if stored is None:
        return None
    scenario = library.named(stored.scenario)
    milliseconds = round(scenario.duration * 1000)
    slug = f"sandbox{id_}"
    place = f"https://{MAGIC}/{stored.scenario}"
    return {
        "id": int(id_),
        "name": stored.scenario,
        "description": stored.says,
        "client_id": client_id,
        "duration": milliseconds,
        "slug": slug,
        "status": stored.status,
        "origin_size": 29_260_881,
        "origin_video_duration": milliseconds,
        "origin_audio_channels": 2,
        "origin_height": scenario.height,
        "origin_width": scenario.width,
        "created_at": "2026-06-13T12:15:25.000Z",
        "updated_at": "2026-06-13T12:30:50.000Z",
        "hls_url": f"{place}/master.m3u8",
        "converted_videos": [_rendition(height, int(id_), place, stored, mp4=mp4) for height in _HEIGHTS]
        if stored.status in {"ready", "viewable"}
        else [],
        "error": "Transcoding failed" if stored.status == "error" else None,
    }


def _rendition(height: int, id_: int, place: str, stored: _Stored, *, mp4: bool) -> dict[str, Any]:
    complete = height in stored.complete
    shown: dict[str, Any] = {
        "id": id_ * 1000 + height,
        "name": f"vod{height}n",
        "width": height * 16 // 9 if complete else None,
        "height": height if complete else None,
        "size": height * 10_000 if complete else None,
        "progress": 100 if complete else 40,
        "status": "complete" if complete else "processing",
        "error": None,
    }
    if mp4 and stored.mp4 and complete:
        shown["mp4_url"] = f"{place}/qid{id_}v1_h264_{_KBITS[height]}_{height}.mp4"
    return shown
