"""What is configured for Huawei Cloud, and what a job may say to it."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reelvet.plugins import ConnectionSettings, DeclaredPolicy
from reelvet_huawei.plugin import Api

Category = Literal["politics", "terrorism", "porn"]
TextCategory = Literal["politics", "porn", "ad", "abuse", "contraband", "flood"]
ImageCategory = Literal["porn", "politics", "terrorism", "image_text"]
AudioCategory = Literal["porn", "ad", "politics", "moan", "abuse"]

_SEED = re.compile(r"[A-Za-z0-9_]{1,64}")
"""https://support.huaweicloud.com/api-moderation/moderation_03_0071.html"""
MOST_SECONDS = 60
"""The longest `frame_interval` of v3; the same page."""
_BUCKET = re.compile(r"obs://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")

_PLAIN_URL = re.compile(r"[A-Za-z0-9\-._~:/\[\]@!$&'()*+,;=]+")
"""What a URL may hold that goes out as it is signed: what is escaped in it is signed otherwise."""

ObsPlace = Annotated[str, Field(pattern=r"^obs://[^/{}]+(/([^{}]|\{key\})*)?$")]


def split_obs(place: str) -> tuple[str, str]:
    """Bucket and path of `obs://bucket/path`."""
    bucket, _, path = place.partition("://")[2].partition("/")
    return bucket, path


class HuaweiSettings(ConnectionSettings):
    """`[providers.huawei]`: a key pair, or another way to be known, and a region are needed.

    Keys: https://support.huaweicloud.com/intl/en-us/usermanual-iam/iam_02_0003.html
    """

    official_hosts: ClassVar[frozenset[str]] = frozenset({".myhuaweicloud.com", ".myhuaweicloud.cn"})

    api: Api = Field(
        "v3", description="`v3` is Content Moderation, `v2` is VCM, which has no new customers since 2023."
    )
    credentials: Literal["keys", "profile", "metadata", "token"] = Field(
        "keys",
        description="How calls are authorized: `keys` (`ak` and `sk` below), what the vendor's SDK finds in its `profile` file or in the `metadata` of a virtual machine, or a `token` for the user below.",
    )
    ak: SecretStr | None = Field(
        None, validate_default=True, description="The access key.", json_schema_extra={"env": ["HUAWEICLOUD_SDK_AK"]}
    )
    sk: SecretStr | None = Field(
        None, validate_default=True, description="Its secret key.", json_schema_extra={"env": ["HUAWEICLOUD_SDK_SK"]}
    )
    security_token: SecretStr | None = Field(
        None,
        description="The token of a temporary key pair.",
        json_schema_extra={"env": ["HUAWEICLOUD_SDK_SECURITY_TOKEN"]},
    )
    domain: str | None = Field(None, validate_default=True, description="For `token`: the account's name.")
    user: str | None = Field(None, validate_default=True, description="For `token`: the IAM user's name.")
    password: SecretStr | None = Field(None, validate_default=True, description="For `token`: the user's password.")
    region: str | None = Field(
        None,
        validate_default=True,
        pattern=r"^[a-z0-9-]+$",
        description="The region, as `cn-north-4`, `cn-east-3` or `ap-southeast-3`; needed to talk to the vendor.",
    )
    project_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="The project's id in that region; if left out, IAM is asked for it.",
        json_schema_extra={"env": ["HUAWEICLOUD_SDK_PROJECT_ID"]},
    )
    iam_url: str | None = Field(
        None,
        description="Where IAM is, if not at https://iam.<region>.myhuaweicloud.com.",
        json_schema_extra={"env": ["HUAWEICLOUD_SDK_IAM_ENDPOINT"]},
    )
    obs_url: str | None = Field(
        None,
        description="Where OBS is, for reading results in a bucket, if not at https://obs.<region>.myhuaweicloud.com.",
    )
    biz_type: str | None = Field(
        None, description="v3: the policy, made in the vendor's console, that decides what is looked for."
    )
    biz_types: dict[str, DeclaredPolicy] = Field(
        default_factory=dict, description="v3: what the policy of each name looks at, as tables with `covers`."
    )
    event_type: str = Field("default", description="v3: what kind of content it is, where no `biz_type` decides.")
    frame_interval: int | None = Field(
        None, ge=1, description="Seconds between two frames unless a job says; without it v3 takes 5, and v2 is sent 5."
    )
    obs_output: ObsPlace | None = Field(
        None,
        description="v2: `obs://bucket/path/` of yours that results are written to, instead of being kept by the vendor; `{key}` in it stands for the task's name.",
    )
    obs_wait: float = Field(
        60.0, ge=0, description="v2: seconds that a result in `obs_output` is waited for once its task has succeeded."
    )
    hosting: bool | None = Field(
        None,
        description="v2: whether the vendor keeps the result for 48 hours; by default unless `obs_output` is given.",
    )
    upload: bool = Field(False, description="v2: whether frames that hit are written to `obs_output` too.")
    seed: SecretStr | None = Field(
        None, description="v3: the secret that callbacks are signed with, unless a job names another."
    )
    seeds: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="v3: further such secrets by the names that jobs call them (`callback.secret`).",
    )
    callback_url: str | None = Field(
        None,
        description="v3: the URL, with `{key}`, that jobs give for callbacks: by it the key is read out of a callback's path.",
    )
    page_size: int = Field(100, ge=1, le=1000, description="v2: tasks per page of the list.")

    @field_validator("ak", "sk", "domain", "user", "password", "region")
    @classmethod
    def _check_needed(cls, value: Any, info: ValidationInfo) -> Any:
        needs = {"ak": "keys", "sk": "keys", "domain": "token", "user": "token", "password": "token"}
        wanted = needs.get(str(info.field_name))
        if value is None and _talks(info) and wanted in {None, info.data.get("credentials")}:
            raise PydanticCustomError("missing", "Field required")
        if isinstance(value, SecretStr) and value.get_secret_value() != value.get_secret_value().strip():
            raise ValueError("it has white space around it")
        return value

    @field_validator("seed", "seeds")
    @classmethod
    def _check_seeds(cls, value: SecretStr | dict[str, SecretStr] | None, info: ValidationInfo) -> Any:
        found = value.values() if isinstance(value, dict) else [value] if value is not None else []
        if _talks(info) and not all(_SEED.fullmatch(seed.get_secret_value()) for seed in found):
            raise ValueError("a seed has 1 to 64 letters, digits and _")
        return value

    @field_validator("base_url", "iam_url", "obs_url")
    @classmethod
    def _check_urls(cls, value: str | None) -> str | None:
        if value is not None and not (_PLAIN_URL.fullmatch(value) and _has_port_or_none(value)):
            raise ValueError("a base URL holds no white space, nothing escaped, and a port there can be")
        return cls._check_base_url(value)

    @field_validator("obs_output")
    @classmethod
    def _check_bucket(cls, value: str | None) -> str | None:
        if value is not None and not _BUCKET.fullmatch(value):
            raise ValueError("it is written as 'obs://bucket/path/'")
        return value

    @model_validator(mode="after")
    def _check_interval(self) -> Self:
        if self.api == "v3" and self.frame_interval is not None and self.frame_interval > MOST_SECONDS:
            raise ValueError(f"frame_interval is {MOST_SECONDS} s at most in v3")
        return self

    @model_validator(mode="after")
    def _check_upload(self) -> Self:
        if self.upload and self.obs_output is None:
            raise ValueError("upload writes frames to obs_output, which is not given")
        return self

    @property
    def is_official(self) -> bool:
        """Whether requests go to the vendor itself; results are read from its object store too."""
        store = self.model_copy(update={"base_url": self.obs_url, "obs_url": None})
        return super().is_official and (self.obs_url is None or store.is_official)

    @property
    def url(self) -> str:
        """Where requests go."""
        host = "iva" if self.api == "v2" else "moderation"
        return self.base_url or f"https://{host}.{self.region}.myhuaweicloud.com"

    @property
    def iam(self) -> str:
        """Where IAM is."""
        return self.iam_url or f"https://iam.{self.region}.myhuaweicloud.com"

    @property
    def obs(self) -> str:
        """Where OBS is."""
        return self.obs_url or f"https://obs.{self.region}.myhuaweicloud.com"

    @property
    def secrets(self) -> list[SecretStr]:
        """What must not be seen in any error or log."""
        found = [self.ak, self.sk, self.security_token, self.password, self.seed, *self.seeds.values()]
        return [secret for secret in found if secret is not None]


