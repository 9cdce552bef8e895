"""The operations of Gcore that talk, and the pure ones with this instance's settings."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reelvet.http import Effect, Limit, Limits, Reply, Request, Session
from reelvet.plugins import Capabilities, Created, Health, Outcome, Provider, Rejected, Report, TimeWindow, Unknown
from reelvet.schema import lenient
from reelvet.schema.errors import (
    CancelUnsupported,
    LookupUnsupported,
    MediaRejected,
    ProviderError,
    TaskConflict,
    UnexpectedReply,
)
from reelvet.schema.plan import Unsupported
from reelvet.schema.task import RawTask, TaskRef
from reelvet.taxonomy import LabelMap
from reelvet_gcore import read, request, video, wire
from reelvet_gcore.auth import ApiKey
from reelvet_gcore.errors import classify
from reelvet_gcore.plugin import capabilities

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan, VendorTask
    from reelvet_gcore.settings import GcoreSettings

_VIDEO_PAUSE = 5.0
_MOST_PAGES = 1000
_SEARCHABLE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")


class GcoreProvider(Provider):
    """One account of Gcore Streaming."""

    id = "gcore"
    settings: GcoreSettings

    @property
    def sandbox(self) -> bool:  # type: ignore[override]
        """Whether it talks to anything but the vendor itself."""
        return not self.settings.is_official

    # pure

    def effective(self) -> Capabilities:
        """What the API of this instance can do: the legacy one has no list, no cancel, and no field for key or user."""
        most = capabilities()
        if self.settings.api == "current":
            return most
        return replace(
            most, wishes=frozenset({"stop_on"}), operations=frozenset(), transcript=None, key_fits="not at all"
        )

    def plan(self, job: ModerationJob) -> Plan:
        """The fewest billed tasks that answer the job."""
        return request.plan(
            job, self.settings, self._able, self._labels, self.context.taxonomy, instance=self.context.instance
        )

    def read(self, plan: Plan | None, raws: Sequence[RawTask]) -> Report:
        """Findings, coverage and transcripts."""
        return read.report(plan, raws, self._effective, self._labels, self.context.taxonomy)

    def recognize(self, payload: Any) -> RawTask:
        """A stored reply to "get task", of the present or the legacy API, or the `result` of one."""
        return read.recognize(payload)

    # talks

    async def open(self) -> None:
        """Opens the connections."""
        settings = self.settings
        if self.context.session is None:
            raise RuntimeError("no session was lent to the provider")
        rate = settings.requests_per_second
        self._languages: dict[tuple[str | None, str | None], bool] = {}
        self._session: Session = self.context.session(
            signer=ApiKey(settings.api_key),
            classifier=classify,
            limits=Limits(total=Limit(requests=rate)) if rate is not None else None,
            secrets=[settings.api_key],
            **settings.session_options(),
        )
        await self._session.__aenter__()

    async def close(self) -> None:
        """Closes them."""
        await self._session.__aexit__(None, None, None)

    async def prepare(self, plan: Plan) -> Plan:
        """Resolves a video of Gcore's own to its MP4 link, and asks whether the languages of a transcript are known.

        Raises:
            MediaRejected: The video is still being transcoded (`retryable`), or broken.
            FeatureDisabled: The account has no MP4 links.
            ProviderError: A call failed.
        """
        tasks, refused, link = [], [], None
        for task in plan.tasks:
            query = request.language_query(task.payload)
            audio, subtitles = query.get("audio_language"), query.get("subtitles_language")
            if audio is not None and not await self.language_support(audio, subtitles):
                refused.append(_unknown_language(audio, subtitles))
                continue
            source = str(task.payload["url"])
            if source.startswith("gcore:"):
                link = link or await self._mp4(source.partition(":")[2], task)
                task = task.model_copy(update={"payload": {**task.payload, "url": link}})  # noqa: PLW2901
            tasks.append(task)
        return plan.model_copy(update={"tasks": tuple(tasks), "unsupported": (*plan.unsupported, *refused)})

    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        """Creates the tasks, one call each."""
        return await asyncio.gather(*(self._create(task) for task in tasks))

    async def fetch(self, ref: TaskRef) -> RawTask:
        """The task and its result."""
        is_legacy = self.settings.api == "legacy"
        path = "/streaming/ai/results/{}" if is_legacy else "/streaming/ai/tasks/{}"
        reply = await self._get(path.format(quote(ref.id, safe="")), "GetTask")
        payload = reply.json()
        self._check_is_of(reply, payload, ref)
        return self._raw(reply, payload, ref)

    async def cancel(self, ref: TaskRef) -> RawTask:
        """Revokes the task; one that has ended already is told as it is."""
        if self.settings.api == "legacy":
            raise CancelUnsupported("the legacy API has no cancel", self.id, self.context.instance)
        path = f"/streaming/ai/tasks/{quote(ref.id, safe='')}/cancel"
        with suppress(TaskConflict):  # 412: it has ended, which is what was wanted
            await self._session.send(
                Request.build("POST", self._url(path), effect=Effect.REPEATABLE, operation="CancelTask")
            )
        return await self.fetch(ref)

    async def find(self, key: str, window: TimeWindow) -> Sequence[RawTask]:
        """Tasks whose envelope holds exactly that key. The vendor's search matches parts of any field, so it only narrows."""
        raws = [raw async for raw in self._list(window, search=_searchable(key))]
        return [raw for raw in raws if raw.vendor_key == key]

    async def sweep(self, window: TimeWindow) -> AsyncIterator[RawTask]:
        """The states of all tasks of a window, the latest first. Tasks that wait have no date: they are in every window."""
        async for raw in self._list(window):
            yield raw

    async def check(self) -> Health:
        """Asks for one task of the list: free, and refused where the token or the account's Streaming AI is."""
        try:
            page = await self.list_page(limit=1)
        except ProviderError as error:
            return Health(False, error.message, error.way_out)
        count = page.get("count") if isinstance(page, dict) else None
        return Health(
            True, f"the token is accepted; the account holds {count if count is not None else 'some'} AI tasks"
        )

    async def list_page(
        self,
        *,
        task_id: str | None = None,
        task_name: str | None = None,
        status: str | None = None,
        date_created: str | None = None,
        ordering: str | None = None,
        search: str | None = None,
        page: int | None = None,
        limit: int | None = None,
    ) -> Any:
        """One page of the account's tasks, as the vendor answers it: `{"count", "next", "previous", "results"}`.

        Every filter of https://gcore.com/docs/api-reference/streaming/ai/get-list-of-ai-tasks; what is `None` is not sent.

        Args:
            task_id: Exactly this task.
            task_name: `transcription` or `content-moderation`.
            status: A status in the vendor's words.
            date_created: ISO 8601; the vendor does not document what of it is compared.
            ordering: `task_id`, `status`, `task_name` or `started_at`, ascending; without it the latest come first.
            search: A part of id, name, status or what the task was created with.
            page: From 1.
            limit: Tasks per page; the vendor's default is 10.

        Raises:
            LookupUnsupported: The legacy API has no list.
            ProviderError: The call failed.
        """
        return (await self._page(
            task_id=task_id, task_name=task_name, status=status, date_created=date_created, ordering=ordering,
            search=search, page=page, limit=limit,
        )).json()  # fmt: skip

    async def language_support(self, audio: str, subtitles: str | None = None) -> bool:
        """Whether the vendor transcribes a language, and translates it into another. Asked once per pair and session.

        Args:
            audio: The vendor's code of what is spoken.
            subtitles: That of the translation.

        Raises:
            ProviderError: The call failed.
        """
        pair = (audio, subtitles)
        if pair not in self._languages:
            query = {"type": "language_support", "audio_language": audio, "subtitles_language": subtitles}
            reply = await self._get(request.INFO, "GetInfo", query)
            body = reply.json()
            supported = lenient.flag(body.get("supported")) if isinstance(body, dict) else None
            if supported is None:
                raise self._unexpected(reply, "does not say whether the languages are supported")
            self._languages[pair] = supported
        return self._languages[pair]

    # --- inside ---

    @cached_property
    def _labels(self) -> LabelMap:
        return LabelMap.load("reelvet_gcore", self.context.taxonomy)

    @cached_property
    def _effective(self) -> Capabilities:
        return self.effective()

    @cached_property
    def _by_categories(self) -> dict[tuple[str, ...], Capabilities]:
        return {}

    def _able(self, categories: tuple[str, ...] | None) -> Capabilities:
        """What some categories can see; `None`: all."""
        if categories is None:
            return self._effective
        if categories not in self._by_categories:
            entries = (entry for entry in self._effective.entries if entry.switch in categories)
            self._by_categories[categories] = self._effective.with_entries(entries)
        return self._by_categories[categories]

    def _url(self, path: str) -> str:
        return self.settings.url + path

    async def _get(self, path: str, operation: str, query: dict[str, Any] | None = None) -> Reply:
        return await self._session.send(
            Request.build("GET", self._url(path), effect=Effect.READ, operation=operation, query=query or {})
        )

    async def _create(self, task: VendorTask) -> Outcome:
        path = request.CREATE_LEGACY if self.settings.api == "legacy" else request.CREATE
        try:
            reply = await self._session.send(
                Request.build(
                    "POST", self._url(path), effect=Effect.CREATE, operation="CreateTask", json_body=task.payload
                )
            )
            body = reply.json()
        except ProviderError as error:
            return Rejected(error) if error.created == "no" else Unknown(error)
        task_id = lenient.text(body.get("task_id")) if isinstance(body, dict) else None
        if not task_id:
            return Unknown(self._unexpected(reply, "names no task"))
        # The key goes along, so that nobody else's reply is ever taken for this task's.
        return Created(TaskRef(id=task_id, name=task.name, category=task.category, extra={"key": task.vendor_key}))

    async def _page(self, **query: Any) -> Reply:
        if self.settings.api == "legacy":
            raise LookupUnsupported("the legacy API has no list of tasks", self.id, self.context.instance)
        return await self._get(request.CREATE, "ListTasks", query)

    async def _list(self, window: TimeWindow, *, search: str | None = None) -> AsyncIterator[RawTask]:
        """The tasks of a window, page by page. `next` and `count` end it: what is past the last page is not documented."""
        seen: set[str] = set()
        for number in range(1, _MOST_PAGES + 1):
            reply = await self._page(search=search, page=number, limit=self.settings.page_size)
            page = reply.json()
            raws = [self._listed(reply, item) for item in read.list_items(page)]
            fresh = [raw for raw in raws if raw.ref.id and raw.ref.id not in seen]
            seen.update(raw.ref.id for raw in fresh)
            for raw in fresh:
                if _is_within(raw, window):
                    yield raw
            is_last = not isinstance(page, dict) or not page.get("next")
            # Without a search the latest come first: a page of nothing but older ones is the end of the window.
            is_past = search is None and all(_is_before(raw, window) for raw in fresh)
            if not fresh or is_last or is_past:  # a list that turns no pages brings nothing fresh
                return

    def _listed(self, reply: Reply, item: Any) -> RawTask:
        task = wire.Task.model_validate(item if isinstance(item, dict) else {})
        return self._raw(reply, item, TaskRef(id=task.task_id or "", category=read.category_of(task)))

    def _raw(self, reply: Reply, payload: Any, ref: TaskRef) -> RawTask:
        ids = (reply.request_id,) if reply.request_id else ()
        return read.raw_task(payload, ref=ref, requests=1, request_ids=ids)

    def _check_is_of(self, reply: Reply, payload: Any, ref: TaskRef) -> None:
        """Refuses a reply that is another task's: it would be another video's verdict.

        Raises:
            UnexpectedReply: Its id or its key is another; asked again, the right one may come.
        """
        task = wire.Task.model_validate(payload if isinstance(payload, dict) else {})
        told = wire.envelope(task.task_data.client_entity_data)
        key, wanted = lenient.text(told.get("key")) if told else None, ref.extra.get("key")
        if task.task_id not in {None, ref.id} or (key is not None and wanted is not None and key != wanted):
            error = self._unexpected(reply, f"to the question for task {ref.id} is about another")
            error.retryable = True
            raise error

    async def _mp4(self, video_id: str, task: VendorTask) -> str:
        """The link to a file of one of Gcore's own videos, waiting for it as long as was said."""
        told = task.extra
        height = told.get("mp4_height", self.settings.mp4_height)
        loop = asyncio.get_running_loop()
        until = loop.time() + told.get("wait_for_mp4", self.settings.wait_for_mp4)
        while True:
            reply = await self._get(request.VIDEO.format(id=quote(video_id, safe="")), "GetVideo")
            try:
                return video.choose(reply.json(), height=height)
            except MediaRejected as error:
                left = until - loop.time()
                if not error.retryable or left <= 0:
                    error.provider, error.instance = self.id, self.context.instance
                    raise
            await asyncio.sleep(min(_VIDEO_PAUSE, left))

    def _unexpected(self, reply: Reply, says: str) -> UnexpectedReply:
        return UnexpectedReply(
            f"the reply {says}", self.id, self.context.instance,
            status=reply.status, request_id=reply.request_id, body=reply.redact(reply.text),
        )  # fmt: skip


def _unknown_language(audio: str, subtitles: str | None) -> Unsupported:
    says = f"does not write {audio!r} down" if subtitles is None else f"does not translate {audio!r} into {subtitles!r}"
    field = "transcript.languages" if subtitles is None else "transcript.translate_to"
    return Unsupported(field=field, says=says, alternatives=("another language", "no languages: the vendor finds out"))


def _searchable(key: str) -> str | None:
    """The longest part of a key that stands unescaped in whatever the vendor's search looks at."""
    parts = "".join(char if char in _SEARCHABLE else " " for char in key).split()
    return max(parts, key=len, default=None)


def _is_before(raw: RawTask, window: TimeWindow) -> bool:
    return raw.created_at is not None and raw.created_at < window.since


def _is_within(raw: RawTask, window: TimeWindow) -> bool:
    """Whether it began in the window; one that waits has no date and may have."""
    if raw.created_at is None:
        return True
    return raw.created_at >= window.since and (window.until is None or raw.created_at <= window.until)
