"""What was found, what was looked at, and what it comes to."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator

from reelvet.schema.base import Moment, Stored, VendorJson, VendorMap, Words
from reelvet.schema.errors import InvalidJob, JobFailed
from reelvet.schema.media import Channel, MediaKind
from reelvet.schema.task import RawTask, Status, TaskError
from reelvet.schema.urls import SignedUrl, mask_urls
from reelvet.schema.validation import first_field, sentences


class Verdict(StrEnum):
    """What a policy makes of a result. Precedence: block, error, review, pass."""

    PASS = "pass"  # noqa: S105
    REVIEW = "review"
    ERROR = "error"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """0 for `pass` up to 3 for `block`."""
        return _SEVERITIES[self]

    @classmethod
    def worst(cls, verdicts: Any) -> Verdict | None:
        """The most severe of some verdicts, `None` for none."""
        return max(verdicts, key=lambda verdict: verdict.severity, default=None)


_SEVERITIES = {verdict: severity for severity, verdict in enumerate(Verdict)}


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

    code: str = Field(description="Stable, for programs: `unmapped`, `unrefined_label`, `wish_ignored`, ...")
    says: Words = Field(description="The sentence, for people; URLs masked when dumped.")


class Box(Stored):
    """A rectangle in the picture, from its upper left corner."""

    x: float = Field(description="Its left edge from the left of the picture, in `unit`.")
    y: float = Field(description="Its upper edge from the top of the picture, in `unit`.")
    width: float = Field(description="In `unit`.")
    height: float = Field(description="In `unit`.")
    unit: Literal["px", "ratio"] = Field("px", description="Pixels, or a ratio 0-1 of the picture's width and height.")
    rotation: float = Field(0, description="Degrees counter-clockwise.")


class Native(Stored):
    """The vendor's own words for a finding."""

    field: str = Field(description="Where in the payload it stands.")
    label: str | None = Field(None, description="The vendor's label, as it spells it.")
    sub_label: str | None = Field(None, description="The vendor's label below that, where it has one.")
    score: Any = Field(None, description="The vendor's own value, whatever its type.")
    scale: str | None = Field(None, description="The scale of that value, as `0-100`.")
    extra: VendorMap = Field(default_factory=dict, description="What else the vendor says of it.")


class Finding(Stored):
    """One label at one place in one channel."""

    label: str = Field(description="A label id, or `unmapped`.")
    relation: Relation | None = Field(
        None, description="How the vendor's label stands to the id; `null` for `unmapped`."
    )
    channel: Channel = Field(description="Where it was seen or heard: `visual`, `ocr`, `speech`, `sound`.")
    score: float | None = Field(
        None,
        ge=0,
        le=1,
        description="The vendor's score rescaled linearly to 0-1; `null` where it gives none, or one that is not within 0-1.",
    )
    start: float | None = Field(None, description="Seconds from the start of the media; `null` where unknown.")
    end: float | None = Field(
        None, description="Seconds from the start of the media; `null` for an instant or where unknown."
    )
    at_date: Moment | None = Field(None, description="For live media, the moment, UTC.")
    frame: int | None = Field(None, description="The frame number, as the vendor counts it.")
    box: Box | None = Field(None, description="Where in the picture; `null` where the vendor does not say.")
    text: str | None = Field(None, description="What was read or said there.")
    matches: tuple[str, ...] = Field((), description="The words or library entries that hit.")
    suggestion: Verdict | None = Field(None, description="The vendor's own verdict on it.")
    evidence: SignedUrl | None = Field(None, description="A picture or clip of it. May expire; masked when dumped.")
    evidence_expires: Moment | None = Field(None, description="When the evidence is gone, UTC; `null` where unknown.")
    native: Native = Field(description="The vendor's own label and score.")
    provider: str = Field(description="The provider's id.")
    task: str | None = Field(None, description="The vendor's task id.")

    @field_validator("score", mode="before")
    @classmethod
    def _invent_no_score(cls, value: Any) -> Any:
        """A score off its scale is none (`native.score` has it), rather than the end of all that was found besides."""
        try:
            return value if value is None or 0 <= float(value) <= 1 else None
        except OverflowError:
            return None
        except (TypeError, ValueError):
            return value  # no number at all: pydantic says so


