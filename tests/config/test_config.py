"""One frozen object: what is refused in it, which instance is active, what an instance is set to."""

import base64

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator

from reelvet.config import Config, vendor_variables
from reelvet.plugins import ProviderSpec, Registry
from reelvet.plugins.registry import Problem
from reelvet.schema.errors import ConfigurationError, MissingSecret, PluginBroken, PluginNotFound, UnknownInstance

SECRET = "s3cr3t-credential"
FULL = {"ak": SECRET, "sk": SECRET, "region": "eu"}

WRONG = [
    # data, field, words
    ({"usee": "acme"}, "usee", ["usee", "did you mean 'use'?"]),
    ({"fetch": {"alow": []}}, "fetch.alow", ["did you mean 'allow'?"]),
    ({"polling": {"mosst": 3}}, "polling.mosst", ["did you mean 'most'?"]),
    ({"zzz": 1}, "zzz", ["no such field"]),
    ({"use": 3}, "use", ["use", "string", "3"]),
    ({"production": "maybe"}, "production", ["production", "'maybe'"]),
    ({"polling": {"most": 0}}, "polling.most", ["greater than 0"]),
    ({"polling": {"first": float("inf")}}, "polling.first", ["finite"]),
    ({"polling": 3}, "polling", ["polling"]),
    ({"plugins": {"allow": "local"}}, "plugins.allow", ["'local'"]),
    ({"providers": {"acme": SECRET}}, "providers.acme", ["providers.acme", "dictionary", "***"]),
    ({"secrets": {"key": 3}}, "secrets.key", ["***"]),
    ({"secrets": {"callbacks": {"main": {"x": SECRET}}}}, "secrets.callbacks.main", ["***"]),
    ({"secrets": {"callbacks": SECRET}}, "secrets.callbacks", ["***"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "field", "holds"), WRONG, ids=lambda value: str(value)[:50])
def test_a_wrong_configuration_names_the_field_and_the_nearest(data, field, holds):
    """And the file, and no secret."""
    with pytest.raises(ConfigurationError) as caught:
        Config.parse(data, source="/etc/reelvet.toml")
    assert caught.value.field == field
    assert all(words in str(caught.value) for words in (*holds, "/etc/reelvet.toml")), str(caught.value)
    assert SECRET not in f"{caught.value} {caught.value.as_dict()}"


def test_a_configuration_is_frozen_and_shows_no_secret():
    """Printed into a log, it tells which instances there are, and nothing that opens them."""
    config = Config.parse({
        "providers": {"acme": {**FULL, "plugin": "acme", "deep": [{"x": SECRET}], "ref": "env:ACME_AK"}},
        "secrets": {"key": SECRET, "callbacks": {"main": SECRET}},
    })  # fmt: skip
    with pytest.raises(ValidationError, match="frozen"):
        config.use = "acme"
    for shown in (repr(config), str(config), str(config.model_dump()), config.model_dump_json()):
        assert SECRET not in shown
        assert "env:ACME_AK" in shown
    assert config.providers["acme"]["ak"] == SECRET


def test_one_policy_or_several():
    """A name is a list of one."""
    assert Config.parse({"policy": "kids"}).policy == ("kids",)
    assert Config.parse({"policy": ["kids", "adult"]}).policy == ("kids", "adult")
    assert Config.parse({}).policy == ("default",)


# --- which instance ---


@pytest.mark.parametrize(
    ("data", "active"),
    [
        ({"use": "acme"}, "acme"),
        ({"use": "acme-cn", "providers": {"acme-cn": {"plugin": "acme"}, "beta": {}}}, "acme-cn"),
        ({"providers": {"acme-cn": {"plugin": "acme"}}}, "acme-cn"),
        ({"providers": {"beta": {}}}, "beta"),
        ({}, "local"),
        ({"use": "local", "providers": {"acme": {}}}, "local"),
    ],
)
def test_the_active_instance(registry, data, active):
    """`use`, else the only one that is configured, else `local`."""
    assert Config.parse(data).active(registry) == active


def test_several_instances_and_no_choice_is_an_error(registry):
    """Guessing would bill the wrong account."""
    with pytest.raises(ConfigurationError, match="acme, beta") as caught:
        Config.parse({"providers": {"acme": {}, "beta": {}}}).active(registry)
    assert caught.value.field == "use"
    assert "REELVET_USE" in str(caught.value)


def test_nothing_configured_and_no_local_provider_is_an_error():
    """With both ways out."""
    with pytest.raises(ConfigurationError, match=r"providers/local\), or write a \[providers\.") as caught:
        Config.parse({}).active(Registry())
    assert caught.value.field == "use"


def test_a_local_provider_that_is_broken_is_not_called_missing():
    """Law 1: what the route names and cannot be loaded stops the start, with its cause."""
    registry = Registry()
    cause = ImportError("no libav")
    registry.problems.append(Problem("local", "reelvet-local 0.1", "ImportError: no libav", cause))
    with pytest.raises(PluginBroken, match="no libav") as caught:
        Config.parse({}).active(registry)
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize(
    ("use", "hint"), [("acm", "'acme'"), ("acme-c", "'acme-cn'"), ("zzz", "Known are acme, acme-cn, bare, beta, local")]
)
def test_an_unknown_instance_suggests_one(registry, use, hint):
    """Configured instances and installed providers alike."""
    config = Config.parse({"use": use, "providers": {"acme-cn": {"plugin": "acme"}}})
    with pytest.raises(UnknownInstance) as caught:
        config.active(registry)
    assert hint in str(caught.value)
    assert repr(use) in str(caught.value)


@pytest.mark.parametrize(
    ("table", "says"),
    [({"plugin": "nope"}, "Install the distribution that brings it"), ({}, 'plugin = "..."')],
)
def test_an_instance_whose_plugin_is_missing_says_so(registry, table, says):
    """Installed it can be, or named otherwise."""
    with pytest.raises(PluginNotFound) as caught:
        Config.parse({"use": "mine", "providers": {"mine": table}}).active(registry)
    assert says in str(caught.value)


# --- what it is set to ---


def test_settings_are_checked_by_the_providers_own_model(registry):
    """`plugin` is ours, the rest is its own; an instance that is not configured has its defaults."""
    config = Config.parse({"providers": {"acme-cn": {**FULL, "plugin": "acme", "workers": "3"}}})
    settings = config.settings("acme-cn", registry, environ={})
    assert (settings.region, settings.workers) == ("eu", 3)
    assert settings.ak.get_secret_value() == SECRET
    assert Config.parse({}).settings("local", registry, environ={}).interval == 1.0
    assert Config.parse({}).settings("bare", registry, environ={}) is None


def test_references_are_resolved_wherever_they_stand(registry, tmp_path):
    """Nested tables and lists too; plain numbers stay."""
    (tmp_path / "sk").write_text("from-file\n")
    table = {
        "ak": "env:MY_AK",
        "sk": f"file:{tmp_path}/sk",
        "region": "eu",
        "hooks": {"a": {"b": "env:MY_AK"}},
        "covers": ["env:MY_AK", 3],
    }
    settings = Config.parse({"providers": {"acme": table}}).settings("acme", registry, environ={"MY_AK": "from-env"})
    assert (settings.ak.get_secret_value(), settings.sk.get_secret_value()) == ("from-env", "from-file")
    assert (settings.hooks, settings.covers) == ({"a": {"b": "from-env"}}, ["from-env", 3])


def test_a_reference_that_leads_nowhere_names_the_field(registry):
    """Dotted, as in the file."""
    config = Config.parse({"providers": {"acme": {**FULL, "hooks": {"a": ["env:NOPE"]}}}})
    with pytest.raises(ConfigurationError, match=r"providers\.acme\.hooks\.a\[0\].*NOPE"):
        config.settings("acme", registry, environ={})


@pytest.mark.parametrize(
    ("environ", "ak"),
    [
        ({"ACME_AK": "one", "ACME_ACCESS_KEY": "two"}, "one"),
        ({"ACME_ACCESS_KEY": "two"}, "two"),
        ({"ACME_AK": "", "ACME_ACCESS_KEY": "two"}, "two"),
    ],
)
def test_the_vendors_own_variables_suffice(registry, environ, ak):
    """In the order in which the model names them; an empty one says nothing."""
    environ = {**environ, "ACME_SK": "s", "ACME_REGION": "eu"}
    assert Config.parse({}).settings("acme", registry, environ=environ).ak.get_secret_value() == ak


@pytest.mark.parametrize(
    ("table", "missing", "ways"),
    [
        (
            {"sk": "x", "region": "eu"},
            ["providers.acme.ak"],
            ["`ak` in [providers.acme]", "ACME_AK", "ACME_ACCESS_KEY"],
        ),
        ({"region": "eu"}, ["providers.acme.ak", "providers.acme.sk"], ["ACME_AK", "ACME_SK"]),
        ({}, ["providers.acme.ak", "providers.acme.sk", "providers.acme.region"], ["ACME_REGION"]),
        ({"sk": "x", "regoin": "eu"}, ["providers.acme.ak", "providers.acme.region"], ["did you mean 'region'?"]),
    ],
)
def test_a_missing_secret_names_every_field_and_variable(registry, table, missing, ways):
    """One start, one list: not one field after the other."""
    with pytest.raises(MissingSecret) as caught:
        Config.parse({"providers": {"acme": table}}).settings("acme", registry, environ={})
    assert all(words in str(caught.value) for words in (*missing, *ways, "missing"))
    assert caught.value.field == "providers.acme.ak"


def test_a_missing_field_that_is_no_secret_names_its_variables_too(registry):
    """As region and BizType of a cloud."""
    with pytest.raises(ConfigurationError, match="region: is required") as caught:
        Config.parse({"providers": {"acme": {"ak": "a", "sk": "s"}}}).settings("acme", registry, environ={})
    assert "ACME_REGION" in str(caught.value)
    assert not isinstance(caught.value, MissingSecret)


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"workerz": 1}, "providers.acme.workerz", "did you mean 'workers'?"),
        ({"workers": "many"}, "providers.acme.workers", "'many'"),
        ({"sk": 12345678}, "providers.acme.sk", "***"),
        ({"sk": [SECRET]}, "providers.acme.sk", "***"),
        ({"token": {"x": SECRET}}, "providers.acme.token", "***"),
    ],
)
def test_wrong_settings_name_the_field_and_never_the_secret(registry, wrong, field, says):
    """What a secret is, the provider's model says, whatever the field is called."""
    with pytest.raises(ConfigurationError) as caught:
        Config.parse({"providers": {"acme": {**FULL, **wrong}}}).settings("acme", registry, environ={})
    assert caught.value.field == field
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "12345678" not in str(caught.value)


