"""What is wrong with account, clock, region or media ends in an error that names the cause and the mend."""

from __future__ import annotations

import pytest

from reelvet import Status, Verdict
from reelvet.schema import errors as e
from reelvet_huawei.sandbox import SECURITY_TOKEN, SK, TEMPORARY_AK, TEMPORARY_SK

KEY_PAIR = "What arrived is what was sent and signed, so it is the key pair: check `ak` and `sk`."
UNKNOWN_AK = "Check the credentials, and that they belong to an account in this region; and this machine's clock, which may be off by 15 minutes at most."


async def refused(moderator, asked, kind):
    """The error of a submit; that of the check says the same, and neither shows a secret."""
    with pytest.raises(kind) as caught:
        await moderator.submit(asked)
    error = caught.value
    health = await moderator.check()
    assert (health.ok, error.created) == (False, "no")
    shown = f"{error} {error.body} {error.way_out} {error.as_dict()} {health}"
    for secret in ("WRONG", SK, TEMPORARY_SK, SECURITY_TOKEN, "not-the-password"):
        assert secret not in shown
    return error, health


@pytest.mark.parametrize(
    ("settings", "cause", "mend"),
    [({"sk": "WRONG"}, "verify aksk signature fail", KEY_PAIR), ({"ak": "WRONG"}, "ak not exist", UNKNOWN_AK),
     ({"ak": TEMPORARY_AK, "sk": TEMPORARY_SK}, "security token is invalid", UNKNOWN_AK),
     ({"ak": TEMPORARY_AK, "sk": TEMPORARY_SK, "security_token": "WRONG"}, "security token is invalid", "A temporary key pair ends with its `security_token`: get new ones.")],
)  # fmt: skip
async def test_bad_credentials(configured, job, api, creates, settings, cause, mend):
    async with configured(api=api, **settings) as moderator:
        error, health = await refused(moderator, job(), e.AuthenticationFailed)
    assert cause in error.message
    assert mend in error.way_out
    assert mend in health.way_out
    assert (error.code, error.status, bool(error.request_id), creates()) == ("APIGW.0301", 401, True, 0)


async def test_a_key_that_was_refused_too_often_is_locked_for_a_while(configured, job, reelvet_sandbox):
    async with configured(sk="WRONG") as moderator:
        for _ in range(6):
            with pytest.raises(e.AuthenticationFailed):
                await moderator.submit(job())
    async with configured() as moderator:
        with pytest.raises(e.AuthenticationFailed, match="AK access failed to reach the limit"):
            await moderator.submit(job())
        reelvet_sandbox.clock.advance(301)
        assert (await moderator.moderate(job())).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "settings", [{"password": "not-the-password"}, {"user": "nobody"}, {"domain": "nowhere"}, {"region": "cn-east-3"}]
)
async def test_a_login_that_iam_refuses(configured, by_token, job, api, creates, settings):
    async with configured(api=api, **by_token | settings) as moderator:
        error, health = await refused(moderator, job(), e.AuthenticationFailed)
    cause = "scoped to a project that the user belongs to" if "region" in settings else "username or password is wrong"
    assert cause in error.message
    mend = "Check `domain`, `user` and `password`, and that the user may see the project of `region`."
    assert error.way_out == health.way_out == mend
    assert creates() == 0


@pytest.mark.parametrize(
    ("code", "cause"), [("APIGW.0307", "The token must be updated"), ("APIGW.0301", "token expires, expires_at: 2")]
)
async def test_a_token_that_is_over_as_soon_as_it_is_there(
    configured, by_token, job, reelvet_sandbox, creates, asked, api, code, cause
):
    reelvet_sandbox.set_up("huawei", token_hours=1e-9, expired_as=code)
    async with configured(api=api, **by_token) as moderator:
        error, _ = await refused(moderator, job(), e.AuthenticationFailed)
    assert (error.code, cause in error.message) == (code, True)
    assert "A token that was fetched just now is refused too: check `region` and `project_id`." in error.way_out
    assert (creates(), asked(f"create_{api}")) == (0, 2)


@pytest.mark.parametrize(
    ("ahead", "says"), [(1200, "20 minutes behind the vendor's"), (-1200, "20 minutes ahead of the vendor's")]
)
async def test_a_clock_that_is_20_minutes_off(configured, job, reelvet_sandbox, creates, api, ahead, says):
    reelvet_sandbox.set_up("huawei", clock_ahead=ahead)
    async with configured(api=api) as moderator:
        error, health = await refused(moderator, job(), e.AuthenticationFailed)
    mend = f"This machine's clock is {says}: set it. The clock may be off by 15 minutes at most."
    assert error.way_out == health.way_out == mend
    assert ("signature expired" in error.message, creates()) == (True, 0)


async def test_a_clock_that_is_14_minutes_off_is_good_enough(configured, job, reelvet_sandbox, api):
    reelvet_sandbox.set_up("huawei", clock_ahead=840)
    async with configured(api=api) as moderator:
        assert (await moderator.moderate(job())).verdict is Verdict.PASS


