"""`reelvet doctor`: every class of misconfiguration once more, in the places where it is easily overlooked."""

import os
from pathlib import Path

import pytest

from reelvet.cli.doctor import checks


@pytest.mark.parametrize(
    "case",
    [
        ("configuration_file", "use = x\n", "is no TOML", "that place"),
        ("profile", 'profile = "gone"\n', "no profile 'gone'", "[profiles.gone]"),
        ("profile", "profile = [1]\n", "profile is [1], which is no name", "[profiles."),
        ("keys", '[polling]\nfirst = "soon"\n', "polling.first: input should be a valid number, unable to parse string as a number (got 'soon'); give a number", "reelvet schema config"),
        ("keys", "[polling]\nfirst = -1\n", "polling.first: input should be greater than 0 (got -1); give a number above 0", "reelvet schema config"),
        ("keys", '[fetch]\nallow = ["*.test"]\n', "'*.test' is no host", "reelvet schema config"),
        ("keys", "[plugins]\nallow = 3\n", "plugins.allow", "reelvet schema config"),
        ("keys", "[secrets.callbacks]\nmine = 3\n", "secrets.callbacks.mine", "reelvet schema config"),
        ("references", '[providers.acme]\napi_key = "file:empty"\n', "file empty, which is empty", "Write the value"),
        ("references", '[providers.acme]\nquality = {a = ["env:NOT_SET"]}\n', "NOT_SET, which is not set", "Set NOT_SET"),
        ("instance_plugins", '[plugins]\nallow = ["runner"]\n[providers.acme]\n', "no installed plugin provides 'acme'", "[plugins] allow"),
        ("settings", '[providers.acme]\nquality = "best"\n', "give a whole number", "reelvet schema acme.settings"),
        ("credentials", '[providers.acme]\napi_key = ""\n', "providers.acme.api_key is empty", "Write the secret"),
        ("credentials", '[providers.acme]\napi_key = "***"\n', "is masked", "where it is whole"),
        ("credentials", '[providers.acme]\napi_key = "  "\n', "white space", "Copy it again"),
        ("policies", 'policy = "broken.toml"\n', "is no TOML", "docs/policy.md"),
        ("policies", 'policy = "mine"\n[policies.mine]\nrequire = ["violance"]\n', "'violance' in require.0", "'violence'"),
        ("policies", '[policies.mine]\nextends = "kid"\n', "no policy 'kid'", "'kids'"),
        ("policies", "[policies.mine]\nreview = 0.9\nblock = 0.5\n", "above block", "docs/policy.md"),
        ("policies", '[policies.mine]\nrules = [{label = "child_safety", off = true}]\n', "always block", "Leave the rule out"),
        ("provider_faults", '[providers.local]\ndetector = "nosuch.module:X"\nlabels = "labels.csv"\n', "nosuch.module:X", "package.module:Class"),
        ("provider_faults", '[providers.local]\ndetector = "json:gone"\nlabels = "labels.csv"\n', "'json:gone' cannot be imported", "package.module:Class"),
        ("provider_faults", '[providers.local]\ndetector = "json"\nlabels = "labels.csv"\n', "'json' is not of the form", "package.module:Class"),
        ("provider_faults", '[providers.local]\ndetector = "json:__name__"\nlabels = "labels.csv"\n', "is no class", "package.module:Class"),
        ("provider_faults", '[providers.local]\nthumbnails = "empty/pictures"\n', "is a file", "directory of yours"),
        ("provider_faults", '[providers.local]\nlabels = "labels.csv"\n', "none of the words", "belongs to the detector"),
        ("providers_start", '[providers.local]\nlabels = "gone.csv"\n', "providers.local.labels", "existing labels.csv"),
        ("providers_start", '[providers.local]\nlabels = "latin.csv"\n', "not UTF-8", "existing labels.csv"),
        ("providers_start", '[providers.local]\nlabels = "empty"\n', "'# name: ...'", "Write `# name"),
        ("providers_start", '[providers.local]\nlabels = "strange.csv"\n', "'violance', which is no label", "violence"),
        ("settings", '[providers.local]\ndetector = "my:Own"\n', "needs `labels`", "reelvet schema local.settings"),
        ("settings", "[providers.local]\ninterval = 0\n", "give a number of at least 0.001", "reelvet schema local.settings"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_mend(doctor, here, case):
    check, config, says, mend = case
    head = "# name: mine\n# version: 1\nfield,native,unified,relation,channel,note\n"
    (here / "empty").write_text("")
    (here / "broken.toml").write_text("block = \n")
    (here / "labels.csv").write_text(f"{head}score,glow,violence.graphic,close,visual,\n")
    (here / "strange.csv").write_text(f"{head}score,glow,violance,close,visual,\n")
    (here / "latin.csv").write_bytes(b"\xe9\n")
    code, found = doctor(check, config)
    assert code == 2
    assert [item["level"] for item in found] == ["wrong"]
    assert says in found[0]["says"]
    assert mend in found[0]["mend"]


def test_a_directory_for_pictures_that_may_not_be_written_to(doctor, monkeypatch):
    monkeypatch.setattr("reelvet_local.examine.os.access", lambda place, mode: Path(place).name != "shut")
    Path("shut").mkdir()
    code, found = doctor("provider_faults", '[providers.local]\nthumbnails = "shut"\n')
    assert (code, found[0]["where"]) == (2, "providers.local.thumbnails")
    assert "cannot be written to" in found[0]["says"]


def test_no_place_for_downloads(doctor, monkeypatch):
    def none():
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr("tempfile.gettempdir", none)
    code, found = doctor("provider_faults", "[providers.local]\n")
    assert code == 2
    assert "temporary files" in found[0]["says"]
    assert "TMPDIR" in found[0]["mend"]


def test_a_package_that_the_local_provider_needs(doctor, monkeypatch):
    monkeypatch.setattr("reelvet_local.examine.find_spec", lambda name: None if name == "av" else object())
    code, found = doctor("provider_faults", "[providers.local]\n")
    assert (code, found[0]["says"]) == (2, "instance 'local': the package av is not installed")


def test_pictures_may_go_where_a_directory_can_be_made(doctor, here):
    code, found = doctor("provider_faults", '[providers.local]\nthumbnails = "a/b"\n')
    assert (code, found) == (0, [])
    assert not (here / "a").exists()


PROFILES = 'use = "acme"\n[providers.acme]\n[profiles.staging]\n'


@pytest.mark.parametrize(
    "case",
    [
        ('use = "acne"\n', "warning", "no instance 'acne'", "'acme'", "use"),
        ('policy = "kid"\n', "warning", "no policy 'kid'", "'kids'", "policy"),
        ('policy = ["default", "mine.toml"]\n', "warning", "mine.toml", "default", "policy"),
        ("polisy = 1\n", "warning", "unknown key 'profiles.staging.polisy'", "'policy'", "polisy"),
        ('[profiles.staging.polling]\nfirst = "x"\n', "warning", "profiles.staging.polling.first", "config", "polling.first"),
        ("[profiles.staging.polling]\nfirst = 90\n", "warning", "polling.most is 60", "Raise", "polling.most"),
        ("[profiles.staging.providers.gone]\n", "warning", "no installed plugin provides 'gone'", "Install", "providers.gone"),
        ("[profiles.staging.providers.acme]\nregoin = 1\n", "warning", "'region'", "acme.settings", "providers.acme"),
        ("[profiles.staging.providers.acme]\nfloor = 0.95\n", "warning", "nothing below 0.95", "", "policy"),
        ('[profiles.staging.providers.acme]\napi_key = "env:LIVE_KEY"\n', "note", "LIVE_KEY", "Set LIVE_KEY", "providers.acme"),
        ('[profiles.staging.secrets]\nkey = "short"\n', "warning", "32 bytes", "generate_key", "secrets.key"),
        ('[profiles.staging.secrets]\nkey = "env:LIVE_KEY"\n', "note", "LIVE_KEY", "Set LIVE_KEY", "secrets.key"),
        ('[profiles.staging.secrets.callbacks]\nmine = "file:gone"\n', "note", "gone", "readable", "secrets.callbacks.mine"),
        ('production = true\n[profiles.staging.providers.acme]\nbase_url = "http://h"\n', "warning", "marked production", "Remove", "base_url"),
        ('[profiles.staging.providers.local]\nthumbnails = "taken/a"\n', "warning", "is a file", "directory", "thumbnails"),
    ],
)  # fmt: skip
def test_a_profile_that_was_not_chosen_is_looked_at_as_if_it_were(doctor, here, case):
    config, level, says, mend, where = case
    (here / "taken").write_text("")
    code, found = doctor("other_profiles", PROFILES + config)
    assert (code, {item["level"] for item in found}) == (0, {level})
    assert says in found[0]["says"]
    assert mend in (found[0]["mend"] or "")
    assert found[0]["where"].startswith("profiles.staging.")
    assert where in found[0]["where"]


def test_what_is_wrong_without_a_profile_too_is_told_once(doctor):
    code, found = doctor("other_profiles", "[providers.acme]\nregoin = 1\n[profiles.staging]\n[profiles.live]\n")
    assert (code, found) == (2, [])


@pytest.mark.parametrize(
    "case",
    [
        (
            {"REELVET_PROVIDERS__ACME__REGION": "a", "REELVET_PROVIDERS__acme__region": "b"},
            "[providers.acme]\n", "wrong", "say the same setting", "Unset one",
        ),
        (
            {"REELVET_PROVIDERS__A_B__REGION": "a"}, 'use = "a-b"\n[providers.a-b]\nplugin = "acme"\n[providers.a_b]\nplugin = "acme"\n',
            "wrong", "may mean any of the instances a-b, a_b", "Rename one",
        ),
        ({"REELVET_PROVIDERS__ACNE__REGION": "a"}, "[providers.acme]\n", "wrong", "'acne', which is neither", "acme"),
        ({"REELVET_PLUGINS": "acme"}, '[plugins]\nallow = ["acme"]\n[providers.acme]\n', "warning", "REELVET_PLUGINS is without effect", "Keep one"),
    ],
)  # fmt: skip
def test_variables_that_contradict(doctor, monkeypatch, case):
    environ, config, level, says, mend = case
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    code, found = doctor("variable_conflicts", config)
    assert (code, found[0]["level"]) == (2 if level == "wrong" else 0, level)
    assert says in found[0]["says"]
    assert mend in found[0]["mend"]


@pytest.mark.parametrize(
    "case",
    [
        ("REELVET_USE", "acne", "active_instance", "no instance 'acne'"),
        ("REELVET_POLICY", "kid", "policies", "no policy 'kid'"),
        ("REELVET_PROFILE", "gone", "profile", "no profile 'gone'"),
        ("REELVET_CONFIG", "gone.toml", "configuration_file", "no configuration file gone.toml"),
        ("REELVET_PROVIDERS__ACME__QUALITY", "best", "settings", "'best'"),
        ("REELVET_PROVIDERS__ACME__API_KEY", "env:NOT_SET", "references", "NOT_SET"),
        ("REELVET_PLUGINS", "off", "instance_plugins", "no installed plugin provides 'acme'"),
    ],
)
def test_variables_that_name_what_is_not_there(doctor, monkeypatch, case):
    name, value, check, says = case
    monkeypatch.setenv(name, value)
    code, found = doctor(check, "[providers.acme]\n")
    assert code == 2
    assert says in found[0]["says"]


def test_an_instance_whose_plugin_is_kept_out(doctor, monkeypatch):
    monkeypatch.setenv("REELVET_PLUGINS", "acme")
    monkeypatch.setenv("REELVET_PROVIDERS__LOCAL__INTERVAL", "2")
    code, found = doctor("instance_plugins", 'use = "local"\n[providers.acme]\n')
    assert (code, found[0]["where"]) == (2, "providers.local")
    assert "let REELVET_PLUGINS or `[plugins] allow` name it" in found[0]["mend"]
    assert doctor("active_instance")[1] == doctor("variable_conflicts")[1] == []


def test_a_provider_that_does_not_start_is_told_once(doctor, distribution):
    spec = {"provider": "reelvet.plugins:Provider"}
    distribution("fresh-dist", "fresh = fresh_plugin", {"fresh_plugin.py": f"SPEC = {spec}{PLUGIN}"})
    assert len(doctor("providers_start", "[providers.fresh]\n")[1]) == 1
    assert doctor("provider_faults")[1] == []


PLUGIN = """
from reelvet.plugins import ProviderSpec, hookimpl
@hookimpl
def reelvet_register(register):
    spec = {"provider": "reelvet_acme.provider:RunnerProvider", **SPEC}
    register(ProviderSpec(id=spec.pop("id", "fresh"), title="Fresh", **spec))
"""


@pytest.mark.parametrize(
    ("spec", "check", "says"),
    [
        ({"settings": "not_there:Settings"}, "instance_plugins", "not_there"),
        ({"options": "not_there:Options"}, "instance_plugins", "not_there"),
        ({"sandbox": "not_there:Sandbox"}, "instance_plugins", "not_there"),
        ({"settings": "json:JSONDecoder"}, "instance_plugins", "json:JSONDecoder is no BaseModel"),
        ({"options": "json:dumps"}, "instance_plugins", "json:dumps is no BaseModel"),
        ({"provider": "json:JSONDecoder"}, "instance_plugins", "json:JSONDecoder is no Provider"),
        ({"provider": "json:gone"}, "instance_plugins", "json:gone"),
        ({"provider": "reelvet.plugins:Provider"}, "providers_start", "abstract"),
        ({"id": "Fresh One"}, "plugins", "'Fresh One'"),
    ],
)
def test_a_plugin_that_names_what_is_not_there(doctor, distribution, spec, check, says):
    distribution("fresh-dist", "fresh = fresh_plugin", {"fresh_plugin.py": f"SPEC = {spec}{PLUGIN}"})
    code, found = doctor(check, "[providers.fresh]\n")
    assert (code, [item["level"] for item in found]) == (2, ["wrong"])
    assert says in found[0]["says"]
    assert found[0]["mend"]


def test_a_provider_whose_own_examination_fails_is_told_and_stops_nothing(doctor, distribution):
    text = """
from reelvet.plugins import Fault, ProviderSpec, hookimpl
from reelvet_acme.provider import RunnerProvider
class Raises(RunnerProvider):
    def examine(self):
        raise RuntimeError("oops")
class Finds(RunnerProvider):
    def examine(self):
        yield Fault("the moon is down", "Wait for it.", "moon")
        yield Fault("so is the sun", "Wait for it too.")
@hookimpl
def reelvet_register(register):
    register(ProviderSpec(id="raises", title="Raises", provider="fresh_plugin:Raises"))
    register(ProviderSpec(id="finds", title="Finds", provider="fresh_plugin:Finds"))
"""
    distribution("fresh-dist", "fresh = fresh_plugin", {"fresh_plugin.py": text})
    code, found = doctor("provider_faults", 'use = "finds"\n[providers.raises]\n[providers.finds]\n')
    assert code == 2
    assert [(item["where"], item["mend"]) for item in found[1:]] == [
        ("providers.finds.moon", "Wait for it."),
        ("providers.finds", "Wait for it too."),
    ]
    assert "RuntimeError: oops" in found[0]["says"]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ("reelvet>=0.1", True),
        ("reelvet", True),
        ("reelvet[local] (>=0.1,<99)", True),
        ("reelvet==0.1.*; python_version>'3'", True),
        ("reelvet~=0.1.0", True),
        ("reelvet @ https://h/reelvet.whl", True),
        ("reelvet-other>=99", True),
        ("reelvet>=99", False),
        ("Reelvet<0.1", False),
        ("reelvet!=0.1.0", False),
        ("reelvet~=1.0", False),
        ("reelvet==99.*", False),
    ],
)
def test_a_plugin_made_for_another_reelvet(doctor, site, monkeypatch, wanted, fits):
    monkeypatch.setattr("reelvet.cli.doctor.plugins.__version__", "0.1.0")
    metadata = site / "reelvet_acme-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text() + f"Requires-Dist: {wanted}\n")
    code, found = doctor("versions", "[providers.acme]\n")
    assert code == (0 if fits else 2)
    assert [wanted in item["says"] for item in found] == ([] if fits else [True])


def test_a_clock_that_lags(doctor, monkeypatch, tmp_path):
    (tmp_path / "version.py").write_text("")
    os.utime(tmp_path / "version.py", (4e9, 4e9))
    monkeypatch.setattr("reelvet.version.__file__", str(tmp_path / "version.py"))
    code, found = doctor("clock", "[providers.acme]\n")
    assert (code, found[0]["level"]) == (0, "warning")
    assert "2096" in found[0]["says"]
    assert "Set it" in found[0]["mend"]


@pytest.mark.parametrize("name", ["most", "give_up"])
def test_pauses_that_cannot_grow(doctor, name):
    pauses = {"first": 90, "most": 90, name: 5}
    lines = [f"{key} = {value}" for key, value in pauses.items()]
    code, found = doctor("polling", "\n".join(["[providers.acme]", "[polling]", *lines]))
    assert (code, [item["level"] for item in found]) == (0, ["warning"])
    assert f"polling.{name} is 5, below polling.first, which is 90" in found[0]["says"]


@pytest.mark.parametrize(
    ("entry", "open_"),
    [("0.0.0.0/0", True), ("169.254.0.0/16", True), ("10.0.0.0/8", False), ("media.internal", False)],
)
def test_a_range_that_opens_the_metadata_service(doctor, entry, open_):
    code, found = doctor("fetch_allow", f'[providers.acme]\n[fetch]\nallow = ["{entry}"]\n')
    assert (code, [item["level"] for item in found]) == (0, ["warning"] if open_ else [])
    assert all(entry in item["says"] and "Name the hosts" in item["mend"] for item in found)


def test_every_check_has_a_case():
    """A check that nothing was planted for fails here."""
    texts = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_doctor*.py"))
    names = {check.__name__.removeprefix("check_") for check in checks.CHECKS}
    assert not {name for name in names if f'"{name}"' not in texts}