def test_settings_for_a_provider_that_takes_none_are_refused(registry):
    """A table that nobody reads is a mistake."""
    with pytest.raises(ConfigurationError, match="takes no settings, got speed"):
        Config.parse({"providers": {"bare": {"speed": 3}}}).settings("bare", registry, environ={})


@pytest.mark.parametrize("table", [{"region": "eu"}, {**FULL}, {"region": "eu", "ak": "env:NOPE", "sk": "file:/nope"}])
def test_without_credentials_every_secret_is_masked(registry, table):
    """For `plan`: nothing has to be there, and nothing that is there comes in, from the environment neither."""
    environ = {"ACME_AK": SECRET, "ACME_SK": SECRET, "ACME_TOKEN": SECRET}
    settings = Config.parse({"providers": {"acme": table}}).settings(
        "acme", registry, environ=environ, credentials=False
    )
    assert (settings.ak.get_secret_value(), settings.sk.get_secret_value(), settings.token) == ("***", "***", None)
    assert settings.region == "eu"


@pytest.mark.parametrize("credentials", [True, False])
def test_settings_are_told_whether_they_are_for_talking(registry, monkeypatch, credentials):
    """So that a model can ask for what only a call needs, as a region, and not of who plans."""
    told = []

    class Model(BaseModel):
        region: str | None = Field(None, validate_default=True)

        @field_validator("region")
        @classmethod
        def _look(cls, value, info):
            told.append(info.context)
            return value

    monkeypatch.setattr(registry, "load", lambda *_: Model)
    Config.parse({"providers": {"acme": {}}}).settings("acme", registry, environ={}, credentials=credentials)
    assert told == [{"credentials": credentials}]


