"""Spans and metrics by OpenTelemetry where `opentelemetry-api` is installed, and nothing where it is not.

Attributes never hold URLs, ids of media or anything that a caller wrote.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.metrics import Meter

Value = str | bool | int | float


class Span(Protocol):
    """What may be told to a span while it lasts."""

    def set_attribute(self, key: str, value: Value, /) -> None:
        """Add or replace one attribute."""


class _NoSpan:
    """Does nothing, and costs nothing while ten thousand jobs wait inside it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def set_attribute(self, key: str, value: Value, /) -> None:
        pass


_NO_SPAN = _NoSpan()
_NONE: Mapping[str, Value | None] = MappingProxyType({})


def span(name: str, attributes: Mapping[str, Value | None] = _NONE) -> AbstractContextManager[Span]:
    """A span around a block. Attributes that are `None` are left out; an exception marks the span as failed by its type alone.

    The message of an exception stays out of the span: it may quote what a caller or a vendor wrote.
    """
    api = _api()
    if api is None or _is_idle(api.trace, tracer := _own(api.trace.get_tracer)):
        return _NO_SPAN
    return _span(api, tracer, name, attributes)


@contextmanager
def _span(api: _Api, tracer: Any, name: str, attributes: Mapping[str, Value | None]) -> Iterator[Span]:
    given = _present(attributes)
    with tracer.start_as_current_span(
        name, attributes=given, record_exception=False, set_status_on_exception=False
    ) as live:
        try:
            yield live
        except BaseException as error:
            live.set_attribute("error.type", type(error).__name__)
            live.set_status(api.trace.StatusCode.ERROR)
            raise


def count(name: str, attributes: Mapping[str, Value | None] = _NONE, *, amount: int = 1, description: str = "") -> None:
    """Add to a counter."""
    if meter := _meter():
        _counter(meter, name, description).add(amount, _present(attributes))


def record(
    name: str, value: float, attributes: Mapping[str, Value | None] = _NONE, *, unit: str = "s", description: str = ""
) -> None:
    """Put a value into a histogram."""
    if meter := _meter():
        _histogram(meter, name, unit, description).record(value, _present(attributes))


def _present(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    return {key: value for key, value in attributes.items() if value is not None}


class _Api(Protocol):
    trace: Any
    metrics: Any


@cache
def _api() -> _Api | None:
    try:
        import opentelemetry.metrics  # noqa: PLC0415 - an optional dependency
        import opentelemetry.trace  # noqa: PLC0415
    except ImportError:
        return None
    api: Any = opentelemetry
    return api  # type: ignore[no-any-return]


def _is_idle(trace: Any, tracer: Any) -> bool:
    """Whether nobody listens: the provider is still the one that stands in until an application sets its own."""
    return isinstance(tracer, trace.ProxyTracer) and isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _meter() -> Meter | None:
    api = _api()
    return _own(api.metrics.get_meter) if api else None


@cache
def _own(get: Callable[[str], Any]) -> Any:
    """What OpenTelemetry has for this library. Asked once: without an SDK it makes another each time, and keeps them all."""
    return get("reelvet")


@cache
def _counter(meter: Meter, name: str, description: str) -> Any:
    return meter.create_counter(name, unit="1", description=description)


@cache
def _histogram(meter: Meter, name: str, unit: str, description: str) -> Any:
    return meter.create_histogram(name, unit=unit, description=description)
