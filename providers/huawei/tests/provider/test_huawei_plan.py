"""From a job to the one task that answers it, and what of it cannot be had."""

from __future__ import annotations

import pytest

from reelvet import ModerationJob
from reelvet.schema.errors import ConfigurationError, InvalidOptions
from reelvet.schema.media import Media
from reelvet_huawei.making import task_name

URL = "https://b.obs.cn-north-4.myhuaweicloud.com/clip.mp4"
ABUSE, SPAM, TERROR = "harassment.abuse", "spam.advertising", "extremism.terrorism"


def job(**fields):
    return ModerationJob(**{"media": URL, "key": "key-1", "language": "zh"} | fields)


def body(plan):
    (task,) = plan.tasks
    assert plan.requests[-1].body == task.payload
    return task.payload


def common(plan):
    return body(plan)["service_config"]["common"]


def codes(plan):
    return [note.code for note in plan.warnings]


# --- what is asked for decides ---


@pytest.mark.parametrize(
    ("detect", "channels", "images", "sounds"),
    [(["sexual"], None, ["porn", "image_text"], ["porn", "moan"]),
     (["sexual"], ["visual"], ["porn"], None),
     (["sexual"], ["visual", "speech"], ["porn"], ["porn"]),
     (["sexual"], ["ocr"], ["image_text"], None),
     (["sexual"], ["sound"], ["porn"], ["moan"]),
     (["sexual.explicit.pornography"], ["visual"], ["porn"], None),
     (["politics.figure"], ["visual"], ["politics"], None),
     ([TERROR, "politics"], ["visual"], ["terrorism", "politics"], None),
     ([ABUSE], ["speech"], ["porn"], ["abuse"]),
     ([SPAM], None, ["image_text"], ["ad"]),
     (None, ["visual"], ["porn", "terrorism"], None),
     (None, None, ["porn", "terrorism", "image_text"], ["porn", "moan", "abuse"])],
)  # fmt: skip
def test_v3_looks_for_what_is_asked_and_reads_text_only_where_it_is(moderator, detect, channels, images, sounds):
    plan = moderator.plan(job(detect=detect, channels=channels))
    assert not plan.unsupported
    assert (body(plan)["image_categories"], body(plan).get("audio_categories")) == (images, sounds)
    assert ("filler_category" in codes(plan)) == (images == ["porn"] and channels in (["sound"], ["speech"]))


@pytest.mark.parametrize(
    ("detect", "channels", "told"),
    [(["sexual"], None, {"categories": "porn", "text_categories": "porn", "use_ocr": "true", "use_sis": "true"}),
     (["sexual"], ["visual"], {"categories": "porn", "use_ocr": "false", "use_sis": "false"}),
     ([ABUSE], ["speech"], {"categories": "porn", "text_categories": "abuse", "use_ocr": "false", "use_sis": "true"}),
     ([SPAM, "illicit.contraband"], ["ocr"], {"categories": "porn", "text_categories": "ad,contraband", "use_ocr": "true", "use_sis": "false"}),
     (["spam.flooding", TERROR], None, {"categories": "terrorism", "text_categories": "flood", "use_ocr": "true", "use_sis": "true"})],
)  # fmt: skip
def test_v2_switches_on_what_is_asked(v2, detect, channels, told):
    plan = v2.plan(job(detect=detect, channels=channels))
    assert not plan.unsupported
    assert common(plan) == {"frame_interval": 5, "upload": "false", **told}
    assert ("filler_category" in codes(plan)) == (channels in (["speech"], ["ocr"]))


def test_what_is_looked_for_is_told_per_channel(moderator, v2):
    (task,) = moderator.plan(job(detect=["sexual"])).tasks
    assert task.looks_for["visual"] == ["sexual"]
    assert task.looks_for["sound"] == ["sexual.sound.moaning"]
    assert "text_violation" in task.looks_for["ocr"]
    (task,) = v2.plan(job(detect=[ABUSE])).tasks
    assert task.looks_for == {"visual": ["sexual"], "ocr": [ABUSE], "speech": [ABUSE]}


def test_no_row_is_promised_that_the_task_does_not_look_for(moderator, v2):
    for maker in (moderator, v2):
        for detect in (None, ["sexual"], [ABUSE], ["politics"]):
            plan = maker.plan(job(detect=detect))
            looked = {(label, channel) for channel, labels in plan.tasks[0].looks_for.items() for label in labels}
            for row in plan.coverage:
                if row.state == "planned" and row.clearable:
                    below = [row.label, *maker.registry.taxonomy.subtree(row.label)]
                    assert any((label, row.channel) in looked for label in below)