def test_which_variables_a_field_takes_is_read_from_the_model(registry):
    """For `doctor` and the docs."""
    model = registry.load("acme", "settings")
    assert vendor_variables(model) == {
        "ak": ["ACME_AK", "ACME_ACCESS_KEY"],
        "sk": ["ACME_SK"],
        "region": ["ACME_REGION"],
        "token": ["ACME_TOKEN"],
    }


def test_the_seal_key_may_be_a_reference(monkeypatch):
    """Resolved when it is needed."""
    key = base64.urlsafe_b64encode(bytes(32)).decode()
    monkeypatch.setenv("MY_SEAL", key)
    assert Config.parse({}).seal_key is None
    assert Config.parse({"secrets": {"key": "env:MY_SEAL"}}).seal_key == SecretStr(key)
    assert Config.parse({"secrets": {"key": key}}).seal_key == SecretStr(key)
    with pytest.raises(ConfigurationError, match=r"secrets\.key.*NOT_THERE"):
        _ = Config.parse({"secrets": {"key": "env:NOT_THERE"}}).seal_key


def test_production_is_said_and_defaults_to_no():
    """Law 16: a profile that is marked refuses forged passes."""
    assert Config.parse({}).production is False
    assert Config.parse({"profiles": {"live": {"production": True}}}, profile="live").production is True


def test_settings_are_found_by_the_plugin_and_not_by_the_name(registry):
    """Two accounts of one vendor are two instances."""
    registry.register(ProviderSpec("gamma", "gamma", "m:C"))
    config = Config.parse({"providers": {"gamma": {**FULL, "plugin": "acme"}}})
    assert config.plugin_of("gamma", registry) == "acme"
    assert config.settings("gamma", registry, environ={}).region == "eu"


def test_a_local_provider_that_is_kept_out_is_not_called_missing(monkeypatch):
    monkeypatch.setenv("REELVET_PLUGINS", "off")
    with pytest.raises(ConfigurationError, match=r"kept out.*REELVET_PLUGINS"):
        Config().active(Registry.discover())
