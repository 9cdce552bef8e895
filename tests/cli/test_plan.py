"""`reelvet plan` and `reelvet normalize`: without a network and without credentials."""

import json

import pytest

MEDIA = "https://media.test/pass.mp4"


@pytest.fixture
def without_credentials(acme, monkeypatch):
    monkeypatch.delenv("ACME_API_KEY")
    return acme


def test_plan_needs_no_credentials_and_shows_no_secret(without_credentials):
    called = without_credentials("plan", MEDIA + "?sig=hush")
    assert called.code == 0
    assert "POST /v1/tasks" in called.out
    assert "X-Region: here" in called.out
    assert "pass.mp4?***" in called.out
    assert "hush" not in called.out
    data = without_credentials("plan", MEDIA + "?sig=hush", "--json")
    assert "hush" not in data.out
    assert data.json["requests"][0]["body"]["scenario"] == "pass"


def test_plan_takes_a_job_file_and_any_installed_provider(without_credentials, here):
    (here / "job.json").write_text(json.dumps({"media": MEDIA, "detect": ["violence"]}))
    called = without_credentials("plan", "job.json", "--use", "runner", "--json")
    assert called.code == 0
    assert called.json["provider"] == "runner"
    assert {row["label"] for row in called.json["coverage"] if row["state"] == "planned"} >= {
        "violence.graphic.blood_gore"
    }


def test_plan_of_what_would_be_refused(without_credentials):
    called = without_credentials("plan", MEDIA, "--detect", "gambling")
    assert called.code == 2
    assert "cannot: detect: does not look for 'gambling'" in called.out
    assert (
        without_credentials("plan", MEDIA, "--detect", "gambling", "--json").json["unsupported"][0]["field"] == "detect"
    )


def test_plan_points_out_thresholds_below_a_floor(acme, here):
    (here / "reelvet.toml").write_text('use = "acme"\n[providers.acme]\nfloor = 0.9\n')
    assert "reports nothing below 0.9" in acme("plan", MEDIA).out
    assert acme("plan", MEDIA, "--json").json["warnings"][0]["code"] == "threshold_below_floor"


def test_normalize_a_stored_reply(without_credentials, here):
    (here / "reply.json").write_text(json.dumps({"id": "block.7", "scenario": "block"}))
    called = without_credentials("normalize", "reply.json", "--provider", "acme")
    assert called.code == 11
    assert " BLOCK " in called.out
    (here / "job.json").write_text(json.dumps({"media": MEDIA, "key": "k9", "detect": ["sexual.explicit.pornography"]}))
    with_job = without_credentials("normalize", "reply.json", "--provider", "acme", "--job", "job.json", "--json").json
    assert with_job["key"] == "k9"
    assert [row["label"] for row in with_job["coverage"]] == ["sexual.explicit.pornography"]


@pytest.mark.parametrize(("text", "says"), [("{", "is no JSON"), (None, "cannot read the payload")])
def test_normalize_what_is_no_reply(acme, here, text, says):
    if text is not None:
        (here / "reply.json").write_text(text)
    called = acme("normalize", "reply.json", "--provider", "acme")
    assert called.code == 2
    assert says in called.err


def test_the_price_is_told_task_by_task_where_tasks_differ(capsys):
    from reelvet.cli.plan_report import print_plan
    from reelvet.schema.plan import Plan, VendorTask

    tasks = [
        VendorTask(name=name, vendor_key="k", price_class=price)
        for name, price in (("look", "paid"), ("write", "free"), ("read", None))
    ]
    print_plan(Plan(provider="acme", tasks=tuple(tasks), price_class="paid"))
    assert "Price: paid for look; free for write; not known for read" in capsys.readouterr().out
    print_plan(Plan(provider="acme", tasks=tuple(tasks[:1]), price_class="paid"))
    assert "Price: paid\n" in capsys.readouterr().out
