"""Law 10: the query of a URL may be a signature. It is whole to code, and masked wherever anybody may read it."""

import copy
import json
import pickle
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelvet.schema.job import ModerationJob
from reelvet.schema.plan import Plan, PlannedRequest, Unsupported, VendorTask
from reelvet.schema.result import Coverage, Finding, MediaFacts, ModerationResult, Native, Note, TaskRecord
from reelvet.schema.task import RawTask, Status, TaskError, TaskRef
from reelvet.schema.ticket import Ticket, TicketMedia
from reelvet.schema.urls import SignedUrl, mask_url, mask_urls

SECRET = "s3cr3t-signature"
WHOLE = f"https://me:{SECRET}@cdn.example.com/a%20b/it's.mp4?sign={SECRET}&x=1#{SECRET}"
MASKED = "https://***@cdn.example.com/a%20b/it's.mp4?***"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        (WHOLE, MASKED),
        ("https://h/a", "https://h/a"),
        ("HTTPS://H/a?", "HTTPS://H/a?"),
        ("https://h/a?x", "https://h/a?***"),
        ("https://h/a#x", "https://h/a?***"),
        ("https://u@h/a", "https://***@h/a"),
        ("https://u:p@h:8443/a", "https://***@h:8443/a"),
        ("obs://bucket/a?x=1", "obs://bucket/a?***"),
        ("gcore:12?x", "gcore:12?***"),
        ("https://proxy/https://u:p@h/a", "https://proxy/https://***@h/a"),
        ("https://[bad/a?x", "https:***"),
        ("", ""),
    ],
)
def test_a_url_is_masked(url, masked):
    """User info, query and fragment go, the rest stays; masking twice changes nothing."""
    assert mask_url(url) == masked
    assert mask_url(masked) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see https://h/a?x=1 and http://i/b?y, ok", "see https://h/a?*** and http://i/b?*** ok"),
        ("https://h/it's.mp4?x=1", "https://h/it's.mp4?***"),
        ("{'url': 'https://h/a?x=1', 'n': 1}", "{'url': 'https://h/a?***', 'n': 1}"),
        ('{"url":"https://h/a?x=1\\u0026sign=2","n":1}', '{"url":"https://h/a?***","n":1}'),
        ('{"url":"https:\\/\\/h\\/a?x=1","n":1}', '{"url":"https://h/a?***","n":1}'),
        ('"{\\"url\\":\\"https://h/a?x=1\\",\\"n\\":1}"', '"{\\"url\\":\\"https://h/a?***\\",\\"n\\":1}"'),
        ("<a href=https://h/a?x=1>", "<a href=https://h/a?***>"),
        ("plain:https://h/a?x=1", "plain:https://h/a?***"),
        ("下载失败https://b.cos/a.mp4?q-signature=S", "下载失败https://b.cos/a.mp4?***"),
        ("url_https://h/a?x=1 1https://h/b?x=1", "url_https://h/a?*** 1https://h/b?***"),
        ("https://h/My Video.mp4?x=1 2", "https://h/My Video.mp4?***"),
        (
            "see https://h/My Video.mp4?x=1&X-Amz-Signature=S now",
            "see https://h/My Video.mp4?x=1&X-Amz-Signature=*** now",
        ),
        ("https://h/a b https://i/c?x=1 too", "https://h/a b https://i/c?*** too"),
        ("https://h/a is gone. Why? Ask", "https://h/a is gone. Why? Ask"),
        ("//u:p@h/a.mp4?x=1 and //h/a.mp4", "//***@h/a.mp4?*** and //h/a.mp4"),
        ("u=https%3A%2F%2Fme%3Apw%40h%2Fa%3Fx%3D1&n=1", "u=https%3A%2F%2F***%40h%2Fa%3F***&n=1"),
        ("u=https%253A%252F%252Fh%252Fa%253Fx%253D1", "u=https%253A%252F%252Fh%252Fa%253F***"),
        ("https%3A%2F%2Fh%2Fa", "https%3A%2F%2Fh%2Fa"),
        ("https:\\/\\/h\\/a", "https:\\/\\/h\\/a"),
        ("https://h/a\\u003fx\\u003d1", "https://h/a?***"),
        ("/a<b>.mp4?sig=S&n=1", "/a<b>.mp4?sig=***&n=1"),
        ("/a?n=1&amp;Signature=S, so", "/a?n=1&amp;Signature=*** so"),
        ("/a?n=1\\u0026access_token=S\\u0026n=2", "/a?n=1\\u0026access_token=***\\u0026n=2"),
        ("/a%3Fsig%3DS", "/a%3Fsig%3D***"),
    ],
)
def test_urls_inside_text_are_masked(text, masked):
    """In sentences, in JSON within a string with its escapes, in markup; the words around them stay."""
    assert mask_urls(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "no url: a/b?c=d", "a // b ? c : d", "x//2", "// comment?", "//#region x", "/a//b@2x.png", "R&D? a=b", "?design=5&q=dogs",
        "100%2F", "https://h/@name/a@2x.png", "mail me@example.com", "C:\\\\share\\a?", "", "token=1; sig: 2", "12:30//13:00",
    ],
)  # fmt: skip
def test_what_is_no_url_is_left_as_it_is(text):
    """Comments, divisions, addresses, questions: words are not to be lost."""
    assert mask_urls(text) == text


