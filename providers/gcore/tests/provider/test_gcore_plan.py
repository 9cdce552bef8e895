"""From a job to the fewest billed tasks, and what of it cannot be had."""

from __future__ import annotations

import json

import pytest

from reelvet import AsyncModerator, Config, ModerationJob
from reelvet.schema.errors import ConfigurationError, InvalidOptions, MissingSecret, UnsupportedFeature
from reelvet.schema.media import Media

URL = "https://cdn.example.com/clip.mp4"
SOFT_ONLY = "context.body.belly_exposed"


def job(**fields):
    return ModerationJob(**{"media": URL, "key": "key-1"} | fields)


def categories(plan):
    return [task.category for task in plan.tasks]


@pytest.mark.parametrize(
    ("detect", "planned"),
    [(["sexual.explicit.pornography"], ["nsfw"]),
     (["sexual.explicit.nudity_female_breast"], ["hard_nudity"]),
     (["sexual.partial_nudity.male_chest"], ["hard_nudity"]),
     (["sexual.explicit.nudity_female_breast", SOFT_ONLY], ["soft_nudity"]),
     (["context.person.face_female"], ["soft_nudity"]),
     (["context.sport"], ["sport"]),
     (["context.sport.archery"], ["sport"]),
     (["sexual"], ["nsfw", "hard_nudity"]),
     (["sexual", "context.person", "context.sport"], ["nsfw", "soft_nudity", "sport"]),
     (["sexual.explicit.nudity*"], ["hard_nudity"]),
     (None, ["nsfw", "hard_nudity"])],
)  # fmt: skip
def test_the_fewest_billed_tasks_cover_what_is_asked(moderator, detect, planned):
    plan = moderator.plan(job(detect=detect))
    assert categories(plan) == planned
    assert not plan.unsupported
    assert {task.price_class for task in plan.tasks} == {plan.price_class} == {"paid"}
    for row in plan.coverage:
        if row.state == "planned" and row.clearable:
            below = [row.label, *moderator.registry.taxonomy.subtree(row.label)]
            assert any(label in task.looks_for["visual"] for task in plan.tasks for label in below)


def test_what_gcore_cannot_see_is_refused_or_told(moderator):
    refused = moderator.plan(job(detect=["violence"]))
    assert [(item.field, "violence" in item.says) for item in refused.unsupported] == [("detect", True)]
    assert not refused.tasks
    part = moderator.plan(job(detect=["sexual.suggestive", "sexual.explicit.pornography"], on_unsupported="skip"))
    assert categories(part) == ["nsfw"]
    assert {row.state for row in part.coverage if row.label.startswith("sexual.suggestive")} == {"not_evaluated"}
    heard = moderator.plan(job(detect=["sexual"], channels=["speech"]))
    assert {item.field for item in heard.unsupported} == {"detect", "channels"}


@pytest.mark.parametrize(
    ("media", "says"),
    [(Media("obs://bucket/a.mp4"), "cannot read obs"), (Media("rtmp://h.example/a", kind="live"), "cannot read rtmp"),
     (Media("gcore:abc"), "a video's id is a number"), (Media("huawei:1"), "cannot read huawei")],
)  # fmt: skip
def test_media_that_gcore_cannot_take_is_refused(moderator, media, says):
    plan = moderator.plan(job(media=media))
    assert any(says in item.says for item in plan.unsupported)
    assert not plan.tasks
    assert not plan.requests


def test_a_file_is_refused_with_what_would_work(moderator, tmp_path):
    item = moderator.plan(job(media=tmp_path / "a.mp4")).unsupported[0]
    assert item.alternatives == ("gcore://", "http://", "https://")


def test_pictures_are_taken_by_all_but_sport(moderator):
    picture = Media("https://cdn.example.com/a.jpg", kind="image")
    assert categories(moderator.plan(job(media=picture, detect=["sexual"]))) == ["nsfw", "hard_nudity"]
    assert moderator.plan(job(media=picture, detect=["context.sport"])).unsupported
    named = moderator.plan(job(media=picture, detect=["sexual"], options={"gcore": {"categories": ["nsfw", "sport"]}}))
    assert categories(named) == ["nsfw"]
    assert "not_for_pictures" in {note.code for note in named.warnings}


