"""What was found, what was looked at, and what it comes to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import Field, ValidationError

from reelvet.schema.base import Stored, VendorJson
from reelvet.schema.errors import InvalidJob, JobFailed
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.task import RawTask, Status, TaskError
from reelvet.schema.urls import SignedUrl
from reelvet.schema.validation import sentences


class Verdict(StrEnum):
    """What a policy makes of a result. Precedence: block, error, review, pass."""

    PASS = "pass"  # noqa: S105
    REVIEW = "review"
    ERROR = "error"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """0 for `pass` up to 3 for `block`."""
        return list(Verdict).index(self)

    @classmethod
    def worst(cls, verdicts: Any) -> Verdict | None:
        """The most severe of some verdicts, `None` for none."""
        return max(verdicts, key=lambda verdict: verdict.severity, default=None)


class Relation(StrEnum):
    """How a vendor's label stands to the unified one."""

    EXACT = "exact"
    CLOSE = "close"
    BROAD = "broad"
    NARROW = "narrow"
    NONE = "none"


class CoverageState(StrEnum):
    """What became of looking for one label in one channel."""

    HIT = "hit"
    CLEAN = "clean"
    BELOW_FLOOR = "below_floor"
    NOT_EVALUATED = "not_evaluated"
    PLANNED = "planned"


class Note(Stored):
    """A warning: a stable code and a sentence."""

    code: str
    says: str


class Box(Stored):
    """A rectangle in the picture, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    unit: Literal["px", "ratio"] = "px"
    rotation: float = Field(0, description="Degrees counter-clockwise.")


class Native(Stored):
    """The vendor's own words for a finding."""

    field: str = Field(description="Where in the payload it stands.")
    label: str | None = None
    sub_label: str | None = None
    score: Any = Field(None, description="The vendor's own value, whatever its type.")
    scale: str | None = Field(None, description="The scale of that value, as `0-100`.")
    extra: dict[str, VendorJson] = Field(default_factory=dict, description="What else the vendor says of it.")


class Finding(Stored):
    """One label at one place in one channel."""

    label: str = Field(description="A label id, or `unmapped`.")
    relation: Relation | None = Field(
        None, description="How the vendor's label stands to the id; `null` for `unmapped`."
    )
    channel: Channel
    score: float | None = Field(
        None, ge=0, le=1, description="The vendor's score rescaled linearly to 0-1; `null` where it gives none."
    )
    start: float | None = Field(None, description="Seconds from the start of the media; `null` where unknown.")
    end: float | None = Field(
        None, description="Seconds from the start of the media; `null` for an instant or where unknown."
    )
    at_date: datetime | None = Field(None, description="For live media, the moment.")
    frame: int | None = Field(None, description="The frame number, as the vendor counts it.")
    box: Box | None = None
    text: str | None = Field(None, description="What was read or said there.")
    matches: tuple[str, ...] = Field((), description="The words or library entries that hit.")
    suggestion: Verdict | None = Field(None, description="The vendor's own verdict on it.")
    evidence: SignedUrl | None = Field(None, description="A picture or clip of it. May expire; masked when dumped.")
    evidence_expires: datetime | None = None
    native: Native
    provider: str
    task: str | None = Field(None, description="The vendor's task id.")


class Coverage(Stored):
    """What became of looking for one label in one channel."""

    label: str
    channel: Channel
    state: CoverageState
    floor: float | None = Field(
        None, description="The score below which the vendor reports nothing, where it documents one."
    )
    through: float | None = Field(
        None, description="Seconds of the media through which the state holds; `null`: all of it, or unknown."
    )
    provider: str | None = None
    why: str | None = Field(None, description="Why it was not evaluated, or not wholly.")
    clearable: bool = Field(
        True,
        description="Whether it could come out clean: `false` where the provider's silence never means absence, as where it does not look, looks for a wider or narrower class only, or for some of the labels below.",
    )


class TranscriptSegment(Stored):
    """A stretch of speech."""

    start: float | None = None
    end: float | None = None
    text: str = ""


class Transcript(Stored):
    """What was said."""

    language: str | None = Field(None, description="BCP 47 tag of the text.")
    translated_from: str | None = None
    text: str = ""
    vtt: str | None = Field(None, description="WebVTT as the vendor made it.")
    segments: tuple[TranscriptSegment, ...] = ()
    task: str | None = None


class MediaFacts(Stored):
    """The media as far as it is known."""

    source: str | None = Field(None, description="The place, the query of a URL masked.")
    kind: MediaKind = MediaKind.VIDEO
    duration: float | None = Field(None, description="Seconds.")
    width: int | None = None
    height: int | None = None
    sampling: str | None = Field(None, description="The rule by which instants were chosen.")
    largest_gap: float | None = Field(
        None, description="Seconds of the longest stretch that was not looked at, where it is known."
    )


class Usage(Stored):
    """What one task cost, as far as it is known."""

    provider: str
    task: str | None = None
    billed_seconds: float | None = None
    requests: int = 0


class TaskRecord(Stored):
    """One task at a vendor, with everything it said."""

    provider: str
    instance: str | None = None
    id: str
    status: Status
    native_status: str | None = None
    request_ids: tuple[str, ...] = ()
    error: TaskError | None = None
    raw: VendorJson = Field(default=None)
    attachments: dict[str, VendorJson] = Field(default_factory=dict)

    @classmethod
    def of(cls, raw: RawTask, *, provider: str, instance: str | None) -> Self:
        """The record of what a vendor said."""
        return cls(
            provider=provider, instance=instance, id=raw.ref.id, status=raw.status, native_status=raw.native_status,
            request_ids=raw.request_ids, error=raw.error, raw=raw.payload, attachments=raw.attachments,
        )  # fmt: skip


class Reason(Stored):
    """Why a policy says what it says."""

    policy: str
    provider: str | None = None
    label: str | None = None
    score: float | None = None
    threshold: float | None = None
    says: Verdict
    why: str


class ModerationResult(Stored):
    """Findings, coverage and verdict of one job, with every raw payload."""

    schema_version: int = Field(1, alias="schema", description="The version of this shape.")
    key: str = Field(description="The job's idempotency key.")
    provider: str | None = Field(None, description="`null` when several took part.")
    instance: str | None = None
    sandbox: bool = Field(
        False, description="Whether it came from an emulator or from a base URL that is not the vendor's."
    )
    status: Status
    verdict: Verdict | None = Field(
        None, description="The first policy's decision; `null` until final, and for jobs that only transcribe."
    )
    decisions: dict[str, Verdict] = Field(default_factory=dict, description="Policy name -> decision.")
    reasons: tuple[Reason, ...] = ()
    findings: tuple[Finding, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    media: MediaFacts = Field(default_factory=MediaFacts)
    usage: tuple[Usage, ...] = ()
    tasks: tuple[TaskRecord, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    created_at: datetime | None = None
    finished_at: datetime | None = None
    user: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    warnings: tuple[Note, ...] = ()

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """A stored result.

        Raises:
            InvalidJob: The text is no result.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            faults = "; ".join(f"{field or 'result'}: {says}" for field, says in sentences(error))
            raise InvalidJob(f"not a moderation result: {faults}") from None

    def or_raise(self) -> Self:
        """The result itself if it succeeded.

        Raises:
            JobFailed: The job failed wholly or in part, was canceled, or is not finished. It carries the result.
        """
        if self.status is Status.SUCCEEDED:
            return self
        told = "; ".join(f"{t.id}: {t.error.message or t.error.code}" for t in self.tasks if t.error)
        raise JobFailed(
            f"job {self.key} {self.status}" + (f": {told}" if told else ""), status=self.status, result=self
        )
