"""What a cassette holds, and what never gets into it."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web

from reelvet.testing.cassettes import Cassettes

SECRET = "s3cr3t-key"
TOKEN = "MIItoken"


@pytest.fixture
async def server():
    async def answer(request):
        body = {"said": await request.text(), "query": dict(request.query), "secret": SECRET, "others": [1, 2]}
        return web.json_response(body, headers={"Set-Cookie": SECRET, "X-Request-Id": "r-1", "X-Subject-Token": TOKEN})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    await runner.cleanup()


async def ask(base, text="hello"):
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{base}/v1/tasks?sig={SECRET}",
            data=f"{text} {SECRET}",
            headers={"Authorization": SECRET, "X-Auth-Token": SECRET, "X-Project-Id": SECRET, "Host": "127.0.0.1:1"},
        ) as reply,
    ):
        return json.loads(await reply.read())


def cassettes(folder):
    def keep(body):
        return {**body, "others": []}

    return Cassettes(folder, official="https://api.vendor.example", scrub=[SECRET, ""], keep=keep)


async def test_no_secret_nor_anybody_elses_data_is_written(server, tmp_path):
    with cassettes(tmp_path).record("talk", against="a test"):
        assert (await ask(server))["others"] == [1, 2]
    text = (tmp_path / "talk.yaml").read_text(encoding="utf-8")
    assert SECRET not in text
    assert TOKEN not in text
    assert "X-Subject-Token" in text
    assert "127.0.0.1" not in text
    assert text.startswith("recorded_against: a test\nrecorded_on: ")
    assert "api.vendor.example/v1/tasks" in text
    assert '"others": []' in text
    assert cassettes(tmp_path).names == ["talk"]
    assert cassettes(tmp_path).against("talk") == "a test"


async def test_a_replay_answers_what_was_recorded_and_refuses_what_was_not(server, tmp_path):
    made = cassettes(tmp_path)
    with made.record("talk", against="a test"):
        await ask(server)
    with made.replay("talk") as cassette:
        assert (await ask("https://api.vendor.example"))["said"] == "hello ***"
        assert cassette.all_played
        with pytest.raises(Exception, match="no recorded interaction matches it"):
            await asyncio.wait_for(ask("https://api.vendor.example", "something else"), 5)


async def test_each_path_is_recorded_under_the_host_that_the_vendor_has_for_it(server, tmp_path):
    def official(path):
        return f"https://{path.split('/')[1]}.vendor.example"

    made = Cassettes(tmp_path, official=official, scrub={SECRET: "its-place"})
    with made.record("talk", against="a test"):
        await ask(server)
    text = (tmp_path / "talk.yaml").read_text(encoding="utf-8")
    assert "https://v1.vendor.example/v1/tasks?sig=its-place" in text
    with made.replay("talk"):
        assert (await ask("https://v1.vendor.example"))["said"] == "hello its-place"
