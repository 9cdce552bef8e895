"""The operations of Huawei Cloud that talk, and the pure ones with this instance's settings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reelvet.http import Effect, Limit, Limits, Reply, Request, Session
from reelvet.plugins import Capabilities, Created, Health, Outcome, Provider, Rejected, Report, TimeWindow, Unknown
from reelvet.schema.errors import (
    AuthenticationFailed,
    CancelUnsupported,
    ConfigurationError,
    DeleteUnsupported,
    LookupUnsupported,
    ProviderError,
    TaskNotFound,
)
from reelvet.schema.task import RawTask, Status, TaskRef
from reelvet.taxonomy import LabelMap
from reelvet_huawei import auth, callback, iam, listing, making, read, request, whose
from reelvet_huawei.errors import CREATE_TASK, GET_TASK, TOKEN_OVER, classify, unexpected
from reelvet_huawei.objects import Objects
from reelvet_huawei.plugin import capabilities_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from pydantic import SecretStr

    from reelvet.plugins import Callback, Fault
    from reelvet.schema.job import ModerationJob
    from reelvet.schema.plan import Plan, VendorTask
    from reelvet_huawei.plugin import Api
    from reelvet_huawei.settings import HuaweiSettings

_NO_TASK = "0" * 32
_CONTENT_TYPE = {"v2": "application/json;charset=UTF-8", "v3": "application/json"}
"""As each API's own client sends it."""
_PER_SECOND = {"v3": 10}
"""Requests of video per second by default; of v2 nothing is documented: https://support.huaweicloud.com/productdesc-moderation/moderation_01_0004.html"""


