"""The operations of Tencent that talk, and the pure ones with this instance's settings."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reelvet.http import Effect, Limit, Limits, Reply, Request, Session
from reelvet.plugins import (
    Capabilities,
    Created,
    Health,
    Learned,
    Outcome,
    Provider,
    Rejected,
    Report,
    TimeWindow,
    Unknown,
)
from reelvet.schema.errors import InvalidRequest, ProviderError, UnexpectedReply
from reelvet.schema.task import RawTask, TaskRef
from reelvet.taxonomy import LabelMap
from reelvet_tencent import callbacks, learn, listing, read, request, wire
from reelvet_tencent.auth import Tc3
from reelvet_tencent.credentials import Credentials
from reelvet_tencent.errors import OF_ONE, classify, of_code, row_of, tell_of_streams
from reelvet_tencent.pairing import calls_of, kept_with, named, pair, task_id
from reelvet_tencent.plugin import RATE
from reelvet_tencent.policies import Policies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from pydantic import SecretStr

    from reelvet.plugins import Callback
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan, VendorTask
    from reelvet.schema.result import Note
    from reelvet_tencent.settings import TencentSettings

LARGEST_REPLY = 64 * 1024 * 1024
"""Bytes of a reply at most: the vendor's are up to 50 MB, as a long stream with many hits has it.

https://cloud.tencent.com/document/api/271/2056
"""

_CREATED = frozenset({"OK", "200"})
"""What the code of a created task is in every example, and once in the vendor's description of the field."""