class Coverage(Stored):
    """What became of looking for one label in one channel."""

    label: str = Field(description="A label id that was asked for; patterns are expanded.")
    channel: Channel = Field(description="Where in the media: `visual`, `ocr`, `speech`, `sound`.")
    state: CoverageState = Field(
        description="`hit`, `clean`, `below_floor` or `not_evaluated`; in a plan `planned` or `not_evaluated`."
    )
    floor: float | None = Field(
        None, description="The score (0-1) below which the vendor reports nothing, where it documents one."
    )
    through: float | None = Field(
        None, description="Seconds of the media through which the state holds; `null`: all of it, or unknown."
    )
    provider: str | None = Field(None, description="The provider whose look this is; `null` where several were merged.")
    why: Words | None = Field(None, description="Why it was not evaluated, or not wholly.")
    clearable: bool = Field(
        True,
        description="Whether it could come out clean: `false` where the provider's silence never means absence, as where it does not look, looks for a wider or narrower class only, or for some of the labels below.",
    )


class TranscriptSegment(Stored):
    """A stretch of speech."""

    start: float | None = Field(None, description="Seconds from the start of the media; `null` where unknown.")
    end: float | None = Field(None, description="Seconds from the start of the media; `null` where unknown.")
    text: str = Field("", description="What is said in it.")


class Transcript(Stored):
    """What was said."""

    language: str | None = Field(None, description="BCP 47 tag of the text.")
    translated_from: str | None = Field(
        None, description="BCP 47 tag of what was spoken, where the text is a translation."
    )
    text: str = Field("", description="All of it, as one text.")
    vtt: str | None = Field(None, description="WebVTT as the vendor made it.")
    segments: tuple[TranscriptSegment, ...] = Field((), description="The same in stretches with times, in order.")
    task: str | None = Field(None, description="The vendor's task id.")


class MediaFacts(Stored):
    """The media as far as it is known."""

    source: Words | None = Field(None, description="The place, the query of a URL masked.")
    kind: MediaKind = Field(MediaKind.VIDEO, description="`video`, `image`, `live` or `audio`.")
    duration: float | None = Field(None, description="Seconds; `null` unless known.")
    width: int | None = Field(None, description="Pixels; `null` unless known.")
    height: int | None = Field(None, description="Pixels; `null` unless known.")
    sampling: str | None = Field(None, description="The rule by which instants were chosen.")
    largest_gap: float | None = Field(
        None, description="Seconds of the longest stretch that was not looked at, where it is known."
    )


class Usage(Stored):
    """What one task cost, as far as it is known."""

    provider: str = Field(description="The provider's id.")
    task: str | None = Field(None, description="The vendor's task id.")
    billed_seconds: float | None = Field(None, description="Seconds of media that are billed; `null` unless known.")
    requests: int = Field(0, description="HTTP requests that were made for the task.")


class TaskRecord(Stored):
    """One task at a vendor, with everything it said."""

    provider: str = Field(description="The provider's id.")
    instance: str | None = Field(None, description="The configured instance whose account owns the task.")
    id: str = Field(description="The vendor's task id, as it is.")
    status: Status = Field(description="The vendor's word in ours; `unknown` for a word not known.")
    native_status: str | None = Field(None, description="The vendor's own word.")
    request_ids: tuple[str, ...] = Field((), description="The vendor's ids of the requests that brought this.")
    error: TaskError | None = Field(None, description="Why it failed; `null` where it did not.")
    raw: VendorJson = Field(default=None, description="The vendor's reply, complete; URLs masked when dumped.")
    attachments: VendorMap = Field(
        default_factory=dict, description="What had to be fetched besides: further pages, result files."
    )

    @classmethod
    def of(cls, raw: RawTask, *, provider: str, instance: str | None) -> Self:
        """The record of what a vendor said."""
        return cls(
            provider=provider, instance=instance, id=raw.ref.id, status=raw.status, native_status=raw.native_status,
            request_ids=raw.request_ids, error=raw.error, raw=raw.payload, attachments=raw.attachments,
        )  # fmt: skip


