"""A job: what is refused and how it is said, what counts as the same job."""

import json
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from reelvet.schema.errors import InvalidJob
from reelvet.schema.job import ModerationJob
from reelvet.schema.media import Channel, Media, MediaKind
from reelvet.schema.urls import SignedUrl

URL = "https://cdn.example.com/a.mp4"


def job(media=URL, **fields):
    return ModerationJob(media=media, **fields)


WRONG = [
    # fields, field that is named, what the message must hold
    ({}, "media", ["media", "required"]),
    ({"media": URL, "detekt": ["sexual"]}, "detekt", ["detekt", "did you mean 'detect'?"]),
    ({"media": {"url": URL, "kinds": "video"}}, "media.kinds", ["did you mean 'kind'?"]),
    ({"media": URL, "detect": "sexual"}, "detect", ["'sexual'"]),
    ({"media": URL, "detect": ["Sexual"]}, "detect", ["'Sexual'", "lower case"]),
    ({"media": URL, "detect": ["sexual..x"]}, "detect", ["'sexual..x'"]),
    ({"media": URL, "detect": []}, "detect", ["detect=[]", "leave it out", "transcript"]),
    ({"media": URL, "channels": []}, "channels", ["channels=[]", "leave it out"]),
    ({"media": URL, "channels": ["eyes"]}, "channels.0", ["'eyes'", "'visual'", "'sound'"]),
    ({"media": URL, "interval": 0}, "interval", ["0"]),
    ({"media": URL, "interval": float("inf")}, "interval", ["inf", "finite"]),
    ({"media": URL, "stop_on": {"sexual": 1.5}}, "stop_on", ["'sexual'", "1.5", "at most 1"]),
    ({"media": URL, "stop_on": {"sexual": 0}}, "stop_on", ["'sexual'", "above 0"]),
    ({"media": URL, "callback": {"url": "ftp://me/cb"}}, "callback.url", ["https://"]),
    ({"media": URL, "callback": {"url": "https://me/cb", "secret_value": "x"}}, "callback.secret_value", ["no such field"]),
    ({"media": URL, "key": ""}, "key", ["at least 1"]),
    ({"media": URL, "attempt": 0}, "attempt", ["0"]),
    ({"media": URL, "options": {"acme": 3}}, "options.acme", ["3"]),
    ({"media": URL, "metadata": {"x": float("nan")}}, "metadata.x.float", ["finite"]),
    ({"media": URL, "on_unsupported": "ignore"}, "on_unsupported", ["'ignore'", "'skip'"]),
    ({"media": URL, "deadline": "soon"}, "deadline", ["'soon'", "time zone"]),
    ({"media": URL, "deadline": -5}, "deadline", ["-5", "above 0"]),
    ({"media": URL, "deadline": "2027-01-31T12:00:00"}, "deadline", ["2027-01-31T12:00:00", "time zone"]),
    ({"media": "clip.mp4"}, "media.url", ["'clip.mp4'", "pathlib.Path"]),
    ({"media": "/srv/clip.mp4"}, "media.url", ["pathlib.Path('/srv/clip.mp4')"]),
    ({"media": "C:\\clips\\a.mp4"}, "media.url", ["pathlib.Path"]),
    ({"media": ""}, "media.url", ["pathlib.Path"]),
    ({"media": "ftp://cdn.example.com/a.mp4"}, "media.url", ["'ftp'", "https"]),
    ({"media": "file:///srv/a.mp4"}, "media.url", ["'file'", "pathlib.Path"]),
    ({"media": "file:clip.mp4"}, "media.url", ["'file:clip.mp4'", "pathlib.Path"]),
    ({"media": "https:cdn.example.com/a.mp4"}, "media.url", ["is no URL"]),
    ({"media": "data:video/mp4;base64,AAAA"}, "media.url", ["is no URL"]),
    ({"media": "https://"}, "media.url", ["names no host"]),
    ({"media": "obs:///key"}, "media.url", ["names no bucket"]),
    ({"media": "https://cdn.example.com:99999/a"}, "media.url", ["port is malformed"]),
    ({"media": {"url": URL, "path": "a.mp4"}}, "media", ["either"]),
    ({"media": {}}, "media", ["either"]),
    ({"media": "rtmp://live.example.com/a"}, "media", ["kind='live'"]),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "field", "holds"), WRONG, ids=lambda value: repr(value)[:60])