async def test_a_region_without_the_service(configured, job, reelvet_sandbox, creates, api):
    reelvet_sandbox.set_up("huawei", serves="v2" if api == "v3" else "v3")
    async with configured(api=api) as moderator:
        error, health = await refused(moderator, job(), e.FeatureDisabled)
    assert (error.code, "The API does not exist" in error.message) == ("APIGW.0101", True)
    assert error.way_out == health.way_out == "Check region and base URL: the API is not there."
    assert creates() == 0


async def test_a_region_in_which_the_account_has_no_project(configured, job, api, creates):
    async with configured(api=api, region="cn-east-3", project_id=None) as moderator:
        with pytest.raises(e.ConfigurationError, match="0 projects in region 'cn-east-3'") as caught:
            await moderator.submit(job())
        assert not (await moderator.check()).ok
    assert (caught.value.field, creates()) == ("providers.huawei.project_id", 0)
    assert "Give `project_id`, or another `region`." in caught.value.way_out


async def test_another_account_s_project(configured, job, api, creates):
    async with configured(api=api, project_id="0" * 32) as moderator:
        kind = e.InvalidRequest if api == "v2" else e.PermissionDenied
        error, _ = await refused(moderator, job(), kind)
    assert "project" in error.message
    assert "`project_id`" in error.way_out
    assert creates() == 0


async def test_a_service_that_the_account_has_not_subscribed_to(configured, job, reelvet_sandbox, creates, api):
    reelvet_sandbox.set_up("huawei", subscribed=False)
    async with configured(api=api) as moderator:
        error, health = await refused(moderator, job(), e.FeatureDisabled)
    assert "subscribe" in error.message
    assert error.code == ("IVA.0007" if api == "v2" else "ModelArts.4204")
    assert error.way_out == health.way_out == "Switch the service on in the console, in this region."
    assert creates() == 0


async def test_an_object_that_is_not_there(moderator, job, creates):
    """The job is taken and then fails: that is data, and says what to look at."""
    result = await moderator.moderate(job("obs://sandbox.reelvet.example/nowhere.mp4"))
    assert (result.status, result.verdict, creates()) == (Status.FAILED, Verdict.ERROR, 1)
    (note,) = [note for note in result.warnings if note.code == "task_failed"]
    error = result.tasks[0].error
    assert note.says == error.message
    assert "the vendor gives no reason" in error.message
    assert "Check that the media is there" in error.message
    assert "an object in the same region that the service has its agency (delegation) for" in error.message
    # With the vendor's OBS client it is certain: the folder `oracle`.
    assert (
        "Whether obs://sandbox.reelvet.example/nowhere.mp4 is there is looked up with reelvet-huawei[obs]"
        in error.message
    )
    assert "the task failed" in next(row.why for row in result.coverage if row.label == "sexual")


@pytest.mark.parametrize(
    ("media", "code"), [("obs://sandbox.reelvet.example/nowhere.mp4", "ModelArts.4704"), ("https://sandbox.reelvet.example/nowhere.mp4", "ModelArts.4603")]
)  # fmt: skip
async def test_media_that_is_not_there_and_is_refused_at_once(configured, job, reelvet_sandbox, creates, media, code):
    reelvet_sandbox.set_up("huawei", refuses_media=True)
    async with configured(api="v3") as moderator:
        with pytest.raises(e.MediaRejected, match="Failed to obtain the file") as caught:
            await moderator.submit(job(media))
    assert (caught.value.code, caught.value.created, creates()) == (code, "no", 0)
    assert "a public URL, or an object in the same region that the service may read" in caught.value.way_out


async def test_an_object_that_the_service_may_not_read(moderator, job, reelvet_sandbox, creates, api):
    reelvet_sandbox.set_up("huawei", agency=False)
    with pytest.raises(e.PermissionDenied, match="agency") as caught:
        await moderator.submit(job("obs://media/a.mp4"))
    assert caught.value.code == ("IVA.0013" if api == "v2" else "ModelArts.4702")
    assert caught.value.way_out == "Give the service its agency (delegation) for OBS."
    assert creates() == 0


async def test_media_that_cannot_be_given_to_it(moderator, job, creates):
    with pytest.raises(e.UnsupportedFeature, match=r"media: cannot read cos: .*instead: http://, https://, obs://"):
        await moderator.submit(job("cos://bucket/a.mp4"))
    assert creates() == 0


@pytest.mark.parametrize("api", ["v2"])
async def test_a_url_that_is_not_of_obs_is_refused_by_v2_with_a_warning_beforehand(moderator, job, creates):
    asked = job("https://cdn.example.com/a.mp4")
    assert "media_may_be_refused" in {note.code for note in moderator.plan(asked).warnings}
    with pytest.raises(e.InvalidRequest, match="must be the URL of an OBS object") as caught:
        await moderator.submit(asked)
    assert (caught.value.code, caught.value.created, creates()) == ("IVA.0004", "no", 0)
