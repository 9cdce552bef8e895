"""Law 9: errors are one tree, picklable, JSON-safe, and say what to do."""

import copy
import inspect
import json
import pickle

import pytest

from reelvet.schema import errors
from reelvet.schema.errors import CallerError, JobFailed, ProviderError, ReelvetError, UnknownLabel
from reelvet.schema.plan import Unsupported
from reelvet.schema.result import ModerationResult
from reelvet.schema.ticket import Ticket

CLASSES = sorted(
    (thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, ReelvetError)),
    key=lambda cls: cls.__name__,
)
TICKET = Ticket(key="k", provider="acme", instance="acme")
VALUES = {
    "message": "it went wrong", "label": "sexul", "nearest": ("sexual",), "field": "media.url", "key": "k", "attempt": 2,
    "items": (Unsupported(field="detect", says="no", alternatives=("sexual",)),), "source": "reelvet.toml",
    "plugin": "acme", "distribution": "acme 1.0", "status": 500, "result": ModerationResult(key="k", status="failed"),
    "provider": "acme", "instance": "acme-eu", "code": "X.1", "request_id": "r-1", "retryable": True, "retry_after": 2.5,
    "created": "no", "body": "{}", "ticket": TICKET, "url": "https://h/a?***", "way_out": "Do this.",
}  # fmt: skip


def make(cls):
    """An error of the class with everything said that can be said."""
    names = {
        name
        for base in cls.__mro__
        if "__init__" in vars(base) and issubclass(base, ReelvetError)
        for name, parameter in inspect.signature(base.__init__).parameters.items()
        if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY} and name != "self"
    }
    own = inspect.signature(cls.__init__).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in own.values()):
        names &= own.keys()
    return cls(**{name: VALUES[name] for name in names})


@pytest.fixture(params=CLASSES, ids=lambda cls: cls.__name__)
def error(request):
    return make(request.param)


def test_the_tree_has_two_branches():
    """What the caller can mend, and what went wrong on the way; a failed job is neither."""
    assert len(CLASSES) > 40
    assert not issubclass(JobFailed, CallerError | ProviderError)
    assert not [cls for cls in CLASSES if issubclass(cls, CallerError) and issubclass(cls, ProviderError)]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_pickles_with_all_it_carries(error, protocol):
    """Process pools and task queues send errors home."""
    again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301
    assert type(again) is type(error)
    assert again.__dict__ == error.__dict__
    assert (str(again), again.args) == (str(error), error.args)


@pytest.mark.parametrize(
    "make_error",
    [
        lambda ticket: errors.WaitTimeout("too slow", ticket=ticket, way_out="Wait on."),
        lambda ticket: errors.SubmitOutcomeUnknown("who knows", "acme", ticket=ticket),
    ],
)
def test_an_error_pickles_though_its_ticket_may_not(make_error):
    """A worker must not die of its own error; the URL stays behind, and the ticket in memory as it was."""
    knowing = TICKET.with_secret_url("https://h/a?sig=s3cr3t")
    error = make_error(knowing)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        dumped = pickle.dumps([error], protocol)
        assert b"s3cr3t" not in dumped
        (again,) = pickle.loads(dumped)  # noqa: S301
        assert (type(again), str(again), again.way_out) == (type(error), str(error), error.way_out)
        assert (again.ticket.model_dump(), again.ticket.secret_url) == (TICKET.model_dump(), None)
    assert error.ticket.secret_url == "https://h/a?sig=s3cr3t"
    for copied in (copy.copy(error), copy.deepcopy(error)):
        assert copied.ticket.secret_url == "https://h/a?sig=s3cr3t"


def test_every_error_can_be_copied(error):
    """As tenacity and debuggers do."""
    assert copy.copy(error).__dict__ == error.__dict__


def test_every_error_says_the_way_out_that_it_was_given(error):
    """The message ends in what to do next."""
    assert str(error).endswith(f" {error.way_out}")
    assert error.as_dict()["way_out"] == error.way_out


def test_every_error_is_json_safe(error):
    """As `--json` prints it: what is not finite, private or an object does not break it."""
    error.__dict__.update({"retry_after": float("inf"), "_private": 1, "thing": object()})
    data = json.loads(json.dumps(error.as_dict(), allow_nan=False))
    assert data["type"] == type(error).__name__
    assert data["message"] == str(error)
    assert not {"_private", "thing", "retry_after"} & data.keys()


def test_what_an_error_lists_stands_in_its_json():
    """Nearest labels and refused demands are what a program acts upon."""
    assert UnknownLabel("sexul", nearest=["sexual"]).as_dict()["nearest"] == ["sexual"]
    refused = errors.UnsupportedFeature(VALUES["items"], provider="acme").as_dict()
    assert refused["items"] == [{"field": "detect", "says": "no", "alternatives": ["sexual"]}]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "it broke."),
        ({"provider": "acme"}, "acme: it broke."),
        ({"provider": "acme", "instance": "acme-eu"}, "acme-eu: it broke."),
        (
            {"provider": "acme", "status": 500, "code": "X", "request_id": "r"},
            "acme: it broke [HTTP 500, code X, request r].",
        ),
        ({"way_out": "Wait."}, "it broke. Wait."),
    ],
)
def test_a_provider_error_names_the_facts_for_support(fields, text):
    """Instance before provider; HTTP status, vendor code and request id where known."""
    error = ProviderError("it broke", **fields)
    assert str(error) == (text if "way_out" in fields else f"{text} {ProviderError.default_way_out}")


@pytest.mark.parametrize(
    ("cls", "retryable"),
    [
        (errors.RateLimited, True), (errors.VendorUnavailable, True), (errors.TransportFailed, True), (errors.ConnectFailed, True),
        (errors.AuthenticationFailed, False), (errors.InvalidRequest, False), (errors.UnexpectedReply, False), (errors.QuotaExceeded, False),
    ],
)  # fmt: skip
def test_retryable_has_a_default_per_class_and_can_be_said(cls, retryable):
    """And what may have been created is `maybe` until somebody knows better (law 5)."""
    assert cls("x").retryable is retryable
    assert cls("x", retryable=not retryable).retryable is not retryable
    assert cls("x").created == "maybe"


@pytest.mark.parametrize(
    ("cls", "also"),
    [
        (errors.InvalidJob, ValueError), (errors.ConfigurationError, ValueError), (errors.PluginNotFound, LookupError),
        (errors.WaitTimeout, TimeoutError), (errors.NetworkDisabled, RuntimeError), (errors.UnsupportedFeature, ValueError),
    ],
)  # fmt: skip
def test_errors_are_caught_by_their_builtin_name_too(cls, also):
    """For callers who do not import reelvet's errors."""
    assert issubclass(cls, also)