def test_what_it_cannot_see_is_refused_or_told(moderator):
    refused = moderator.plan(job(detect=["self_harm"]))
    assert [item.field for item in refused.unsupported] == ["detect"]
    assert not refused.tasks
    part = moderator.plan(job(detect=["self_harm", "sexual"], channels=["visual"], on_unsupported="skip"))
    assert {row.state for row in part.coverage if row.label.startswith("self_harm")} == {"not_evaluated"}
    assert part.tasks


def test_words_of_text_that_no_list_promises_never_clear(moderator):
    """Which words image_text looks for is not published: hits count, silence does not."""
    rows = {
        (row.label, row.channel.value): row for row in moderator.plan(job(detect=[ABUSE, "text_violation"])).coverage
    }
    assert (rows[ABUSE, "ocr"].state, rows[ABUSE, "ocr"].clearable) == ("planned", False)
    assert rows[ABUSE, "speech"].clearable
    assert rows["text_violation", "ocr"].clearable


@pytest.mark.parametrize(("language", "state"), [("zh", "planned"), ("zh-Hans", "planned"), ("en", "not_evaluated"), (None, "planned")])  # fmt: skip
def test_speech_and_text_are_of_chinese(v2, language, state):
    plan = v2.plan(job(detect=[ABUSE, "sexual"], language=language))
    row = next(row for row in plan.coverage if (row.label, row.channel.value) == (ABUSE, "speech"))
    assert (row.state, row.clearable) == (state, language is not None and language.startswith("zh"))
    assert ("language_limited" in codes(plan)) == (language in {None, "en"})
    assert (common(plan)["use_sis"] == "true") == (language != "en")
    assert v2.plan(job(detect=[ABUSE], language="en")).unsupported[0].field == "detect"


def test_the_language_is_sent_where_v3_knows_it(moderator):
    assert body(moderator.plan(job(language="zh-CN")))["data"]["language"] == "zh"
    assert "language" not in body(moderator.plan(job(language=None)))["data"]
    assert "language" not in body(moderator.plan(job(language="en")))["data"]


# --- the published requests ---


def test_the_published_request_of_v3_is_made(configured, sample):
    asked = job(
        media="https://xxxx", interval=5, callback={"url": "http://xxxx"}, language=None,
        options={"huawei": {"image_categories": ["porn", "politics", "terrorism", "image_text"], "audio_categories": ["porn", "ad", "politics", "moan", "abuse"]}},
    )  # fmt: skip
    assert body(configured().plan(asked)) == sample("v3_create_request", "requests")


@pytest.mark.parametrize("name", ["v2_create_request", "v2_create_request_apiexplorer"])
def test_the_published_requests_of_v2_are_made(configured, sample, name):
    wanted = sample(name, "requests")
    options = {
        "description": "description", "index": 0, "categories": ["porn", "terrorism", "politics"], "text_categories": ["porn", "politics"],
        "hosting": "hosting" in wanted["output"],
    }  # fmt: skip
    asked = job(media="obs://obs-iva/input/demo.mp4", key="task-test", interval=5, options={"huawei": options})
    assert body(configured(api="v2", obs_output="obs://obs-iva/output/").plan(asked)) == wanted


# --- interval ---


@pytest.mark.parametrize(
    ("wanted", "v3_sends", "v2_sends", "warns"),
    [(5, 5, 5, 0), (2.5, 2, 2, 1), (0.5, 1, 1, 1), (1.999, 1, 1, 1), (61, 60, 61, 1), (None, None, 5, 0)],
)
def test_an_interval_becomes_finer_and_never_coarser_but_for_the_least(
    moderator, v2, wanted, v3_sends, v2_sends, warns
):
    plan = moderator.plan(job(interval=wanted, detect=["sexual"]))
    assert body(plan)["data"].get("frame_interval") == v3_sends
    assert codes(plan) == ["wish_adjusted"] * warns
    assert common(v2.plan(job(interval=wanted, detect=["sexual"])))["frame_interval"] == v2_sends


def test_the_instance_s_interval_serves_jobs_that_say_none(configured):
    assert body(configured(frame_interval=3).plan(job()))["data"]["frame_interval"] == 3
    assert body(configured(frame_interval=3).plan(job(interval=7)))["data"]["frame_interval"] == 7
    assert common(configured(api="v2", frame_interval=3).plan(job()))["frame_interval"] == 3


# --- media and output ---


def test_media_is_an_object_or_a_url(moderator, v2, configured):
    assert body(v2.plan(job(media="obs://bkt/a/b c.mp4")))["input"] == {
        "type": "obs",
        "data": [{"bucket": "bkt", "path": "a/b c.mp4"}],
    }
    assert body(v2.plan(job()))["input"] == {"type": "url", "data": [{"url": URL}]}
    assert "media_may_be_refused" not in codes(v2.plan(job()))
    assert "media_may_be_refused" in codes(v2.plan(job(media="https://cdn.example.com/a.mp4")))
    plan = configured(region="cn-east-3").plan(job(media="obs://bkt/a/b c.mp4"))
    assert body(plan)["data"]["url"] == "https://bkt.obs.cn-east-3.myhuaweicloud.com/a/b%20c.mp4"
    assert body(moderator.plan(job()))["data"]["url"] == URL


