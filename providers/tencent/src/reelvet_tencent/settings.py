"""What is configured for Tencent Cloud, and what a job may say to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_pascal
from pydantic_core import PydanticCustomError

from reelvet.plugins import ConnectionSettings, DeclaredPolicy
from reelvet_tencent.plugin import FILES, HOSTS, STREAMS

Edition = Literal["cn", "intl"]
Source = Literal["keys", "environment", "profile", "cvm_role", "tke", "sts", "oidc"]
_BIZ_TYPE = r"[A-Za-z0-9_]{3,32}"
"""https://cloud.tencent.com/document/api/1265/51879"""

BizType = Annotated[str, Field(pattern=rf"^{_BIZ_TYPE}$")]


def is_biz_type(name: str) -> bool:
    """Whether the settings take a name for a BizType's."""
    return re.fullmatch(_BIZ_TYPE, name) is not None


_INTERNATIONAL = "ap-singapore"
"""The one region of the international edition: https://www.tencentcloud.com/document/api/1140/51174"""

_NEEDS: dict[str, frozenset[str]] = {
    "secret_id": frozenset({"keys", "sts"}),
    "secret_key": frozenset({"keys", "sts"}),
    "role_arn": frozenset({"sts", "oidc"}),
    "oidc_provider_id": frozenset({"oidc"}),
    "web_identity_token_file": frozenset({"oidc"}),
}
"""Which settings a source of credentials needs."""


