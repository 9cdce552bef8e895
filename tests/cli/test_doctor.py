"""`reelvet doctor`: every class of misconfiguration, planted one by one, is named together with its mend."""

import os
from importlib.util import find_spec

import pytest

BAD_KEY = '[secrets]\nkey = "short"\n'


def test_nothing_configured_is_fine_and_says_what_holds(reelvet):
    called = reelvet("doctor", "--json")
    told = {item["check"]: item for item in called.json["checks"] if item["level"] == "ok"}
    assert "no configuration file" in told["configuration_file"]["says"]
    assert called.code == (0 if find_spec("reelvet_local") else 2)


def test_all_is_well(acme, here):
    (here / "reelvet.toml").chmod(0o600)
    called = acme("doctor")
    assert called.code == 0
    assert "jobs go to 'acme'" in called.out
    assert "Usable, 0 warnings." in called.out
    assert max(len(line) for line in called.out.splitlines() if "/" not in line) <= 80


def test_every_problem_is_told_at_once(reelvet, here, monkeypatch):
    (here / "reelvet.toml").write_text(
        'polisy = "kids"\nuse = "acme"\npolicy = "kid"\n[fetch]\ntimeout = "soon"\nalow = []\n[providers.acme]\nquality = "best"\n'
        + BAD_KEY
    )
    monkeypatch.setenv("REELVET_USES", "acme")
    monkeypatch.setenv("REELVET_PROFILE", "staging")
    monkeypatch.delenv("ACME_API_KEY")
    called = reelvet("doctor")
    assert called.code == 2
    for told in (
        "unknown key 'polisy'", "Did you mean 'policy'?", "fetch.timeout", "Did you mean 'allow'?", "there is no profile 'staging'", "REELVET_USES is no variable",
        "providers.acme.api_key is missing", "ACME_API_KEY", "quality", "Did you mean 'kids'?", "32 bytes",
    ):  # fmt: skip
        assert told in " ".join(called.out.split()), told
    assert "things wrong" in called.out


