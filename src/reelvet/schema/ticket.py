"""The durable handle of a submitted job."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    PrivateAttr,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    WrapSerializer,
    model_serializer,
)

from reelvet.schema.base import Moment, Stored, Words
from reelvet.schema.errors import InvalidTicket, SealRefused
from reelvet.schema.job import ModerationJob
from reelvet.schema.result import Note
from reelvet.schema.task import RawTask, TaskError, TaskRef
from reelvet.schema.urls import mask_urls, wants_signed_urls
from reelvet.schema.validation import first_field, sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

_PLAIN = "plain:"
_HOLDS_URLS = frozenset({"media", "callback", "options"})


class TaskState(StrEnum):
    """What is known of a task's existence at the vendor."""

    CREATED = "created"
    NOT_CREATED = "not_created"
    UNKNOWN = "unknown"


class TicketMedia(Stored):
    """The media of a ticket, without what may be a secret."""

    source: Words | None = Field(None, description="The URL without its query, or the path of a file.")
    digest: str | None = Field(None, description="`sha256:...` over the place, a URL without its signature.")


class TicketTask(Stored):
    """One vendor task of a ticket."""

    ref: TaskRef = Field(description="The task's name at the vendor; its `id` is empty where none was created.")
    state: TaskState = Field(description="Whether it exists at the vendor: `created`, `not_created` or `unknown`.")
    category: str | None = Field(None, description="The vendor's category or task type, where it has one.")
    error: TaskError | None = Field(None, description="Why it was not created, or why that is unknown.")
    answer: RawTask | None = Field(None, description="The reply itself, of a vendor that answers at once.")


def _mask_job(
    job: dict[str, Any] | None, handler: SerializerFunctionWrapHandler, info: SerializationInfo
) -> dict[str, Any] | None:
    """Whoever made the ticket may have dumped the job whole."""
    dumped: dict[str, Any] | None = handler(job)
    if dumped is None or wants_signed_urls(info.context):
        return dumped
    return {name: mask_urls(value) if name in _HOLDS_URLS else value for name, value in dumped.items()}


def _name(source: Path | str | bytes) -> str:
    return str(source) if isinstance(source, Path) else "text"


@lru_cache(256)
def _shared_asks(asks: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, list[str]]:
    return {channel: list(labels) for channel, labels in asks}


@lru_cache(256)
def _shared_set(names: frozenset[str]) -> set[str]:
    return set(names)