class TencentProvider(Provider):
    """One account of Tencent Cloud's Video Moderation System."""

    id = "tencent"
    settings: TencentSettings

    @property
    def sandbox(self) -> bool:  # type: ignore[override]
        """Whether it talks to anything but the vendor itself."""
        return not self.settings.is_official

    # pure

    def effective(self) -> Capabilities:
        """What the policies of this instance's BizTypes look at, as declared, and what its edition can do."""
        return self._policies.effective

    def plan(self, job: ModerationJob) -> Plan:
        """The tasks that answer the job, with the BizType that covers what it asks."""
        return request.plan(job, self.settings, self._policies, self.context.taxonomy, instance=self.context.instance)

    def read(self, plan: Plan | None, raws: Sequence[RawTask]) -> Report:
        """Findings, coverage and transcripts."""
        return read.report(plan, raws, self._policies, self._labels, self.context.taxonomy)

    def recognize(self, payload: Any) -> RawTask:
        """A stored reply to DescribeTaskDetail, or the body of a callback."""
        return read.recognize(payload)

    def vendor_key_of(self, key: str) -> str:
        """A key as a DataId: as it is, or a digest of one that is too long or has other characters."""
        return request.data_id(key)

    def parse_callback(
        self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str], secrets: Sequence[SecretStr]
    ) -> Callback:
        """A callback, verified with any of the seeds given, else with those that are configured."""
        configured = [*([self.settings.seed] if self.settings.seed is not None else []), *self.settings.seeds.values()]
        return callbacks.parse(body, headers, [*secrets] or configured)

    def learn(self, raws: Sequence[RawTask]) -> Learned:
        """What the policies behind the BizTypes of some tasks seem to look at; see `learn.propose`."""
        notes: list[Note] = []
        policies = learn.propose((raw.payload for raw in raws), self._labels, notes)
        return Learned("biz_types", policies, notes)

    def in_full(self, ref: TaskRef) -> TaskRef:
        """The task, to be read with the pictures and sounds in which nothing was found."""
        return ref.model_copy(update={"extra": {**ref.extra, "all_segments": True}})

    # talks

    async def open(self) -> None:
        """Opens the connections."""
        settings = self.settings
        if self.context.session is None:
            raise RuntimeError("no session was lent to the provider")
        rate = settings.requests_per_second
        self._credentials = Credentials(settings, hide=self._hide)
        self._session: Session = self.context.session(
            signer=Tc3(self._credentials.current),
            classifier=classify,
            # The vendor counts each action by itself: https://cloud.tencent.com/document/product/1278/109059
            limits=Limits({"*": Limit(requests=RATE)}) if rate is None else Limits(total=Limit(requests=rate)),
            secrets=settings.secrets,
            max_reply_bytes=LARGEST_REPLY,
            **settings.session_options(),
        )
        await self._session.__aenter__()
        # The keys of tasks of unknown fate that are to be read with all segments, once they are found.
        self._wanted_whole: set[str] = set()

    async def close(self) -> None:
        """Closes them."""
        await self._session.__aexit__(None, None, None)

    async def leave(self) -> None:
        """Waits for room in the rate of creates."""
        await self._session.room(request.CREATE)

    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        """Creates the tasks, those that may share a call together."""
        outcomes: dict[int, Outcome] = {}

        async def send(numbers: list[int]) -> None:
            found = await self._create([tasks[number] for number in numbers])
            outcomes.update(zip(numbers, found, strict=True))

        calls = list(calls_of(tasks))
        if len(calls) == 1:
            await send(calls[0])  # most are, and need no task of their own
        else:
            await asyncio.gather(*(send(numbers) for numbers in calls))
        # A task that two calls named is the task of neither, as far as anybody knows.
        ids = Counter(outcome.ref.id for outcome in outcomes.values() if isinstance(outcome, Created))
        for number, outcome in outcomes.items():
            if isinstance(outcome, Created) and ids[outcome.ref.id] > 1:
                says = f"the vendor names task {outcome.ref.id} as that of several"
                outcomes[number] = Unknown(UnexpectedReply(says, self.id, self.context.instance))
            if isinstance(outcomes[number], Unknown) and tasks[number].extra.get("all_segments"):
                self._wanted_whole.add(tasks[number].vendor_key)
        return [outcomes[number] for number in range(len(tasks))]

    async def fetch(self, ref: TaskRef) -> RawTask:
        """The task, with its segments.

        Raises:
            ProviderError: The call failed, or the reply is another task's.
        """
        reply, raw = await self._detail(ref)
        self._check_is_of(reply, raw)
        return raw

    async def cancel(self, ref: TaskRef) -> RawTask:
        """Stops the task, as is needed for a live stream; one that has ended already is told as it is.

        It is looked at before, where its key is known: a create may have named the task of another job, which is left
        alone. What the vendor answers for a task that has ended is not documented, so it is looked at after any refusal.

        Raises:
            ProviderError: The call failed, or the task is another job's.
        """
        if "key" in ref.extra:
            await self._check_before_cancel(ref)
        try:
            await self._call(request.CANCEL, {"TaskId": ref.id}, Effect.REPEATABLE)
        except ProviderError:
            raw = await self.fetch(ref)
            if raw.status.final:
                return raw
            raise
        return await self.fetch(ref)

    async def find(self, key: str, window: TimeWindow) -> Sequence[RawTask]:
        """Tasks whose DataId is exactly that key. The list has no filter for it, so all of the window is read."""
        found = [raw async for raw in listing.tasks(self.list_page, window) if raw.vendor_key == key]
        extra = kept_with(key, whole=key in self._wanted_whole)
        return [raw.model_copy(update={"ref": raw.ref.model_copy(update={"extra": extra})}) for raw in found]

    async def sweep(self, window: TimeWindow) -> AsyncIterator[RawTask]:
        """The states of all tasks of a window."""
        async for raw in listing.tasks(self.list_page, window):
            yield raw

    async def check(self) -> Health:
        """Asks for one task of the list: free, and refused where the keys, the region or the account are wrong."""
        try:
            page = wire.DescribeTasksResponse.model_validate(_response(await self.list_page(limit=1)))
        except ProviderError as error:
            return Health(False, error.message, error.way_out)
        return Health(True, f"the keys are accepted; the account has {page.total or 'no'} tasks of the last three days")

    async def list_page(
        self,
        *,
        limit: int | None = None,
        page_token: str | None = None,
        start_time: str | None = None,
        end_time: str | None = None,
        biz_type: str | None = None,
        type: str | None = None,  # noqa: A002  (as the vendor calls it)
        suggestion: str | None = None,
        task_status: str | None = None,
    ) -> Any:
        """One page of the account's tasks, as the vendor answers it.

        Every parameter of https://www.tencentcloud.com/document/api/1140/51172; what is `None` is not sent.

        Args:
            limit: Tasks per page, 100 at most; the vendor's default is 10.
            page_token: What the page before said.
            start_time: ISO 8601 with its zone; the vendor's default is three days ago.
            end_time: The same; by default there is none.
            biz_type: Only tasks of this BizType.
            type: Only tasks of this type.
            suggestion: Only tasks with this verdict.
            task_status: Only tasks in this status.

        Raises:
            ProviderError: The call failed.
        """
        wanted = {"BizType": biz_type, "Type": type, "Suggestion": suggestion, "TaskStatus": task_status}
        told = {"Limit": limit, "PageToken": page_token, "StartTime": start_time, "EndTime": end_time}
        body: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
        if filters := {name: value for name, value in wanted.items() if value is not None}:
            body["Filter"] = filters
        return (await self._call(request.LIST, body, Effect.READ)).json()

    # --- inside ---

    @cached_property
    def _labels(self) -> LabelMap:
        return LabelMap.load("reelvet_tencent", self.context.taxonomy)

    @cached_property
    def _policies(self) -> Policies:
        return Policies(self.settings, self.context.taxonomy)

    def _hide(self, secret: SecretStr) -> None:
        self._session.hide(secret)

    async def _call(self, action: str, body: dict[str, Any], effect: Effect) -> Reply:
        await self._credentials.refresh()
        return await self._session.send(
            Request.build(
                "POST",
                f"{self.settings.url}/",
                effect=effect,
                operation=action,
                json_body=body,
                headers=request.headers(action, self.settings),
            )
        )

    async def _create(self, tasks: Sequence[VendorTask]) -> list[Outcome]:
        """One call. If it is refused for a parameter, which may be that of one task, each goes by itself."""
        try:
            reply = await self._call(request.CREATE, self._body(tasks), Effect.CREATE)
        except ProviderError as error:
            row = row_of(error.code)
            if len(tasks) > 1 and error.created == "no" and row is not None and row.code in OF_ONE:
                singly = await asyncio.gather(*(self._create([task]) for task in tasks))
                return [outcome for outcomes in singly for outcome in outcomes]
            tell_of_streams(error, tasks[0].category)
            return [Rejected(error) if error.created == "no" else Unknown(error) for _ in tasks]
        made = wire.CreateVideoModerationTaskResponse.model_validate(_response(reply.json()))
        paired = pair([task.vendor_key for task in tasks], made.results)
        return [self._outcome(task, result, reply) for task, result in zip(tasks, paired, strict=True)]

    def _body(self, tasks: Sequence[VendorTask]) -> dict[str, Any]:
        body = request.sent({**tasks[0].payload, "Tasks": [one for task in tasks for one in task.payload["Tasks"]]})
        if "Seed" in body:
            name = tasks[0].extra.get("seed")
            seed = self.settings.seed if name == request.DEFAULT_SEED else self.settings.seeds.get(str(name))
            if seed is None:
                raise InvalidRequest(
                    f"the callback secret {name!r} is not configured any more", self.id, self.context.instance,
                    created="no", way_out="Configure it in `seeds`.",
                )  # fmt: skip
            body["Seed"] = seed.get_secret_value()
        return body

    def _outcome(self, task: VendorTask, result: wire.TaskResult | None, reply: Reply) -> Outcome:
        if result is None:
            return Unknown(self._unexpected(reply, f"does not answer for DataId {task.vendor_key!r}, or does so twice"))
        id_ = task_id(result)
        if result.code in _CREATED and id_:
            # The key goes along, so that nobody else's reply is ever taken for this task's.
            extra = kept_with(task.vendor_key, whole=bool(task.extra.get("all_segments")))
            return Created(TaskRef(id=id_, name=task.name, category=task.category, extra=extra))
        if result.code in _CREATED:
            return Unknown(self._unexpected(reply, "says that a task was created, and not which"))
        says = f"{request.CREATE}: {(result.message or result.code or 'the vendor gives no reason').rstrip('.')}"
        error = of_code(
            result.code, reply.redact(says), provider=self.id, instance=self.context.instance,
            status=reply.status, request_id=self._request_id(reply),
        )  # fmt: skip
        tell_of_streams(error, task.category)
        if id_:
            error.created = "maybe"  # a code of failure and a task: one of them is wrong
        return Rejected(error) if error.created == "no" else Unknown(error)

    async def _check_before_cancel(self, ref: TaskRef) -> None:
        """Refuses to cancel another job's task. One that cannot be read just now is to be stopped all the same.

        Raises:
            UnexpectedReply: It is another job's.
        """
        try:
            reply, raw = await self._detail(ref)
        except ProviderError:
            return
        if named(_response(raw.payload), ref) == ref.id:
            self._check_is_of(reply, raw)

    async def _detail(self, ref: TaskRef) -> tuple[Reply, RawTask]:
        body: dict[str, Any] = {"TaskId": ref.id}
        if ref.extra.get("all_segments", self.settings.all_segments):
            body["ShowAllSegments"] = True
        reply = await self._call(request.DETAIL, body, Effect.READ)
        request_id = self._request_id(reply)
        request_ids = (request_id,) if request_id is not None else ()
        return reply, read.raw_task(reply.json(), ref=ref, requests=1, request_ids=request_ids)

    def _check_is_of(self, reply: Reply, raw: RawTask) -> None:
        """Refuses a reply that is another task's: it would be another video's verdict.

        Raises:
            UnexpectedReply: Its TaskId is another, and asked again the right one may come; or its DataId is, so the
                create named the wrong task.
        """
        ref, told = raw.ref, named(_response(raw.payload), raw.ref)
        wanted = ref.extra.get("key")
        if told == ref.id and (wanted is None or raw.vendor_key in {None, wanted}):
            return
        says = f"to the question for task {ref.id} is about another"
        if told == ref.id:
            says = f"says that task {ref.id} has the DataId {raw.vendor_key!r}, not {wanted!r}: it is another video's"
        error = self._unexpected(reply, says)
        error.retryable = told != ref.id
        raise error

    @staticmethod
    def _request_id(reply: Reply) -> str | None:
        told = _response(reply.json()).get("RequestId")
        return told if isinstance(told, str) and told else reply.request_id

    def _unexpected(self, reply: Reply, says: str) -> UnexpectedReply:
        return UnexpectedReply(
            f"the reply {says}", self.id, self.context.instance,
            status=reply.status, request_id=self._request_id(reply), body=reply.redact(reply.text),
        )  # fmt: skip


def _response(payload: Any) -> dict[str, Any]:
    return read.unwrapped(payload)
