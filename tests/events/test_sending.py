"""Signed, leased, repeated, and in nobody's way: what a receiver on loopback gets."""

import asyncio
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import accumulate

import pytest
from pydantic import SecretStr

from reelvet import Config
from reelvet.config import EventsConfig
from reelvet.events import SCHEDULE, Deliverer, Signatures, sending
from reelvet.events.sending import delay_after
from reelvet.http import Request
from reelvet.journal import MemoryJournal, open_journal
from reelvet.schema.errors import ConfigurationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # that of the published test vector, and of the receiver
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@pytest.fixture
def deliverer(config, journal):
    return Deliverer(config, journal)


@pytest.fixture
def soon(monkeypatch):
    """Delays as they are, in hundredths of a second."""
    monkeypatch.setattr(sending, "SCHEDULE", tuple(0.01 * (n + 1) for n in range(9)))
    monkeypatch.setattr(sending, "_FIRST_REST", 0.01)


def test_the_signature_is_that_of_the_published_test_vector():
    request = Request("POST", "https://h/a", {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek"}, b'{"test": 2432232314}')
    signed = Signatures([SecretStr(SECRET)]).sign(request, datetime.fromtimestamp(1614265330, UTC))
    assert signed.headers["webhook-timestamp"] == "1614265330"
    assert signed.headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_every_event_is_sent_once_and_verified(deliverer, receiver, journal, event):
    await journal.post([event(n) for n in range(30)])
    done = await deliverer.drain()
    assert (done.sent, done.put_off, done.given_up) == (30, 0, 0)
    assert sorted(receiver.ids) == sorted(f"evt_{n}" for n in range(30))
    assert await journal.outbox() == {"waiting": 0, "sent": 30, "given_up": 0}
    assert receiver.got[0][1]["data"]["word"] == "ü"


async def test_while_a_secret_is_replaced_both_verify(config, receiver, journal, event):
    receiver.secrets = [SECRET, OTHER]
    await journal.post([event()])
    both = config.model_copy(update={"secrets": (SecretStr(OTHER), SecretStr(SECRET))})
    assert (await Deliverer(both, journal).drain()).sent == 1


@pytest.mark.parametrize("trouble", [500, 404, 301, (429, {"Retry-After": "0"}), "drop"])
async def test_what_was_not_taken_comes_again_under_the_same_id(soon, deliverer, receiver, journal, event, trouble):
    receiver.script = [trouble, trouble]
    await journal.post([event()])
    for _ in range(20):
        await deliverer.drain()
        await asyncio.sleep(0.02)
        if (await journal.outbox())["sent"]:
            break
    assert receiver.ids == ["evt_1"] * 3


async def test_what_asks_to_be_left_alone_is(config, receiver, journal, event):
    deliverer = Deliverer(config.model_copy(update={"concurrency": 1}), journal)
    receiver.script = [(503, {"Retry-After": "600"})]
    await journal.post([event(n) for n in range(40)])
    deliverer.start()
    await _until(lambda: deliverer._rest_until)
    deliverer.wake()
    await asyncio.sleep(0.1)
    await deliverer.aclose()
    assert receiver.ids == ["evt_0"]
    assert (await journal.failing())[0].says.startswith("event: POST http://127.0.0.1")
    assert "hush" not in (await journal.failing())[0].says
    assert (await journal.outbox())["waiting"] == 40


async def test_gone_is_given_up_and_can_be_revived(soon, deliverer, receiver, journal, event):
    receiver.script = [410]
    await journal.post([event()])
    assert (await deliverer.drain()).given_up == 1
    assert (await deliverer.drain()).sent == 0
    assert await journal.revive() == 1
    assert (await deliverer.drain()).sent == 1


async def test_one_event_that_it_stumbles_over_does_not_hold_up_the_others(
    deliverer, receiver, journal, event, soon, monkeypatch
):
    monkeypatch.setattr(sending, "SCHEDULE", (60.0,))
    receiver.script = [500]
    await journal.post([event(n) for n in range(20)])
    done = await deliverer.drain()
    assert (done.sent, done.put_off) == (19, 1)
    assert "HTTP 500" in done.last_failure


async def test_a_receiver_that_is_not_there_harms_nobody(soon, config, journal, event):
    nowhere = config.model_copy(update={"url": "http://127.0.0.1:9/hook?token=hush"})
    await journal.post([event()])
    done = await Deliverer(nowhere, journal).drain()
    assert done.put_off >= 1
    assert "no connection to 127.0.0.1:9" in done.last_failure


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_what_one_has_leased_no_other_sends(config, receiver, event, tmp_path, kind):
    """Three processes, of which each has opened the journal for itself; or as many threads' worth of one in memory."""
    shared = MemoryJournal()
    journals = [shared if kind == "memory" else open_journal(f"sqlite:///{tmp_path}/j.db") for _ in range(3)]
    receiver.delay = 0.01
    await journals[0].post([event(n) for n in range(40)])
    await asyncio.gather(*(Deliverer(config, one, owner=f"p{n}").drain() for n, one in enumerate(journals)))
    assert len(receiver.ids) == len(set(receiver.ids)) == 40
    assert (await journals[1].outbox())["sent"] == 40
    for one in journals:
        await one.close()


async def test_a_crash_after_the_post_sends_it_again_under_the_same_id(config, receiver, journal, event, monkeypatch):
    """The lease of who died runs out; the receiver tells the second from the first by its id."""
    crashed = Deliverer(config, journal, owner="crashed")
    crashed._lease = 0.05

    with monkeypatch.context() as patch:
        patch.setattr(journal, "sent", lambda _: asyncio.sleep(60))
        await journal.post([event()])
        crash = asyncio.create_task(crashed.drain())
        await _until(lambda: receiver.got)
        await asyncio.sleep(0.05)
        crash.cancel()
        await asyncio.wait([crash])
    assert (await Deliverer(config, journal, owner="next").drain()).sent == 1
    assert receiver.ids == ["evt_1", "evt_1"]


async def test_in_the_background_it_sends_what_is_put_in_and_ends(deliverer, receiver, journal, event):
    deliverer.start()
    deliverer.start()
    await journal.post([event(1)])
    deliverer.wake()
    await _until(lambda: len(receiver.got) == 1)
    await journal.post([event(2)])
    await deliverer.aclose()  # what is due is still sent
    assert receiver.ids == ["evt_1", "evt_2"]
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "reelvet events"]


async def test_closing_waits_for_no_receiver_that_hangs(config, receiver, journal, event):
    receiver.delay = 1.0
    deliverer = Deliverer(config, journal)
    await journal.post([event()])
    deliverer.start()
    await _until(lambda: receiver.at_a_time)
    begun = time.monotonic()
    await deliverer.aclose(patience=0.05)
    assert time.monotonic() - begun < 0.5
    assert (await journal.outbox())["waiting"] == 1


async def _until(holds):
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_journal_that_fails_ends_nothing(deliverer, receiver, journal, event, monkeypatch, soon):
    due = journal.due
    calls = []

    async def fails_first(*how):
        calls.append(how)
        if len(calls) == 1:
            raise OSError("the disk is gone")
        return await due(*how)

    monkeypatch.setattr(journal, "due", fails_first)
    await journal.post([event()])
    deliverer.start()
    await _until(lambda: receiver.got)
    await deliverer.aclose()
    assert len(calls) > 1
    assert len(receiver.got) == 1


def test_the_delays_grow_and_end():
    assert SCHEDULE[:3] == (5, 300, 1800)
    assert list(accumulate(SCHEDULE))[-1] == 75 * 3600 + 35 * 60 + 5
    four_days = 4 * 86400
    assert [delay_after(n, four_days) for n in range(1, 10)] == list(SCHEDULE)
    assert delay_after(10, four_days) is None
    assert delay_after(10, 1e9) == delay_after(25, 1e9) == SCHEDULE[-1]
    assert delay_after(2, 100) is None


@pytest.mark.parametrize(
    "bad", ["sesame-1234", "whsec_", "whsec_c2hvcnQ=", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!!", "whsk_" + SECRET[6:]]
)
def test_what_is_no_secret_stops_the_start(journal, bad):
    with pytest.raises(ConfigurationError, match=r"whsec_ followed by 24 to 64 bytes") as caught:
        Deliverer(EventsConfig(url="https://h/a", secrets=bad), journal)
    assert "os.urandom(32)" in caught.value.way_out
    assert bad not in str(caught.value) or bad == "whsec_"


def test_url_and_secret_by_reference(journal, monkeypatch):
    config = EventsConfig(url="env:HOOK", secrets="env:HOOK_SECRET")
    with pytest.raises(ConfigurationError, match=r"events\.url refers to the environment variable HOOK"):
        Deliverer(config, journal)
    monkeypatch.setenv("HOOK", "ftp://h/a?token=hush")
    with pytest.raises(ConfigurationError, match=r"'ftp://h/a\?\*\*\*' is no http") as caught:
        Deliverer(config, journal)
    assert "hush" not in str(caught.value)
    monkeypatch.setenv("HOOK", "https://h/a?token=hush")
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    assert Deliverer(config, journal)


def test_a_moderator_runs_one_where_that_is_wanted(journal):
    def of(**events):
        return Deliverer.of(Config.parse({"events": {"url": "https://h/a", "secrets": SECRET, **events}}), journal)

    assert of() is not None
    assert of(in_process=False) is None
    assert Deliverer.of(Config.parse({}), journal) is None


def test_without_the_library_the_way_out_is_told(journal, monkeypatch):
    monkeypatch.setitem(sys.modules, "standardwebhooks", None)
    with pytest.raises(ConfigurationError, match="needs the package standardwebhooks") as caught:
        Deliverer(EventsConfig(url="https://h/a", secrets=SECRET), journal)
    assert caught.value.way_out.startswith("pip install 'reelvet[events]'")


def test_events_are_made_without_network_or_the_library():
    check = "import sys; from reelvet.events import Telling, of_result; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout.split()
    assert not {"aiohttp", "httpx", "standardwebhooks"} & set(loaded)
