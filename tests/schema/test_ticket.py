"""A ticket: durable, and never the place where a signature is found."""

import copy
import json
import pickle
import stat
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticSerializationError

from reelvet.schema.errors import InvalidJob, InvalidTicket, SealRefused
from reelvet.schema.job import ModerationJob
from reelvet.schema.result import ModerationResult
from reelvet.schema.task import RawTask
from reelvet.schema.ticket import Ticket

SECRET = "s3cr3t-signature"
URL = f"https://cdn.example.com/a.mp4?sign={SECRET}"


class Envelope(BaseModel):
    """What a caller may keep tickets in."""

    ticket: Ticket
    more: list[Ticket] = []


@pytest.fixture
def job():
    return ModerationJob(media=URL, detect=["sexual"], key="k")


@pytest.fixture
def plain(job):
    """A ticket that says all it is allowed to say."""
    return Ticket(key="k", provider="local", instance="local", job=job.model_dump(mode="json"))


@pytest.fixture
def knowing(plain):
    """A ticket that knows the whole URL and has no seal for it."""
    return plain.with_secret_url(URL)


DUMPS = {
    "model_dump": lambda t: t.model_dump(),
    "model_dump json": lambda t: t.model_dump(mode="json"),
    "model_dump_json": lambda t: t.model_dump_json(),
    "signed urls": lambda t: t.model_dump_json(context={"signed_urls": True}),
    "include": lambda t: t.model_dump(include={"key"}),
    "exclude": lambda t: t.model_dump(exclude={"sealed", "job"}),
    "dump": lambda t: t.dump(),
    "dump signed": lambda t: t.dump(signed_urls=True),
    "dump_json": lambda t: t.dump_json(),
    "pickle": pickle.dumps,
    "pickle in a list": lambda t: pickle.dumps([{"t": t}]),
    "a list of tickets": lambda t: TypeAdapter(list[Ticket]).dump_json([t]),
    "a list as data": lambda t: TypeAdapter(list[Ticket]).dump_python([t]),
    "in a model": lambda t: Envelope(ticket=t).model_dump(),
    "in a model as json": lambda t: Envelope(ticket=t).model_dump_json(),
    "in a list of a model": lambda t: Envelope(ticket=t.with_secret_url(None), more=[t]).model_dump_json(),
}


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_every_dump_of_an_unsealed_url_is_refused_with_a_way_out(knowing, dump):
    """Neither the URL nor a ticket that lost it: whoever stores it must first say where the secret goes."""
    with pytest.raises((SealRefused, PydanticSerializationError), match=r"SealRefused|signature") as caught:
        dump(knowing)
    assert "[secrets] key" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_a_ticket_without_a_secret_is_dumped_in_every_way(plain, dump):
    """The refusal is for signatures only."""
    assert SECRET not in str(dump(plain))


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_a_sealed_ticket_is_dumped_without_its_url(plain, dump):
    """With a seal every store is fine, and what is known in memory stays there."""
    sealed = plain.model_copy(update={"sealed": "fernet:x"}).with_secret_url(URL)
    assert SECRET not in str(dump(sealed))


def test_a_sealed_ticket_that_was_pickled_knows_its_url_no_more(plain):
    """It is opened with the key, on the other side."""
    sealed = plain.model_copy(update={"sealed": "fernet:x"}).with_secret_url(URL)
    again = pickle.loads(pickle.dumps(sealed))  # noqa: S301
    assert (again, again.secret_url, sealed.secret_url) == (again, None, URL)
    assert again.sealed == "fernet:x"


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda t: t.model_copy(update={"attempt": 2})])
def test_a_copy_in_memory_knows_what_the_ticket_knows(knowing, again):
    """Or a moderator that marks a ticket would lose the work it stands for."""
    assert again(knowing).secret_url == URL


def test_learning_the_url_leaves_the_other_ticket_as_it_was(plain):
    """Frozen means frozen."""
    assert plain.with_secret_url(URL).secret_url == URL
    assert plain.secret_url is None


def test_no_repr_of_a_ticket_shows_the_url(knowing):
    """Logs print tickets."""
    assert SECRET not in f"{knowing!r} {knowing} {vars(knowing)} {dict(knowing)} {Envelope(ticket=knowing)!r}"


def test_save_writes_a_private_file_and_load_gives_the_url_back(knowing, tmp_path):
    """The one place where a URL may stand unsealed: a file of its owner."""
    file = tmp_path / "t.json"
    file.write_text("old")
    file.chmod(0o644)
    knowing.save(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Ticket.load(file)
    assert (again, again.secret_url, again.sealed) == (again.with_secret_url(URL), URL, None)
    assert again.moderation_job().media.url == URL
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_read_past_load_keeps_the_url_out_of_sight(knowing, tmp_path):
    """`model_validate` over a saved file must not put the URL into the next dump."""
    knowing.save(tmp_path / "t.json")
    again = Ticket.model_validate_json((tmp_path / "t.json").read_bytes())
    assert (again.secret_url, again.sealed) == (URL, None)
    with pytest.raises(SealRefused):
        again.dump_json()


def test_a_save_that_fails_leaves_the_old_file_and_no_other(knowing, tmp_path, monkeypatch):
    """A full disk must not take the only handle of a paid task."""
    file = tmp_path / "t.json"
    file.write_text("old")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="space"):
        knowing.save(file)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_ticket_survives_json(plain):
    """The handle is stored anywhere and read by another process."""
    assert Ticket.load(plain.dump_json()) == plain
    assert Ticket.load(plain.dump_json().encode()) == plain


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "no JSON"),
        ("[]", "not a ticket"),
        ("{}", "key: is required"),
        (json.dumps({"key": "k", "provider": "p", "instance": "i", "tasks": 3}), "tasks"),
        (json.dumps({"schema": 2, "whatever": []}), "schema 2, this version reads 1. Upgrade reelvet."),
        (json.dumps({"schema": 2, "key": "k", "provider": "p", "instance": "i"}), "Upgrade reelvet."),
        (b"\xff", "no JSON"),
    ],
)
def test_what_is_no_ticket_is_told_with_a_way_out(text, says):
    """A newer schema is told as such, even where the rest of it has another shape."""
    with pytest.raises(InvalidTicket, match=says) as caught:
        Ticket.load(text)
    assert caught.value.way_out


