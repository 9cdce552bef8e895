"""From a job to tasks of Tencent's, and what of it cannot be had."""

from __future__ import annotations

import base64
import json

import pytest

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.plugins import DeclaredPolicy
from reelvet.schema.errors import ConfigurationError, InvalidOptions, MissingSecret, UnknownLabel, UnsupportedFeature
from reelvet.schema.media import Media
from reelvet.schema.task import RawTask
from reelvet_tencent.request import data_id

URL = "https://cdn.example.com/clip.mp4"
LIVE = Media("rtmp://live.example.com/app/stream", kind="live")
SEXUAL = {"covers": [{"labels": ["sexual"], "channels": ["visual"]}]}
VIOLENT = {"covers": [{"labels": ["violence"], "channels": ["visual"]}]}
ACCOUNT = {"secret_id": "AKIDcanary", "secret_key": "canary-secret", "region": "ap-guangzhou", "biz_type": "reels_1"}


def job(**fields):
    return ModerationJob(**{"media": URL, "key": "key-1", "detect": ["sexual"]} | fields)


def body(plan, number=0):
    return plan.tasks[number].payload


def test_a_job_is_one_task(moderator):
    plan = moderator.plan(job(detect=["sexual.explicit.pornography"], channels=["visual"]))
    assert body(plan) == {
        "BizType": "reels_1", "Type": "VIDEO", "Tasks": [{"DataId": "key-1", "Input": {"Type": "URL", "Url": URL}}],
    }  # fmt: skip
    assert plan.requests[0].headers["X-TC-Action"] == "CreateVideoModerationTask"
    assert plan.requests[0].headers["X-TC-Version"] == "2021-09-22"
    assert (plan.requests[0].method, plan.requests[0].path) == ("POST", "/")
    assert not plan.unsupported
    assert {row.state for row in plan.coverage} == {"planned"}
    assert plan.price_class == "paid"


def test_planning_is_pure_and_shows_no_secret(make):
    moderator = make(region="ap-guangzhou", seed="s3cret-seed")
    asked = job(media=URL + "?sig=SECRET", callback={"url": "https://me.example.com/hook?token=SECRET"})
    plan = moderator.plan(asked)
    assert plan == moderator.plan(asked)
    assert "SECRET" not in plan.dump_json()
    assert "s3cret" not in plan.dump_json()
    assert body(plan)["Seed"] == "***"
    assert plan.requests[0].headers["X-TC-Region"] == "ap-guangzhou"


# --- task types ---


def test_generated_media_is_a_task_of_its_own(moderator):
    both = moderator.plan(job(detect=["sexual", "synthetic.ai_generated"]))
    assert [task.category for task in both.tasks] == ["VIDEO", "VIDEO_AIGC"]
    assert both.tasks[1].looks_for == {"visual": ["synthetic.ai_generated"]}
    assert both.tasks[0].share_key != both.tasks[1].share_key
    assert [task.category for task in moderator.plan(job(detect=["synthetic.ai_generated"])).tasks] == ["VIDEO_AIGC"]
    assert [task.category for task in moderator.plan(job(detect=None)).tasks] == ["VIDEO"]


def test_a_stream_is_a_live_task_and_rtmp_is_nothing_else(moderator):
    assert body(moderator.plan(job(media=LIVE)))["Type"] == "LIVE_VIDEO"
    generated = moderator.plan(job(media=LIVE, detect=["synthetic.ai_generated"]))
    assert [item.field for item in generated.unsupported] == ["detect"]


@pytest.mark.parametrize(
    ("media", "says"),
    [(Media("obs://bucket/a.mp4"), "cannot read obs"), (Media("cos://bucket"), "names no object"), (Media("cos://b/a.flv", kind="live"), "no object in a bucket"),
     (Media("gcore:12"), "cannot read gcore"), (Media("https://cdn.example.com/a.jpg", kind="image"), "does not take image")],
)  # fmt: skip
def test_media_that_tencent_cannot_take_is_refused(moderator, media, says):
    plan = moderator.plan(job(media=media))
    assert any(says in item.says for item in plan.unsupported)
    assert not plan.tasks


