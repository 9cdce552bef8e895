"""The emulator, called as the vendor would be: over HTTP, signed with the vendor's own function, nothing of reelvet between."""

import hashlib
import json
import time
from datetime import UTC, datetime

import httpx
import pytest
from tencentcloud.common.sign import Sign

MAGIC = "https://sandbox.reelvet.example"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Api:
    """Calls that are signed right, unless told otherwise."""

    def __init__(self, http, host, settings):
        self.http = http
        self.host = host
        self.settings = settings
        self.version = "2021-09-22"

    def headers(self, action, body=b"", *, signed=None, key=None, query=None, **changed):
        """All headers of a call; `changed` replaces some after they were signed, `None` takes one away."""
        method, kind = ("POST", JSON) if query is None else ("GET", FORM)
        timestamp = str(signed or int(time.time()))
        date = f"{datetime.fromtimestamp(int(timestamp), UTC):%Y-%m-%d}"
        canonical = f"{method}\n/\n{query or ''}\ncontent-type:{kind}\nhost:{self.host}\n\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{date}/vm/tc3_request"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashed}"
        signature = Sign.sign_tc3(key or self.settings["secret_key"], date, "vm", to_sign)
        found = {
            "Authorization": f"TC3-HMAC-SHA256 Credential={self.settings['secret_id']}/{scope}, SignedHeaders=content-type;host, Signature={signature}",
            "Content-Type": kind,
            "Host": self.host,
            "X-TC-Action": action,
            "X-TC-Version": self.version,
            "X-TC-Timestamp": timestamp,
            "X-TC-Region": self.settings["region"],
        }
        found |= {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in found.items() if value is not None}

    def call(self, action, body=None, **changed):
        """What stands in `Response`."""
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        reply = self.http.post("/", content=raw, headers=self.headers(action, raw, **changed))
        assert reply.status_code == 200, reply.text
        assert list(reply.json()) == ["Response"]
        found = reply.json()["Response"]
        assert found["RequestId"]
        return found

    def ask(self, action, query):
        """What stands in `Response` of a request by GET."""
        return self.http.get(f"/?{query}", headers=self.headers(action, query=query)).json()["Response"]

    def refusal(self, action, body=None, **changed):
        """The code of a refusal."""
        found = self.call(action, body, **changed)
        assert set(found) == {"Error", "RequestId"}
        assert set(found["Error"]) == {"Code", "Message"}
        return found["Error"]["Code"]

    def create(self, scenario="clean", data_id="key-1", **more):
        """Creates one task and gives its id."""
        body = creation(scenario, data_id, **more)
        (result,) = self.call("CreateVideoModerationTask", body)["Results"]
        assert (result["Code"], result["Message"], result["DataId"]) == ("OK", "Success", data_id), result
        return result["TaskId"]

    def get(self, task, **more):
        """What the API says of a task."""
        return self.call("DescribeTaskDetail", {"TaskId": task, **more})

    def list(self, **more):
        """A page of the list."""
        return self.call("DescribeTasks", more)


def item(scenario="clean", data_id="key-1", **more):
    url = scenario if "://" in scenario else f"{MAGIC}/{scenario}.mp4"
    return {"DataId": data_id, "Input": {"Type": "URL", "Url": url}, **more}


def creation(scenario="clean", data_id="key-1", **more):
    return {"BizType": "default", "Type": "VIDEO", "Tasks": [item(scenario, data_id)], **more}


@pytest.fixture
def api(reelvet_sandbox):
    """The emulator's API with good credentials; its clock stands still until a test lets time pass."""
    reelvet_sandbox.clock.pause()
    reelvet_sandbox.set_up("tencent", per_second=None)
    settings = reelvet_sandbox.settings("tencent")
    # It is plain HTTP, and loading a store of certificates would take longer than the test.
    with httpx.Client(base_url=settings["base_url"], verify=False) as http:  # noqa: S501
        yield Api(http, settings["base_url"].removeprefix("http://"), settings)


@pytest.fixture
def result(api, reelvet_sandbox):
    """What a task says once it has ended."""

    def call(task, status="FINISH", **more):
        reelvet_sandbox.clock.advance(10_000)
        told = api.get(task, **more)
        assert told["Status"] == status, told
        return told

    return call
