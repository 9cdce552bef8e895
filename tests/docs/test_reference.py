"""What the pages list is what the code has: nothing missing, nothing invented."""

import importlib.util
import inspect
import json
import re

import pytest
import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from reelvet.cli.app import app
from reelvet.cli.exits import Exit
from reelvet.cli.schema import PLACES
from reelvet.config import Config, EventsConfig, FetchConfig, PluginsConfig, PollingConfig, SecretsConfig, sources
from reelvet.config.sections import JournalConfig, SettleConfig
from reelvet.events import MOST_BYTES, SCHEDULE, EventType
from reelvet.http.addresses import AllowList
from reelvet.plugins import Capabilities, Provider, ProviderSpec
from reelvet.schema import delta, errors, job, media, plan, result, task, ticket
from reelvet.taxonomy import LabelMap, Taxonomy
from reelvet_gcore.errors import ROWS
from reelvet_gcore.settings import GcoreOptions, GcoreSettings
from reelvet_huawei.errors import ROWS as HUAWEI_ROWS
from reelvet_huawei.read import STATES, STATUSES
from reelvet_huawei.settings import HuaweiOptions, HuaweiSettings
from reelvet_local.errors import CODES
from reelvet_local.settings import LocalOptions, LocalSettings
from reelvet_tencent import errors as tencent
from reelvet_tencent.settings import TencentOptions, TencentSettings

_OPTION = r"(?<![\w-])(--[a-z][a-z-]*)"


@pytest.fixture
def section(root):
    """The text of a page below a heading, up to the next heading of the same or a higher level."""

    def find(page, heading):
        text = (root / page).read_text(encoding="utf-8")
        start = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
        assert start, f"{page} has no heading {heading!r}"
        level = len(start[1])
        end = re.search(rf"^#{{1,{level}}} ", text[start.end() :], re.MULTILINE)
        return text[start.end() : start.end() + end.start()] if end else text[start.end() :]

    return find


def rows(text):
    """The first table of a text: first cell (without backticks) -> the other cells."""
    found = {}
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for line in lines[2:] if lines else ():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        found[cells[0].strip("`")] = cells[1:]
    return found


def default_of(field):
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return ""
    return f"`{json.dumps(value, default=str)}`"


@pytest.mark.parametrize(
    ("path", "heading", "model"),
    [
        ("docs/configuration.md", "At the top", Config),
        ("docs/configuration.md", "`[fetch]`", FetchConfig),
        ("docs/configuration.md", "`[secrets]`", SecretsConfig),
        ("docs/configuration.md", "`[polling]`", PollingConfig),
        ("docs/configuration.md", "`[plugins]`", PluginsConfig),
        ("docs/configuration.md", "`[journal]`", JournalConfig),
        ("docs/configuration.md", "`[settle]`", SettleConfig),
        ("docs/configuration.md", "`[events]`", EventsConfig),
        ("docs/providers/local.md", "Settings", LocalSettings),
        ("docs/providers/local.md", "Options", LocalOptions),
        ("docs/providers/gcore.md", "Settings", GcoreSettings),
        ("docs/providers/gcore.md", "Options", GcoreOptions),
        ("docs/providers/tencent.md", "Settings", TencentSettings),
        ("docs/providers/tencent.md", "Options", TencentOptions),
        ("docs/providers/huawei.md", "Settings", HuaweiSettings),
        ("docs/providers/huawei.md", "Options", HuaweiOptions),
    ],
)
def test_every_key_is_listed_with_its_default(section, path, heading, model):
    listed = {key: cells[0] for key, cells in rows(section(path, heading)).items()}
    assert listed == {name: default_of(field) for name, field in model.model_fields.items()}


def test_every_variable_is_listed(section):
    listed = set(rows(section("docs/configuration.md", "Environment variables")))
    named = {*sources._SIMPLE, *sources._OTHERS}
    assert listed == named | {"REELVET_PROVIDERS__INSTANCE__FIELD"}


def test_what_may_be_allowed_is_written_as_shown(section):
    examples = rows(section("docs/configuration.md", "`[fetch]`"))["allow"][-1]
    written = re.findall(r"`([^`]+)`", examples)
    assert written
    assert AllowList(written)


@pytest.fixture
def fields(root):
    """The script that writes the tables."""
    spec = importlib.util.spec_from_file_location("docs_fields", root / "docs" / "fields.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_fields_and_the_tree_of_errors_are_those_of_the_code(fields):
    for path in fields.PAGES:
        page = path.read_text(encoding="utf-8")
        assert fields.render(page) == page, "run: uv run python docs/fields.py"


def test_every_model_and_every_error_is_listed(fields):
    page = fields.PAGE.read_text(encoding="utf-8")
    for module in (job, media, plan, result, delta, task, ticket):
        for name, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, BaseModel) and member.__module__ == module.__name__:
                assert f"<!-- fields: {module.__name__}:{name} -->\n| field |" in page
                assert all(field.description for field in member.model_fields.values()), name
    for name, member in inspect.getmembers(errors, inspect.isclass):
        if issubclass(member, errors.ReelvetError):
            assert re.search(rf"^ *- `{name}`: \S", page, re.MULTILINE), name