def test_a_bucket_is_named_with_its_region(make):
    media = Media("cos://clips-1250000000/a/b c.mp4")
    given = body(make(region="ap-guangzhou").plan(job(media=media)))["Tasks"][0]["Input"]
    assert given == {"Type": "COS", "BucketInfo": {"Bucket": "clips-1250000000", "Region": "ap-guangzhou", "Object": "/a/b c.mp4"}}  # fmt: skip
    elsewhere = make(region="ap-guangzhou", cos_region="ap-beijing")
    assert body(elsewhere.plan(job(media=media)))["Tasks"][0]["Input"]["BucketInfo"]["Region"] == "ap-beijing"
    named = job(media=media, options={"tencent": {"cos_region": "ap-shanghai"}})
    assert body(elsewhere.plan(named))["Tasks"][0]["Input"]["BucketInfo"]["Region"] == "ap-shanghai"


# --- BizTypes ---


@pytest.mark.parametrize(
    ("preferred", "detect", "chosen"),
    [("sexy", ["sexual"], "sexy"), ("sexy", ["violence"], "rough"), ("rough", ["sexual.suggestive"], "sexy"),
     ("rough", ["sexual", "violence"], "whole"), (None, ["sexual"], "sexy"), ("whole", ["sexual"], "whole"), ("other", ["sexual"], "sexy"),
     ("other", ["gambling"], "other"), ("sexy", None, "whole")],
)  # fmt: skip
def test_a_job_goes_to_the_biz_type_that_covers_what_it_asks(make, preferred, detect, chosen):
    whole = {"covers": [*SEXUAL["covers"], *VIOLENT["covers"]]}
    moderator = make(biz_type=preferred, biz_types={"sexy": SEXUAL, "rough": VIOLENT, "whole": whole})
    assert body(moderator.plan(job(detect=detect)))["BizType"] == chosen


def test_what_another_biz_type_sees_is_told_as_not_looked_for(make):
    moderator = make(biz_type="sexy", biz_types={"sexy": SEXUAL, "rough": VIOLENT})
    plan = moderator.plan(job(detect=None))
    states = {(row.label.partition(".")[0], row.state.value) for row in plan.coverage}
    assert states == {("sexual", "planned"), ("violence", "not_evaluated")}


def test_a_named_biz_type_is_used_whatever_it_covers(make):
    moderator = make(biz_types={"sexy": SEXUAL, "rough": VIOLENT}, biz_type=None)
    refused = moderator.plan(job(options={"tencent": {"biz_type": "rough"}}))
    assert [item.field for item in refused.unsupported] == ["detect"]
    strange = moderator.plan(job(options={"tencent": {"biz_type": "elsewhere"}}))
    assert body(strange)["BizType"] == "elsewhere"
    assert "undeclared_policy" in {note.code for note in strange.warnings}


def test_what_is_not_declared_is_planned_with_a_warning(make):
    plan = make(biz_types={}).plan(job())
    assert body(plan)["BizType"] == "reels_1"
    assert [note.code for note in plan.warnings] == ["undeclared_policy", "region_missing"]


def test_a_policy_that_does_not_cover_a_demand_refuses_it(moderator):
    plan = moderator.plan(job(detect=["gambling"]))
    assert [item.field for item in plan.unsupported] == ["detect"]
    heard = moderator.plan(job(detect=["sexual.explicit"], channels=["speech"]))
    assert {item.field for item in heard.unsupported} == {"detect", "channels"}


def test_a_transcript_needs_a_policy_that_listens(moderator, make):
    plan = moderator.plan(job(detect=[], transcript={}))
    assert [task.category for task in plan.tasks] == ["VIDEO"]
    assert plan.tasks[0].extra == {"transcript": True, "all_segments": True}
    deaf = make(biz_types={"reels_1": SEXUAL}).plan(job(detect=[], transcript={}))
    assert [item.field for item in deaf.unsupported] == ["transcript"]
    translated = moderator.plan(job(detect=[], transcript={"translate_to": "en"}))
    assert [item.field for item in translated.unsupported] == ["transcript.translate_to"]