def test_a_wrong_job_names_field_value_and_way_out(fields, field, holds):
    """One error class, one sentence that a caller can act upon, and the field for programs."""
    with pytest.raises(InvalidJob) as caught:
        ModerationJob(**fields)
    assert caught.value.field == field
    assert all(words in str(caught.value) for words in (field.partition(".")[0], *holds)), str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "fields",
    [
        {"media": "cdn.example.com/a.mp4?sign={}"},
        {"media": "/a.mp4?sign={}"},
        {"media": "ftp://me:{}@cdn.example.com/a?x={}#{}"},
        {"media": "https://me:{}@[bad/a?x={}"},
        {"media": "https://me:{}@cdn.example.com\u2100/a?x={}"},
        {"media": "https://me:{}@cdn.example.com:99999/a?x={}"},
        {"media": {"url": "https://h/a?{}", "path": "a"}},
        {"media": {"url": "https://h/a?{}", "kind": "https://h/a?{}"}},
        {"media": b"https://h/a?{}"},
        {"media": ["https://h/a?{}"]},
        {"media": URL, "callback": "https://me/cb?{}"},
        {"media": URL, "callback": {"url": "ftp://me/cb?{}"}},
        {"media": URL, "detect": {"https://h/a?{}": 1}},
    ],
    ids=repr,
)
def test_an_error_never_holds_what_a_url_may_hide(fields, secret):
    """Query, fragment and user info are masked in errors too, whatever is wrong with the value, chained causes included."""
    given = json.loads(json.dumps(fields, default=lambda b: {"bytes": b.decode()}).replace("{}", secret))
    if isinstance(given["media"], dict) and "bytes" in given["media"]:
        given["media"] = given["media"]["bytes"].encode()
    with pytest.raises(InvalidJob) as caught:
        ModerationJob(**given)
    assert secret not in f"{caught.value} {caught.value!r} {caught.value.as_dict()} {caught.value.__cause__}"


@pytest.mark.parametrize(("fields", "field", "holds"), WRONG, ids=lambda value: repr(value)[:60])
def test_pydantics_own_ways_in_say_the_same(fields, field, holds):
    """Whoever knows pydantic validates by its names, and catches one class all the same."""
    with pytest.raises(InvalidJob) as caught:
        ModerationJob.model_validate(fields)
    with pytest.raises(InvalidJob) as called:
        ModerationJob(**fields)
    assert (caught.value.field, str(caught.value)) == (called.value.field, str(called.value))
    with pytest.raises(InvalidJob) as read:
        ModerationJob.model_validate_json(json.dumps(fields))
    assert read.value.field == field
    assert all(words in str(read.value) for words in holds)


@pytest.mark.parametrize("text", ["{", "[]", "3", b"\xff", '"https://h/a"'])
def test_pydantics_own_way_of_reading_text_says_so_too(text):
    """What is no object at all, or no JSON."""
    with pytest.raises(InvalidJob, match="invalid job"):
        ModerationJob.model_validate_json(text)
    with pytest.raises(InvalidJob, match="invalid job"):
        ModerationJob.model_validate(text)


def test_a_right_job_is_the_same_by_every_way_in():
    fields = {"media": URL, "detect": ["sexual"], "key": "k"}
    job = ModerationJob(**fields)
    assert ModerationJob.model_validate(fields) == job == ModerationJob.model_validate_json(json.dumps(fields))
    assert ModerationJob.model_validate(job) is job


@pytest.mark.parametrize("text", ["{", "[]", "3", b"\xff", '"https://h/a"'])
def test_a_job_from_text_that_is_none_is_an_invalid_job(text):
    """A file that is no job is the caller's mistake, told as such."""
    with pytest.raises(InvalidJob):
        ModerationJob.parse(text)