class HuaweiProvider(Provider):
    """One account of Huawei Cloud, one region, one of the two APIs."""

    id = "huawei"
    settings: HuaweiSettings

    @property
    def sandbox(self) -> bool:  # type: ignore[override]
        """Whether it talks to anything but the vendor itself."""
        return not self.settings.is_official

    # pure

    def effective(self) -> Capabilities:
        """What the API of this instance can do, under its policy if one is configured."""
        settings = self.settings
        return self._able(settings.api, settings.biz_type if settings.api == "v3" else None)

    def plan(self, job: ModerationJob) -> Plan:
        """The one task that answers the job."""
        return request.plan(
            job, self.settings, self._able, self._labels, self.context.taxonomy, instance=self.context.instance
        )

    def read(self, plan: Plan | None, raws: Sequence[RawTask]) -> Report:
        """Findings and coverage."""
        return read.report(plan, raws, self._able, self._labels, self.context.taxonomy)

    def vendor_key_of(self, key: str) -> str:
        """v2 holds a key as a task's name, where it fits; v3 holds none."""
        return making.task_name(key) if self.settings.api == "v2" else key

    def recognize(self, payload: Any) -> RawTask:
        """A stored reply to a query of v2 or v3, or the file of a v2 result."""
        return read.recognize(payload)

    def examine(self) -> Iterable[Fault]:
        """Results that could not be read, a policy that promises nothing, a profile file that is not there."""
        from reelvet_huawei.examine import examine  # noqa: PLC0415  (for whoever looks for faults)

        return examine(self.settings)

    def parse_callback(
        self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str], secrets: Sequence[SecretStr]
    ) -> Callback:
        """A callback of v3, with the key out of the URL's query or path."""
        if self.settings.api == "v2":
            return super().parse_callback(body, headers, query, secrets)
        return callback.parse(body, headers, query, secrets, template=self.settings.callback_url)

    # talks

    async def open(self) -> None:
        """Opens the connections. The SDK is first imported here."""
        settings, context = self.settings, self.context
        if context.session is None:
            raise RuntimeError("no session was lent to the provider")
        if settings.credentials == "token":
            self._auth: auth.KeySigner | auth.TokenSigner = auth.TokenSigner(
                self._fetch_token, context.clock, hide=self._hide
            )
        else:
            self._auth = auth.KeySigner(
                auth.source(settings), context.clock, settings.project_id,
                whence=auth.whence(settings), hide=self._hide,
            )  # fmt: skip
        self._objects = Objects(settings, self._pair, context.clock)
        rate = settings.requests_per_second or _PER_SECOND.get(settings.api)
        self._project: str | None = settings.project_id
        self._asking = asyncio.Lock()
        self._session: Session = context.session(
            signer=self._auth,
            classifier=classify,
            limits=Limits(total=Limit(requests=rate)) if rate is not None else None,
            secrets=settings.secrets,
            **settings.session_options(),
        )
        await self._session.__aenter__()

    async def close(self) -> None:
        """Closes them."""
        await self._session.__aexit__(None, None, None)

    async def prepare(self, plan: Plan) -> Plan:
        """Learns credentials and the project's id, so that a job is refused here, and nothing sent, if they cannot be had.

        Raises:
            ConfigurationError: There is no key pair, or the account has no project in the region, or several.
            ProviderError: A call failed.
        """
        if not plan.tasks:
            return plan
        await self._auth.ready()
        project = await self._project_id()
        requests = [
            item.model_copy(update={"path": item.path.replace("{project_id}", project)}) for item in plan.requests
        ]
        return plan.model_copy(update={"requests": tuple(requests)})

    async def submit(self, tasks: Sequence[VendorTask]) -> Sequence[Outcome]:
        """Creates the tasks, one call each."""
        if len(tasks) == 1:  # a job is one task
            return [await self._create(tasks[0])]
        return await asyncio.gather(*(self._create(task) for task in tasks))

    async def fetch(self, ref: TaskRef) -> RawTask:
        """The task; of v2 with its result, from a bucket too if it lies there and the extra `obs` is installed.

        Raises:
            UnexpectedReply: The reply is about another task; asked again, the right one may come.
            ProviderError: A call failed.
        """
        reply = await self._send("GET", await self._path(ref), GET_TASK, Effect.READ)
        payload = reply.json()
        if whose.is_anothers(payload, ref.id, self.settings.api):
            error = unexpected(reply, f"to the question for task {ref.id} is about another")
            error.retryable = True
            raise error
        raw = read.raw_task(payload, ref=ref, requests=1, request_ids=_ids(reply))
        if self.settings.api == "v3":
            raw = raw.model_copy(update={"vendor_key": callback.key_in(payload, self.settings.callback_url)})
        try:
            return await self._objects.complete(raw)
        except ProviderError as error:
            error.provider, error.instance = self.id, self.context.instance
            raise

    async def cancel(self, ref: TaskRef) -> RawTask:
        """Deletes a task of v2 that certainly goes on. Any other is given as it is: with it a hosted result would go.

        Raises:
            CancelUnsupported: v3 has no cancel.
            ProviderError: A call failed.
        """
        if self.settings.api == "v3":
            raise CancelUnsupported("v3 has no cancel", self.id, self.context.instance)
        raw = await self.fetch(ref)
        if not whose.may_be_deleted(raw.payload, ref.id):
            return raw
        # A delete is sent again where its answer was lost: what then is not found is what has just been there.
        try:
            await self._delete(ref)
        except TaskNotFound as error:
            if error.code is None:  # a page of something between here and the vendor
                raise
        return raw.model_copy(update={"status": Status.CANCELED, "requests": raw.requests + 1})

    async def delete(self, ref: TaskRef) -> None:
        """Deletes a task of v2, and with it the result that the vendor keeps.

        Raises:
            DeleteUnsupported: v3 has no delete.
            ProviderError: The call failed.
        """
        if self.settings.api == "v3":
            raise DeleteUnsupported("v3 has no delete", self.id, self.context.instance)
        await self._delete(ref)

    async def find(self, key: str, window: TimeWindow) -> Sequence[RawTask]:
        """Tasks of v2 whose name is exactly that key. The list's search matches parts of names, so it only narrows."""
        self._check_lookup()
        name = self.vendor_key_of(key)
        raws = [raw async for raw in self._list(window, name_like=name)]
        return [raw for raw in raws if raw.vendor_key == name]

    def sweep(self, window: TimeWindow) -> AsyncIterator[RawTask]:
        """The states of all tasks of v2 in a window, the latest first."""
        self._check_lookup()
        return self._list(window)

    async def check(self) -> Health:
        """Asks for a task that does not exist: free, and answered with "not found" once the credentials are accepted."""
        try:
            await self._send("GET", await self._path(TaskRef(id=_NO_TASK)), GET_TASK, Effect.READ)
        except TaskNotFound as error:
            if error.code is not None:
                return Health(True, f"the credentials are accepted by {self.settings.api} in {self.settings.region}")
        except (ProviderError, ConfigurationError) as error:
            return Health(False, error.message, error.way_out)
        return Health(False, "what answers does not refuse an unknown task as the service does", "Check the base URL.")

    # --- inside ---

    @cached_property
    def _labels(self) -> LabelMap:
        return LabelMap.load("reelvet_huawei", self.context.taxonomy)

    @cached_property
    def _known(self) -> dict[tuple[Api, str | None], Capabilities]:
        return {}

    def _able(self, api: Api, biz_type: str | None) -> Capabilities:
        """What an API can see; under a policy, what its declaration says, and nothing without one."""
        if (api, biz_type) not in self._known:
            able = capabilities_of(api, declared=biz_type is not None)
            if biz_type is not None:
                declared = self.settings.biz_types.get(biz_type)
                able = able.with_entries(()) if declared is None else declared.restrict(able, self.context.taxonomy)
            region = self.settings.region if self.settings.is_official else None
            self._known[api, biz_type] = replace(able, regions=(region,) if region else None)
        return self._known[api, biz_type]

    async def _send(
        self,
        method: str,
        path: str,
        operation: str,
        effect: Effect,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
    ) -> Reply:
        """One call. A token that is refused is fetched anew, once: a refusal of credentials has created nothing."""
        made = Request.build(
            method, self.settings.url + path, effect=effect, operation=operation, json_body=body, query=query or {},
            headers={"Content-Type": _CONTENT_TYPE[self.settings.api]} if body is not None else None,
        )  # fmt: skip
        await self._auth.ready()
        try:
            return await self._session.send(made)
        except AuthenticationFailed as error:
            if self.settings.credentials != "token" or error.code not in TOKEN_OVER:
                raise
        await self._auth.ready(anew=True)
        try:
            return await self._session.send(made)
        except AuthenticationFailed as error:
            if error.code in TOKEN_OVER:
                error.way_out = "A token that was fetched just now is refused too: check `region` and `project_id`."
            raise

    def _pair(self) -> auth.KeyPair | None:
        return self._auth.pair if isinstance(self._auth, auth.KeySigner) else None

    def _hide(self, secrets: Sequence[SecretStr]) -> None:
        self._session.hide(*secrets)

    async def _project_id(self) -> str:
        """The project's id: as configured, as the token says, or as IAM knows it by the region's name."""
        if self._project is not None:
            return self._project
        await self._auth.ready()
        async with self._asking:
            if self._project is None:
                self._project = self._auth.project_id or await iam.project_of(
                    self._session, self.settings, instance=self.context.instance
                )
                if isinstance(self._auth, auth.KeySigner):
                    self._auth.project_id = self._project
        return self._project

    async def _fetch_token(self) -> auth.Token:
        return await iam.token(self._session, self.settings, self.context.clock())

    async def _path(self, ref: TaskRef) -> str:
        if not whose.ID.fullmatch(ref.id):
            raise TaskNotFound(f"{ref.id!r} is no id of Huawei's", self.id, self.context.instance, created="no")
        return f"{await self._base(ref.category)}/{ref.id}"

    async def _base(self, category: str | None) -> str:
        project = await self._project_id()
        if self.settings.api == "v2":
            return making.V2_TASKS.replace("{project_id}", project)
        base = making.V3_AUDIO_JOBS if category == read.AUDIO else making.V3_JOBS
        return base.replace("{project_id}", project)

    async def _create(self, task: VendorTask) -> Outcome:
        payload = dict(task.payload)
        if "seed" in payload:
            payload["seed"] = self._seed(task.extra.get("seed"))
        try:
            path = await self._base(task.category)
            await self._auth.ready()
        except ProviderError as error:
            return Rejected(error)  # nothing of the task was sent
        try:
            reply = await self._send("POST", path, CREATE_TASK, Effect.CREATE, body=payload)
            body = reply.json()
        except ProviderError as error:
            return Rejected(error) if error.created == "no" else Unknown(error)
        ids = whose.created(body, self.settings.api)
        if not ids:
            return Unknown(unexpected(reply, "names no task"))
        more: dict[str, Any] = {read.ALSO: ids[1:]} if len(ids) > 1 else {}
        more |= {name: task.extra[name] for name in (making.OWN_FOLDER,) if name in task.extra}
        return Created(TaskRef(id=ids[0], name=task.name, category=task.category, extra=more))

    def _seed(self, name: Any) -> str:
        secret = self.settings.seeds.get(str(name)) if name else self.settings.seed
        if secret is None:
            raise ConfigurationError(
                f"no seed of the name {name!r} is configured", field="seeds", way_out="Give it in `seeds`."
            )
        return secret.get_secret_value()

    async def _delete(self, ref: TaskRef) -> None:
        await self._send("DELETE", await self._path(ref), "DeleteTask", Effect.REPEATABLE)

    def _check_lookup(self) -> None:
        if self.settings.api == "v3":
            raise LookupUnsupported(
                "v3 has no list of jobs and no field for a key", self.id, self.context.instance,
                way_out="Put {key} into the callback's URL: the callback then tells the job by its key.",
            )  # fmt: skip

    def _list(self, window: TimeWindow, *, name_like: str | None = None) -> AsyncIterator[RawTask]:
        async def ask(query: dict[str, Any]) -> Reply:
            return await self._send("GET", await self._base(None), "ListTasks", Effect.READ, query=query)

        return listing.tasks(ask, window, size=self.settings.page_size, name_like=name_like)


def _ids(reply: Reply) -> tuple[str, ...]:
    return (reply.request_id,) if reply.request_id else ()
