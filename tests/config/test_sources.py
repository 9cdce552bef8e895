"""Where configuration comes from, and which source wins."""

from pathlib import Path

import pytest

from reelvet.config import Config, merge, resolve_reference
from reelvet.schema.errors import ConfigurationError

FILE = """
use = "from-file"
profile = "chosen"
[providers.acme]
ak = "file-ak"
sk = "file-sk"
region = "file"
[profiles.chosen]
use = "from-profile"
[profiles.chosen.providers.acme]
region = "profile"
[profiles.other]
use = "from-other"
production = true
"""
VENDOR = {"ACME_AK": "vendor-ak", "ACME_SK": "vendor-sk", "ACME_REGION": "vendor"}


@pytest.mark.parametrize(
    ("stronger", "weaker", "region"),
    [
        # From strongest to weakest, each pair of neighbours and their absence.
        ("argument", "environment", "argument"),
        ("environment", "profile", "environment"),
        ("profile", "file", "profile"),
        ("file", "vendor", "file"),
        ("vendor", None, "vendor"),
        ("argument", "vendor", "argument"),
        ("environment", "file", "environment"),
    ],
)
def test_the_stronger_source_wins(registry, stronger, weaker, region):
    """Arguments > environment > profile > file > the vendor's own variables."""
    present = {stronger, weaker}
    table = {"ak": "a", "sk": "s"}
    data = {"providers": {"acme": {**table, "region": "file"} if "file" in present else dict(table)}}
    if "profile" in present:
        data["profiles"] = {"p": {"providers": {"acme": {"region": "profile"}}}}
    environ = dict(VENDOR) if "vendor" in present else {}
    if "environment" in present:
        environ["REELVET_PROVIDERS__ACME__REGION"] = "environment"
    arguments = {"providers": {"acme": {"region": "argument"}}} if "argument" in present else {}
    config = Config.parse(data, profile="p" if "profile" in present else None, environ=environ, **arguments)
    assert config.settings("acme", registry, environ=environ).region == region


def test_a_default_is_the_weakest(registry):
    """What nobody says is what the model says; a vendor's variable comes before it."""
    config = Config.parse({"providers": {"acme": {"ak": "a", "sk": "s", "region": "r"}}})
    assert config.settings("acme", registry, environ={}).workers == 1
    assert config.settings("acme", registry, environ={}).token is None
    assert config.settings("acme", registry, environ={"ACME_TOKEN": "t"}).token.get_secret_value() == "t"


@pytest.mark.parametrize(
    ("environ", "arguments", "use"),
    [
        ({}, {}, "from-profile"),
        ({"REELVET_USE": "from-environment"}, {}, "from-environment"),
        ({"REELVET_USE": ""}, {}, "from-profile"),
        ({"REELVET_USE": "from-environment"}, {"use": "from-argument"}, "from-argument"),
        ({"REELVET_USE": "from-environment"}, {"use": None}, "from-environment"),
        ({"REELVET_PROFILE": "other"}, {}, "from-other"),
        ({"REELVET_PROFILE": "chosen"}, {"profile": "other"}, "from-other"),
    ],
)
def test_use_and_profile_follow_the_same_order(write, environ, arguments, use):
    """The profile may be chosen by argument, environment or the file itself."""
    assert Config.load(write(FILE), environ=environ, **arguments).use == use


def test_profiles_are_merged_key_by_key(write):
    """A profile that names one key of a table leaves the others as they are."""
    config = Config.load(write(FILE), environ={})
    assert config.providers == {"acme": {"ak": "file-ak", "sk": "file-sk", "region": "profile"}}
    assert config.profile == "chosen"
    assert config.production is False
    assert Config.load(write(FILE), profile="other", environ={}).production is True


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({}, {"a": None}, {"a": None}),
    ],
)
def test_tables_are_merged_and_all_else_replaced(base, over, merged):
    """Lists too: nobody could take an entry out otherwise."""
    kept = dict(base)
    assert merge(base, over) == merged
    assert base == kept


@pytest.mark.parametrize(
    ("text", "profile", "field", "says"),
    [
        ("", "staging", "profile", "no profile 'staging' (known: none)"),
        (FILE, "othr", "profile", "Did you mean 'other'?"),
        ("[profiles]\nstaging = 3", "staging", "profiles.staging", "must be a table"),
        ("profiles = 3", "staging", "profiles", "must be a table"),
        ('providers = "s3cr3t"', None, "providers", "must be a table"),
        ('[profiles.p]\nprofile = "q"', "p", "profile", "cannot be set here"),
        ('source = "x"', None, "source", "cannot be set here"),
    ],
)
def test_a_wrong_shape_is_named(write, text, profile, field, says):
    """Never a traceback, never the value."""
    with pytest.raises(ConfigurationError) as caught:
        Config.load(write(text), profile=profile, environ={})
    assert caught.value.field == field
    assert says in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.way_out


# --- the environment ---


@pytest.mark.parametrize(
    ("variable", "instance", "key"),
    [
        ("REELVET_PROVIDERS__ACME__REGION", "acme", "region"),
        ("REELVET_PROVIDERS__ACME_CN__REGION", "acme-cn", "region"),
        ("REELVET_PROVIDERS__acme_cn__Region", "acme-cn", "region"),
        ("REELVET_PROVIDERS__ACME-CN__REGION", "acme-cn", "region"),
        ("REELVET_PROVIDERS__GIVEN_EU__REGION", "given-eu", "region"),
        ("REELVET_PROVIDERS__MIXED__REGION", "Mixed", "region"),
        ("REELVET_PROVIDERS__NEW_ONE__API_KEY", "new_one", "api_key"),
        ("REELVET_PROVIDERS__ACME__A__B", "acme", "a__b"),
    ],
)
def test_a_variable_reaches_its_instance(variable, instance, key):
    """`-` is written `_`; the spelling of what is configured, in the file or by argument, is kept."""
    data = {"providers": {"acme": {}, "acme-cn": {}, "Mixed": {}}}
    config = Config.parse(data, environ={variable: "v"}, providers={"given-eu": {}})
    assert config.providers[instance] == {key: "v"}