def _has_port_or_none(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _talks(info: ValidationInfo) -> bool:
    """Whether the settings are for talking: what is only planned or read needs no account."""
    return not (isinstance(info.context, dict) and info.context.get("credentials") is False)


class HuaweiOptions(BaseModel):
    """`ModerationJob.options["huawei"]`: what only Huawei knows, or what this job wants otherwise than planned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str | None = Field(None, max_length=500, description="v2: a text that the vendor keeps with the task.")
    index: int | None = Field(None, description="v2: `index` of the input; what it means is not documented.")
    categories: tuple[Category, ...] | None = Field(
        None, min_length=1, description="v2: the categories, instead of the fewest."
    )
    text_categories: tuple[TextCategory, ...] | None = Field(
        None,
        min_length=1,
        description="v2: the categories of text, instead of the fewest; they hold for frames and speech.",
    )
    use_ocr: bool | None = Field(
        None, description="v2: whether text in frames is read, instead of what the job's channels say."
    )
    use_sis: bool | None = Field(
        None, description="v2: whether speech is heard, instead of what the job's channels say."
    )
    obs_output: ObsPlace | None = Field(None, description="v2: where the result is written, instead of the instance's.")
    hosting: bool | None = Field(
        None, description="v2: whether the vendor keeps the result, instead of the instance's."
    )
    upload: bool | None = Field(
        None, description="v2: whether frames that hit are written too, instead of the instance's."
    )
    biz_type: str | None = Field(None, description="v3: the policy that decides, instead of the instance's.")
    event_type: str | None = Field(None, description="v3: what kind of content it is, instead of the instance's.")
    image_categories: tuple[ImageCategory, ...] | None = Field(
        None, min_length=1, description="v3: the categories of frames, instead of the fewest."
    )
    audio_categories: tuple[AudioCategory, ...] | None = Field(
        None, description="v3: the categories of sound, instead of the fewest; empty: it is not listened to."
    )

    @field_validator("categories", "text_categories", "image_categories", "audio_categories")
    @classmethod
    def _once_each(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else tuple(dict.fromkeys(value))

    @model_validator(mode="after")
    def _check_policy(self) -> Self:
        if self.biz_type is not None and (self.image_categories or self.audio_categories or self.event_type):
            raise ValueError("a biz_type decides on event_type and categories by itself: give either")
        return self