def test_a_job_comes_back_from_its_own_json():
    """Whole with signed URLs, so that it is the same job for the fingerprint and for `==`."""
    made = job(
        f"{URL}?sign=x", detect=["sexual", "violence.*"], deadline=90, max_cost="1.5 USD", channels=["visual"],
        options={"acme": {"priority": 3}}, metadata={"n": [1, None]}, transcript={"languages": ["en"]},
    )  # fmt: skip
    again = ModerationJob.parse(made.model_dump_json(context={"signed_urls": True}))
    assert again == made
    assert again.fingerprint == made.fingerprint


@pytest.mark.parametrize(
    ("given", "source", "scheme"),
    [
        (URL, URL, "https"),
        (Path("/srv/a.mp4"), "/srv/a.mp4", "file"),
        (Media(URL), URL, "https"),
        ({"url": "obs://bucket/a.mp4"}, "obs://bucket/a.mp4", "obs"),
        ("cos://bucket/a.mp4", "cos://bucket/a.mp4", "cos"),
        ("gcore:12345", "gcore:12345", "gcore"),
        ("HTTPS://cdn.example.com/a", "HTTPS://cdn.example.com/a", "https"),
        ({"url": "rtmp://live.example.com/a", "kind": "live"}, "rtmp://live.example.com/a", "rtmp"),
    ],
)
def test_media_is_given_in_every_documented_way(given, source, scheme):
    """URL, file, object in a store, a vendor's own asset, a live stream."""
    media = job(given).media
    assert (media.source, media.scheme, media.has_secret) == (source, scheme, False)


def test_a_relative_path_is_made_absolute():
    """The ticket may be waited for in another directory."""
    assert job(Path("a.mp4")).media.path == Path("a.mp4").absolute()
    assert job(Path("~/a.mp4")).media.path == Path.home() / "a.mp4"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (60, timedelta(seconds=60)),
        (0.5, timedelta(seconds=0.5)),
        ("60", timedelta(seconds=60)),
        ("PT1H", timedelta(hours=1)),
        (timedelta(days=1), timedelta(days=1)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        (datetime(2027, 1, 31, 12, tzinfo=UTC), datetime(2027, 1, 31, 12, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_deadline_takes_seconds_durations_and_moments(given, read):
    """A number is seconds, never a moment in 1970; what was read survives JSON."""
    made = job(deadline=given)
    assert made.deadline == read
    assert ModerationJob.parse(made.model_dump_json()).deadline == read
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert made.expires_at(start) == (start + read if isinstance(read, timedelta) else read)


@pytest.mark.parametrize("pattern", ["sexual", "sexual.explicit.nudity*", "sexual.*", "*", "x.acme.gore"])
def test_every_form_of_a_pattern_is_taken(pattern):
    """An id, the beginning of one, what is below one, everything, a plugin's own."""
    assert job(detect=[pattern]).detect == (pattern,)


def test_detect_nothing_goes_with_a_transcript():
    """`[]` is an answer for who only wants the words."""
    assert job(detect=[], transcript={}).detect == ()


SIGNED = {
    "S3 v4": "X-Amz-Algorithm=A&X-Amz-Credential=c&X-Amz-Date={0}&X-Amz-Expires=9&X-Amz-SignedHeaders=host&X-Amz-Signature={0}&X-Amz-Security-Token={0}",
    "S3 v2": "AWSAccessKeyId=k&Expires={0}&Signature={0}",
    "OBS": "AccessKeyId=k&Expires={0}&Signature={0}",
    "OBS v4": "X-Obs-Algorithm=A&X-Obs-Date={0}&X-Obs-Signature={0}",
    "COS": "q-sign-algorithm=sha1&q-ak=k&q-sign-time={0}&q-key-time={0}&q-header-list=&q-url-param-list=&q-signature={0}&x-cos-security-token={0}",
    "GCS v4": "X-Goog-Algorithm=A&X-Goog-Date={0}&X-Goog-Signature={0}",
    "GCS v2": "GoogleAccessId=k&Expires={0}&Signature={0}",
    "Azure": "sv=2024&st={0}&se={0}&sr=b&sp=r&sig={0}",
    "OSS v1": "OSSAccessKeyId=k&Expires={0}&Signature={0}&security-token={0}",
    "OSS v4": "x-oss-signature-version=4&x-oss-date={0}&x-oss-credential=c&x-oss-signature={0}",
    "CloudFront": "Policy={0}&Signature={0}&Key-Pair-Id=K",
}  # fmt: skip


@pytest.mark.parametrize("query", SIGNED.values(), ids=SIGNED)
def test_a_link_signed_anew_is_the_same_job(query):
    """A caller that retries signs anew; that is no other job. What else stands in the query still counts."""
    first, again = (job(f"{URL}?v=1&{query.format(when)}") for when in ("111", "222"))
    other = job(f"{URL}?v=2&{query.format('111')}")
    assert first.fingerprint == again.fingerprint == job(f"{URL}?v=1").fingerprint
    assert first.media.digest == again.media.digest
    assert first.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("v=1", "v=2"),
        ("st=5", "st=6"),  # no `sig`: a start time, not Azure's
        ("expires=1&policy=a", "expires=1&policy=b"),
        ("q-level=low", "q-level=high"),
        ("x-oss-process=video/snapshot,t_1&x-oss-signature=s", "x-oss-process=video/snapshot,t_2&x-oss-signature=s"),
        ("a=", "b="),
    ],
)
def test_a_parameter_that_only_looks_like_a_signature_counts(one, two):
    """Two different videos must not pass for one: the key would return the other's verdict."""
    assert job(f"{URL}?{one}").fingerprint != job(f"{URL}?{two}").fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"detect": ["violence"]}, {"channels": ["ocr"]}, {"transcript": {}}, {"regions": ["eu"]}, {"interval": 2}, {"stop_on": {"sexual": 0.9}},
        {"callback": {"url": "https://me/cb"}}, {"user": "u"}, {"metadata": {"a": 1}}, {"language": "en"}, {"max_cost": "1 USD"},
        {"options": {"acme": {"x": 1}}}, {"on_unsupported": "skip"}, {"media": Path("/srv/a.mp4")}, {"media": {"url": URL, "kind": "image"}},
    ],
    ids=repr,
)  # fmt: skip
def test_a_job_that_asks_something_else_has_another_fingerprint(change):
    """Every field that changes what is asked is part of it."""
    assert job().fingerprint != ModerationJob(**{"media": URL, **change}).fingerprint


