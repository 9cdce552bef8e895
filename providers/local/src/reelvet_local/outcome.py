"""What one look at one file yields. Plain data, shared by the worker process and its parent; standard library only."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["succeeded", "failed", "canceled"]
Rule = Literal["interval", "keyframes"]
Kind = Literal["video", "image", "audio"]
ErrorCode = Literal[
    "unreadable",  # no such file, a directory, no permission
    "not_media",  # empty, text, garbage
    "unsupported_format",  # a playlist, or a container that is not on the allow-list
    "truncated",  # cut off so that no frame can be read
    "no_video",  # sound only
    "zero_length",  # a video track without frames
    "too_many_pixels",  # larger than `max_pixels`; refused before any frame is allocated
    "decode_failed",  # media, but not one frame could be decoded
    "broken_tail",  # frames were looked at, then the file ends or breaks before its time
    "broken_middle",  # frames were looked at before and after a stretch that cannot be decoded
    "detector_failed",  # the model cannot be loaded, or raised
    "thumbnails",  # pictures of findings cannot be written where they are wanted
    "worker_died",  # the child process crashed, was killed or hung
]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the file says about itself.

    Attributes:
        kind: `video`; `image`, animated ones included; `audio` where there is sound only.
        container: FFmpeg's (or for images Pillow's) name of the format, e.g. `mov,mp4,m4a,3gp,3g2,mj2`, `webp`.
        codec: Name of the codec, e.g. `h264`.
        duration: Seconds as declared, `None` where the file does not say (and for still images).
        width: Pixels as displayed, so after rotation.
        height: Pixels as displayed, so after rotation.
        fps: Average frames per second, `None` where unknown (and for images).
        rotation: Clockwise degrees by which the stored picture is turned for display: 0, 90, 180, 270.
        other_video_streams: Further video tracks, or pictures, in the file. They are not looked at. A cover is none.
    """

    kind: Kind
    container: str
    codec: str | None = None
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    rotation: int = 0
    other_video_streams: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """One looked-at frame whose score reached the report floor.

    Attributes:
        label: The detector's own word.
        score: 0 to 1.
        start: Seconds from the start of the media to the frame, from its timestamp; `None` where the file has none.
            0.0 for a still image.
        frame: Index of the frame in presentation order, from 0; `None` where it is not certain.
        thumbnail: Path of a JPEG of the frame, if a directory for them was named.
    """

    label: str
    score: float
    start: float | None
    frame: int | None
    thumbnail: str | None = None


@dataclass(frozen=True, slots=True)
class SamplingReport:
    """Which frames were looked at.

    Attributes:
        rule: `interval` or `keyframes`, as asked.
        interval: Seconds between the instants aimed at.
        max_gap: Rule `keyframes`: key frames further apart than this many seconds are filled in by the rule `interval`.
        frames: Number of frames looked at.
        largest_gap: Longest stretch in seconds without a looked-at instant, from 0 to the end of what was read; `None`
            where the file has no timestamps, and for still images.
        filled_gaps: Rule `keyframes`: how many stretches between key frames had to be filled in.
        damaged: Packets the decoder refused, and looked-at frames it flags as damaged.
        time_resets: Places where the timestamps start over, as in joined recordings. From there on times are counted
            as the media plays, not as it states.
        every: Where the file has no timestamps: one of so many frames was looked at.
    """

    rule: Rule
    interval: float
    max_gap: float | None
    frames: int
    largest_gap: float | None
    filled_gaps: int = 0
    damaged: int = 0
    time_resets: int = 0
    every: int | None = None


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """All scores of one label, those below the report floor included.

    Attributes:
        max: Highest score.
        mean: Mean score over the frames looked at.
        at: Seconds to the frame with the highest score; `None` where the file has no timestamps.
    """

    max: float
    mean: float
    at: float | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run failed: a code for programs, a message for people."""

    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True)
class DetectorInfo:
    """Which model looked: its name, version and the labels it knows, in its own words."""

    name: str
    version: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        seconds: Position in the media; `None` where the file has no timestamps.
        duration: Seconds declared by the file, or `None`.
        frames: Frames looked at so far.
    """

    seconds: float | None
    duration: float | None
    frames: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run, good or bad. A failed or canceled run keeps what it had found.

    Attributes:
        status: `succeeded`, `failed` or `canceled`.
        error: Set exactly when `failed`.
        facts: `None` if the file could not be opened.
        hits: Frames at or above the report floor, in order of time.
        scores: Native label -> summary over all frames looked at.
        sampling: `None` if nothing was decoded.
        through: Seconds up to which the media was looked at: its end on success, else the last frame that was scored;
            the last one before the hole where the middle is broken.
            `None` for still images, for files without timestamps, and if nothing was looked at.
        stopped_early: `stop_on` was met and decoding stopped there.
        detector: `None` if no model was loaded.
    """

    status: Status
    error: Failure | None = None
    facts: Facts | None = None
    hits: tuple[Hit, ...] = ()
    scores: dict[str, ScoreSummary] = field(default_factory=dict)
    sampling: SamplingReport | None = None
    through: float | None = None
    stopped_early: bool = False
    detector: DetectorInfo | None = None

    def as_dict(self) -> dict[str, Any]:
        """The outcome as JSON-safe data: a raw payload to keep."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Outcome:
        """The inverse of `as_dict`."""
        return cls(
            status=data["status"],
            error=Failure(**data["error"]) if data["error"] else None,
            facts=Facts(**data["facts"]) if data["facts"] else None,
            hits=tuple(Hit(**hit) for hit in data["hits"]),
            scores={label: ScoreSummary(**summary) for label, summary in data["scores"].items()},
            sampling=SamplingReport(**data["sampling"]) if data["sampling"] else None,
            through=data["through"],
            stopped_early=data["stopped_early"],
            detector=DetectorInfo(**{**data["detector"], "labels": tuple(data["detector"]["labels"])})
            if data["detector"]
            else None,
        )
