"""Huawei's two services and its IAM on loopback, as far as the tests need them: raw bytes in, and each signature checked.

The check is written from the algorithm's documentation alone, over what came in on the wire:
https://support.huaweicloud.com/devg-apisign/api-sign-algorithm-001.html
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socketserver
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from reelvet import AsyncModerator, Config, ModerationJob

AK, SK, PROJECT = "AKEXAMPLE0000000", "sk/Example+Secret=00", "0bcc05efb100f2a92f53c011f262dfa0"
REPLIES = Path(__file__).parents[1] / "samples" / "replies"


@dataclass
class Received:
    """One request, byte for byte."""

    method: str
    target: str
    headers: list
    body: bytes

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    @property
    def json(self):
        return json.loads(self.body)

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def canonical(got, names):
    """The canonical request of what arrived."""
    path = "/".join(quote(unquote(part), safe="~") for part in got.path.split("/"))
    pairs = sorted(
        "=".join(quote(unquote(half), safe="~") for half in (part.partition("=")[0], part.partition("=")[2]))
        for part in got.query.split("&")
        if part
    )
    headers = "".join(f"{name}:{(got.header(name) or '').strip()}\n" for name in names)
    digest = hashlib.sha256(got.body).hexdigest()
    return "\n".join(
        [got.method, path if path.endswith("/") else f"{path}/", "&".join(pairs), headers, ";".join(names), digest]
    )


def signature(got, names, sk):
    hashed = hashlib.sha256(canonical(got, names).encode()).hexdigest()
    text = "\n".join(["SDK-HMAC-SHA256", got.header("X-Sdk-Date"), hashed])
    return hmac.new(sk.encode(), text.encode(), hashlib.sha256).hexdigest()


_AUTHORIZATION = re.compile(r"SDK-HMAC-SHA256 Access=(\S+), SignedHeaders=([a-z;-]+), Signature=([0-9a-f]{64})")


def fault_of(got, keys):
    """Why a request's signature is refused; `None` if it holds."""
    match = _AUTHORIZATION.fullmatch(got.header("Authorization") or "")
    if match is None:
        return "no signature"
    ak, names, said = match[1], match[2].split(";"), match[3]
    if ak not in keys:
        return "unknown key"
    if not {"host", "x-sdk-date"} <= set(names) or names != sorted(names):
        return "not all signed"
    if (got.header("X-Security-Token") is None) != ("x-security-token" not in names):
        return "token not signed"
    age = datetime.now(UTC) - datetime.strptime(got.header("X-Sdk-Date"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(age.total_seconds()) > 900:
        return "too old"
    return None if hmac.compare_digest(signature(got, names, keys[ak]), said) else "verify aksk signature fail"


@dataclass
class Fake:
    """What the server knows and has seen."""

    keys: dict = field(default_factory=lambda: {AK: SK})
    tokens: set = field(default_factory=set)
    routes: dict = field(default_factory=lambda: defaultdict(list))
    received: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    url: str = ""

    def on(self, method, path, *replies):
        """Replies to a path, one after the other, the last for good: (status, body) or (status, body, headers) or a function."""
        self.routes[method, path] = list(replies)

    def answer(self, got):
        self.received.append(got)
        if got.path != "/v3/auth/tokens" and got.header("X-Auth-Token") not in self.tokens:
            fault = fault_of(got, self.keys)
            if fault is not None:
                self.faults.append(fault)
                echoed = canonical(got, ["host", "x-sdk-date"]).replace("\n", "|")
                says = f"Incorrect IAM authentication information: {fault}, canonicalRequest:{echoed}"
                return 401, {"error_msg": says, "error_code": "APIGW.0301", "request_id": "r-401"}
        queue = self.routes.get((got.method, got.path))
        if not queue:
            return 404, {"error_msg": "The API does not exist", "error_code": "APIG.0101", "request_id": "r-404"}
        reply = queue.pop(0) if len(queue) > 1 else queue[0]
        return reply(got) if callable(reply) else reply

    def of(self, method, path=None):
        return [got for got in self.received if got.method == method and path in {None, got.path}]


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            method, target, _ = line.decode("latin-1").split(" ", 2)
            headers = []
            while (raw := self.rfile.readline()).strip():
                name, _, value = raw.decode("utf-8").partition(":")
                headers.append((name, value.strip()))
            length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
            got = Received(method, target, headers, self.rfile.read(length))
            reply = self.server.fake.answer(got)
            if reply is None:  # silence: the connection is cut
                return
            status, body, *more = reply
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            told = {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                **(more[0] if more else {}),
            }
            head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items())
            self.wfile.write(head.encode() + b"\r\n" + content)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


@pytest.fixture
def sample():
    """A published reply."""
    return lambda name: json.loads((REPLIES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def fake():
    made = Fake()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.fake = made
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def make(fake):
    """A moderator over the server; further settings of the instance by name, `None` takes one away."""

    def moderator(polling=None, **settings):
        table = {
            "ak": AK, "sk": SK, "region": "cn-north-4", "project_id": PROJECT, "base_url": fake.url, "iam_url": fake.url,
        } | settings  # fmt: skip
        table = {name: value for name, value in table.items() if value is not None}
        fast = {"first": 0.01, "most": 0.02, "settle_window": 0.2} | (polling or {})
        return AsyncModerator(Config.parse({"use": "huawei", "polling": fast, "providers": {"huawei": table}}))

    return moderator


@pytest.fixture
async def provider(make):
    """Opens a provider; closed at the end."""
    opened = []

    async def open_(**settings):
        opened.append(make(**settings))
        return await opened[-1]._instance("huawei").open()

    yield open_
    for moderator in opened:
        await moderator.aclose()


@pytest.fixture
def job():
    def made(**fields):
        return ModerationJob(**{"media": "https://h.example/a.mp4", "detect": ["sexual"], "key": "key-1"} | fields)

    return made


@pytest.fixture
def token(fake):
    """What IAM answers with a token of that text, which the server then accepts."""

    def made(text, *, hours=24, project=PROJECT):
        def reply(got):
            fake.tokens.add(text)
            expires = (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
            return (
                201,
                {"token": {"expires_at": expires, "project": {"id": project, "name": "cn-north-4"}}},
                {"X-Subject-Token": text},
            )

        return reply

    return made


@pytest.fixture
def user():
    """Settings of an instance that has itself given tokens."""
    return {"credentials": "token", "domain": "acct", "user": "me", "password": "pass word/1", "ak": None, "sk": None}


@pytest.fixture
def metadata(monkeypatch):
    """The metadata service of a virtual machine, which cannot be on loopback."""
    from huaweicloudsdkcore.auth.internal import Credential, MetadataAccessor

    seen = []

    def get_credential(self, *_, **__):
        seen.append(threading.current_thread())
        time.sleep(0.05)
        made = Credential()
        made.access, made.secret, made.security_token = AK, SK, f"token-{len(seen)}"
        made.expire_at = time.mktime(time.gmtime()) + 3600 * 24
        return made

    monkeypatch.setattr(MetadataAccessor, "get_credential", get_credential)
    from reelvet_huawei import auth

    monkeypatch.setattr(auth, "check_network", lambda host: None)
    return seen
