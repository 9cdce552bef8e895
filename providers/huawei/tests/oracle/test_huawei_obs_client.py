"""A result read with the vendor's real OBS client, from a server on loopback that has a bucket."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from reelvet.schema.errors import TransportFailed, VendorUnavailable
from reelvet_huawei import bucket
from reelvet_huawei.auth import KeyPair

TASK = "f18320e61e4c4dc685aa2dfc22a28dc5"
RESULT = {"result": {"suggestion": "pass", "frames": [], "voices": []}, "video_path": "a.mp4"}
# The client has escapes in its texts that newer Pythons warn of.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urlsplit(self.path)
        self.server.seen.append((self.command, self.path, self.headers.get("x-amz-security-token")))
        status, content = self.server.status, b""
        if status == 200 and parts.path.strip("/") == "bkt":
            marker = parse_qs(parts.query).get("marker", [""])[0]
            keys = sorted(self.server.objects)
            page = [key for key in keys if key > marker][:2]
            items = "".join(f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in page)
            more = bool(page) and page[-1] != keys[-1]
            tail = f"<NextMarker>{page[-1]}</NextMarker>" if more else ""
            content = f"<ListBucketResult><Name>bkt</Name><IsTruncated>{str(more).lower()}</IsTruncated>{tail}{items}</ListBucketResult>".encode()
        elif status == 200:
            content = self.server.objects[parts.path.partition("/bkt/")[2]]
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815  (the base class calls it so)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def store():
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.seen, made.status = [], 200
    made.objects = {f"out/{TASK}/{n}_ad.jpg": b"x" for n in range(4)} | {
        f"out/{TASK}/result.json": json.dumps(RESULT).encode(),
        "out/other/result.json": b"{}",
    }
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    made.settings = SimpleNamespace(obs=f"http://127.0.0.1:{made.server_port}", proxy=None, ca_bundle=None, timeout=5.0)
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def read(store):
    return bucket.read(KeyPair("ak", "sk", "st-1"), store.settings, ("bkt", "out/"), TASK)


async def test_the_result_is_found_over_several_pages(store):
    assert await read(store) == RESULT
    assert {token for _, _, token in store.seen} == {"st-1"}


async def test_none_is_found_where_there_is_none(store):
    del store.objects[f"out/{TASK}/result.json"]
    assert await read(store) is None


async def test_what_may_not_be_read_is_none(store):
    store.status = 403
    assert await read(store) is None


async def test_what_cannot_be_read_now_is_an_error(store):
    store.status = 503
    with pytest.raises(VendorUnavailable):
        await read(store)
    store.settings.obs = "http://127.0.0.1:1"
    with pytest.raises(TransportFailed):
        await read(store)


def test_certificates_and_host_names_are_checked():
    """By itself the client checks neither."""
    import ssl

    settings = SimpleNamespace(obs="https://obs.cn-north-4.myhuaweicloud.com", proxy=None, ca_bundle=None, timeout=5.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bucket, "check_network", lambda host: None)
        client = bucket._client(KeyPair("ak", "sk"), settings)
    assert (client.context.verify_mode, client.context.check_hostname) == (ssl.CERT_REQUIRED, True)
    client.close()