PLANTED = [
    "https://h/a.mp4?x={}", "HTTPS://h/a.mp4#{}", "rtmp://u:{}@h/live", "https:\\/\\/h\\/a?x={}", "https://h/a?x=1\\u0026y={}", "//h/a.mp4?x={}",
    "https%3A%2F%2Fh%2Fa%3Fx%3D{}", "https%253A%252F%252Fh%252Fa%253Fx%253D{}", "https://h/f?u=https%3A%2F%2Fh%2Fa%3Fx%3D{}",
    "https://h/f/https%3A%2F%2Fh%2Fa%3Fx%3D{}", "https%3A%2F%2Fu%3A{}%40h%2Fa", "https://h/My Video.mp4?X-Amz-Signature={}", "/a?n=1&Signature={}",
    "https://h/a<b>.mp4?q-signature={}", 'https://h/"a".mp4?token={}', "https://h/a?n=a b&X-Goog-Signature={}&n=1", "/a?auth_key={}", "a?sig=a\\/{}",
]  # fmt: skip
around = st.text(st.sampled_from("aZ1.-_:/\\?&=#%@ '\"<>\n中é") | st.characters()) | st.sampled_from(
    ["https://", "https://h/a b?", "//", "%2F%2F", "\\", "?", "https:", "\\u003f", "%", "x\\/"]
)


@given(around, st.sampled_from(PLANTED), around)
@settings(max_examples=2000, deadline=None)
def test_no_text_around_a_url_saves_its_signature(before, form, after):
    """Whatever a vendor writes before and after it, and masking twice is masking once."""
    masked = mask_urls(before + form.format(SECRET.replace("-", "")) + after)
    assert SECRET.replace("-", "") not in masked
    assert mask_urls(masked) == masked


@given(around)
@settings(max_examples=500, deadline=None)
def test_text_that_asks_nothing_is_left_as_it_is(text):
    """Without user info, query and fragment there is nothing to mask."""
    plain = re.sub(r"[?&=#@%;]", "", text.replace("u0", ""))
    assert mask_urls(plain) == plain


LARGE = 1_000_000
HEAVY = {
    "reply": json.dumps([{"Url": f"https://h{n}.example/a/b.mp4?sig={n}", "Score": n, "Label": "Porn"} for n in range(13_000)]),
    "words": "words and more of them, 3 of 4; ", "letters": "a", "slashes": "/", "colons": "://", "urls": "https://h/a ", "questions": "?a&",
    "percent": "%2f", "deep": "%2525", "escapes": "\\/", "backslashes": "\\", "users": "//a@", "quotes": "https://h/'", "names": "?a-b_c", "spaces": "https://h/ ",
}  # fmt: skip


