from pydantic import BaseModel, ConfigDict, Field, SecretStr


class AcmeSettings(BaseModel):
    """Acme's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr = Field(json_schema_extra={"env": ["ACME_API_KEY"]})
    region: str | None = None
    base_url: str | None = None
    quality: int = 1
    floor: float | None = None


class AcmeOptions(BaseModel):
    """Acme's options."""

    model_config = ConfigDict(extra="forbid")

    priority: int = 1
