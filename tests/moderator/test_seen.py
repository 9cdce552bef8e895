"""What counts as told, and in how little memory: of a stream, day and night."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import types
from datetime import UTC, datetime, timedelta

import pytest

from reelvet import AsyncModerator, Channel, Config, ModerationJob
from reelvet.moderator import seen as room
from reelvet.moderator.seen import Seen
from reelvet.plugins import Capabilities, Capability, Created, Health, Provider, ProviderSpec, Registry, Report
from reelvet.schema.media import MediaKind
from reelvet.schema.plan import Plan, VendorTask
from reelvet.schema.result import Finding, Native, Note, Transcript, TranscriptSegment
from reelvet.schema.task import RawTask, Status, TaskRef

NIGHT = datetime(2026, 11, 25, tzinfo=UTC)
PORN = "sexual.explicit.pornography"


def finding(start=None, field="Segments[0].Label", **fields):
    native = Native(field=field, label="Porn", score=97)
    return Finding(**{"label": PORN, "channel": "visual", "start": start, "native": native, "provider": "p", "task": "t"} | fields)  # fmt: skip


def words(*texts, whole=None, timed=True):
    segments = tuple(TranscriptSegment(start=float(n) if timed else None, text=text) for n, text in enumerate(texts))
    return Transcript(text=" ".join(texts) if whole is None else whole, segments=segments, task="t")


# --- findings ---


def test_what_slides_along_in_its_list_stays_what_it_is():
    seen = Seen()
    window = [finding(float(n), f"Segments[{n}].Label") for n in range(3)]
    assert len(seen.findings(window)) == 3
    moved = [finding(float(n + 1), f"Segments[{n}].Label") for n in range(3)]
    assert [one.start for one in seen.findings(moved)] == [3.0]


@pytest.mark.parametrize(
    "other",
    [
        {"task": "u"}, {"label": "sexual"}, {"channel": "ocr"}, {"start": 2.0}, {"frame": 7}, {"at_date": NIGHT},
        {"native": Native(field="Segments[0].Label", label="Sexy")}, {"native": Native(field="Segments[0].Results[1].Label", label="Porn")},
    ],
)  # fmt: skip
def test_what_tells_findings_apart(other):
    seen = Seen()
    seen.findings([finding(1.0)])
    assert len(seen.findings([finding(1.0), finding(**{"start": 1.0} | other)])) == 1


@pytest.mark.parametrize("other", [{"score": 0.5}, {"end": 9.0}, {"suggestion": "block"}, {"evidence": "https://e.example/2"}])  # fmt: skip
def test_what_the_vendor_comes_to_think_of_it_makes_it_no_other(other):
    seen = Seen()
    seen.findings([finding(1.0, score=0.9)])
    assert seen.findings([finding(1.0, **other)]) == ()


def test_alike_in_one_reply_are_several_and_stay_so():
    seen = Seen()
    assert len(seen.findings([finding(1.0)] * 2)) == 2
    assert seen.findings([finding(1.0)] * 2) == ()
    assert len(seen.findings([finding(1.0)] * 3)) == 1


def test_they_come_by_time_whatever_the_order_of_the_reply():
    found = [finding(3.0), finding(1.0, channel="sound"), finding(2.0)]
    assert [one.start for one in Seen().findings(found)] == [1.0, 2.0, 3.0]


def test_what_is_forgotten_is_not_told_again():
    seen = Seen(most=100)
    stream = [finding(at_date=NIGHT + timedelta(seconds=5 * n)) for n in range(1000)]
    told = [one for upto in range(0, 1001, 10) for one in seen.findings(stream[:upto])]
    assert told == stream
    (digests,) = seen._told.values()
    assert len(digests._moments) <= 100


def test_a_long_reply_is_told_whole_though_there_is_little_room():
    seen = Seen(most=10)
    pictures = [finding(float(n)) for n in range(100)]
    sounds = [finding(float(n), channel="sound", field="Sounds[0]") for n in range(100)]
    assert len(seen.findings([*pictures, *sounds])) == 200
    assert seen.findings([*pictures, *sounds]) == ()


def test_clocks_are_not_mixed():
    """A date is later than any second of the media; one must not have the other forgotten."""
    seen = Seen(most=10)
    seen.findings([finding(at_date=NIGHT + timedelta(seconds=n)) for n in range(50)])
    assert len(seen.findings([finding(1.0)])) == 1


def test_too_many_without_a_time_are_said_to_be():
    seen = Seen(most=3)
    found = [finding(None, f"Labels[0].Sub[{n}]") for n in range(5)]
    assert len(seen.findings(found)) == 3
    assert seen.findings(found) == ()
    assert [note.code for note in seen.notes([])] == ["not_told_apart"]
    assert seen.notes([]) == ()


# --- what is said ---


def test_a_text_that_grows():
    seen = Seen()
    told = [seen.transcripts([Transcript(text=text, task="t")]) for text in ("", "you", "you fool", "you fool")]
    assert [[one.text for one in some] for some in told] == [[], ["you"], ["fool"], []]


def test_a_text_that_becomes_another_is_told_anew():
    seen = Seen()
    seen.transcripts([Transcript(text="you fool", task="t")])
    assert [one.text for one in seen.transcripts([Transcript(text="you full", task="t")])] == ["you full"]


def test_stretches_that_slide_along():
    seen = Seen()
    seen.transcripts([words("a", "b")])
    later = words("a", "b", "c").model_copy(update={"text": "b c"})
    (told,) = seen.transcripts([later.model_copy(update={"segments": later.segments[1:]})])
    assert (told.text, [one.text for one in told.segments]) == ("c", ["c"])


def test_stretches_without_times():
    seen = Seen()
    seen.transcripts([words("ha", "ha", timed=False)])
    (told,) = seen.transcripts([words("ha", "ha", "ha", timed=False)])
    assert [one.text for one in told.segments] == ["ha"]
    assert told.text == "ha"


def test_a_translation_is_another_text():
    seen = Seen()
    seen.transcripts([Transcript(text="hallo", task="t", language="de")])
    both = [Transcript(text="hallo", task="t", language="de"), Transcript(text="hello", task="t", language="en", translated_from="de")]  # fmt: skip
    assert [one.text for one in seen.transcripts(both)] == ["hello"]


def test_a_warning_is_told_once():
    seen = Seen()
    note = Note(code="unmapped", says="Hot")
    assert seen.notes([note, note]) == (note,)
    assert seen.notes([note]) == ()


# --- a day and a night ---

DAY = 24 * 3600


class Stream(Provider):
    """A vendor that watches a stream by itself: each reply has all that was found so far, or the latest of it."""

    id = "stream"
    polls = 0
    wanted = 0
    window: int | None = None
    memory: list[int]

    def effective(self):
        return Capabilities(entries=(Capability(PORN, (Channel.VISUAL,), kinds=(MediaKind.LIVE,)),), operations=frozenset({"cancel"}))  # fmt: skip

    def plan(self, job):
        return Plan(provider=self.id, instance="stream", tasks=(VendorTask(name="t", vendor_key=job.vendor_key),))

    def read(self, plan, raws):
        found = [pattern.alike(at_date=moment) for moment in raws[0].payload or ()]
        return Report(findings=found)

    async def submit(self, tasks):
        return [Created(TaskRef(id="t", name="t"))]

    async def fetch(self, ref):
        kind = type(self)
        kind.polls += 1
        if kind.polls in {kind.wanted // 4, kind.wanted}:
            gc.collect()
            kind.memory.append(tracemalloc.get_traced_memory()[0])
        if kind.polls >= kind.wanted:
            return RawTask(ref=ref, status=Status.SUCCEEDED, native_status="done", payload=[])
        seconds = DAY * kind.polls / kind.wanted
        known = int(kind.polls * kind.hits / kind.wanted)
        first = 0 if kind.window is None else max(known - kind.window, 0)
        every = DAY / kind.hits
        payload = [NIGHT + timedelta(seconds=n * every) for n in range(first, known) if n * every <= seconds]
        return RawTask(ref=ref, status=Status.RUNNING, native_status="work", payload=payload, poll_after=1e-6)

    async def cancel(self, ref):
        return RawTask(ref=ref, status=Status.CANCELED)

    async def check(self):
        return Health(ok=True, says="")


pattern = finding(at_date=NIGHT, text="what was read there " * 50)


async def watched(polls, hits, window=None):
    module = types.ModuleType("reelvet_stream_test")
    kind = type("Stream", (Stream,), {"polls": 0, "wanted": polls, "hits": hits, "window": window, "memory": []})
    module.Stream = kind
    sys.modules[module.__name__] = module
    registry = Registry()
    registry.register(
        ProviderSpec(id="stream", title="Stream", provider=f"{module.__name__}:Stream", needs_account=False)
    )
    config = Config.parse({"use": "stream", "polling": {"first": 1e-6}})
    told = 0
    tracemalloc.start()
    try:
        async with AsyncModerator(config, registry=registry) as moderator:
            job = ModerationJob(media={"url": "rtmp://live.example.com/a", "kind": "live"}, on_unsupported="skip")
            async for delta in moderator.watch(await moderator.submit(job)):
                told += len(delta.findings)
    finally:
        tracemalloc.stop()
    assert kind.polls == polls
    return told, kind.memory[1] - kind.memory[0]


async def test_a_reply_that_grows_all_day_leaves_digests_alone():
    told, grown = await watched(polls=960, hits=240)
    assert 238 <= told <= 240
    assert grown < 180 * 250  # a finding itself takes several times that


async def test_a_stream_of_a_day_does_not_grow_in_memory(monkeypatch):
    """Thousands of replies and findings, and no more memory at midnight than at six in the morning."""
    monkeypatch.setattr(room.Seen.__init__, "__defaults__", (500,))
    told, grown = await watched(polls=5760, hits=5760, window=20)
    assert 5755 <= told <= 5760
    assert grown < 30_000