@pytest.mark.parametrize("unit", HEAVY.values(), ids=HEAVY)
def test_a_megabyte_is_masked_in_no_time(unit):
    """A reply of a long video, or one that was made to keep us busy."""
    text = (unit * (LARGE // len(unit) + 1))[:LARGE]

    def once():
        begin = time.process_time()
        mask_urls("https://h/a b" + text)
        return time.process_time() - begin

    assert min(once() for _ in range(3)) < 0.4


def test_masking_goes_through_nested_payloads_and_keys():
    """No entry is lost when two links to one object become equal."""
    masked = mask_urls({"https://h/a?1": [{"u": ("https://h/b?2",)}], "https://h/a?2": 1, "n": None, "f": 0.5})
    assert list(masked.values()) == [[{"u": ["https://h/b?***"]}], 1, None, 0.5]
    assert all("?1" not in key and "?2" not in key for key in masked)


def _evidence():
    return Finding(
        label="sexual", channel="visual", provider="acme", evidence=WHOLE, text="words",
        native=Native(field="f", extra={"u": WHOLE, WHOLE: 1}),
    )  # fmt: skip


def _raw():
    return RawTask(
        ref=TaskRef(id="t"), status="failed", payload={"deep": [{"u": WHOLE}], WHOLE: 1}, attachments={WHOLE: {"u": WHOLE}},
        error=TaskError(code="x", message=f"cannot read {WHOLE}"),
    )  # fmt: skip


CARRIERS = {
    "job": lambda: ModerationJob(
        media=WHOLE, callback={"url": WHOLE}, options={"acme": {"out": WHOLE, "deep": [{WHOLE: [f"to {WHOLE}"]}]}}
    ),
    "ticket": lambda: Ticket(
        key="k", provider="acme", instance="acme",
        job={"media": {"url": WHOLE}, "callback": {"url": WHOLE}, "options": {"acme": {"out": [WHOLE]}}},
    ),
    "list payload": lambda: RawTask(ref=TaskRef(id="t"), status="failed", payload=[{"u": WHOLE}, [WHOLE], WHOLE]),
    "finding": _evidence,
    "raw": _raw,
    "task record": lambda: TaskRecord.of(_raw(), provider="acme", instance="acme"),
    "result": lambda: ModerationResult(
        key="k", status="failed", findings=(_evidence(),), tasks=(TaskRecord.of(_raw(), provider="a", instance="a"),),
        media=MediaFacts(source=WHOLE), warnings=(Note(code="x", says=f"see {WHOLE}"),),
        coverage=(Coverage(label="sexual", channel="visual", state="hit", why=f"of {WHOLE}"),),
    ),
    "plan": lambda: Plan(
        provider="acme", tasks=(VendorTask(name="t", vendor_key="k", payload={"u": WHOLE}),),
        requests=(PlannedRequest(method="GET", path="/a", query={"u": WHOLE}, body={"u": [WHOLE]}),),
        unsupported=(Unsupported(field="media", says=f"cannot read {WHOLE}"),),
    ),
    "ticket media": lambda: TicketMedia(source=WHOLE),
}  # fmt: skip


@pytest.fixture(params=CARRIERS)
def carrier(request):
    return CARRIERS[request.param]()


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        lambda m: str(m.model_dump()),
        lambda m: str(m.model_dump(mode="json")),
        lambda m: m.model_dump_json(),
        lambda m: m.model_dump_json(context={"signed_urls": False}),
        lambda m: str(m.dump()) if hasattr(m, "dump") else repr(m),
        lambda m: m.dump_json() if hasattr(m, "dump_json") else repr(m),
        lambda m: repr([m]) + repr({"m": m}),
        lambda m: "".join(str(part) for part in m.__rich_repr__()),
    ],
    ids=[
        "repr",
        "str",
        "format",
        "dump",
        "json data",
        "json",
        "json not asked",
        "own dump",
        "own json",
        "list",
        "rich",
    ],
)
def test_no_way_of_showing_a_model_shows_a_signature(carrier, show):
    """Logs, reprs, dumps: everywhere but where the URL is used."""
    shown = show(carrier)
    assert SECRET not in shown
    assert "cdn.example.com" in shown


