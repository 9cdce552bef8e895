"""The provider without an account, which plans and reads what is stored; and a vendor on loopback for the rest."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reelvet import AsyncModerator, Config

SAMPLES = Path(__file__).parents[1] / "samples"

COVERS = [
    {"labels": ["sexual", "violence"], "channels": ["visual"]},
    {"labels": ["spam.advertising"], "channels": ["visual", "ocr"]},
    {"labels": ["harassment.abuse"], "channels": ["speech"]},
    {"labels": ["sexual.sound.moaning"], "channels": ["sound"]},
]
SETTINGS = {"biz_type": "reels_1", "biz_types": {"reels_1": {"covers": COVERS}}}
"""What the policy behind the BizType of the composed replies looks at. That of the vendor's examples is not declared."""


def offline(**settings):
    return AsyncModerator(
        Config.parse({"use": "tencent", "providers": {"tencent": {**SETTINGS, **settings}}}), credentials=False
    )


@pytest.fixture(scope="session")
def moderator():
    return offline()


@pytest.fixture(scope="session")
def make():
    return offline


@pytest.fixture
def sample():
    def load(name):
        return json.loads((SAMPLES / "replies" / f"{name}.json").read_text(encoding="utf-8"))

    return load


# --- a vendor on loopback ---

SECRET_ID, SECRET_KEY = "AKIDcanary", "canary-secret"
KNOWN = {
    "CreateVideoModerationTask": {"BizType", "Type", "Tasks", "Seed", "CallbackUrl", "Priority", "User"},
    "DescribeTaskDetail": {"TaskId", "ShowAllSegments"},
    "DescribeTasks": {"Limit", "Filter", "PageToken", "StartTime", "EndTime"},
    "CancelTask": {"TaskId"},
}


@dataclass
class Vendor:
    """The vendor's side: what it holds, what it saw, and how it shall misbehave."""

    url: str = ""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    script: dict[str, list[Any]] = field(default_factory=dict)
    """Action -> what becomes of its next calls: `ok`, `drop` (done, no answer), `lose` (not done, no answer), `cut`, `html`,
    `anonymous` (without DataIds), `double`, a dict as the `Response`, or a code of an error."""
    refuses: dict[str, str] = field(default_factory=dict)
    """DataId -> the code of its item."""
    bad: frozenset[str] = frozenset()
    """DataIds for which the whole call is refused for a parameter."""
    states: list[str] = field(default_factory=lambda: ["FINISH"])
    """What a task is, read after read; the last one stays."""
    detail: dict[str, Any] = field(default_factory=dict)
    """What replies to DescribeTaskDetail say besides."""
    page: int = 100
    lock: threading.Lock = field(default_factory=threading.Lock)

    def bodies(self, action):
        return [body for one, body in self.calls if one == action]


