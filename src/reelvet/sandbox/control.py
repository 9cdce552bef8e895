"""The control port: faults, clock, scenarios and what was received, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from reelvet.schema.errors import ConfigurationError, ReelvetError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from reelvet.sandbox.host import Sandbox


def control_app(sandbox: Sandbox) -> Starlette:
    """The application behind the control port."""
    verbs: dict[tuple[str, str], Callable[[Request, Any], Any]] = {
        ("GET", "/"): lambda *_: sandbox.describe(),
        ("GET", "/faults"): lambda *_: {"faults": [planted.dump() for planted in sandbox.faults()]},
        ("POST", "/faults"): lambda _, data: sandbox.plant(data).dump(),
        ("DELETE", "/faults"): lambda *_: sandbox.clear_faults(),
        ("DELETE", "/faults/{id:int}"): lambda request, _: sandbox.clear_faults(request.path_params["id"]),
        ("GET", "/requests"): lambda request, _: {"requests": [r.dump() for r in sandbox.requests(_provider(request))]},
        ("GET", "/tasks"): lambda request, _: {"tasks": [task.dump() for task in sandbox.tasks(_provider(request))]},
        ("GET", "/callbacks"): lambda request, _: {
            "callbacks": [delivery.dump() for delivery in sandbox.callbacks(_provider(request))]
        },
        ("GET", "/clock"): lambda *_: _clock(sandbox),
        ("POST", "/clock"): lambda _, data: _set_clock(sandbox, data),
        ("GET", "/scenarios"): lambda *_: {"scenarios": [s.model_dump(mode="json") for s in sandbox.scenarios()]},
        ("POST", "/scenarios"): lambda _, data: sandbox.scenario(None, data).model_dump(mode="json"),
        ("GET", "/setup"): lambda *_: sandbox.setups(),
        ("POST", "/setup"): lambda _, data: sandbox.set_up(**_fields(data, "provider")),
        ("POST", "/reset"): lambda *_: sandbox.reset(),
    }
    by_path: dict[str, dict[str, Callable[[Request, Any], Any]]] = {}
    for (method, path), verb in verbs.items():
        by_path.setdefault(path, {})[method] = verb
    return Starlette(routes=[Route(path, _endpoint(found), methods=list(found)) for path, found in by_path.items()])


def _endpoint(verbs: dict[str, Callable[[Request, Any], Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            data = await _json(request) if request.method == "POST" else None
            verb = verbs["GET" if request.method == "HEAD" else request.method]
            # In a thread: a lock that a test holds must not stop the emulators' event loop.
            answer = await run_in_threadpool(verb, request, data)
        except ReelvetError as error:
            return JSONResponse({"error": error.as_dict()}, status_code=400)
        return JSONResponse(answer if answer is not None else {})

    return endpoint


async def _json(request: Request) -> Any:
    body = await request.body()
    if not body.strip():
        return {}
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"the body is no JSON: {error}", field="body", way_out="Send JSON.") from None


def _provider(request: Request) -> str | None:
    return request.query_params.get("provider")


def _fields(data: Any, *needed: str) -> dict[str, Any]:
    if not isinstance(data, dict) or not all(isinstance(data.get(name), str) for name in needed):
        names = ", ".join(f"`{name}`" for name in needed)
        raise ConfigurationError(
            f"the body is no JSON object with {names}", field=needed[0] if needed else "body", way_out="Send one."
        )
    return data


def _clock(sandbox: Sandbox) -> dict[str, Any]:
    return {"now": sandbox.clock.now(), "date": sandbox.clock.date().isoformat(), "speed": sandbox.clock.speed}


def _set_clock(sandbox: Sandbox, data: Any) -> dict[str, Any]:
    unknown = sorted(set(_fields(data)) - {"advance", "speed"})
    if unknown:
        raise ConfigurationError(
            f"the clock has no {', '.join(unknown)}",
            field=unknown[0],
            way_out="Give `advance` (seconds), `speed`, or both.",
        )
    if "speed" in data:
        sandbox.clock.speed = data["speed"]
    if "advance" in data:
        sandbox.clock.advance(data["advance"])
    return _clock(sandbox)