class Reason(Stored):
    """Why a policy says what it says."""

    policy: str = Field(description="The policy's name.")
    provider: str | None = Field(None, description="The provider whose finding it is; `null` where it is no finding's.")
    label: str | None = Field(None, description="The label id it is about.")
    score: float | None = Field(None, description="The finding's score, 0-1; `null` where the vendor gives none.")
    threshold: float | None = Field(None, description="The policy's threshold, 0-1, that the score was held against.")
    says: Verdict = Field(description="What this reason alone would come to.")
    why: Words = Field(description="A few words for a person.")


class ModerationResult(Stored):
    """Findings, coverage and verdict of one job, with every raw payload."""

    schema_version: int = Field(1, alias="schema", description="The version of this shape.")
    key: str = Field(description="The job's idempotency key.")
    provider: str | None = Field(None, description="`null` when several took part.")
    instance: str | None = Field(None, description="The configured instance; `null` when several took part.")
    sandbox: bool = Field(
        False, description="Whether it came from an emulator or from a base URL that is not the vendor's."
    )
    status: Status = Field(description="How far the job is; `partial` where some of its tasks failed.")
    verdict: Verdict | None = Field(
        None, description="The first policy's decision; `null` until final, and for jobs that only transcribe."
    )
    transcribes_only: bool = Field(
        False,
        description="Whether the job asked for a transcript and for nothing to be detected, so that there is nothing to judge.",
    )
    decisions: dict[str, Verdict] = Field(default_factory=dict, description="Policy name -> decision.")
    reasons: tuple[Reason, ...] = Field((), description="Why the policies decide as they do, the gravest first.")
    findings: tuple[Finding, ...] = Field((), description="What was found, asked for or not.")
    coverage: tuple[Coverage, ...] = Field((), description="One row per label asked and channel.")
    transcripts: tuple[Transcript, ...] = Field((), description="What was said, where it was asked for.")
    media: MediaFacts = Field(
        default_factory=MediaFacts, description="Its source, duration, size, and how it was sampled."
    )
    usage: tuple[Usage, ...] = Field((), description="What each task cost, as far as it is known.")
    tasks: tuple[TaskRecord, ...] = Field((), description="Each vendor task with everything the vendor said.")
    versions: dict[str, str] = Field(
        default_factory=dict, description="`reelvet`, `taxonomy`, `label_map`, `policy`, and what else shaped it."
    )
    created_at: Moment | None = Field(None, description="When the job was submitted, UTC.")
    finished_at: Moment | None = Field(None, description="When its last task was seen to have ended, UTC.")
    user: str | None = Field(None, description="The job's `user`, as it was given.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="The job's `metadata`, as it was given.")
    warnings: tuple[Note, ...] = Field((), description="Wishes not honoured, words not known, and what else to know.")

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
            raise InvalidJob(
                f"not a moderation result: {faults}",
                field=first_field(error),
                way_out="Give what `dump_json` or `reelvet ... --json` wrote.",
            ) from None

    def or_raise(self) -> Self:
        """The result itself if it succeeded.

        Raises:
            JobFailed: The job failed wholly or in part, was canceled, or is not finished. It carries the result.
        """
        if self.status is Status.SUCCEEDED:
            return self
        told = mask_urls("; ".join(f"{t.id}: {t.error.message or t.error.code}" for t in self.tasks if t.error))
        raise JobFailed(
            f"job {self.key} {self.status}" + (f": {told}" if told else ""),
            status=self.status,
            result=self,
            way_out=None if self.status.final else "Wait for the job's ticket.",
        )