def signature(headers, body):
    """The documented algorithm: https://cloud.tencent.com/document/api/213/30654."""
    signed = ("content-type", "host", "x-tc-action")
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in signed)
    request = "\n".join(["POST", "/", "", lines, ";".join(signed), hashlib.sha256(body).hexdigest()])
    date = datetime.fromtimestamp(int(headers["x-tc-timestamp"]), UTC).strftime("%Y-%m-%d")
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join(["TC3-HMAC-SHA256", headers["x-tc-timestamp"], f"{date}/vm/tc3_request", digest])
    key = f"TC3{SECRET_KEY}".encode()
    for part in (date, "vm", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    told = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{date}/vm/tc3_request, SignedHeaders={';'.join(signed)}, Signature={told}"


class _Handler(BaseHTTPRequestHandler):
    vendor: Vendor
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nothing."""

    def do_POST(self):
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        action, body, vendor = headers["x-tc-action"], json.loads(content), self.vendor
        with vendor.lock:
            vendor.calls.append((action, body))
            vendor.headers.append(headers)
            what = vendor.script.get(action, []).pop(0) if vendor.script.get(action) else "ok"
            if headers.get("authorization") != signature(headers, content):
                what = "AuthFailure.SignatureFailure"
            elif unknown := body.keys() - KNOWN[action]:
                what = f"UnknownParameter {unknown}"
            elif action == "CreateVideoModerationTask" and vendor.bad & {task["DataId"] for task in body["Tasks"]}:
                what = "InvalidParameterValue.Url"
            acts = isinstance(what, str) and what in {"ok", "drop", "cut", "html", "anonymous", "double"}
            response = getattr(self, f"_{action}")(body, what) if acts else what
        if isinstance(what, str) and what in {"drop", "lose"}:
            self.close_connection = True
            self.connection.close()
        elif what == "html":
            self._answer(b"<html>gateway</html>", "text/html")
        elif isinstance(response, str):
            self._reply({"Error": {"Code": response.partition(" ")[0], "Message": f"{response} refused."}})
        elif what == "cut":
            self._answer(json.dumps({"Response": response}).encode()[:-9], "application/json")
        else:
            self._reply(response)

    def _reply(self, response):
        payload = {"Response": {**response, "RequestId": f"r-{len(self.vendor.calls)}"}}
        self._answer(json.dumps(payload).encode(), "application/json; charset=utf-8")

    def _answer(self, data, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _CreateVideoModerationTask(self, body, what):  # noqa: N802
        results = []
        for task in body["Tasks"]:
            key = task["DataId"]
            if code := self.vendor.refuses.get(key):
                results.append({"DataId": key, "TaskId": "", "Code": code, "Message": f"{code} for {key}"})
                continue
            id_ = f"w-video-{len(self.vendor.tasks) + 1}"
            self.vendor.tasks[id_] = {
                "TaskId": id_, "DataId": key, "BizType": body["BizType"], "Type": body["Type"], "Input": task["Input"], "reads": 0,
                "CreatedAt": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            results.append({"DataId": key, "TaskId": id_, "Code": "OK", "Message": "Success"})
        results.reverse()  # that they come in order is not documented
        if what == "anonymous":
            results = [{**result, "DataId": ""} for result in results]
        return {"Results": results * (2 if what == "double" else 1)}

    def _shown(self, task):
        states = self.vendor.states
        status = task.get("Status") or states[min(task["reads"], len(states) - 1)]
        done = status == "FINISH"
        return {
            **{name: task[name] for name in ("TaskId", "DataId", "BizType", "Type", "CreatedAt")}, "Name": "", "Status": status,
            "Suggestion": "Pass" if done else "UNSPECIFIED", "Labels": [], "MediaInfo": {"Duration": 36}, "InputInfo": {**task["Input"], "BucketInfo": None},
        }  # fmt: skip

    def _DescribeTaskDetail(self, body, what):  # noqa: N802
        task = self.vendor.tasks.get(body["TaskId"])
        if task is None:
            return "ResourceNotFound"
        shown = self._shown(task)
        task["reads"] += 1
        done = shown["Status"] == "FINISH"
        lists = {"ImageSegments": [], "AudioSegments": [], "Label": "Normal" if done else "", "TryInSeconds": 0}
        return {**shown, **lists, **(self.vendor.detail if done else {})}

    def _DescribeTasks(self, body, what):  # noqa: N802
        first = int(body.get("PageToken") or 0)
        size = min(body.get("Limit", 10), self.vendor.page)
        tasks = [*self.vendor.tasks.values()]
        # A token after the last page too, as in the vendor's example.
        return {
            "Total": str(len(tasks)),
            "Data": [self._shown(task) for task in tasks[first : first + size]],
            "PageToken": str(first + size),
        }

    def _CancelTask(self, body, what):  # noqa: N802
        task = self.vendor.tasks.get(body["TaskId"])
        if task is None:
            return "ResourceNotFound"
        if self._shown(task)["Status"] in {"FINISH", "ERROR"}:
            return "FailedOperation"
        task["Status"] = "CANCELLED"
        return {}


@pytest.fixture
def vendor():
    vendor = Vendor()
    handler = type("Handler", (_Handler,), {"vendor": vendor})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        vendor.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield vendor
        server.shutdown()
        thread.join()


@pytest.fixture
def connect(vendor):
    """A moderator that talks to that vendor."""

    def connected(**settings):
        table = {
            "secret_id": SECRET_ID,
            "secret_key": SECRET_KEY,
            "region": "ap-guangzhou",
            "base_url": vendor.url,
            **SETTINGS,
            **settings,
        }
        polling = {"first": 0.01, "most": 0.05, "settle_window": 1.0}
        return AsyncModerator(Config.parse({"use": "tencent", "providers": {"tencent": table}, "polling": polling}))

    return connected
