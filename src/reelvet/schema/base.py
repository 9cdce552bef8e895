"""What every model of reelvet is made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, SerializationInfo, SerializerFunctionWrapHandler, WrapSerializer

from reelvet.schema.urls import mask_urls, wants_signed_urls


class Strict(BaseModel):
    """What callers write: frozen, and a name that is not a field is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, serialize_by_alias=True, validate_by_name=True
    )


class Stored(BaseModel):
    """What reelvet writes and reads back, perhaps with an older version: frozen, unknown fields are kept.

    Fields may be added in a later version, never renamed or removed.
    """

    model_config = ConfigDict(
        frozen=True, extra="allow", defer_build=True, serialize_by_alias=True, validate_by_name=True
    )

    def dump(self, *, signed_urls: bool = False) -> dict[str, Any]:
        """The model as JSON-safe data. URLs are masked unless `signed_urls` asks for them whole."""
        return self.model_dump(mode="json", context={"signed_urls": signed_urls})

    def dump_json(self, *, signed_urls: bool = False, indent: int | None = None) -> str:
        """The model as JSON text. URLs are masked unless `signed_urls` asks for them whole."""
        return self.model_dump_json(context={"signed_urls": signed_urls}, indent=indent)


def _mask_json(value: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
    dumped = handler(value)
    return dumped if wants_signed_urls(info.context) else mask_urls(dumped)


VendorJson = Annotated[Any, WrapSerializer(_mask_json)]
"""JSON as a vendor sent it or is sent it: whole in memory, its URLs masked (`?***`) when dumped."""
