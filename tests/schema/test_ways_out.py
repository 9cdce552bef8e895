"""Law 9: no error leaves its reader without a way out; whoever adds one without fails here."""

import ast
import importlib
import inspect
import json
import pickle
import pkgutil
import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_core._pydantic_core import list_all_errors

import reelvet
from reelvet.schema import errors
from reelvet.schema.base import Strict
from reelvet.schema.errors import InvalidJob, ReelvetError
from reelvet.schema.job import CallbackRequest, ModerationJob, Money, TranscriptRequest
from reelvet.schema.media import Media
from reelvet.schema.validation import accepted, sentences

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *ROOT.glob("providers/*/src/**/*.py")])
# What these are raised for is so various that no default can say what to do: the place that raises has to.
GENERAL = {
    errors.ReelvetError, errors.CallerError, errors.InvalidJob, errors.ConfigurationError, errors.PluginError, errors.ProviderError,
}  # fmt: skip


def tree(root):
    return [root, *(kind for below in root.__subclasses__() for kind in tree(below))]


def every_class():
    """Every error class of every module of the library, the command line's own too."""
    for module in pkgutil.walk_packages(reelvet.__path__, "reelvet."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return sorted(
        {kind for kind in tree(ReelvetError) if kind.__module__.startswith("reelvet")}, key=lambda kind: kind.__name__
    )


CLASSES = every_class()
NAMED = {kind.__name__: kind for kind in CLASSES}


def plain(kind):
    """An error of the class made with what it must be given and nothing else."""
    needed = {"label": "sexul", "key": "k", "items": (), "plugin": "acme", "provider": "acme", "status": "failed"}
    needed |= {"tasks": (), "held": {}}
    parameters = inspect.signature(kind.__init__).parameters
    words = {name: value for name, value in needed.items() if name in parameters and name != "message"}
    words = {name: value for name, value in words.items() if parameters[name].default is inspect.Parameter.empty}
    return kind(**words, **({"message": "it broke"} if "message" in parameters else {}))


def test_the_command_line_has_errors_of_its_own():
    assert {"Interrupted", "TicketNotKept"} <= set(NAMED)
    assert set(errors.__all__) <= set(NAMED)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_knows_a_way_out_of_its_own(kind):
    """In a sentence or a question, once, in the text, as data, and after pickling."""
    assert "default_way_out" in vars(kind), f"say in {kind.__name__} what can be done about it"
    error = plain(kind)
    assert re.fullmatch(r"[A-Z`].*[.?]|.*reelvet wait FILE", error.way_out)
    assert str(error).count(error.way_out) == 1
    assert ".." not in str(error)
    assert error.as_dict()["way_out"] == error.way_out
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.way_out) == (str(error), error.way_out)


def test_a_message_that_is_a_sentence_is_not_ended_twice():
    """Vendors end theirs."""
    assert str(errors.MediaRejected("No such video.", way_out="Upload it.")) == "No such video. Upload it."
    assert str(errors.MediaRejected("no such video", way_out="Upload it.")) == "no such video. Upload it."


def sites():
    """Every place in the sources that makes an error of the tree."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if name in NAMED:
                    yield pytest.param(node, NAMED[name], id=f"{file.relative_to(ROOT)}:{node.lineno}")


SITES = list(sites())


def test_there_are_places_that_raise():
    assert len(SITES) > 100
    assert any("providers/local" in site.id for site in SITES)


@pytest.mark.parametrize(("node", "kind"), SITES)
def test_every_place_that_makes_an_error_says_a_way_out_or_its_class_does(node, kind):
    """A general class cannot know what to do: who raises one says it, and does not leave it open."""
    if kind not in GENERAL:
        assert vars(kind)["default_way_out"]
        return
    given = [keyword.value for keyword in node.keywords if keyword.arg == "way_out"]
    assert given, f"give {kind.__name__} a way_out"
    assert not any(isinstance(part, ast.Constant) and part.value in {None, ""} for part in ends(given[0]))


def ends(value):
    """What an expression may come to."""
    return [*ends(value.body), *ends(value.orelse)] if isinstance(value, ast.IfExp) else [value]


# --- what pydantic refuses ---


@pytest.mark.parametrize("kind", list_all_errors(), ids=lambda kind: kind["type"])
def test_whatever_pydantic_finds_is_told_with_what_would_be_accepted(kind):
    """Its kinds of error are more with every version; none of them stays without an end."""
    context = {"expected_tags": "'a'", "discriminator": "'kind'", **(kind["example_context"] or {})}
    assert re.fullmatch(r"give \S.*[^.]", accepted({"type": kind["type"], "ctx": context, "input": 3}))


class Everything(Strict):
    """One field for each constraint that this library's models use."""

    number: float = 1.0
    model: "Inner | None" = None