def test_what_goes_over_the_wire_is_told_without_secrets(moderator):
    plan = moderator.plan(job(media=URL + "?sig=SECRET", detect=["sexual"], user="u-7", metadata={"post": 9}))
    posts = [request.dump() for request in plan.requests]
    assert [(post["method"], post["path"]) for post in posts] == [("POST", "/streaming/ai/tasks")] * 2
    assert posts[0]["body"] == {
        "task_name": "content-moderation", "url": URL + "?***", "client_user_id": "u-7",
        "client_entity_data": '{"reelvet":1,"key":"key-1","metadata":{"post":9}}', "category": "nsfw",
    }  # fmt: skip
    assert "SECRET" not in plan.dump_json()
    assert plan.requests[0].body["url"] == URL + "?sig=SECRET"


def test_planning_is_pure(moderator):
    asked = job(detect=["sexual"], stop_on={"sexual": 0.9}, transcript={"languages": ["de"]})
    assert moderator.plan(asked) == moderator.plan(asked)


# --- options ---


def test_categories_can_be_named_instead(moderator):
    plan = moderator.plan(
        job(detect=["sexual.explicit.nudity_anus"], options={"gcore": {"categories": ["soft_nudity", "nsfw", "nsfw"]}})
    )
    assert categories(plan) == ["soft_nudity", "nsfw"]
    assert not plan.unsupported
    missed = moderator.plan(job(detect=["context.sport"], options={"gcore": {"categories": ["nsfw"]}}))
    assert [item.field for item in missed.unsupported] == ["detect"]


@pytest.mark.parametrize(
    ("options", "says"),
    [({"categories": ["weapon"]}, "categories"), ({"categories": []}, "categories"), ({"category": "nsfw"}, "no such field"),
     ({"frame_rate": 0}, "frame_rate"), ({"key_frame_times": [3, 1]}, "ascending"), ({"key_frame_times": [-1]}, "ascending"),
     ({"key_frame_times": [0], "frame_rate": 25}, "one meaning"), ({"first_frame": 2}, "first_frame"), ({"mp4_height": 0}, "mp4_height")],
)  # fmt: skip
def test_wrong_options_are_refused_by_name(moderator, options, says):
    with pytest.raises(InvalidOptions, match=says):
        moderator.plan(job(options={"gcore": options}))


# --- stop_on ---


@pytest.mark.parametrize(
    ("detect", "stop_on", "stops"),
    [(["sexual.explicit.nudity*"], {"sexual.explicit.nudity_anus": 0.8}, {"hard_nudity": "ANUS_EXPOSED:0.8"}),
     (["context.person.face_male"], {"context.person.face_male": 1}, {"soft_nudity": "FACE_MALE:1"}),
     (["sexual"], {"sexual.explicit.nudity_anus": 0.12345}, {"hard_nudity": "ANUS_EXPOSED:0.3"}),
     (["sexual.explicit.nudity*"], {"sexual.explicit.nudity_anus": 0.87654, "sexual.explicit.nudity_a*": 0.5}, {"hard_nudity": "ANUS_EXPOSED:0.5"})],
)  # fmt: skip
def test_stop_on_becomes_stop_objects_where_the_category_takes_it(moderator, detect, stop_on, stops):
    plan = moderator.plan(job(detect=detect, stop_on=stop_on))
    assert {t.category: t.payload["stop_objects"] for t in plan.tasks if "stop_objects" in t.payload} == stops


def test_a_stop_that_no_task_can_honour_is_told(moderator):
    plan = moderator.plan(job(detect=["sexual.explicit.pornography"], stop_on={"sexual.explicit.pornography": 0.9}))
    assert "stop_objects" not in plan.tasks[0].payload
    assert [note.code for note in plan.warnings] == ["wish_ignored"]
    low = moderator.plan(job(detect=["sexual.explicit.nudity*"], stop_on={"sexual.explicit.nudity_anus": 0.1}))
    assert [note.code for note in low.warnings] == ["wish_adjusted"]


