"""Clips made on the spot, a moderator whose detector flags bright frames, and a server that misbehaves."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from reelvet import Config, Moderator

LABEL_MAP = """\
# name: bright
# version: 2026-11
field,native,unified,relation,channel,note
bright,bright,violence.graphic.blood_gore,close,visual,stands in for what cannot be kept in a repository
bright,corner,(clean),none,visual,
"""


@pytest.fixture(scope="session", autouse=True)
def _detectors() -> Iterator[None]:
    """Lets the worker, which searches where this process searches, find the stand-in detectors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(Path(__file__).parent.parent / "engine")])
        yield


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """A grey clip, one level per second."""

    def make(*levels: int, name: str = "clip.mp4", rate: int = 5) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", rate=rate, options={"g": str(rate)})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for level in levels:
                for _ in range(rate):
                    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), "rgb24")
                    output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return path

    return make


@pytest.fixture
def bright_config(tmp_path: Path) -> Callable[..., Config]:
    """A configuration in which bright frames are harm; further settings as arguments."""
    (tmp_path / "labels.csv").write_text(LABEL_MAP)

    def make(detector: str = "Bright", *, fetch: dict[str, Any] | None = None, **settings: Any) -> Config:
        table = {
            "detector": f"fake_detectors:{detector}",
            "labels": str(tmp_path / "labels.csv"),
            "workers": 1,
            **settings,
        }
        return Config.parse({"use": "local", "providers": {"local": table}, "fetch": fetch or {}})

    return make


@pytest.fixture
def bright(bright_config: Callable[..., Config]) -> Iterator[Moderator]:
    with Moderator(bright_config()) as moderator:
        yield moderator


class _Handler(BaseHTTPRequestHandler):
    files: dict[str, bytes]
    seen: list[str]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.seen.append(self.path)
        path = self.path.partition("?")[0]
        if path == "/to-private":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = self.files.get(path)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) * (2 if path == "/short.mp4" else 1)))
        self.end_headers()
        if path == "/slow.mp4":
            for byte in data[:40]:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.1)
        else:
            self.wfile.write(data)
        self.close_connection = True


class Server:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.host = f"127.0.0.1:{port}"
        self.files: dict[str, bytes] = {}
        self.seen: list[str] = []


@pytest.fixture
def server() -> Iterator[Server]:
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.daemon_threads = True
        server = Server(http.server_port)
        handler.files, handler.seen = server.files, server.seen  # type: ignore[attr-defined]
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        http.shutdown()
        thread.join()