@pytest.mark.parametrize(
    ("check", "config", "says", "mend"),
    [
        ("configuration_file", 'use = "acme', "is no TOML", "Mend the file"),
        ("profile", "profiles = 3\n", "no table", "[profiles."),
        ("keys", "polisy = 1\n", "unknown key 'polisy'", "'policy'"),
        ("keys", "[fetch]\nalow = []\n", "unknown key 'fetch.alow'", "'allow'"),
        ("keys", 'production = "maybe"\n', "production", "reelvet schema config"),
        ("keys", "providers = 3\n", "providers", "reelvet schema config"),
        ("active_instance", "[providers.acme]\n[providers.runner]\n", "several instances", "REELVET_USE"),
        ("active_instance", 'use = "acne"\n', "no instance 'acne'", "Did you mean 'acme'?"),
        (
            "instance_plugins",
            "[providers.gone]\n",
            "no installed plugin provides 'gone'",
            "Install the distribution that brings it",
        ),
        (
            "instance_plugins",
            '[providers.eu]\nplugin = "gone"\n',
            "no installed plugin provides 'gone'",
            "Install the distribution that brings it",
        ),
        ("references", '[providers.acme]\napi_key = "env:NOT_SET"\n', "NOT_SET, which is not set", "Set NOT_SET"),
        ("references", '[providers.acme]\napi_key = "file:gone"\n', "file gone, which cannot be read", "readable"),
        ("settings", "[providers.acme]\nregoin = 1\n", "did you mean 'region'?", "reelvet schema acme.settings"),
        ("settings", '[providers.acme]\nquality = "best"\n', "quality", "reelvet schema acme.settings"),
        ("settings", "[providers.runner]\nregion = 1\n", "takes no settings", "Take them out"),
        ("seal_key", BAD_KEY, "32 bytes", "generate_key"),
        ("seal_key", '[secrets]\nkey = "env:NOT_SET"\n', "NOT_SET", "Set NOT_SET"),
        (
            "callback_secrets",
            '[secrets.callbacks]\nmine = "env:NOT_SET"\n',
            "secrets.callbacks.mine",
            "Set NOT_SET",
        ),
        ("callback_secrets", '[secrets.callbacks]\nmine = ""\n', "empty", "random"),
        ("events", '[events]\nurl = "https://h/a"\nsecrets = "sesame"\n', "whsec_", "os.urandom(32)"),
        ("events", '[events]\nurl = "env:NOT_SET"\nsecrets = "sesame"\n', "events.url", "Set NOT_SET"),
        ("policies", 'policy = "kid"\n', "no policy 'kid'", "'kids'"),
        ("policies", 'policy = "gone.toml"\n', "gone.toml", "default"),
        ("policies", "policy = []\n", "no policy is named", "default"),
        ("policies", 'policy = "mine"\n[policies.mine]\nblok = 1\n', "blok", "docs/policy.md"),
        ("policies", "[policies.unused]\nblock = 2\n", "block", "docs/policy.md"),
        ("policies", '[policies.mine]\nrules = [{label = "violance", block = 0.5}]\n', "violance", "violence"),
        (
            "providers_start",
            'production = true\n[providers.acme]\nbase_url = "http://127.0.0.1"\n',
            "marked production",
            "Remove base_url",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_mend(doctor, check, config, says, mend):
    code, found = doctor(check, config)
    assert code == 2
    assert [item["level"] for item in found] == ["wrong"]
    assert says in found[0]["says"]
    assert mend in found[0]["mend"]


def test_a_named_file_that_is_not_there(doctor):
    code, found = doctor("configuration_file", None, "--config", "missing.toml")
    assert code == 2
    assert "no configuration file missing.toml" in found[0]["says"]
    assert "Name an existing" in found[0]["mend"]


def test_an_unknown_profile(doctor):
    code, found = doctor("profile", "[profiles.production]\n", "--profile", "staging")
    assert code == 2
    assert "no profile 'staging'" in found[0]["says"]
    assert "production" in found[0]["mend"]


def test_a_fault_in_a_profile_that_was_not_chosen(doctor):
    code, found = doctor("other_profiles", "[providers.acme]\n[profiles.staging]\npolisy = 1\n")
    assert (code, found[0]["level"]) == (0, "warning")
    assert "unknown key 'profiles.staging.polisy'" in found[0]["says"]


def test_a_missing_secret(doctor, monkeypatch):
    monkeypatch.delenv("ACME_API_KEY")
    code, found = doctor("settings", "[providers.acme]\nregoin = 1\n")
    assert code == 2
    assert "providers.acme.api_key is missing" in found[0]["says"]
    assert "ACME_API_KEY" in found[0]["mend"]
    assert "regoin" in found[1]["says"]  # the one does not hide the other


@pytest.mark.parametrize("name", ["REELVET_USES", "REELVET_PROVIDERS__ACME"])
def test_an_unknown_variable(doctor, monkeypatch, name):
    monkeypatch.setenv(name, "x")
    code, found = doctor("variables")
    assert code == 2
    assert name in found[0]["says"]


@pytest.mark.parametrize(("word", "code", "level"), [("off", 0, "warning"), ("perhaps", 2, "wrong")])
def test_the_network_switch(doctor, monkeypatch, word, code, level):
    monkeypatch.setenv("REELVET_NETWORK", word)
    got, found = doctor("network_switch", "[providers.acme]\n")
    assert (got, found[0]["level"]) == (code, level)


def test_an_unreadable_file(doctor, here):
    (here / "reelvet.toml").write_bytes(b"\xff\xfe")
    code, found = doctor("configuration_file")
    assert code == 2
    assert "cannot read the configuration" in found[0]["says"]


@pytest.mark.parametrize(
    "case",
    [
        ("plugins", "raise RuntimeError('out of order')", "out of order"),
        ("plugins", "import not_there", "No module named 'not_there'"),
        (
            "plugins",
            "from reelvet.plugins import hookimpl\n@hookimpl\ndef reelvet_registr(register): ...",
            "reelvet_registr",
        ),
        ("plugins", "x = 1", "it implements no hook"),
        (
            "plugin_labels",
            "spec(labels=(Label('x.other.smoke', Kind.HARM, '...', parent='substances'),))",
            "must begin with 'x.fresh.'",
        ),
        ("plugin_capabilities", "spec(capabilities=lambda: 1 / 0)", "cannot say what provider 'fresh' sees"),
        (
            "plugin_capabilities",
            "spec(capabilities=Capabilities((Capability('no.such', ('visual',)),)))",
            "labels that are in no taxonomy: no.such",
        ),
        ("duplicate_plugins", "spec(id='acme')", "registered by reelvet-acme 1.0 and by fresh-dist 1.0"),
    ],
)
@pytest.mark.parametrize("used", [False, True])
def test_plugins(doctor, distribution, used, case):
    check, text, says = case
    head = """
from reelvet.plugins import Capabilities, Capability, ProviderSpec, hookimpl
from reelvet.taxonomy import Kind, Label
def spec(**more):
    @hookimpl
    def reelvet_register(register):
        register(ProviderSpec(**{"id": "fresh", "title": "Fresh", "provider": "reelvet_acme.provider:RunnerProvider", **more}))
    globals()["reelvet_register"] = reelvet_register
"""
    distribution("fresh-dist", "fresh = fresh_plugin", {"fresh_plugin.py": (head if "spec(" in text else "") + text})
    if check == "duplicate_plugins":
        config = "[providers.acme]\n" if used else "[providers.runner]\n"
    else:
        config = "[providers.fresh]\n" if used else "[providers.runner]\n"
    code, found = doctor(check, config)
    assert code == (2 if used else 0)
    assert [item["level"] for item in found] == ["wrong" if used else "warning"]
    assert says in found[0]["says"]
    assert found[0]["mend"]


def test_a_traceback_only_when_it_is_asked_for(reelvet, distribution):
    distribution("fresh-dist", "fresh = fresh_plugin", {"fresh_plugin.py": "raise RuntimeError('out of order')"})
    assert "fresh_plugin.py" not in reelvet("doctor").out
    assert "fresh_plugin.py" in "".join(reelvet("doctor", "--verbose").out.split())


@pytest.mark.parametrize("config", ["", '[plugins]\nallow = ["acme", "typo"]\n'])
def test_an_allow_list_that_names_nothing(doctor, monkeypatch, config):
    if not config:
        monkeypatch.setenv("REELVET_PLUGINS", "acme,typo")
    _, found = doctor("allow_list", config + "[providers.acme]\n")
    assert "'typo', which is not installed" in found[0]["says"]


def test_an_implementation_that_cannot_be_imported(doctor, distribution):
    text = """
from reelvet.plugins import ProviderSpec, hookimpl
@hookimpl
def reelvet_register(register):
    register(ProviderSpec(id="fresh", title="Fresh", provider="not_there:Provider"))
"""
    distribution("fresh-dist", "fresh = fresh_plugin", {"fresh_plugin.py": text})
    code, found = doctor("instance_plugins", "[providers.fresh]\n")
    assert code == 2
    assert "not_there" in found[0]["says"]


def test_a_threshold_below_what_the_vendor_reports(doctor):
    code, found = doctor("thresholds", "[providers.acme]\nfloor = 0.95\n")
    assert code == 0
    assert {item["level"] for item in found} == {"warning"}
    assert "reports nothing below 0.95" in found[0]["says"]


def test_two_policies_of_one_name(doctor, here):
    (here / "other.toml").write_text('name = "default"\nblock = 0.5\n')
    code, found = doctor("policy_names", 'policy = ["default", "other.toml"]\n[providers.acme]\n')
    assert code == 2
    assert "named 'default'" in found[0]["says"]


def test_secrets_that_others_may_read(doctor, here):
    config = '[providers.acme]\napi_key = "hush-hush"\n[providers.runner]\n'
    (here / "reelvet.toml").write_text('use = "acme"\n' + config)
    (here / "reelvet.toml").chmod(0o644)
    code, found = doctor("plain_secrets")
    assert code == 0
    assert "providers.acme.api_key" in found[0]["says"]
    assert "chmod 600" in found[0]["mend"]
    (here / "reelvet.toml").chmod(0o600)
    assert doctor("plain_secrets")[1] == []


def test_no_secret_is_shown(reelvet, here):
    (here / "reelvet.toml").write_text(
        '[providers.acme]\napi_key = ["hush-hush"]\nquality = "x"\n[secrets]\nkey = 7788\n[secrets.callbacks]\nmine = 9911\n'
    )
    for arguments in (["doctor"], ["doctor", "--json"]):
        out = reelvet(*arguments).out
        assert not any(secret in out for secret in ("hush-hush", "7788", "9911"))


def test_a_state_directory_that_is_a_file(doctor, here, monkeypatch):
    (here / "taken").write_text("")
    monkeypatch.setenv("REELVET_STATE_DIR", str(here / "taken" / "state"))
    code, found = doctor("state_directory", "[providers.acme]\n")
    assert code == 2
    assert "is a file" in found[0]["says"]
    assert "REELVET_STATE_DIR" in found[0]["mend"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_state_directory_that_may_not_be_written_to(doctor, here, monkeypatch):
    (here / "shut").mkdir(mode=0o500)
    monkeypatch.setenv("REELVET_STATE_DIR", str(here / "shut"))
    code, found = doctor("state_directory", "[providers.acme]\n")
    assert code == 2
    assert "cannot be written to" in found[0]["says"]


def test_a_state_directory_that_others_may_read(doctor, state):
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    code, found = doctor("state_permissions", "[providers.acme]\n")
    assert code == 0
    assert f"chmod 700 {state}" in found[0]["mend"]


def test_extras_that_are_not_there(doctor, monkeypatch):
    import reelvet.cli.doctor.surroundings as room

    monkeypatch.setattr(room, "find_spec", lambda name: None)
    monkeypatch.setenv("REELVET_PLUGINS", "acme")
    _, found = doctor("extras", "[providers.acme]\n")
    told = " ".join(item["mend"] for item in found)
    assert {item["level"] for item in found} == {"note"}
    assert all(
        extra in told for extra in ("REELVET_PLUGINS", "pip install cryptography", "pip install opentelemetry-api")
    )


def test_sealing_without_its_library(doctor, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cryptography.fernet", None)
    code, found = doctor("seal_key", BAD_KEY)
    assert code == 2
    assert "cryptography" in found[0]["says"]


@pytest.mark.parametrize(("key", "code", "says"), [("good", 0, "all is well"), ("wrong", 12, "the key is refused")])
def test_live(acme, monkeypatch, key, code, says):
    monkeypatch.setenv("ACME_API_KEY", key)
    called = acme("doctor", "--live", "--json")
    told = [item for item in called.json["checks"] if item["check"] == "live"]
    assert called.code == code
    assert says in told[0]["says"]


def test_live_does_not_ask_what_is_wrong_anyway(acme, here, monkeypatch):
    monkeypatch.delenv("ACME_API_KEY")
    (here / "reelvet.toml").write_text('use = "acme"\n[providers.acme]\n[providers.runner]\n')
    called = acme("doctor", "--live", "--json")
    told = [item["says"] for item in called.json["checks"] if item["check"] == "live"]
    assert called.code == 2
    assert told == [
        "instance 'acme' was not asked: something above is wrong with it",
        "instance 'runner': it works here",
    ]


def test_a_check_that_fails_hides_no_other(doctor, monkeypatch):
    from reelvet.cli.doctor import checks

    def check_badly(examined):
        raise RuntimeError("oops")

    monkeypatch.setattr(checks, "CHECKS", (check_badly, *checks.CHECKS))
    code, found = doctor("badly", "[providers.acme]\n")
    assert code == 2
    assert "oops" in found[0]["says"]