# --- user, key and metadata ---


def test_user_and_metadata_that_do_not_fit_are_left_out_and_told(moderator):
    plan = moderator.plan(job(user="ü" * 129, metadata={"text": "x" * 4096}))
    body = plan.tasks[0].payload
    assert "client_user_id" not in body
    assert json.loads(body["client_entity_data"]) == {"reelvet": 1, "key": "key-1"}
    assert [note.code for note in plan.warnings] == ["wish_ignored", "wish_ignored"]
    fits = moderator.plan(job(user="u" * 256, metadata={"text": "x" * 4000}))
    assert fits.tasks[0].payload["client_user_id"] == "u" * 256
    assert len(fits.tasks[0].payload["client_entity_data"]) <= 4096
    assert not fits.warnings


@pytest.mark.parametrize("key", ["k" * 256, '"' * 256, "密" * 256, "\n" * 256])
def test_every_key_fits_the_envelope(moderator, key):
    for attempt in (1, 2):
        asked = job(key=key, attempt=attempt, metadata={"text": "x" * 5000})
        data = moderator.plan(asked).tasks[0].payload["client_entity_data"]
        assert len(data.encode()) <= 4096
        assert json.loads(data)["key"] == asked.vendor_key


# --- transcripts ---


@pytest.mark.parametrize(
    ("transcript", "body", "price"),
    [({}, {}, "free"),
     ({"languages": ["de-DE"]}, {"audio_language": "ger"}, "free"),
     ({"languages": ["deu"]}, {"audio_language": "ger"}, "free"),
     ({"languages": ["ger"], "translate_to": "fr"}, {"audio_language": "ger", "subtitles_language": "fre"}, "paid"),
     ({"languages": ["zh-Hans"], "translate_to": "zh-Hant"}, {"audio_language": "chi"}, "free"),
     ({"languages": ["en", "en-GB"]}, {"audio_language": "eng"}, "free"),
     ({"languages": ["en", "es"]}, {}, "free"),
     ({"translate_to": "nb"}, {"subtitles_language": "nor"}, "paid")],
)  # fmt: skip
def test_languages_become_the_vendors_codes_and_translation_is_paid(moderator, transcript, body, price):
    plan = moderator.plan(job(detect=[], transcript=transcript))
    assert [task.category for task in plan.tasks] == ["transcription"]
    assert {
        name: plan.tasks[0].payload.get(name)
        for name in ("audio_language", "subtitles_language")
        if name in plan.tasks[0].payload
    } == body
    assert plan.price_class == plan.tasks[0].price_class == price
    assert plan.tasks[0].payload["task_name"] == "transcription"


def test_a_free_job_is_not_refused_for_its_price(moderator):
    free = job(detect=[], transcript={}, max_cost="0.10 USD")
    assert not moderator.plan(free).unsupported
    assert [i.field for i in moderator.plan(job(detect=["sexual"], max_cost="0.10 USD")).unsupported] == ["max_cost"]


def test_the_language_hint_serves_a_transcript_that_names_none(moderator):
    plan = moderator.plan(job(detect=[], transcript={}, language="pt-BR"))
    assert plan.tasks[0].payload["audio_language"] == "por"
    assert "audio_language" not in moderator.plan(job(language="pt-BR")).tasks[0].payload


def test_the_vendor_is_asked_about_languages_that_are_named(moderator):
    plan = moderator.plan(job(detect=[], transcript={"languages": ["en"], "translate_to": "uz"}))
    first = plan.requests[0]
    assert (first.method, first.path) == ("GET", "/streaming/ai/info")
    assert first.query == {"type": "language_support", "audio_language": "eng", "subtitles_language": "uzb"}
    assert [r.method for r in moderator.plan(job(detect=[], transcript={"translate_to": "uz"})).requests] == ["POST"]


