"""Law 12: a broken plugin is reported, not fatal, until it is asked for. One test per way of breaking."""

import warnings

import pytest

from reelvet.plugins import Capabilities, Provider, ProviderSpec, Registry, hookimpl
from reelvet.schema.errors import DuplicatePlugin, PluginBroken, PluginError, PluginNotFound
from reelvet.taxonomy import Kind, Label

HEAD = "from reelvet.plugins import ProviderSpec, hookimpl\n"
BROKEN = {
    "raises": ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
    "misses a module": ("import module_that_is_not_there", "module_that_is_not_there"),
    "is no Python": ("def (", "SyntaxError"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "misspells the hook": (HEAD + "@hookimpl\ndef reelvet_registr(register): ...", "reelvet_registr"),
    "misspells the argument": (HEAD + "@hookimpl\ndef reelvet_register(registre): ...", "registre"),
    "forgets the marker": (HEAD + "def reelvet_register(register): ...", "implements no hook"),
    "is empty": ("", "implements no hook"),
    "raises in the hook": (HEAD + "@hookimpl\ndef reelvet_register(register): 1 / 0", "ZeroDivisionError"),
    "registers a stranger": (HEAD + "@hookimpl\ndef reelvet_register(register): register('broken')", "'broken'"),
    "has a wrong id": (HEAD + "@hookimpl\ndef reelvet_register(register): register(ProviderSpec('A b', 't', 'm:C'))", "'A b'"),
}  # fmt: skip


def discover(**arguments):
    """The registry, its warnings beside it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return Registry.discover(**arguments), [str(warning.message) for warning in caught]


@pytest.mark.parametrize(("source", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_isolated_reported_and_raised_when_asked_for(install, source, says):
    """The others work; the report names plugin, distribution and cause; asking for it raises with the cause chained."""
    install("broken-dist", source, point="broken", version="0.3")
    install("good")
    registry, warned = discover()
    assert "good" in registry
    assert "broken" not in registry
    assert "broken" not in [spec.id for spec in registry]
    (problem,) = registry.problems
    assert (problem.plugin, problem.distribution) == ("broken", "broken-dist 0.3")
    assert says in problem.says
    assert [line for line in warned if "broken-dist 0.3" in line and says in line]
    with pytest.raises(PluginBroken, match=r"broken-dist 0\.3") as caught:
        registry.spec("broken")
    assert says in str(caught.value)
    assert caught.value.__cause__ is problem.error
    assert caught.value.way_out


def test_a_plugin_that_fails_half_way_registers_nothing(install):
    """Two providers, then an exception: none of them is half there."""
    source = (
        HEAD + "@hookimpl\ndef reelvet_register(register):\n    register(ProviderSpec('half', 't', 'm:C'))\n    1 / 0"
    )
    install("broken", source)
    registry, _ = discover()
    assert "half" not in registry
    with pytest.raises(PluginNotFound, match=r"broken of broken 1\.0"):
        registry.spec("half")


def test_two_distributions_with_one_provider_id_are_both_named(install):
    """Neither can be trusted to be the one that is meant."""
    install("first-dist", point="first", provider="acme", version="1.0")
    install("second-dist", point="second", provider="acme", version="2.0")
    registry, warned = discover()
    assert "acme" not in registry
    assert [line for line in warned if "first-dist 1.0" in line and "second-dist 2.0" in line]
    with pytest.raises(DuplicatePlugin) as caught:
        registry.spec("acme")
    assert "first-dist 1.0" in str(caught.value)
    assert "second-dist 2.0" in str(caught.value)
    assert "Uninstall" in str(caught.value)
    assert registry.spec("local").id == "local"


def test_two_distributions_with_one_entry_point_name_both_count(install):
    """Pluggy's own loader would pass over the second in silence."""
    install("first-dist", point="same", provider="one")
    install("second-dist", point="same", provider="two")
    registry, warned = discover()
    assert {"one", "two"} <= {spec.id for spec in registry}
    assert (registry.origin("one"), registry.origin("two")) == ("first-dist 1.0", "second-dist 1.0")
    assert not warned


@pytest.mark.parametrize(
    ("variable", "argument", "found"),
    [
        (None, None, {"good", "other", "local"}),
        ("", None, {"good", "other", "local"}),
        ("good", None, {"good"}),
        (" good , other ", None, {"good", "other"}),
        ("off", None, set()),
        ("nothing-installed", None, set()),
        ("off", ["good"], {"good"}),
        ("good", ["other"], {"other"}),
        (None, [], set()),
    ],
)
def test_plugins_are_limited_and_switched_off(install, monkeypatch, variable, argument, found):
    """By REELVET_PLUGINS, or by an argument, which comes first."""
    install("good")
    install("other")
    if variable is not None:
        monkeypatch.setenv("REELVET_PLUGINS", variable)
    registry, _ = discover(allow=argument)
    assert {spec.id for spec in registry} & {"good", "other", "local"} == found


def test_a_plugin_that_may_not_load_is_not_even_imported(install, monkeypatch):
    """The allow-list is there for plugins one does not trust."""
    install("broken", "raise RuntimeError('was imported')")
    monkeypatch.setenv("REELVET_PLUGINS", "local")
    registry, warned = discover()
    assert not registry.problems
    assert not warned
    with pytest.raises(PluginNotFound, match="REELVET_PLUGINS"):
        registry.spec("broken")


def test_a_provider_that_is_not_installed_is_named_with_the_way_to_install_it():
    """And with what is installed."""
    with pytest.raises(
        PluginNotFound, match=r"'acme' \(installed: .*local.*\)\. Install the distribution that brings it"
    ) as caught:
        Registry.discover().spec("acme")
    assert isinstance(caught.value, LookupError)


def test_an_implementation_is_imported_when_it_is_loaded(install):
    """And what fails then is `PluginBroken`, whatever it raises, with the cause chained."""
    install("acme")
    registry, _ = discover()
    with pytest.raises(PluginBroken, match="throwaway_acme_impl:Nothing") as caught:
        registry.load("acme")
    assert isinstance(caught.value.__cause__, ImportError)
    assert caught.value.distribution == "acme 1.0"
    assert registry.load("acme", "settings") is None


@pytest.mark.parametrize("source", ["raise ValueError('x')", "1 / 0", "def (", ""])
def test_an_implementation_that_breaks_in_any_way_is_a_broken_plugin(install, source):
    """Not only a missing import."""
    site = install("acme")
    (site / "throwaway_acme_impl.py").write_text(source)
    registry, _ = discover()
    with pytest.raises(PluginBroken):
        registry.load("acme")


def test_the_local_provider_loads_through_the_same_door():
    """No entrance of its own for what is in the tree."""
    registry = Registry.discover()
    assert issubclass(registry.load("local"), Provider)
    assert registry.load("local", "settings").model_fields
    assert registry.origin("local").startswith("reelvet-local ")
    assert not registry.problems


class Plugin:
    """A plugin in this process."""

    def __init__(self, *specs):
        self.specs = specs

    @hookimpl
    def reelvet_register(self, register):
        for spec in self.specs:
            register(spec)


def with_labels(id_, *labels):
    return ProviderSpec(id=id_, title=id_, provider="m:C", labels=labels)


def test_a_plugin_object_is_registered_without_installation():
    """For tests and notebooks."""
    registry = Registry()
    registry.add_plugin(Plugin(with_labels("acme"), with_labels("beta")))
    assert {spec.id for spec in registry} == {"acme", "beta"}
    with pytest.raises(PluginError, match="implements no hook"):
        registry.add_plugin(object())


def test_labels_of_plugins_join_the_taxonomy():
    """A pattern on their parent matches them."""
    registry = Registry()
    assert "x.acme.gore" not in registry.taxonomy
    registry.add_plugin(Plugin(with_labels("acme", Label("x.acme.gore", Kind.HARM, "Gore", parent="violence.graphic"))))
    assert "x.acme.gore" in registry.taxonomy.expand("violence")


def test_a_plugin_with_wrong_labels_is_reported_and_still_works_without_them():
    """Once, however often the taxonomy is made."""
    registry = Registry()
    registry.add_plugin(Plugin(with_labels("acme", Label("x.acme.gore", Kind.HARM, "Gore", parent="violense"))))
    for other in ("beta", "gamma"):
        assert "x.acme.gore" not in registry.taxonomy
        registry.add_plugin(Plugin(with_labels(other)))
    assert "violense" in registry.problems[0].says
    assert len(registry.problems) == 1
    assert registry.spec("acme").id == "acme"


def test_capabilities_may_be_worked_out_late():
    """A callable is called when they are first asked for, not when the plugin is listed."""
    calls = []
    spec = ProviderSpec("acme", "t", "m:C", capabilities=lambda: calls.append(1) or Capabilities(price_class="free"))
    assert not calls
    assert spec.at_most.price_class == "free"
    assert ProviderSpec("acme", "t", "m:C", capabilities=Capabilities()).at_most == Capabilities()
