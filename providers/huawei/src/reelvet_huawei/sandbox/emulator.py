"""The operations of the emulator: two services, the gateway before them, IAM and OBS, all on one port.

The vendor has a host for each. Its clients are given those addresses one by one, so here all of them are the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, ClassVar

from reelvet.sandbox import Emulator, NativeWords, RateWindow, Reply, Route, Setup
from reelvet.taxonomy import LabelMap
from reelvet_huawei.sandbox import account, gateway, moderation, obs, refusals, signing, vcm
from reelvet_huawei.sandbox.gateway import Gateway
from reelvet_huawei.sandbox.iam import Iam
from reelvet_huawei.sandbox.moderation import Moderation
from reelvet_huawei.sandbox.obs import Obs
from reelvet_huawei.sandbox.refusals import Refused
from reelvet_huawei.sandbox.seeing import Eyes
from reelvet_huawei.sandbox.switches import HuaweiSetup
from reelvet_huawei.sandbox.vcm import Vcm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reelvet.sandbox import Call, World

_V2_TASKS = "/v2/{project_id}/services/{service_name}/tasks"
_V3_JOBS = "/v3/{project_id}/moderation"
_TOKEN, _PROJECTS = "token", "projects"

_CREATING = (vcm.CREATE, moderation.CREATE, moderation.CREATE_AUDIO)
_READING = (vcm.GET, moderation.GET, moderation.GET_AUDIO)
_TELLING = (*_READING, obs.GET)


class HuaweiSandbox(Emulator):
    """VCM v2, Content Moderation v3, IAM and OBS, as their pages and the API Explorer's specifications tell them."""

    id = "huawei"
    setup_model = HuaweiSetup
    setup: HuaweiSetup
    calls_back = True
    routes = (
        Route(moderation.CREATE, "POST", f"{_V3_JOBS}/video/jobs"),
        Route(moderation.GET, "GET", f"{_V3_JOBS}/video/jobs/{{job_id}}"),
        Route(moderation.CREATE_AUDIO, "POST", f"{_V3_JOBS}/audio/jobs"),
        Route(moderation.GET_AUDIO, "GET", f"{_V3_JOBS}/audio/jobs/{{job_id}}"),
        Route(vcm.CREATE, "POST", _V2_TASKS),
        Route(vcm.LIST, "GET", _V2_TASKS),
        Route(vcm.GET, "GET", f"{_V2_TASKS}/{{task_id}}"),
        Route(vcm.DELETE, "DELETE", f"{_V2_TASKS}/{{task_id}}"),
        Route(_TOKEN, "POST", "/v3/auth/tokens"),
        Route(_PROJECTS, "GET", "/v3/projects"),
    )
    understands: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "unknown_status": (*_READING, vcm.LIST),
        "unknown_label": _TELLING,
        "contradiction": _TELLING,
        "status_backwards": _READING,
        "never_finishes": _CREATING,
        "list_lag": (vcm.CREATE,),
        "expired": (*_READING, vcm.DELETE),
        "decoys": (vcm.LIST,),
    }

    def __init__(self, world: World) -> None:
        self.eyes = Eyes(NativeWords(LabelMap.load("reelvet_huawei", world.taxonomy), world.taxonomy))
        self._iam = Iam(world)
        self._gateway = Gateway(world, self._iam)
        self.vcm = Vcm(self)
        self._moderation = Moderation(self)
        self._obs = Obs(self)
        self._windows: dict[str, RateWindow] = {}
        super().__init__(world)

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of its operations; those of OBS are told by more than a path."""
        return (*super().operations, *obs.OPERATIONS)

    def find_operation(self, call: Call) -> tuple[str | None, dict[str, str]]:
        """The operation a request is for."""
        found = obs.operation_of(call)
        return (found, {}) if found is not None else super().find_operation(call)

    def reset(self) -> None:
        """As at the start."""
        super().reset()
        self._iam.reset()
        self._gateway.reset()
        self.vcm.reset()

    def set_up(self, setup: Setup) -> None:
        """Takes other quotas and switches, from now on."""
        super().set_up(setup)
        limit = self.setup.per_second
        counted = (moderation.CREATE, moderation.CREATE_AUDIO) if limit is not None else ()
        self._windows = {operation: RateWindow(limit) for operation in counted if limit is not None}

    def settings(self) -> dict[str, Any]:
        """What belongs under `[providers.huawei]`. IAM and OBS are where everything else is."""
        return {
            "ak": account.AK,
            "sk": account.SK,
            "region": account.REGION,
            "project_id": account.PROJECT_ID,
            **({"iam_url": self.base_url, "obs_url": self.base_url} if self.base_url is not None else {}),
        }

    # --- refusals ---

    def authenticate(self, call: Call) -> Reply | None:
        """Refuses with the gateway's words. A token is what one is let in with: to ask for it needs no credentials."""
        if call.operation in obs.OPERATIONS:
            return self._obs.refusal(call)
        return None if call.operation == _TOKEN else self._gateway.refusal(call, self.setup)

    def admit(self, call: Call) -> bool:
        """The documented rate is one of jobs: queries are not counted, as far as is said."""
        window = self._windows.get(call.operation or "")
        return window is None or window.admit()

    def failure(self, call: Call, status: int) -> Reply:
        """The gateway's body for 429, and for v3, whose own errors are all 400; v2 and IAM have their own."""
        if call.operation in obs.OPERATIONS:
            return obs.failure(status)
        if status == refusals.TOO_MANY:
            return gateway.throttled(self.setup.per_second)
        if call.operation in {_TOKEN, _PROJECTS}:
            return refusals.by_iam(status, "Internal Server Error", "An unexpected error prevented the request.")
        if (call.operation or "").endswith("_v2"):
            unavailable = status == 503  # noqa: PLR2004  (HTTP's own number)
            code, says = ("IVA.0010", "Service unavailable.") if unavailable else ("IVA.0006", "Internal error.")
            return refusals.with_request_id(Reply(status, {"error_code": code, "error_msg": says}))
        return refusals.by_gateway(status, "APIG.0201", "Backend timeout.")

    def not_found(self, call: Call) -> Reply:
        """There is no such API: what was withdrawn, as the jobs of streams, is answered so."""
        return gateway.no_such_api()

    # --- operations ---

    def handle(self, call: Call) -> Reply:
        """Carries a request out, and numbers and dates the reply: by the gateway's clock, as it checks signatures."""
        reply = refusals.with_request_id(super().handle(call))
        now = datetime.now(UTC) + timedelta(seconds=self.setup.clock_ahead)
        return replace(reply, headers={"date": format_datetime(now, usegmt=True), **reply.headers})

    def answer(self, call: Call) -> Reply:
        """Carries a request out that is let in."""
        operation = call.operation or ""
        if operation == _TOKEN:
            return self._iam.create_token(call, self.setup)
        if operation == _PROJECTS:
            return self._iam.list_projects(call, self.setup)
        if operation in obs.OPERATIONS:
            return self._obs.answer(call)
        is_v2 = operation.endswith("_v2")
        if self.setup.serves not in {"both", "v2" if is_v2 else "v3"}:
            return gateway.no_such_api()
        try:
            self._check_scope(call, is_v2=is_v2)
            return self.vcm.answer(call) if is_v2 else self._moderation.answer(call)
        except Refused as refused:
            return refusals.told(refused, self.setup.statuses)

    def _check_scope(self, call: Call, *, is_v2: bool) -> None:
        """A token must be for the project.

        https://support.huaweicloud.com/api-moderation/moderation_03_0010.html
        """
        signed = (call.header("authorization") or "").startswith(signing.ALGORITHM)
        token = None if signed else self._iam.known(call.header("x-auth-token") or "")
        if token is not None and token.project_id is None:
            says = "The token must be scoped to a project."
            raise Refused("IVA.0001" if is_v2 else "AIS.0026", says)

    def without_empty(self, result: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        """A result whose lists that hold nothing are written as the setup says; how the vendor does is not documented."""
        if self.setup.empty_lists == "empty":
            return result
        is_null = self.setup.empty_lists == "null"
        return {
            name: value if value or name not in names else None
            for name, value in result.items()
            if is_null or value or name not in names
        }