@pytest.mark.parametrize("tag", ["klingon", "x", "", "123", "en us"])
def test_what_is_no_language_is_refused(moderator, tag):
    plan = moderator.plan(job(detect=[], transcript={"languages": [tag]}))
    assert [(item.field, bool(item.alternatives)) for item in plan.unsupported] == [("transcript.languages", True)]
    assert not plan.tasks


# --- the legacy API ---


def test_the_legacy_api_speaks_its_own_words(legacy):
    plan = legacy.plan(
        job(
            detect=["sexual.explicit.nudity*"],
            stop_on={"sexual.explicit.nudity_anus": 0.8},
            user="u",
            metadata={"a": 1},
        )
    )
    assert [(r.path, r.body) for r in plan.requests] == [
        ("/streaming/ai/detect-nudity", {"url": URL, "stop_objects": "ANUS_EXPOSED:0.8"})
    ]
    assert {note.says.partition(" ")[0] for note in plan.warnings} == {"user", "metadata"}
    both = legacy.plan(job(detect=["sexual", "context.sport"]))
    assert [r.body.get("category") for r in both.requests] == ["nsfw", None, "sport"]
    spoken = legacy.plan(job(detect=[], transcript={}))
    assert [item.field for item in spoken.unsupported] == ["transcript"]


# --- one of Gcore's own videos ---


def test_a_video_of_gcores_own_is_looked_up_first(moderator):
    plan = moderator.plan(job(media="gcore:70575", detect=["sexual"], options={"gcore": {"mp4_height": 720}}))
    assert [(r.method, r.path) for r in plan.requests][:2] == [
        ("GET", "/streaming/videos/70575"),
        ("POST", "/streaming/ai/tasks"),
    ]
    assert plan.tasks[0].payload["url"] == "gcore:70575"
    assert plan.tasks[0].extra == {"mp4_height": 720}


# --- configuration ---


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"api_key": "29841"}, "single quotes"), ({"api_key": "APIKey 1$a"}, "token alone"), ({"api_key": " 1$a"}, "white space"),
     ({"api_key": "1$a", "api": "old"}, "api"), ({"api_key": "1$a", "base_url": "api.gcore.com"}, "base URL"),
     ({"api_key": "1$a", "base_url": "https://u:p@h.example"}, "base URL"), ({"api_key": "1$a", "page_size": 0}, "page_size")],
)  # fmt: skip
def test_wrong_settings_are_refused_and_show_no_secret(settings, says):
    with pytest.raises(ConfigurationError, match=says) as caught:
        AsyncModerator(Config.parse({"use": "gcore", "providers": {"gcore": settings}}))
    assert settings["api_key"].strip() not in str(caught.value).replace("APIKey", "") or settings["api_key"] == "1$a"


def test_a_missing_token_names_the_variable():
    with pytest.raises(MissingSecret, match="GCORE_API_KEY"):
        AsyncModerator(Config.parse({"use": "gcore", "providers": {"gcore": {}}}))


def test_anything_but_the_vendor_is_a_sandbox_and_no_production():
    def moderator(url, **more):
        settings = {"api_key": "1$a"} | ({"base_url": url} if url else {})
        return AsyncModerator(Config.parse({"use": "gcore", "providers": {"gcore": settings}} | more))

    assert not moderator(None)._instance("gcore").provider.sandbox
    assert not moderator("https://api.gcore.com/")._instance("gcore").provider.sandbox
    assert moderator("https://api.gcore.com.evil.example")._instance("gcore").provider.sandbox
    with pytest.raises(ConfigurationError, match="production"):
        moderator("http://127.0.0.1:1", production=True)


async def test_a_demand_that_cannot_be_met_is_refused_before_anything_is_sent():
    async with AsyncModerator(Config.parse({"use": "gcore", "providers": {"gcore": {"api_key": "1$a"}}})) as moderator:
        with pytest.raises(UnsupportedFeature, match="violence"):
            await moderator.submit(job(detect=["violence"]))