@pytest.mark.parametrize(
    ("media", "says"),
    [(Media("https://h.example/a.mp3", kind="audio"), "does not submit audio alone; stored replies about it are read"),
     (Media("rtmp://h.example/a", kind="live"), "cannot read rtmp"), (Media("gcore:1"), "cannot read gcore"),
     (Media("https://h.example/a.jpg", kind="image"), "does not take image")],
)  # fmt: skip
@pytest.mark.parametrize("api", ["v2", "v3"])
def test_media_that_it_cannot_take_is_refused(configured, api, media, says):
    plan = configured(api=api).plan(job(media=media))
    assert any(says in item.says for item in plan.unsupported)
    assert not plan.tasks
    assert not plan.requests


@pytest.mark.parametrize(
    ("settings", "options", "output"),
    [({}, {}, {"hosting": {}}),
     ({"obs_output": "obs://bkt/out/"}, {}, {"obs": {"bucket": "bkt", "path": "out/"}}),
     ({"obs_output": "obs://bkt/out/", "hosting": True}, {}, {"obs": {"bucket": "bkt", "path": "out/"}, "hosting": {}}),
     ({"obs_output": "obs://bkt/out/"}, {"hosting": True, "obs_output": "obs://bkt/other"}, {"obs": {"bucket": "bkt", "path": "other"}, "hosting": {}}),
     ({"obs_output": "obs://bkt/out/{key}/"}, {}, {"obs": {"bucket": "bkt", "path": "out/key-1/"}}),
     ({"obs_output": "obs://bkt/out/", "hosting": True}, {"hosting": False}, {"obs": {"bucket": "bkt", "path": "out/"}})],
)  # fmt: skip
def test_results_are_hosted_unless_they_go_to_a_bucket(configured, settings, options, output):
    plan = configured(api="v2", **settings).plan(job(options={"huawei": options}))
    assert body(plan)["output"] == output
    assert not plan.unsupported


def test_frames_are_uploaded_to_a_bucket_only(configured):
    refused = configured(api="v2").plan(job(options={"huawei": {"upload": True}}))
    assert [item.field for item in refused.unsupported] == ["options.huawei.upload"]
    fine = configured(api="v2", obs_output="obs://bkt/out/", upload=True)
    assert common(fine.plan(job()))["upload"] == "true"
    assert common(fine.plan(job(options={"huawei": {"upload": False}})))["upload"] == "false"
    with pytest.raises(ConfigurationError, match="upload writes frames to obs_output"):
        configured(api="v2", upload=True)


def test_a_result_that_would_be_kept_nowhere_is_refused(v2):
    plan = v2.plan(job(options={"huawei": {"hosting": False}}))
    assert [item.field for item in plan.unsupported] == ["options.huawei.hosting"]
    assert not plan.tasks
    assert not v2.plan(job(options={"huawei": {"hosting": False}}, on_unsupported="skip")).tasks
    assert not plan.requests


def test_frames_that_could_be_written_nowhere_are_not_asked_for(v2):
    plan = v2.plan(job(options={"huawei": {"upload": True}}, on_unsupported="skip"))
    assert common(plan)["upload"] == "false"


@pytest.mark.parametrize("more", [{}, {"use_ocr": False, "use_sis": False}])
def test_categories_of_text_that_nothing_reads_are_told(v2, more):
    asked = {"text_categories": ["ad"], **more}
    plan = v2.plan(job(channels=["visual"], options={"huawei": asked}))
    assert "text_categories" not in common(plan)
    assert any("text_categories" in note.says for note in plan.warnings if note.code == "wish_ignored")
    told = v2.plan(job(channels=["visual"], options={"huawei": asked | {"use_ocr": True}}))
    assert common(told)["text_categories"] == "ad"
    assert "wish_ignored" not in codes(told)


def test_a_region_is_met_by_the_one_that_is_configured(configured, moderator):
    here = configured(region="cn-north-4")
    assert not here.plan(job(regions=["cn-north-4", "cn-east-3"])).unsupported
    assert [item.field for item in here.plan(job(regions=["eu-west-0"])).unsupported] == ["regions"]
    assert [item.field for item in moderator.plan(job(regions=["cn-north-4"])).unsupported] == ["regions"]
    elsewhere = configured(region="cn-north-4", base_url="https://proxy.example")
    assert [item.field for item in elsewhere.plan(job(regions=["cn-north-4"])).unsupported] == ["regions"]


