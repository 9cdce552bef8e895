"""Media behind URLs: only through the guarded fetcher, and never a URL for the decoder."""

from __future__ import annotations

import pytest

from reelvet import ModerationJob, Moderator, Status, Verdict
from reelvet.http import LOOPBACK, network_disabled


@pytest.fixture
def allowed(bright_config, server):
    with Moderator(bright_config(fetch={"allow": [server.host]}, download_timeout=2.0, max_bytes=200_000)) as moderator:
        yield moderator


def fault(moderator, url):
    result = moderator.moderate(ModerationJob(media=url))
    assert (result.status, result.verdict) == (Status.FAILED, Verdict.ERROR)
    assert result.findings == ()
    return result.tasks[0].error


def test_a_url_is_fetched_whole_and_its_signature_is_seen_nowhere(allowed, server, clip, caplog):
    server.files["/a.mp4"] = clip(0, 255).read_bytes()
    url = f"{server.url}/a.mp4?X-Signature=s3cr3t"
    with caplog.at_level("DEBUG"):
        result = allowed.moderate(ModerationJob(media=url))
    assert result.verdict is Verdict.BLOCK
    assert server.seen == ["/a.mp4?X-Signature=s3cr3t"]
    assert result.media.source == f"{server.url}/a.mp4?***"
    assert "s3cr3t" not in result.dump_json() + repr(result) + caplog.text


def test_the_download_is_deleted_afterwards(allowed, server, clip, tmp_path, monkeypatch):
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spool))
    server.files["/a.mp4"] = clip(0, 255).read_bytes()
    assert allowed.moderate(ModerationJob(media=f"{server.url}/a.mp4")).verdict is Verdict.BLOCK
    assert list(spool.iterdir()) == []


@pytest.fixture(autouse=True)
def only_loopback():
    """The address that a redirect names is for the fetcher to refuse, and not for the switch."""
    with network_disabled(allow=(*LOOPBACK, "169.254.169.254")):
        yield


def test_a_private_address_is_refused_and_the_way_out_named(bright, server):
    error = fault(bright, f"{server.url}/a.mp4")
    assert error.type == "FetchRefused"
    assert "[fetch] allow" in error.message
    assert server.seen == []


def test_a_redirect_to_a_private_address_is_refused(allowed, server):
    error = fault(allowed, f"{server.url}/to-private")
    assert error.type == "FetchRefused"
    assert "169.254.169.254" in error.message
    assert server.seen == ["/to-private"]


def test_a_server_that_drips_is_left(allowed, server):
    server.files["/slow.mp4"] = b"\0" * 1000
    assert fault(allowed, f"{server.url}/slow.mp4").type == "FetchTooSlow"


def test_a_body_over_the_cap_is_refused(allowed, server):
    server.files["/big.mp4"] = b"\0" * 300_000
    assert fault(allowed, f"{server.url}/big.mp4").type == "FetchTooLarge"


def test_a_body_shorter_than_said_is_no_media(allowed, server):
    server.files["/short.mp4"] = b"\0" * 1000
    assert fault(allowed, f"{server.url}/short.mp4").type == "FetchError"


def test_a_missing_file_is_an_honest_failure(allowed, server):
    assert fault(allowed, f"{server.url}/gone.mp4").code == "fetch"


def test_a_playlist_is_refused_and_what_it_names_never_asked_for(allowed, server):
    inner = f"{server.url}/inner.ts"
    server.files["/list.m3u8"] = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{inner}\n#EXT-X-ENDLIST\n".encode()
    error = fault(allowed, f"{server.url}/list.m3u8")
    assert error.code == "unsupported_format"
    assert server.seen == ["/list.m3u8"]