def test_a_misspelled_label_in_a_declaration_stops_the_start(make):
    with pytest.raises(UnknownLabel, match="sexuall"):
        make(biz_types={"reels_1": {"covers": [{"labels": ["sexuall"], "channels": ["visual"]}]}})


# --- keys ---


@pytest.mark.parametrize("key", ["a", "A-z_0@#", "k" * 64])
def test_a_key_that_fits_is_sent_as_it_is(moderator, key):
    assert moderator.plan(job(key=key)).tasks[0].vendor_key == key == data_id(key)


@pytest.mark.parametrize("key", ["k" * 65, "a b", "ключ", "a/b", "a\n", "é"])
def test_a_key_that_does_not_fit_is_sent_as_a_digest(moderator, key):
    task = moderator.plan(job(key=key)).tasks[0]
    assert (
        task.payload["Tasks"][0]["DataId"]
        == task.vendor_key
        == moderator._instance("tencent").provider.vendor_key_of(key)
    )
    assert len(task.vendor_key) == 64
    assert data_id(task.vendor_key) == task.vendor_key
    again = moderator.plan(job(key=key, attempt=2)).tasks[0]
    assert again.vendor_key != task.vendor_key


# --- everything else that can be sent ---


def test_every_other_parameter_goes_through_the_options(make):
    options = {
        "name": "clip", "priority": 7, "user": {"account_type": "2", "age": 19}, "image_frequency": 2, "image_urls": ["https://cdn.example.com/a.jpg"],
        "text_content": "что", "title": "t", "extra": "x",
    }  # fmt: skip
    plan = make(region="ap-guangzhou").plan(job(user="u-7", options={"tencent": options}))
    assert plan.requests[0].body == {
        "BizType": "reels_1", "Type": "VIDEO", "Priority": 7, "User": {"UserId": "u-7", "AccountType": "2", "Age": 19},
        "Tasks": [{
            "DataId": "key-1", "Name": "clip", "DecodeParams": {"ImageFrequency": 2},
            "Input": {"Type": "URL", "Url": URL, "ImageUrlList": ["https://cdn.example.com/a.jpg"], "TextContent": base64.b64encode("что".encode()).decode(), "Title": "t", "Extra": "x"},
        }],
    }  # fmt: skip
    assert not plan.unsupported
    assert not plan.warnings


@pytest.mark.parametrize(
    "options", [{"user": {"age": 19}}, {"image_frequency": 2}, {"image_urls": ["u"]}, {"text_content": "x"}, {"title": "t"}, {"extra": "x"}]
)  # fmt: skip
def test_what_the_international_edition_lacks_is_refused_and_not_sent(make, options):
    moderator = make(region="ap-singapore")
    plan = moderator.plan(job(options={"tencent": options}))
    assert [item.field for item in plan.unsupported] == [f"options.tencent.{next(iter(options))}"]
    assert plan.tasks[0].payload == moderator.plan(job()).tasks[0].payload


def test_the_international_edition_has_no_user_and_no_generated_media(make):
    moderator = make(region="ap-singapore")
    plan = moderator.plan(job(user="u-7"))
    assert "User" not in body(plan)
    assert [note.code for note in plan.warnings] == ["wish_ignored"]
    assert [i.field for i in moderator.plan(job(detect=["synthetic.ai_generated"])).unsupported] == ["detect"]
    assert moderator._instance("tencent").provider.settings.url == "https://vm.intl.tencentcloudapi.com"
    assert (
        make(region="ap-singapore", edition="cn")._instance("tencent").provider.settings.url
        == "https://vm.tencentcloudapi.com"
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [({"biz_type": "a"}, "biz_type"), ({"biz_type": "a b c"}, "biz_type"), ({"image_frequency": 31}, "image_frequency"), ({"user": {"nick": "x"}}, "user"),
     ({"user": {}}, "empty"), ({"stream_started_at": "2026-11-01T10:00:00"}, "stream_started_at"), ({"bizType": "abc"}, "no such field")],
)  # fmt: skip
def test_wrong_options_are_refused_by_name(moderator, options, says):
    with pytest.raises(InvalidOptions, match=says):
        moderator.plan(job(options={"tencent": options}))