@pytest.mark.parametrize(
    ("heading", "enum"),
    [
        ("Status", task.Status),
        ("Verdict", result.Verdict),
        ("Relation", result.Relation),
        ("Task state", ticket.TaskState),
    ],
)
def test_every_word_is_listed(section, heading, enum):
    assert list(rows(section("docs/results.md", heading))) == [member.value for member in enum]


def test_every_state_of_coverage_is_listed(section):
    assert set(rows(section("docs/results.md", "Coverage"))) == {state.value for state in result.CoverageState}


def test_every_command_and_option_is_listed(section):
    command = typer.main.get_command(app)
    listed = {}
    for heading, made in command.commands.items():
        text = section("docs/cli.md", f"`reelvet {heading}`")
        listed[heading] = set(re.findall(_OPTION, text))
        parts = [made, *getattr(made, "commands", {}).values()]  # what stands below a command is told with it
        wanted = {o for part in parts for parameter in part.params for o in parameter.opts if o.startswith("--")}
        shared = set(re.findall(_OPTION, section("docs/cli.md", "What a job is made of")))
        if "What a job is made of" in text or "#what-a-job-is-made-of" in text:
            listed[heading] |= shared
        assert listed[heading] == wanted, heading
    globals_ = set(re.findall(_OPTION, section("docs/cli.md", "Options before the command")))
    assert globals_ == {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    headings = set(re.findall(r"^#+ `reelvet ([a-z]+)`$", section("docs/cli.md", "Commands"), re.MULTILINE))
    assert headings == set(command.commands)


def test_what_the_platform_is_told_is_listed(section):
    text = section("docs/events.md", "What is sent")
    assert set(rows(text)) == {kind.value for kind in EventType}
    assert f"A body has {MOST_BYTES // 1024} KiB at most" in text
    delays = _cells(section("docs/events.md", "When it is not taken").partition("Tries follow")[2])
    assert [float(seconds) for _, seconds in delays] == list(SCHEDULE)


def test_every_exit_code_is_listed(section):
    assert [int(code) for code in rows(section("docs/cli.md", "Exit codes"))] == sorted(int(code) for code in Exit)


def test_every_schema_is_listed(section):
    text = section("docs/cli.md", "`reelvet schema`")
    assert set(PLACES) <= set(re.findall(r"`([a-z]+)`", text))


def test_what_local_sees_is_its_map(section):
    table = rows(section("docs/providers/local.md", "What it sees"))
    mapped = {
        m.native: [f"`{m.label}`", m.relation.value, m.channel.value]
        for m in LabelMap.load("reelvet_local", Taxonomy.default())
    }
    assert {native: cells[:3] for native, cells in table.items()} == mapped


def test_every_refusal_of_gcore_is_listed(section):
    text = section("docs/providers/gcore.md", "How a call fails")
    assert {(int(status), row[0].strip("`") or "") for status, *row in _cells(text)} == {
        (r.status, r.says) for r in ROWS
    }


def test_every_code_of_tencent_is_listed(section):
    calls = rows(section("docs/providers/tencent.md", "How a call fails"))
    assert calls == {r.code: [f"`{r.error.__name__}`", r.created] for r in tencent.ROWS}
    tasks = rows(section("docs/providers/tencent.md", "How a task fails"))
    assert tasks == {r.code: [f"`{r.error.__name__}`", r.says] for r in tencent.FAILURES}


def test_every_code_and_every_state_of_huawei_is_listed(section):
    listed = {}
    for codes, error, created, _ in _cells(section("docs/providers/huawei.md", "How a call fails")):
        listed |= dict.fromkeys(re.findall(r"`([^`]+)`", codes), (error.strip("`"), created))
    told = {"no": "nothing", "maybe": "perhaps a task"}
    assert listed == {row.code: (row.error.__name__, told[row.created]) for row in HUAWEI_ROWS.values()}
    states = {}
    for line in section("docs/providers/huawei.md", "States").splitlines():
        if line.startswith("| `"):
            words, status = line.split("|")[1:3]
            states |= dict.fromkeys(re.findall(r"`([^`]+)`", words), re.split("[,;]", status)[0].strip())
    assert states == {word: status.value for word, status in {**STATES, **STATUSES}.items()}


def _cells(text):
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_every_code_of_local_is_listed(section):
    assert set(rows(section("docs/providers/local.md", "How a job fails"))) == {*CODES, "fetch"}


def test_pages_of_providers_have_the_same_headings(root):
    wanted = [
        "Credentials", "Regions and data handling", "Options and settings", "What it sees", "Limits and quirks",
        "Callbacks", "Cost", "Early stop and sampling", "Last verified live",
    ]  # fmt: skip
    for page in (root / "docs" / "providers").glob("*.md"):
        headings = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == wanted, page.name


def test_the_contract_is_listed_whole(section):
    """Every method of `Provider`, every field of its card and of what it can do."""
    text = section("docs/plugins.md", "The contract")
    methods = {name for name, member in vars(Provider).items() if inspect.isfunction(member) and name[0] != "_"}
    assert methods <= set(re.findall(r"`(\w+)\(", text)), methods - set(re.findall(r"`(\w+)\(", text))
    for heading, kind in (("The card", ProviderSpec), ("What it can do", Capabilities)):
        listed = set(rows(section("docs/plugins.md", heading)))
        assert listed == set(kind.__dataclass_fields__), heading