def test_key_attempt_and_deadline_are_no_part_of_what_is_asked():
    """The same job made twice is one job; its key is new each time unless it is given."""
    one, two = job(detect=["sexual"]), job(detect=["sexual"], attempt=2, deadline=9)
    assert one.key != two.key
    assert one.fingerprint == two.fingerprint


def test_the_vendor_key_is_the_key_and_then_a_digest():
    """So that a vendor's search for attempt 1 does not find attempt 2."""
    keys = [job(key="k", attempt=n).vendor_key for n in (1, 2, 3)]
    assert keys[0] == "k"
    assert len(set(keys)) == 3
    assert all(len(key) == 32 and "k" not in key for key in keys[1:])
    assert keys == [job(key="k", attempt=n).vendor_key for n in (1, 2, 3)]


def test_options_given_as_a_model_keep_their_signed_urls(secret):
    """A provider's option model is carried as data; masking it here would send `***` to the vendor."""

    class Options(BaseModel):
        output: SignedUrl
        level: int = 1

    made = job(options={"acme": Options(output=f"https://h/o?{secret}")})
    assert made.options == {"acme": {"output": f"https://h/o?{secret}"}}
    assert secret not in repr(made)


def test_a_job_survives_pickle():
    """Jobs go through process pools and task queues."""
    made = job(f"{URL}?x=1", channels=[Channel.VISUAL])
    again = pickle.loads(pickle.dumps(made))  # noqa: S301
    assert again == made
    assert again.media.url == f"{URL}?x=1"
    assert again.media.kind is MediaKind.VIDEO


def test_the_language_hint_of_the_job_comes_before_the_medias():
    """One property, for providers."""
    assert job({"url": URL, "language": "en"}).spoken_language == "en"
    assert job({"url": URL, "language": "en"}, language="de").spoken_language == "de"
