"""URLs whose query string may be a signature: whole to code, masked to everybody else.

`SignedUrl` is a `str`, so code passes it on as it is. Its `repr` and its dump are masked; a dump made with the context
`{"signed_urls": True}` is whole.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic_core import core_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import GetCoreSchemaHandler, SerializationInfo

MASK = "***"

_URL_IN_TEXT = re.compile(r"""\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>\\]+""")

# Query parameters that only prove who may read the object, by the store that issues them. They change each time a URL
# is signed, so they are no part of what the media is.
_SIGNATURE_PREFIXES = (
    "x-amz-",  # S3, signature version 4
    "x-goog-",  # Google Cloud Storage
    "x-obs-",  # Huawei OBS
    "x-oss-",  # Alibaba OSS
    "x-cos-",  # Tencent COS
    "q-",  # Tencent COS: q-sign-algorithm, q-ak, q-sign-time, ...
)
_SIGNATURE_NAMES = frozenset({
    "awsaccesskeyid", "accesskeyid", "ossaccesskeyid", "googleaccessid", "signature", "expires", "policy", "key-pair-id",
    "sig", "se", "sp", "sv", "sr", "st", "spr", "skoid", "sktid", "skt", "ske", "sks", "skv",  # Azure SAS
})  # fmt: skip


def mask_url(url: str) -> str:
    """The URL without what may be a secret: user info, query and fragment become `***`.

    A URL that cannot be parsed is masked whole behind its scheme.
    """
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")
    except ValueError:
        return f"{url.partition(':')[0]}:{MASK}"
    netloc = f"{MASK}@{host[2]}" if host[1] else host[2]
    masked = urlunsplit(SplitResult(parts.scheme, netloc, parts.path, "", ""))
    return f"{masked}?{MASK}" if parts.query or parts.fragment else masked


def mask_urls(value: Any) -> Any:
    """The same JSON value with every URL in it masked, inside longer strings too."""
    if isinstance(value, str):
        return _URL_IN_TEXT.sub(lambda match: mask_url(match[0]), value) if "://" in value else value
    if isinstance(value, dict):
        return {key: mask_urls(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_urls(item) for item in value]
    return value


def without_signature(url: str) -> str:
    """The URL without the parameters by which object stores sign it, so that it names the media and nothing else."""
    parts = urlsplit(url)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.lower() not in _SIGNATURE_NAMES and not name.lower().startswith(_SIGNATURE_PREFIXES)
    ]
    return urlunsplit(parts._replace(query=urlencode(kept), fragment=""))


def url_digest(url: str) -> str:
    """`sha256:` and the digest of the URL without its signature: equal for two signed links to one object."""
    return "sha256:" + hashlib.sha256(without_signature(url).encode()).hexdigest()


class SignedUrl(str):
    """A URL that may carry a signature. Masked in `repr` and in dumps, whole as a string."""

    __slots__ = ()

    @property
    def masked(self) -> str:
        """The URL with user info, query and fragment replaced by `***`."""
        return mask_url(self)

    def __repr__(self) -> str:
        return f"SignedUrl({mask_url(self)!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _dump_url, info_arg=True, return_schema=core_schema.str_schema()
            ),
        )


def _dump_url(value: str, info: SerializationInfo) -> str:
    return str(value) if wants_signed_urls(info.context) else mask_url(value)


def wants_signed_urls(context: Mapping[str, Any] | None) -> bool:
    """Whether a dump was asked by name for whole URLs."""
    return bool(context and context.get("signed_urls"))