@pytest.mark.parametrize(
    ("variable", "says"),
    [
        ("REELVET_USES", "REELVET_USES is no variable of reelvet"),
        ("REELVET_POLICYS", "REELVET_POLICY"),
        ("REELVET_PROVIDERS", "REELVET_PROVIDERS__*"),
        ("REELVET_PROVIDERS__ACME", "names no field"),
        ("REELVET_PROVIDERS____REGION", "names no field"),
    ],
)
def test_a_variable_that_means_nothing_is_an_error(variable, says):
    """A typo would otherwise be a setting that is silently not there. The value is not shown."""
    with pytest.raises(ConfigurationError) as caught:
        Config.parse({}, environ={variable: "s3cr3t"})
    assert says in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_variables_of_other_rooms_are_known():
    """They are read elsewhere."""
    names = ("CONFIG", "PROFILE", "PLUGINS", "NETWORK", "STATE_DIR")
    assert Config.parse({}, environ={f"REELVET_{name}": "" for name in names}).use is None
    assert Config.parse({}, environ={"REELVET_POLICY": "kids"}).policy == ("kids",)


def test_without_an_environment_none_is_read(monkeypatch):
    """`parse` is for data; `load` is for processes."""
    monkeypatch.setenv("REELVET_USE", "acme")
    assert Config.parse({}).use is None
    assert Config.load().use == "acme"


# --- finding the file ---


def test_the_file_is_found_in_the_documented_order(write, tmp_path, monkeypatch):
    """The argument, REELVET_CONFIG, ./reelvet.toml, the user's own; none at all is fine."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert Config.load(environ={}).source is None
    own = write('use = "own"', "config/reelvet/reelvet.toml")
    assert Config.load(environ={}).source == str(own)
    write('use = "here"', "here/reelvet.toml")
    assert (Config.load(environ={}).use, Config.load(environ={}).source) == ("here", "reelvet.toml")
    named, by_variable = write('use = "named"', "named.toml"), write('use = "variable"', "variable.toml")
    environ = {"REELVET_CONFIG": str(by_variable)}
    assert Config.load(environ=environ).use == "variable"
    assert Config.load(named, environ=environ).use == "named"
    assert Config.load(str(named), environ=environ).use == "named"


@pytest.mark.parametrize(
    ("path", "environ", "by"),
    [("nope.toml", {}, "argument"), (None, {"REELVET_CONFIG": "nope.toml"}, "REELVET_CONFIG")],
)
def test_a_file_that_was_named_must_be_there(path, environ, by):
    """Falling back to another would be a quiet surprise."""
    with pytest.raises(ConfigurationError, match=r"nope\.toml") as caught:
        Config.load(path, environ=environ)
    assert caught.value.source == by
    assert caught.value.way_out


@pytest.mark.parametrize("content", [b"use = ", b"\xff\xfe", b"[a]\n[a]"])
def test_a_file_that_is_no_toml_is_told(tmp_path, content):
    """With its name."""
    file = tmp_path / "reelvet.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        Config.load(file, environ={})
    assert caught.value.source == str(file)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    """As Notepad writes it."""
    file = tmp_path / "reelvet.toml"
    file.write_bytes(b'\xef\xbb\xbfuse = "acme"')
    assert Config.load(file, environ={}).use == "acme"


# --- references ---


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("env:NAME", "from-env"),
        ("plain", "plain"),
        ("https://h/a", "https://h/a"),
        ("", ""),
        ("environment:x", "environment:x"),
        ("file", "file"),
        ("env", "env"),
    ],
)
def test_a_reference_is_resolved_and_all_else_is_itself(value, resolved):
    """Only `env:` and `file:` are special."""
    assert resolve_reference(value, field="f", environ={"NAME": "from-env"}) == resolved


def test_a_file_reference_is_read_without_its_last_newline(tmp_path, monkeypatch):
    """As `echo secret > file` and mounted secrets write it; `~` is the home directory."""
    (tmp_path / "key").write_text("s3cr3t\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_reference(f"file:{tmp_path}/key", field="f", environ={}) == "s3cr3t"
    assert resolve_reference("file:~/key", field="f", environ={}) == "s3cr3t"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("env:NOT_SET", "NOT_SET"),
        ("env:EMPTY", "EMPTY"),
        ("file:/nope/key", "/nope/key"),
        ("file:/", "file /"),
        ("file:{empty}", "is empty"),
    ],
)
def test_a_reference_to_nothing_names_field_and_place(tmp_path, value, names):
    """Not an empty credential that the vendor refuses later."""
    empty = Path(tmp_path / "empty")
    empty.write_text("\n")
    with pytest.raises(ConfigurationError, match=r"providers\.acme\.ak") as caught:
        resolve_reference(value.replace("{empty}", str(empty)), field="providers.acme.ak", environ={"EMPTY": ""})
    assert names in str(caught.value)
    assert caught.value.field == "providers.acme.ak"
    assert caught.value.way_out