class TencentSettings(ConnectionSettings):
    """`[providers.tencent]`: a key pair, a region and a BizType are needed.

    Keys: https://console.cloud.tencent.com/cam/capi
    """

    official_hosts: ClassVar[frozenset[str]] = frozenset(HOSTS.values())

    credentials: Source = Field(
        "keys",
        description="Where the key pair comes from: `keys` (the two below), or what the vendor's SDK finds in the `environment`, its `profile` file, the role of a virtual machine (`cvm_role`) or of a container (`tke`); `sts` takes on a role with the two below, `oidc` with a token of another identity provider.",
    )
    secret_id: SecretStr | None = Field(
        None,
        validate_default=True,
        description="The account's SecretId.",
        json_schema_extra={"env": ["TENCENTCLOUD_SECRET_ID"]},
    )
    secret_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="The account's SecretKey.",
        json_schema_extra={"env": ["TENCENTCLOUD_SECRET_KEY"]},
    )
    token: SecretStr | None = Field(None, description="The token of a temporary key pair.")
    role_name: str | None = Field(None, description="For `cvm_role`: the role, if not the one bound to the machine.")
    role_arn: str | None = Field(None, validate_default=True, description="For `sts` and `oidc`: the role to take on.")
    role_session_name: str = Field("reelvet", description="For `sts` and `oidc`: what the session is called in logs.")
    role_seconds: int = Field(7200, ge=60, le=43200, description="For `sts` and `oidc`: how long a session lasts.")
    oidc_provider_id: str | None = Field(
        None, validate_default=True, description="For `oidc`: the identity provider's name at the vendor."
    )
    web_identity_token_file: Path | None = Field(
        None,
        validate_default=True,
        description="For `oidc`: the file with the provider's token, read anew for each session.",
    )
    sts_host: str | None = Field(
        None, description="For `sts` and `oidc`: the host that gives sessions, if not the edition's own."
    )
    region: str | None = Field(
        None,
        validate_default=True,
        description="The region of the API, as `ap-guangzhou` or `ap-singapore`; needed to talk to the vendor.",
    )
    edition: Edition | None = Field(
        None,
        description="`cn` or `intl`, which lacks some fields; if left out, `intl` for the region ap-singapore, else `cn`.",
    )
    biz_types: dict[BizType, DeclaredPolicy] = Field(
        default_factory=dict,
        description="What the policy behind each BizType looks at, as tables with `covers`; a job goes to one that covers what it asks.",
    )
    biz_type: BizType | None = Field(
        None,
        validate_default=True,
        description="The BizType that is preferred, or the only one; needed unless one is declared in `biz_types`.",
    )
    seed: SecretStr | None = Field(
        None, description="The secret that callbacks are signed with, unless a job names another."
    )
    seeds: dict[str, SecretStr] = Field(
        default_factory=dict, description="Further such secrets by the names that jobs call them (`callback.secret`)."
    )
    cos_region: str | None = Field(None, description="The region of `cos://` buckets, if not `region`.")
    parallel_files: int = Field(
        FILES,
        ge=1,
        description="Files that Tencent runs at a time, which status tells of those that wait; more if it agreed to that.",
    )
    parallel_streams: int = Field(
        STREAMS,
        ge=1,
        description="Live streams that Tencent runs at a time; no more are sent. More if it agreed to that.",
    )
    all_segments: bool = Field(
        False, description="Whether results list pictures and sounds in which nothing was found too."
    )

    @field_validator("secret_id", "secret_key", "role_arn", "oidc_provider_id", "web_identity_token_file")
    @classmethod
    def _check_credentials(cls, value: Any, info: ValidationInfo) -> Any:
        needs = info.data.get("credentials") in _NEEDS[str(info.field_name)]
        if value is None and needs and _talks(info):
            raise PydanticCustomError("missing", "Field required")
        if isinstance(value, SecretStr) and value.get_secret_value() != value.get_secret_value().strip():
            raise ValueError("it has white space around it")
        return value

    @field_validator("seed", "seeds")
    @classmethod
    def _check_seeds(cls, value: SecretStr | dict[str, SecretStr] | None) -> SecretStr | dict[str, SecretStr] | None:
        given = [*value.values()] if isinstance(value, dict) else [value] if value is not None else []
        for seed in given:
            # With an empty one anybody could sign: the signature would be the digest of the body alone.
            if not seed.get_secret_value().strip():
                raise ValueError("it is empty")
            if not _is_utf8(seed.get_secret_value()):
                raise ValueError("it cannot be written in UTF-8")
        return value

    @field_validator("region")
    @classmethod
    def _check_region(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and _talks(info):
            raise PydanticCustomError("missing", "Field required")
        return value

    @field_validator("biz_type")
    @classmethod
    def _check_biz_type(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and not info.data.get("biz_types") and _talks(info):
            raise PydanticCustomError("missing", "Field required")
        return value

    @property
    def effective_edition(self) -> Edition:
        """The edition, as configured or as the region says."""
        if self.edition is not None:
            return self.edition
        return "intl" if self.region == _INTERNATIONAL else "cn"

    @property
    def url(self) -> str:
        """Where requests go."""
        return self.base_url or f"https://{HOSTS[self.effective_edition]}"

    @property
    def known_biz_types(self) -> tuple[str, ...]:
        """Every BizType that is configured, the preferred one first."""
        preferred = [self.biz_type] if self.biz_type is not None else []
        return tuple(dict.fromkeys([*preferred, *self.biz_types]))

    @property
    def secrets(self) -> list[SecretStr]:
        """What must not be seen in any error or log."""
        found = [self.secret_id, self.secret_key, self.token, self.seed, *self.seeds.values()]
        return [secret for secret in found if secret is not None]


def _talks(info: ValidationInfo) -> bool:
    """Whether the settings are for talking: what is only planned or read needs no account."""
    return not (isinstance(info.context, dict) and info.context.get("credentials") is False)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True


def _check_utf8(text: str) -> str:
    if not _is_utf8(text):
        raise ValueError("it cannot be written in UTF-8")
    return text


_Utf8 = Annotated[str, AfterValidator(_check_utf8)]


class _Sent(BaseModel):
    """What is sent as it is, in the vendor's spelling."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def sent(self) -> dict[str, Any]:
        """The fields that were given, spelled as the vendor spells them."""
        return {to_pascal(name): value for name, value in self.model_dump(exclude_none=True).items()}


class User(_Sent):
    """Who brought the media: https://cloud.tencent.com/document/api/1265/51879. Its ranges are the vendor's to enforce."""

    user_id: _Utf8 | None = None
    account_type: _Utf8 | None = None
    nickname: _Utf8 | None = None
    gender: int | None = None
    age: int | None = None
    level: int | None = None
    phone: _Utf8 | None = None
    desc: _Utf8 | None = None
    head_url: _Utf8 | None = None
    room_id: _Utf8 | None = None
    group_id: _Utf8 | None = None
    group_size: int | None = None
    receiver_id: _Utf8 | None = None
    send_time: _Utf8 | None = None


class TencentOptions(BaseModel):
    """`ModerationJob.options["tencent"]`: what only Tencent knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    biz_type: BizType | None = Field(None, description="The BizType to use, whatever it covers.")
    name: _Utf8 | None = Field(None, min_length=1, description="The task's name at the vendor.")
    priority: int | None = Field(
        None, description="Among the files that wait, a larger number goes first. Its range is not documented."
    )
    user: User | None = Field(
        None,
        description="Who brought the media (Chinese edition): `user_id`, `account_type`, `nickname`, `gender`, `age`, `level`, `phone`, `desc`, `head_url`, `room_id`, `group_id`, `group_size`, `receiver_id`, `send_time`.",
    )
    image_frequency: int | None = Field(
        None, ge=0, le=30, description="`DecodeParams.ImageFrequency` (Chinese edition); its unit is not documented."
    )
    image_urls: tuple[_Utf8, ...] | None = Field(
        None, description="`Input.ImageUrlList` (Chinese edition), for policies with a language model."
    )
    text_content: _Utf8 | None = Field(
        None, description="`Input.TextContent` (Chinese edition), as text: it is encoded as the vendor wants it."
    )
    title: _Utf8 | None = Field(None, description="`Input.Title` (Chinese edition).")
    extra: _Utf8 | None = Field(None, description="`Input.Extra` (Chinese edition).")
    cos_region: _Utf8 | None = Field(None, description="The region of a `cos://` bucket.")
    stream_started_at: AwareDatetime | None = Field(
        None, description="When a live stream began: its findings then have a `start` beside their date."
    )
    all_segments: bool | None = Field(
        None, description="Whether the result lists pictures and sounds in which nothing was found too."
    )

    @model_validator(mode="after")
    def _say_something(self) -> Self:
        if self.user is not None and not self.user.model_fields_set:
            raise ValueError("user: it is empty")
        return self
