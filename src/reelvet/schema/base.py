"""What every model of reelvet is made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    WrapSerializer,
)

from reelvet.schema.urls import SignedUrl, mask_urls, wants_signed_urls

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Masked(BaseModel):
    """Shown without what a URL may hold; an error about it does not show what it was given either."""

    model_config = ConfigDict(
        frozen=True, defer_build=True, serialize_by_alias=True, validate_by_name=True, hide_input_in_errors=True
    )

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, _for_eyes(value)


class Strict(_Masked):
    """What callers write: frozen, and a name that is not a field is an error."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Stored(_Masked):
    """What reelvet writes and reads back, perhaps with an older version: frozen, unknown fields are kept.

    Fields may be added in a later version, never renamed or removed.
    """

    model_config = ConfigDict(extra="allow")

    def dump(self, *, signed_urls: bool = False) -> dict[str, Any]:
        """The model as JSON-safe data. URLs are masked unless `signed_urls` asks for them whole."""
        return self.model_dump(mode="json", context={"signed_urls": signed_urls})

    def dump_json(self, *, signed_urls: bool = False, indent: int | None = None) -> str:
        """The model as JSON text. URLs are masked unless `signed_urls` asks for them whole."""
        return self.model_dump_json(context={"signed_urls": signed_urls}, indent=indent)

    def alike(self, **trusted: Any) -> Self:
        """A copy with other values in some of its fields, which are NOT validated. The one place that leaves it out.

        For a provider that turns thousands of frames into findings alike but for a few numbers it has just worked out
        itself: the first is validated, and the others are made from it at half the cost. The result is that of the
        constructor in all respects, if the values are: of the field's very type, within its bounds, shared with nobody.
        What a vendor or a caller wrote is none of these, unless its very type was looked at; give it to the constructor.

        Args:
            trusted: Field name -> value.
        """
        # What `model_copy` does, less its generality, which makes that slower than validating anew.
        copy: Self = object.__new__(type(self))
        _put_fields(copy, {**self.__dict__, **trusted})
        given, extra = self.__pydantic_fields_set__, self.__pydantic_extra__
        # Shared where it is the same: nothing writes to that of a frozen model, and it is a third of all that is made here.
        _put_given(copy, given if given.issuperset(trusted) else given.union(trusted))
        _put_extra(copy, {**extra} if extra else {})
        _put_private(copy, None)
        return copy


# What `object.__setattr__` would look up by name each time: the places in which a model keeps what it is made of.
_put_fields, _put_given, _put_extra, _put_private = (
    vars(BaseModel)[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def _for_eyes(value: Any) -> Any:
    return mask_urls(value) if isinstance(value, str | dict | list) and not isinstance(value, SignedUrl) else value


def _mask_json(value: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
    dumped = handler(value)
    return dumped if wants_signed_urls(info.context) else mask_urls(dumped)


VendorJson = Annotated[Any, WrapSerializer(_mask_json)]
"""JSON as a vendor sent it or is sent it: whole in memory, its URLs masked (`?***`) when dumped."""

VendorMap = Annotated[dict[str, Any], WrapSerializer(_mask_json, return_type=dict[str, Any])]
"""The same for a mapping, whose keys may be URLs too."""

Words = Annotated[str, WrapSerializer(_mask_json, return_type=str)]
"""A sentence for a person, in which a vendor or an error may quote a URL: masked when dumped."""


def _with_zone(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_with_zone)]
"""A date with its time zone. One without is taken as UTC, which all are written in: a ticket of a paid task must be read."""
