"""An installed provider that needs credentials, as a vendor's would."""

import sys
import types
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from reelvet.plugins import ProviderSpec, Registry


class AcmeSettings(BaseModel):
    """Credentials named like no hint would guess, one plain required field, one with a default."""

    model_config = ConfigDict(extra="forbid")

    ak: SecretStr = Field(json_schema_extra={"env": ["ACME_AK", "ACME_ACCESS_KEY"]})
    sk: SecretStr = Field(json_schema_extra={"env": ["ACME_SK"]})
    region: str = Field(json_schema_extra={"env": ["ACME_REGION"]})
    token: SecretStr | None = Field(None, json_schema_extra={"env": ["ACME_TOKEN"]})
    workers: int = 1
    hooks: dict[str, Any] = {}
    covers: list[Any] = []


@pytest.fixture
def registry(monkeypatch):
    """`acme` and `beta` need an account, `local` does not, `bare` takes no settings."""
    module = types.ModuleType("acme_for_tests")
    module.AcmeSettings = AcmeSettings
    module.Free = type("Free", (BaseModel,), {"__annotations__": {"interval": float}, "interval": 1.0})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    made = Registry()
    for id_ in ("acme", "beta"):
        made.register(ProviderSpec(id_, id_, "m:C", settings="acme_for_tests:AcmeSettings"))
    made.register(ProviderSpec("local", "local", "m:C", settings="acme_for_tests:Free", needs_account=False))
    made.register(ProviderSpec("bare", "bare", "m:C"))
    return made


@pytest.fixture
def write(tmp_path):
    """Writes a configuration file."""

    def writes(text, name="reelvet.toml"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return writes