def test_a_dump_that_asks_for_signed_urls_by_name_is_whole(carrier):
    """What is to be sent or sealed must not be masked by accident."""
    assert json.dumps(carrier.model_dump(mode="json", context={"signed_urls": True})).count(SECRET) >= 3
    assert SECRET in carrier.model_dump_json(context={"signed_urls": True})
    if hasattr(carrier, "dump"):
        assert SECRET in str(carrier.dump(signed_urls=True))
        assert SECRET in carrier.dump_json(signed_urls=True)


def test_code_sees_the_whole_url(carrier):
    """Masking is for eyes: in memory everything is as it came."""
    assert SECRET in pickle.dumps(carrier).decode("latin-1")


@pytest.mark.parametrize(
    "again",
    [
        lambda m: pickle.loads(pickle.dumps(m)),  # noqa: S301
        copy.copy,
        copy.deepcopy,
        lambda m: m.model_copy(),
        lambda m: m.model_copy(update={"label": "violence"}),
        lambda m: Finding.model_validate_json(m.dump_json(signed_urls=True)),
    ],
    ids=["pickle", "copy", "deepcopy", "model_copy", "update", "json"],
)
def test_a_signed_url_is_a_whole_string_and_survives_every_copy(again):
    """It stays a `SignedUrl`: a copy that fell back to `str` would show itself in the next repr."""
    url = again(_evidence()).evidence
    assert isinstance(url, SignedUrl)
    assert url == WHOLE
    assert str(url) == WHOLE
    assert url.masked == MASKED
    assert repr(url) == f"SignedUrl({MASKED!r})"
    assert json.dumps(url) == json.dumps(WHOLE)


def test_a_plain_string_put_in_by_model_copy_is_masked_as_well():
    """`model_copy(update=...)` validates nothing; the dump must not rely on the type."""
    finding = _evidence().model_copy(update={"evidence": WHOLE})
    assert SECRET not in finding.dump_json() + repr(finding)


@pytest.mark.parametrize(
    ("url", "hides"), [(WHOLE, True), ("https://h/a", False), ("HTTPS://h/a", False), ("https://h/a?***", False), ("https://h/a?v=1", True)]
)  # fmt: skip
def test_media_knows_whether_it_hides_something(url, hides):
    """What hides nothing needs no seal; a URL that was masked already is no secret."""
    assert ModerationJob(media=url).media.has_secret is hides


def test_what_was_masked_is_not_whole_again():
    """A stored result holds no more than was dumped."""
    again = ModerationResult.parse(CARRIERS["result"]().dump_json())
    assert again.findings[0].evidence == MASKED
    assert again.status is Status.FAILED


def test_a_failed_jobs_error_shows_no_signature():
    from reelvet.schema.errors import JobFailed
    from reelvet.schema.result import ModerationResult, TaskRecord
    from reelvet.schema.task import TaskError

    error = TaskError(message="cannot get https://cdn.example.com/a.mp4?sign=HUSH")
    result = ModerationResult(
        key="k", status="failed", tasks=[TaskRecord(provider="acme", id="t", status="failed", error=error)]
    )
    with pytest.raises(JobFailed) as caught:
        result.or_raise()
    assert "HUSH" not in str(caught.value)
    assert "a.mp4?***" in str(caught.value)
