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

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")

# Masking does not ask where a word begins: a URL may stand right behind other letters (`下载失败https://...`, `1https://`),
# and what stands before `//` need not be known to find what follows. Patterns are possessive (`++`), so they are linear.

# What a URL in running text goes on with: all up to white space or a quote. An apostrophe inside a name (`it's.mp4`)
# belongs to it; so do the escapes of JSON inside a string (`https:\/\/host\/a?x\u0026y`), whose closing quote is `\"`.
# One parameter's value ends at `&` too.
_REST = r"""(?:[^\s"'<>\\]++|'(?=[\w.%/~-])|\\(?!\\*["'nrt]))++"""
_VALUE = r"""(?:[^\s"'<>\\&]++|\\(?!\\*["'nrt]|u0026))++"""
_URL_IN_TEXT = re.compile(rf"[:/\\](?:(?<=:)\\?/\\?/|(?<=\\)/\\?/|(?<=/)\\?/){_REST}")
# What neither belongs to a path with white space in it, nor a query begins with, as a question does.
_NO_PLACE = re.compile(r"""["<>\r\n]""")
_PAIR = re.compile(r"[^\s?&=]+=")
# The same percent-encoded, once or several times.
_ENCODED_URL = re.compile(rf"%(?:25)*2f%(?:25)*2f{_VALUE}", re.IGNORECASE)
_ENCODED_USER = re.compile(r"((?:%(?:25)*2f){2})(?:(?!%(?:25)*2f)[^/?#])*(?:%(?:25)*40|@)", re.IGNORECASE)
_ENCODED_QUERY = re.compile(r"((?:\?|%(?:25)*3f)|(?:#|%(?:25)*23)).*", re.IGNORECASE | re.DOTALL)
_USER = re.compile(r"(^:?//|://)[^/]*@")
_ESCAPES = re.compile(r"\\(/|u00(?:2[36f]|3[adf]|40))", re.IGNORECASE)
# A second net, for what no pattern takes for a URL: the value of a query parameter that is called like a signature.
_PARAMETER = re.compile(
    r"""([?&;\\%](?:(?<=[?&;])|(?<=\\)u00(?:26|3f)|(?<=%)(?:25)*(?:26|3f|3b))
    (?:x-(?:amz|goog|obs|oss|cos|tos|bce|ms)-[\w-]{1,40}
      |q-[\w-]{1,40}
      |(?:[\w-]{0,40}[_-])?(?:sig|sign|auth|pwd)
      |[\w-]{0,40}(?:signature|token|secret|credential|password|access_?id|(?:access|api|auth|secret)_?key(?:_?id)?|key-pair-id)
      |hdnts|hdnea)
    (?:=|\\u003d|%(?:25)*3d))"""
    + _VALUE,
    re.IGNORECASE | re.VERBOSE,
)

_PARAMETER_MASKED = rf"\1{MASK}"
_BEFORE_PARAMETER = re.compile(r"[?&;\\%]")  # most texts have none, and are done

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
        scheme = _SCHEME.match(url)
        return f"{scheme[0] if scheme else ''}{MASK}"
    user, _, host = parts.netloc.rpartition("@")
    path = _mask_text(parts.path)
    if not (user or parts.query or parts.fragment or path != parts.path):
        return str(url)
    masked = urlunsplit(SplitResult(parts.scheme, f"{MASK}@{host}" if user else host, path, "", ""))
    return f"{masked}?{MASK}" if parts.query or parts.fragment else masked


def mask_urls(value: Any) -> Any:
    """The same value with every URL in it masked, inside longer strings and in the keys of mappings too."""
    if isinstance(value, SignedUrl):
        return mask_url(value)
    if isinstance(value, str):
        return _mask_text(value)
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


def _mask_text(text: str) -> str:
    if "/" in text:
        if _is_url_with_space(text):
            return mask_url(text)
        text = _URL_IN_TEXT.sub(_mask_match, text)
    if "%" in text:
        text = _ENCODED_URL.sub(_mask_encoded, text)
    return _PARAMETER.sub(_PARAMETER_MASKED, text) if _BEFORE_PARAMETER.search(text) else text


def _is_url_with_space(text: str) -> bool:
    """Whether all of a text is one URL with white space in its path (`https://h/My Video.mp4?a=b`), which ends no URL."""
    place, asks, query = text.strip().partition("?")
    scheme = _SCHEME.match(place)
    if not asks or scheme is None or len(place.split(maxsplit=1)) == 1:
        return False
    rest = place[scheme.end() :].replace("\\/", "/")
    return rest.startswith("//") and "://" not in rest and not _NO_PLACE.search(rest) and _PAIR.match(query) is not None


def _mask_match(match: re.Match[str]) -> str:
    """A URL in running text, from the `:` or, where it has no scheme, from the `//`."""
    whole = _ESCAPES.sub(_unescape, match[0]) if "\\" in match[0] else match[0]
    place = re.split(r"[?#]", whole, maxsplit=1)[0]
    asks = len(place) + 1 < len(whole)
    if "://" not in place and (not asks or whole[len(place)] == "#"):
        return match[0]  # `//` may be anything: a comment, a division
    masked = _USER.sub(rf"\1{MASK}@", place) + (f"?{MASK}" if asks else "")
    return match[0] if masked == whole else masked


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1][1:], 16)) if len(match[1]) > 1 else match[1]


def _mask_encoded(match: re.Match[str]) -> str:
    return _ENCODED_USER.sub(rf"\1{MASK}%40", _ENCODED_QUERY.sub(rf"\1{MASK}", match[0], count=1))


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
