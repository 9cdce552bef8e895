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

# A URL in running text: up to white space or a quote. An apostrophe inside a name (`it's.mp4`) belongs to it; so do the
# escapes of JSON inside a string (`https:\/\/host\/a?x\u0026y`), whose closing quote is `\"`.
_URL_IN_TEXT = re.compile(r"""\b[a-zA-Z][a-zA-Z0-9+.-]*:(?:\\?/){2}(?:[^\s"'<>\\]|'(?=[\w.%/~-])|\\(?!\\*["'nrt]))+""")
_MAY_HOLD_URL = re.compile(r":\\?/")

# By which query parameters object stores sign a URL: the parameter that proves it, and those that then belong to the
# signature. They change each time a URL is signed, so they are no part of what the media is; without the proof, a
# parameter of that name may mean anything (`?st=5`) and stays.
_SIGNATURES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("x-amz-signature", ("x-amz-",), ()),  # S3 version 4
    ("x-goog-signature", ("x-goog-",), ()),  # Google Cloud Storage version 4
    ("x-obs-signature", ("x-obs-",), ()),  # Huawei OBS version 4
    (
        "x-oss-signature",  # Alibaba OSS version 4; `x-oss-process` is no part of it, it asks for another object
        ("x-oss-signature", "x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-additional-", "x-oss-security-"),
        (),
    ),
    ("q-signature", ("q-", "x-cos-security-"), ()),  # Tencent COS
    (
        "signature",  # S3 version 2, OBS, OSS version 1, Google version 2, CloudFront
        ("x-amz-security-", "x-obs-security-", "x-oss-security-"),
        ("signature", "awsaccesskeyid", "accesskeyid", "ossaccesskeyid", "googleaccessid", "expires", "policy", "key-pair-id", "hash-algorithm", "security-token"),
    ),
    (
        "sig",  # Azure shared access signature
        (),
        ("sig", "se", "sp", "sv", "sr", "st", "spr", "sip", "skoid", "sktid", "skt", "ske", "sks", "skv"),
    ),
)  # fmt: skip


def mask_url(url: str) -> str:
    """The URL without what may be a secret: user info, query and fragment become `***`.

    A URL that has none of them comes back as it is; one that cannot be parsed is masked whole behind its scheme.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{url.partition(':')[0]}:{MASK}"
    user, _, host = parts.netloc.rpartition("@")
    path = mask_urls(parts.path)
    if not (user or parts.query or parts.fragment or path != parts.path):
        return str(url)
    masked = urlunsplit(SplitResult(parts.scheme, f"{MASK}@{host}" if user else host, path, "", ""))
    return f"{masked}?{MASK}" if parts.query or parts.fragment else masked


def mask_urls(value: Any) -> Any:
    """The same value with every URL in it masked, inside longer strings and in the keys of mappings too."""
    if isinstance(value, SignedUrl):
        return mask_url(value)
    if isinstance(value, str):
        return _URL_IN_TEXT.sub(_mask_match, value) if _MAY_HOLD_URL.search(value) else value
    if isinstance(value, dict):
        masked: dict[Any, Any] = {}
        for key, item in value.items():
            shown = mask_urls(key) if isinstance(key, str) else key
            while shown in masked:  # two signed links to one object: neither may push the other out
                shown += "*"
            masked[shown] = mask_urls(item)
        return masked
    if isinstance(value, list | tuple):
        return [mask_urls(item) for item in value]
    return value


def _mask_match(match: re.Match[str]) -> str:
    return mask_url(match[0].replace("\\/", "/").replace("\\u0026", "&").replace("\\u003d", "="))


def without_signature(url: str) -> str:
    """The URL without the parameters by which object stores sign it, so that it names the media and nothing else."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    present = {name.lower() for name, _ in query}
    prefixes = tuple(prefix for proof, starts, _ in _SIGNATURES if proof in present for prefix in starts)
    names = {name for proof, _, exact in _SIGNATURES if proof in present for name in exact}
    kept = [
        (name, value) for name, value in query if name.lower() not in names and not name.lower().startswith(prefixes)
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