class Ticket(Stored):
    """All that another process needs to poll, cancel or settle a job. JSON; holds no secret of reelvet's or a vendor's.

    The job in it has the URLs of media, callback and options masked. `user` and `metadata` are the caller's own data
    and come back as they were given: a secret put there stands in every ticket and result.

    A provider that does its work only when the ticket is waited for still needs the media's URL. Where that URL may
    carry a signature it stands in `sealed`, encrypted with `[secrets] key`. Without a key it stays in this process;
    `save` then writes it into a file that only its owner can read, and every other dump is refused.
    """

    schema_version: int = Field(1, alias="schema", description="The version of this shape.")
    key: str = Field(description="The job's idempotency key; `provider:task id` for an adopted task.")
    attempt: int = Field(1, description="The job's attempt, from 1.")
    provider: str = Field(description="The provider's id.")
    instance: str = Field(description="The configured instance whose account owns the tasks.")
    api: str | None = Field(None, description="Which of the vendor's APIs.")
    region: str | None = Field(None, description="The vendor's region, in its own words.")
    submitted_at: Moment = Field(
        default_factory=lambda: datetime.now(UTC), description="When it was submitted or adopted, UTC."
    )
    media: TicketMedia = Field(
        default_factory=TicketMedia, description="What was submitted, without what may be secret."
    )
    asks: dict[str, list[str]] = Field(
        default_factory=dict, description="Channel -> labels that were promised to be looked for."
    )
    tasks: tuple[TicketTask, ...] = Field((), description="One per vendor task, in the order of the plan.")
    job: Annotated[dict[str, Any] | None, WrapSerializer(_mask_job)] = Field(
        None,
        description="The job as asked, URLs of media, callback and options masked; `user` and `metadata` as given. `null` for tasks created elsewhere.",
    )
    sealed: str | None = Field(
        None, description="The URL whose query is masked above, encrypted; erased once nothing is left to send."
    )
    warnings: tuple[Note, ...] = Field((), description="What was found out on the way to the vendor.")
    _secret_url: str | None = PrivateAttr(None)

    def model_post_init(self, context: Any, /) -> None:
        """Takes a URL that `save` wrote out of the field that every dump shows."""
        if self.sealed is not None and self.sealed.startswith(_PLAIN):
            self._secret_url = self.sealed.removeprefix(_PLAIN)
            self.__dict__["sealed"] = None
        self._share()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's."""
        copy = super().model_copy(update=update, deep=deep)
        copy._share()  # noqa: SLF001
        return copy

    def _share(self) -> None:
        """Has the ticket hold what is the same in most tickets together with them: it is half of what one weighs.

        Nothing writes to a frozen model's own; ten thousand jobs that wait hold as many tickets.
        """
        self.__dict__["asks"] = _shared_asks(tuple((channel, tuple(labels)) for channel, labels in self.asks.items()))
        for part in (self, self.media, *self.tasks, *(task.ref for task in self.tasks)):
            object.__setattr__(part, "__pydantic_fields_set__", _shared_set(frozenset(part.model_fields_set)))

    @classmethod
    def adopt(
        cls, provider: str, task_id: str, *, detect: list[str] | None = None, instance: str | None = None, **fields: Any
    ) -> Self:
        """A ticket for a task that was created elsewhere.

        Args:
            provider: The provider's id.
            task_id: The vendor's task id.
            detect: What the task was created to look for; `None`: whatever its reply shows that it looked for.
            instance: The configured instance whose account owns the task; by default the one named like the provider.
            fields: Further fields of the ticket, as `key` or `region`; `category` is that of the task.
        """
        category = fields.pop("category", None)
        job = {"detect": list(detect)} if detect is not None else None
        ref = TaskRef(id=task_id, category=category)
        return cls(
            key=fields.pop("key", f"{provider}:{task_id}"), provider=provider, instance=instance or provider, job=job,
            tasks=(TicketTask(ref=ref, state=TaskState.CREATED, category=category),), **fields,
        )  # fmt: skip

    @property
    def secret_url(self) -> str | None:
        """The media's whole URL, where this process knows it and it is still to be sent."""
        return self._secret_url

    def with_secret_url(self, url: str | None) -> Self:
        """The ticket, knowing the media's whole URL in memory."""
        ticket = self.model_copy()
        ticket._secret_url = url  # noqa: SLF001
        return ticket

    @classmethod
    def load(cls, source: Path | str | bytes) -> Self:
        """A ticket from a file or from JSON text.

        Raises:
            InvalidTicket: There is no such file, or it is no ticket.
        """
        try:
            text = source.read_bytes() if isinstance(source, Path) else source
            data = json.loads(text)
        except OSError as error:
            raise InvalidTicket(
                f"cannot read the ticket {_name(source)}: {error.strerror or error}",
                way_out="Name a ticket file that exists and may be read.",
            ) from None
        except ValueError as error:
            raise InvalidTicket(
                f"the ticket is no JSON: {error}", way_out="A file is given as pathlib.Path, JSON as text."
            ) from None
        schema = data.get("schema") if isinstance(data, dict) else None
        if isinstance(schema, int) and schema > 1:  # said first: what else it holds may have another shape
            raise InvalidTicket(
                f"the ticket has schema {schema}, this version reads 1", field="schema", way_out="Upgrade reelvet."
            )
        try:
            ticket = cls.model_validate(data)
        except ValidationError as error:
            faults = "; ".join(f"{field or 'ticket'}: {says}" for field, says in sentences(error))
            raise InvalidTicket(
                f"not a ticket: {faults}",
                field=first_field(error),
            ) from None
        return ticket

    def save(self, path: Path) -> None:
        """Writes the ticket to a file of mode 0600, whole, replacing what was there in one step."""
        text = self.model_dump_json(context={"private_file": True}, indent=2)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def moderation_job(self) -> ModerationJob | None:
        """The job as it was asked, with its whole URL where this process knows it; `None` for an adopted task."""
        if self.job is None or "media" not in self.job:
            return None
        fields = dict(self.job)
        if self._secret_url is not None:
            fields["media"] = {**fields["media"], "url": self._secret_url}
        return ModerationJob(**fields)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # The serializer below only refuses, so the shape of what is dumped is that of the fields.
        return handler({name: part for name, part in schema.items() if name != "serialization"})

    @model_serializer(mode="wrap")
    def _refuse_to_spill(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        # Reached by every way of dumping, that of a model around this one too, where pydantic wraps what is raised.
        private_file = self._may_be_dumped(info.context)
        data: dict[str, Any] = handler(self)
        if private_file:
            data["sealed"] = f"{_PLAIN}{self._secret_url}"
        return data

    def model_dump(self, **how: Any) -> dict[str, Any]:
        """As pydantic's. Raises `SealRefused` where the URL would be lost."""
        self._may_be_dumped(how.get("context"))
        return super().model_dump(**how)

    def model_dump_json(self, **how: Any) -> str:
        """As pydantic's. Raises `SealRefused` where the URL would be lost."""
        self._may_be_dumped(how.get("context"))
        return super().model_dump_json(**how)

    def _may_be_dumped(self, context: dict[str, Any] | None) -> bool:
        """Whether the URL is to stand in the dump as it is, for a private file.

        Raises:
            SealRefused: The dump is for anything else, and the URL is not sealed.
        """
        if self._secret_url is None or self.sealed is not None:
            return False
        if (context or {}).get("private_file"):
            return True
        raise SealRefused("the ticket's URL may carry a signature and there is no key to seal it with")

    def __getstate__(self) -> dict[Any, Any]:
        self._may_be_dumped(None)
        state = super().__getstate__()
        state["__pydantic_private__"] = {"_secret_url": None}
        return state