# --- callbacks ---


def test_a_callback_is_asked_for_with_the_seed_that_the_job_names(make):
    moderator = make(seed="seed-0", seeds={"mine": "seed-1"})
    url = "https://me.example.com/hook/{key}"
    named = moderator.plan(job(key="a/b", callback={"url": url, "secret": "mine"}))
    assert (body(named)["CallbackUrl"], named.tasks[0].extra["seed"]) == ("https://me.example.com/hook/a%2Fb", "mine")
    assert moderator.plan(job(callback={"url": url})).tasks[0].extra["seed"] == ""
    unknown = moderator.plan(job(callback={"url": url, "secret": "other"}))
    assert [(item.field, item.alternatives) for item in unknown.unsupported] == [("callback.secret", ("mine",))]


def test_an_unsigned_callback_is_told(moderator):
    plan = moderator.plan(job(callback={"url": "https://me.example.com/hook"}))
    assert "Seed" not in body(plan)
    assert "callback_unsigned" in {note.code for note in plan.warnings}


# --- what may share a call ---


def test_only_what_is_said_once_for_all_decides_who_may_share_a_call(make):
    moderator = make(
        region="ap-guangzhou", seeds={"a": "seed-a", "b": "seed-b"}, biz_types={"reels_1": SEXUAL, "other_1": SEXUAL}
    )

    def key(options=None, **fields):
        return moderator.plan(job(options={"tencent": options or {}}, **fields)).tasks[0].share_key

    plain = key()
    assert plain == key(key="another", media=URL + "?2", options={"name": "n", "image_frequency": 3, "title": "t"})
    hook = {"url": "https://me.example.com/hook"}
    others = [
        key(options={"biz_type": "other_1"}), key(media=LIVE), key(options={"priority": 1}), key(user="u"), key(callback=hook),
        key(callback={**hook, "secret": "a"}), key(callback={**hook, "secret": "b"}), key(callback={"url": "https://me.example.com/hook2"}),
    ]  # fmt: skip
    assert len({plain, *others}) == 9
    assert "seed-a" not in json.dumps(others)


# --- configuration ---


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"secret_key": " x"}, "white space"), ({"region": None}, "region"), ({"biz_type": None}, "biz_type"), ({"biz_type": "a b"}, "biz_type"),
     ({"biz_types": {"a-b": {}}}, "biz_types"), ({"credentials": "magic"}, "credentials"), ({"credentials": "sts"}, "role_arn"),
     ({"credentials": "oidc"}, "oidc_provider_id"), ({"edition": "eu"}, "edition"), ({"base_url": "vm.tencentcloudapi.com"}, "base URL")],
)  # fmt: skip
def test_wrong_settings_are_refused_by_name_and_show_no_secret(settings, says):
    table = {name: value for name, value in {**ACCOUNT, **settings}.items() if value is not None}
    with pytest.raises(ConfigurationError, match=says) as caught:
        AsyncModerator(Config.parse({"use": "tencent", "providers": {"tencent": table}}))
    assert "canary" not in str(caught.value)


def test_what_is_missing_is_named_with_the_vendors_variables():
    with pytest.raises(
        MissingSecret, match=r"secret_id.*secret_key.*region.*biz_type.*TENCENTCLOUD_SECRET_ID"
    ) as caught:
        AsyncModerator(Config.parse({"use": "tencent", "providers": {"tencent": {}}}))
    assert "TENCENTCLOUD_SECRET_KEY" in str(caught.value)