def test_a_ticket_file_that_is_not_there_is_an_invalid_ticket(tmp_path):
    """The message names the file."""
    with pytest.raises(InvalidTicket, match=r"nope\.json"):
        Ticket.load(tmp_path / "nope.json")
    with pytest.raises(InvalidTicket, match="directory"):
        Ticket.load(tmp_path)


def test_adopt_takes_over_a_task_created_elsewhere():
    """Vendor, task id, and what it was made to look for: no job, no media."""
    ticket = Ticket.adopt(
        "tencent", "t-1", detect=["sexual"], instance="tencent-cn", region="ap-guangzhou", category="v"
    )
    assert (ticket.provider, ticket.instance, ticket.region, ticket.key) == (
        "tencent",
        "tencent-cn",
        "ap-guangzhou",
        "tencent:t-1",
    )
    assert [(t.ref.id, t.state, t.category) for t in ticket.tasks] == [("t-1", "created", "v")]
    assert ticket.job == {"detect": ["sexual"]}
    assert ticket.moderation_job() is None
    assert Ticket.load(ticket.dump_json()) == ticket
    assert Ticket.adopt("tencent", "t-1").job is None
    assert Ticket.adopt("tencent", "t-1", key="mine").key == "mine"


def test_the_job_of_a_ticket_is_the_one_that_was_asked(knowing, plain, job):
    """Whole where the URL is known; masked, never wrong, where it is not."""
    assert knowing.moderation_job() == job
    assert knowing.moderation_job().fingerprint == job.fingerprint
    assert plain.moderation_job().media.url == "https://cdn.example.com/a.mp4?***"


def test_a_job_of_a_newer_version_is_refused_and_not_half_understood(plain):
    """A demand that this version does not know must not be dropped in silence."""
    newer = plain.model_copy(update={"job": {**plain.job, "demand_of_2031": True}})
    with pytest.raises(InvalidJob, match="demand_of_2031"):
        newer.moderation_job()


def test_urls_in_options_are_masked_in_the_ticket_and_still_good_for_planning():
    """They are whole where the job is planned and sent; of a plan made anew only the coverage counts."""
    job = ModerationJob(
        media="https://h/a.mp4",
        options={"acme": {"out": URL, "n": 1}},
        callback={"url": f"https://h/{{key}}?t={SECRET}"},
    )
    assert job.options == {"acme": {"out": URL, "n": 1}}
    ticket = Ticket(key="k", provider="acme", instance="acme", job=job.model_dump(mode="json"))
    assert SECRET not in f"{ticket.job} {ticket.dump_json()}"
    again = Ticket.load(ticket.dump_json()).moderation_job()
    assert again.options == {"acme": {"out": "https://cdn.example.com/a.mp4?***", "n": 1}}
    assert again.callback.url == "https://h/{key}?***"
    assert job.fingerprint != again.fingerprint


def test_what_is_the_callers_own_comes_back_as_it_was_given():
    """`user`, `metadata` and `key` are not ours to change, and `metadata` may mean anything."""
    given = {"user": f"https://u/?{SECRET}", "metadata": {"src": URL, "n": [URL]}, "key": "https://k/?1"}
    job = ModerationJob(media="https://h/a.mp4", **given)
    ticket = Ticket(key=job.key, provider="acme", instance="acme", job=job.model_dump(mode="json"))
    again = Ticket.load(ticket.dump_json()).moderation_job()
    assert {name: getattr(again, name) for name in given} == given


@pytest.mark.parametrize("stored", ["2026-11-22T10:00:00", "2026-11-22T10:00:00Z", "2026-11-22T12:00:00+02:00"])
def test_a_date_without_a_zone_is_utc(stored):
    """A deadline is counted from it; a ticket that was stored without must still be read."""
    moment = datetime(2026, 11, 22, 10, tzinfo=UTC)
    ticket = Ticket.load(json.dumps({"key": "k", "provider": "p", "instance": "i", "submitted_at": stored}))
    assert ticket.submitted_at == moment
    assert Ticket(key="k", provider="p", instance="i", submitted_at=datetime(2026, 11, 22, 10)).submitted_at == moment  # noqa: DTZ001
    raw = RawTask(ref={"id": "t"}, status="queued", created_at=stored)
    result = ModerationResult(key="k", status="queued", created_at=stored, finished_at=stored)
    assert {raw.created_at, result.created_at, result.finished_at} == {moment}
