"""Keys and tokens that no setting holds: how long they are used, and that nobody sees them."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime, timedelta

import pytest

from reelvet.schema.errors import AuthenticationFailed, ProviderError
from reelvet.schema.task import TaskRef

PROJECT = "0bcc05efb100f2a92f53c011f262dfa0"
AK, SK = "AKEXAMPLE0000000", "sk/Example+Secret=00"
JOBS = f"/v3/{PROJECT}/moderation/video/jobs"
UNKNOWN = (400, {"error_code": "AIS.0030", "error_msg": "Job not found"})


@pytest.mark.parametrize(
    "written",
    ["ak = {ak}\nsk = {sk}\n", "[basic]\n{ak}\n{sk}\n", "[basic]\nak = {ak}\nsk = %{sk}\n", "[basic]\nak = {ak}\nsk = {sk}\udcff\n"],
)  # fmt: skip
async def test_a_profile_file_that_cannot_be_read_is_not_quoted(fake, provider, monkeypatch, tmp_path, written):
    path = tmp_path / "credentials"
    path.write_text(written.format(ak=AK, sk=SK), encoding="utf-8", errors="surrogateescape")
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(path))
    opened = await provider(credentials="profile", ak=None, sk=None)
    with pytest.raises(AuthenticationFailed, match="Error") as caught:
        await opened.fetch(TaskRef(id="j"))
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__) + str(caught.value)
    assert str(path) in shown
    assert AK not in shown
    assert SK not in shown
    assert caught.value.__context__ is None


@pytest.mark.parametrize("hours", [0.9, 0.01, -1])
async def test_a_token_of_a_short_life_is_used_for_it(fake, provider, user, token, hours):
    opened = await provider(**user)
    fake.on("POST", "/v3/auth/tokens", token("TOKEN-1", hours=hours), token("TOKEN-2"))
    fake.on("GET", f"{JOBS}/{'0' * 32}", UNKNOWN)
    await opened.check()
    await opened.check()
    assert [got.header("X-Auth-Token") for got in fake.of("GET")] == ["TOKEN-1", "TOKEN-1"]
    if hours > 0:
        opened._auth._clock = lambda: datetime.now(UTC) + timedelta(hours=hours * 0.6)
        await opened.check()
        assert fake.of("GET")[-1].header("X-Auth-Token") == "TOKEN-2"


ECHOES = [
    "the token {} is over", 'sent {{"X-Auth-Token":"{}"}}', 'sent "{{\\"X-Auth-Token\\":\\"{}\\"}}"', "{}", "canonicalRequest:GET|/|x:{}|host|0",
]  # fmt: skip


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
async def test_a_live_token_that_comes_back_gets_no_further(
    fake, provider, user, token, caplog, monkeypatch, echo, status
):
    from reelvet.http import RetryPolicy, session

    monkeypatch.setattr(session, "RetryPolicy", lambda: RetryPolicy(attempts=2, base=0.01))
    caplog.set_level("DEBUG")
    opened = await provider(**user)
    text = "MIIExample+Token/0123=="
    fake.on("POST", "/v3/auth/tokens", token(text))
    says = echo.format(text)
    body = {"error_code": "APIGW.0301", "error_msg": says} if status != 200 else {"job_id": "other", "says": says}
    fake.on("GET", f"{JOBS}/j", (status, body))
    with pytest.raises(ProviderError) as caught:
        await opened.fetch(TaskRef(id="j"))
    error = caught.value
    assert text not in f"{error} {error.body} {error.way_out} {error.as_dict()} {caplog.text}"


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
async def test_temporary_keys_that_come_back_get_no_further(fake, provider, metadata):
    opened = await provider(credentials="metadata", ak=None, sk=None)
    fake.on("GET", f"{JOBS}/j", (400, {"error_code": "AIS.0012", "error_msg": f"got {AK} and token-1 and {SK}"}))
    with pytest.raises(ProviderError, match=r"got \*\*\* and \*\*\*") as caught:
        await opened.fetch(TaskRef(id="j"))
    assert not any(secret in f"{caught.value} {caught.value.body}" for secret in (AK, SK, "token-1"))
