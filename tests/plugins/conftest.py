"""Throw-away distributions, as pip would install them."""

import importlib
import sys
import textwrap

import pytest

GOOD = """
from reelvet.plugins import Capabilities, ProviderSpec, hookimpl

@hookimpl
def reelvet_register(register):
    register(ProviderSpec(id="{id}", title="Test", provider="{module}_impl:Nothing", capabilities=Capabilities()))
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution: `install("acme", source)`. Its plugin module is named like it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    installed = []

    def installs(dist, source=GOOD, *, point=None, version="1.0", provider=None):
        module = f"throwaway_{dist.replace('-', '_')}"
        text = textwrap.dedent(source).replace("{id}", provider or point or dist).replace("{module}", module)
        (site / f"{module}.py").write_text(text)
        info = site / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[reelvet]\n{point or dist} = {module}\n")
        installed.append(module)
        importlib.invalidate_caches()
        return site

    yield installs
    for name in [name for name in sys.modules if name.startswith("throwaway_")]:
        del sys.modules[name]