class Inner(BaseModel):
    """Something below it."""

    depth: int


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"number": "x"}, "number", "(got 'x'); give a number"),
        ({"numbr": 1}, "numbr", "no such field, did you mean 'number'?"),
        ({"entirely": 1}, "entirely", "no such field; there are number, model"),
        ({"model": {}}, "model.depth", "is required; add it"),
        ({"model": 3}, "model", "give a table: names with values"),
        ({"number": "https://h/a?sign=s3cr3t"}, "number", "'https://h/a?***'"),
    ],
)
def test_each_fault_names_field_value_and_what_would_be_accepted(given, field, says):
    with pytest.raises(ValueError, match="validation error") as caught:
        Everything(**given)
    (told,) = sentences(caught.value, model=Everything)
    assert told[0] == field
    assert says in told[1]
    assert "s3cr3t" not in told[1]


# Field of a job -> a value that it refuses, and what would be accepted.
REFUSED = {
    "media": (3, "give a URL as text, a pathlib.Path, or a Media"),
    "detect": (3, "give a list"),
    "channels": (["smell"], "give one of these"),
    "transcript": (3, "give a table: names with values"),
    "regions": (3, "give a list"),
    "interval": (-1, "give a number above 0"),
    "stop_on": ({"sexual": 3}, "scores are above 0 and at most 1"),
    "callback": ({"url": "ftp://h"}, "give one that starts with https:// or http://"),
    "user": (3, "give text"),
    "metadata": (3, "give a table: names with values"),
    "language": (3, "give text"),
    "key": ("", "give text with a length of at least 1"),
    "attempt": (0, "give a number of at least 1"),
    "deadline": ("soon", "give seconds above 0"),
    "max_cost": (3, "write it as '0.50 USD'"),
    "options": ({"acme": 3}, "give a table: names with values"),
    "on_unsupported": ("maybe", "give one of these"),
}


@pytest.mark.parametrize("name", ModerationJob.model_fields)
def test_every_field_of_a_job_is_refused_with_its_name_the_value_and_a_way_out(name):
    """A new field without a case fails here."""
    value, way = REFUSED[name]
    with pytest.raises(InvalidJob) as caught:
        ModerationJob(**{"media": "https://h/a", name: value})
    error = caught.value
    assert error.field.split(".")[0] == name
    assert f"invalid job: {name}" in error.message
    assert innermost(value) in error.message
    assert error.message.endswith(way) or f"{way}," in error.message
    assert str(error) == f"{error.message}. `reelvet schema job` shows every field."
    assert json.loads(json.dumps(error.as_dict()))["way_out"] == error.way_out


def innermost(value):
    while isinstance(value, dict | list):
        value = next(iter(value.values() if isinstance(value, dict) else value))
    return repr(value)


@pytest.mark.parametrize(
    ("make", "field", "says"),
    [
        (lambda: Media("clip.mp4"), "url", "invalid Media: url: 'clip.mp4' is no URL"),
        (lambda: Media("https://h/a", duration=-1), "duration", "(got -1); give a number above 0"),
        (Media, None, "invalid Media: Media: give either a url or a path"),
        (lambda: Media("https://h/a", knd="live"), "knd", "did you mean 'kind'?"),
        (lambda: TranscriptRequest(languages=3), "languages", "(got 3); give a list"),
        (lambda: CallbackRequest(url="ftp://h?sign=s3cr3t"), "url", "'ftp://h?***' is no callback URL"),
        (lambda: Money(amount=-1, currency="EUR"), "amount", "(got -1); give a number of at least 0"),
    ],
)
def test_a_part_of_a_job_is_refused_as_the_job_is(make, field, says):
    with pytest.raises(InvalidJob) as caught:
        make()
    assert caught.value.field == field
    assert says in str(caught.value)
    assert str(caught.value).endswith("`reelvet schema job` shows every field.")
    assert "s3cr3t" not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert str(again) == str(caught.value)
    assert "_faults" not in caught.value.as_dict()


def test_every_fault_of_a_part_is_told_by_its_place_in_the_job():
    with pytest.raises(InvalidJob) as caught:
        ModerationJob(media={"url": "https://h/a", "duration": -1, "kind": "gif"}, max_cost={"amount": 1})
    assert re.findall(r"(?:^invalid job: |; )([a-z_.]+): ", caught.value.message) == [
        "media.kind",
        "media.duration",
        "max_cost.currency",
    ]