def test_the_vendors_own_variables_and_a_region_and_a_biz_type_suffice(monkeypatch):
    monkeypatch.setenv("TENCENTCLOUD_SECRET_ID", "AKIDcanary")
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", "canary-secret")
    table = {"region": "ap-guangzhou", "biz_type": "reels_1"}
    moderator = AsyncModerator(Config.parse({"use": "tencent", "providers": {"tencent": table}}))
    settings = moderator._instance("tencent").provider.settings
    assert settings.secret_key.get_secret_value() == "canary-secret"
    assert "canary" not in repr(settings)


def test_anything_but_the_vendor_is_a_sandbox_and_no_production():
    def moderator(url, **more):
        table = ACCOUNT | ({"base_url": url} if url else {})
        return AsyncModerator(Config.parse({"use": "tencent", "providers": {"tencent": table}} | more))

    assert not moderator(None)._instance("tencent").provider.sandbox
    assert not moderator("https://vm.intl.tencentcloudapi.com")._instance("tencent").provider.sandbox
    assert moderator("https://vm.tencentcloudapi.com.evil.example")._instance("tencent").provider.sandbox
    with pytest.raises(ConfigurationError, match="production"):
        moderator("http://127.0.0.1:1", production=True)


async def test_a_demand_that_cannot_be_met_is_refused_before_anything_is_sent():
    table = {**ACCOUNT, "biz_types": {"reels_1": SEXUAL}}
    async with AsyncModerator(Config.parse({"use": "tencent", "providers": {"tencent": table}})) as moderator:
        with pytest.raises(UnsupportedFeature, match="violence"):
            await moderator.submit(job(detect=["violence"]))


def test_capabilities_follow_the_declarations(make):
    able = make(biz_types={"reels_1": SEXUAL, "other_1": VIOLENT})._instance("tencent").capabilities
    assert {label.partition(".")[0] for label in able.labels} == {"sexual", "violence", "synthetic"}
    assert {channel.value for channel in able.channels} == {"visual"}
    assert {one.kind: (one.tasks, one.waits) for one in able.parallel} == {"video": (10, True), "live": (100, False)}
    assert len(make(biz_types={})._instance("tencent").capabilities.labels) > 100


# --- learning a declaration ---


def test_a_declaration_is_proposed_from_what_a_policy_was_seen_to_do(moderator, sample):
    provider = moderator._instance("tencent").provider
    stored = [sample("composed_clean_all_segments"), sample("composed_audio_details"), sample("composed_image_details")]
    learned = provider.learn([provider.recognize(payload) for payload in stored])
    assert learned.setting == "biz_types"
    proposed = learned.policies
    assert set(proposed) == {"reels_1"}
    places = {
        (label, channel.value)
        for part in proposed["reels_1"].covers
        for label in part.labels
        for channel in part.channels
    }
    assert places == {
        ("sexual.explicit.pornography", "visual"), ("extremism.terrorism", "visual"), ("spam.advertising", "visual"), ("spam.advertising", "ocr"),
        ("politics", "visual"), ("context.person.minor", "visual"), ("harassment.abuse", "speech"), ("sexual.sound.moaning", "sound"), ("context.person.gender", "sound"),
    }  # fmt: skip
    assert isinstance(proposed["reels_1"], DeclaredPolicy)
    nothing = [RawTask(ref={"id": "t"}, status="unknown", payload=one) for one in ({"Response": {"TaskId": "t"}}, None)]
    learned = provider.learn(nothing)
    assert learned.policies == {}
    assert {note.code for note in learned.notes} == {"biz_type_missing"}


def test_what_is_left_out_of_a_proposal_is_told(moderator, sample):
    provider = moderator._instance("tencent").provider
    payload, odd = sample("composed_clean_all_segments"), sample("composed_clean_all_segments")
    odd["Response"]["BizType"] = "a b!"
    payload["Response"]["ImageSegments"][0]["Result"]["Results"] = [{"Scene": "Hot", "Label": "Normal"}]
    notes = provider.learn([provider.recognize(one) for one in (payload, odd, odd)]).notes
    assert [note.code for note in notes] == ["biz_type_refused", "unmapped"]
    assert "'a b!'" in notes[0].says
    assert "'Hot'" in notes[1].says