# --- options, policies ---


@pytest.mark.parametrize(
    ("api", "options"),
    [("v3", {"categories": ["porn"]}), ("v3", {"use_ocr": True}), ("v3", {"upload": True}), ("v3", {"description": "x"}),
     ("v2", {"biz_type": "x"}), ("v2", {"image_categories": ["porn"]}), ("v2", {"event_type": "x"}), ("v2", {"audio_categories": []})],
)  # fmt: skip
def test_a_field_of_the_other_api_is_refused_by_name(configured, api, options):
    plan = configured(api=api).plan(job(options={"huawei": options}))
    assert [item.field for item in plan.unsupported] == [f"options.huawei.{next(iter(options))}"]


@pytest.mark.parametrize(
    ("options", "says"),
    [({"categories": ["ad"]}, "categories"), ({"image_categories": []}, "image_categories"), ({"nonsense": 1}, "no such field"),
     ({"biz_type": "p", "image_categories": ["porn"]}, "give either"), ({"description": "x" * 501}, "description"), ({"obs_output": "s3://x"}, "obs_output"), ({"obs_output": "obs://bkt/{kee}/"}, "obs_output")],
)  # fmt: skip
def test_wrong_options_are_refused_by_name(moderator, options, says):
    with pytest.raises(InvalidOptions, match=says):
        moderator.plan(job(options={"huawei": options}))


def test_categories_can_be_named_instead(moderator, v2):
    plan = moderator.plan(job(detect=["sexual"], options={"huawei": {"image_categories": ["politics", "politics"]}}))
    assert body(plan)["image_categories"] == ["politics"]
    assert {row.channel.value for row in plan.coverage if row.state == "planned"} == {"speech", "sound"}
    plan = v2.plan(job(detect=["sexual"], options={"huawei": {"use_ocr": False, "text_categories": ["porn", "ad"]}}))
    assert common(plan)["text_categories"] == "porn,ad"
    assert common(plan)["use_ocr"] == "false"


# --- key and callback ---


@pytest.mark.parametrize(
    ("key", "fits"),
    [("a" * 100, True), ("A-z_9", True), ("a" * 101, False), ("a b", False), ("密", False), ("a.b", False)],
)
def test_a_key_is_the_task_s_name_where_it_fits_else_a_digest(v2, key, fits):
    (task,) = v2.plan(job(key=key)).tasks
    assert task.payload["name"] == task.vendor_key == v2._instance("huawei").provider.vendor_key_of(key)
    assert (task.vendor_key == key) is fits
    assert task_name(task.vendor_key) == task.vendor_key
    assert v2.plan(job(key=key, attempt=2)).tasks[0].vendor_key != task.vendor_key


def test_the_key_fills_the_callback_s_url(moderator, v2):
    asked = job(key="a/b ü", callback={"url": "https://me.example/cb/{key}?k={key}"})
    plan = moderator.plan(asked)
    assert body(plan)["callback"] == "https://me.example/cb/a%2Fb%20%C3%BC?k=a%2Fb%20%C3%BC"
    assert "seed" not in body(plan)
    assert "wish_ignored" in codes(v2.plan(asked))
    assert plan.tasks[0].vendor_key == "a/b ü"


def test_a_seed_is_a_name_until_it_is_sent(configured):
    maker = configured(seed="own_seed", seeds={"theirs": "other_seed"})
    for secret, name in ((None, ""), ("theirs", "theirs")):
        plan = maker.plan(job(callback={"url": "https://me.example", "secret": secret}))
        assert body(plan)["seed"] == "***"
        assert plan.tasks[0].extra["seed"] == name
        assert "own_seed" not in plan.dump_json()
    refused = maker.plan(job(callback={"url": "https://me.example", "secret": "nobody"}))
    assert [item.field for item in refused.unsupported] == ["callback.secret"]


def test_what_goes_over_the_wire_is_told_without_secrets(configured):
    plan = configured(region="cn-north-4").plan(job(media=URL + "?sig=SECRET", detect=["sexual"], channels=["visual"]))
    assert [(r.method, r.path, r.query) for r in plan.requests] == [
        ("GET", "/v3/projects", {"name": "cn-north-4"}), ("POST", "/v3/{project_id}/moderation/video/jobs", {}),
    ]  # fmt: skip
    assert "SECRET" not in plan.dump_json()
    known = configured(project_id="p1").plan(job())
    assert [r.path for r in known.requests] == ["/v3/p1/moderation/video/jobs"]


def test_planning_is_pure(moderator, v2):
    for maker in (moderator, v2):
        assert maker.plan(job(detect=["sexual"], interval=2.5)) == maker.plan(job(detect=["sexual"], interval=2.5))
