"""Files as they come: broken, hostile, odd. Each gives a clear failure or an honest result, through a real worker."""

import io
import os
import socket
import struct
import threading
import zlib

import av
import numpy as np
import pytest
from PIL import Image

from reelvet_local.media import MediaError, open_file, open_video

B_FRAMES = {"g": "25", "bf": "3", "sc_threshold": "0"}
RAMP = [30 + 2 * i for i in range(100)]


def assert_fails(outcome, code, *words):
    assert outcome.status == "failed"
    assert outcome.error.code == code, outcome.error
    for word in words:
        assert word in outcome.error.message
    assert outcome.through is None or outcome.through >= 0


def bright(outcome):
    return [hit for hit in outcome.hits if hit.label == "bright"]


# --- nothing to look at ---------------------------------------------------------------------------------------------


def test_no_such_file(vet, tmp_path):
    assert_fails(vet(tmp_path / "gone.mp4"), "unreadable", "No such file")


def test_directory(vet, tmp_path):
    assert_fails(vet(tmp_path), "unreadable", "regular file")


def test_named_pipe_does_not_hang(vet, tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert_fails(vet(tmp_path / "pipe.mp4"), "unreadable", "regular file")


def test_empty_file(vet, tmp_path):
    (tmp_path / "a.mp4").touch()
    assert_fails(vet(tmp_path / "a.mp4"), "not_media", "empty")


@pytest.mark.parametrize("content", [b"Hello, this is a letter.\n" * 200, bytes(range(256)) * 100, b"\0" * 5000])
def test_text_and_garbage_named_mp4(vet, tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    assert_fails(vet(tmp_path / "a.mp4"), "not_media")


def test_sound_only(vet, tmp_path):
    """There is nothing to see, and the facts say that it is sound."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=48000, layout="mono")
        for block in range(48):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.rate, frame.pts = 48000, block * 1024
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    outcome = vet(path)
    assert_fails(outcome, "no_video", "Sound only")
    assert outcome.facts.kind == "audio"
    assert outcome.facts.duration == pytest.approx(1.0, abs=0.1)


def test_zero_length(vet, encode, tmp_path):
    """A video track without a single frame."""
    data = encode("a.mp4", RAMP[:10]).read_bytes()
    path = tmp_path / "zero.mp4"
    moov = bytearray(data[data.index(b"moov") - 4 :])
    for box, counts in ((b"stts", 1), (b"stss", 1), (b"ctts", 1), (b"stsc", 1), (b"stsz", 2), (b"stco", 1)):
        if box in moov:
            at = moov.index(box) + 8 + 4 * (counts - 1)
            moov[at : at + 4] = b"\0\0\0\0"
    path.write_bytes(data[: data.index(b"moov") - 4] + moov)
    assert_fails(vet(path), "zero_length", "no frames")


# --- cut and broken -------------------------------------------------------------------------------------------------


def test_truncated_before_the_index(vet, encode):
    """The usual half-uploaded MP4: the index stands at the end, so nothing can be read."""
    path = encode("a.mp4", RAMP)
    os.truncate(path, path.stat().st_size // 2)
    assert_fails(vet(path), "truncated", "cut off")


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("a.mp4", "libx264", {"movflags": "faststart"}),
        ("a.mkv", "libx264", {}),
        ("a.avi", "mjpeg", {}),
    ],
)
def test_truncated_in_the_middle_keeps_what_was_found(vet, encode, name, codec, container):
    """Findings so far are kept, the run failed, and it says through which second the media was looked at."""
    levels = [250 if 25 <= i < 50 else 20 for i in range(100)]
    noise = np.random.default_rng(0)
    textured = [np.clip(noise.normal(level, 8, (240, 320, 3)), 0, 255).astype(np.uint8) for level in levels]
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = encode(name, textured, codec, options={"g": "25"}, container=container, size=(320, 240), pixels=pixels)
    os.truncate(path, int(path.stat().st_size * 0.65))
    outcome = vet(path)
    assert_fails(outcome, "broken_tail", "breaks off after 2.")
    assert [round(hit.start) for hit in bright(outcome)] == [1]
    assert outcome.through == pytest.approx(2.0, abs=0.05)
    assert outcome.sampling.frames == 3
    assert outcome.sampling.largest_gap == pytest.approx(1.0, abs=0.05)


def test_garbage_in_the_tail(vet, encode):
    """The index is whole and the frames behind it are not."""
    noise = np.random.default_rng(0)
    frames = [noise.integers(150, 255, (240, 320, 3), np.uint8) for _ in range(100)]
    path = encode("a.mp4", frames, options={"g": "25", "bf": "0"}, size=(320, 240))
    data = bytearray(path.read_bytes())
    start, end = int(len(data) * 0.6), data.index(b"moov") - 4
    data[start:end] = noise.bytes(end - start)
    path.write_bytes(data)
    outcome = vet(path)
    assert_fails(outcome, "broken_tail")
    assert 2.0 <= outcome.through <= 2.4
    assert outcome.sampling.damaged > 0
    assert [round(hit.start, 3) for hit in bright(outcome)][:3] == [0.0, 1.0, 2.0]


def test_hole_in_the_middle_is_survived_and_told(vet, encode):
    """A damaged stretch is no reason to give up; the gap and the damage are stated."""
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 255, (240, 320, 3), np.uint8) for _ in range(150)]
    path = encode("a.mp4", frames, options={"g": "25", "bf": "0"}, size=(320, 240))
    data = bytearray(path.read_bytes())
    start, end = int(len(data) * 0.34), int(len(data) * 0.65)
    data[start:end] = noise.bytes(end - start)
    path.write_bytes(data)
    outcome = vet(path)
    assert outcome.status == "succeeded"
    assert outcome.sampling.damaged > 10
    assert outcome.sampling.largest_gap >= 1.9
    assert outcome.through == 6.0


def test_trailing_bytes_are_no_truncation(vet, encode):
    """Bytes after the last box (as some cameras write) do not make a whole video a broken one."""
    path = encode("a.mp4", RAMP, options=B_FRAMES)
    path.write_bytes(path.read_bytes() + b"\xff" * 100)
    assert vet(path).status == "succeeded"


# --- too large ------------------------------------------------------------------------------------------------------


def png(width, height, data=b""):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def webp_canvas(width, height):
    buffer = io.BytesIO()
    first, second = Image.new("RGB", (16, 16)), Image.new("RGB", (16, 16), "red")
    first.save(buffer, "WEBP", save_all=True, append_images=[second], duration=100)
    data = bytearray(buffer.getvalue())
    assert data[12:16] == b"VP8X"
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def gif_canvas(width, height):
    buffer = io.BytesIO()
    Image.new("P", (16, 16)).save(buffer, "GIF")
    return buffer.getvalue()[:6] + struct.pack("<HH", width, height) + buffer.getvalue()[10:]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.png", png(60_000, 60_000)), ("a.webp", webp_canvas(16_000, 16_000)), ("a.gif", gif_canvas(60_000, 60_000))],
)
def test_image_of_huge_dimensions(vet, tmp_path, name, content):
    """A few bytes that would become gigabytes are refused by their header."""
    (tmp_path / name).write_bytes(content)
    outcome = vet(tmp_path / name)
    assert_fails(outcome, "too_many_pixels", "max_pixels")
    assert outcome.facts.width * outcome.facts.height > 7680 * 4320


def test_video_of_huge_dimensions(vet, encode):
    """The dimensions that the index states are checked before a decoder exists."""
    huge = encode("b.avi", RAMP[:5], "rawvideo", size=(64, 48))
    content = bytearray(huge.read_bytes())
    at = content.index(b"strf") + 8
    content[at + 4 : at + 12] = struct.pack("<ii", 12_000, 6_000)
    huge.write_bytes(content)
    assert_fails(vet(huge), "too_many_pixels", "12000 x 6000", "max_pixels")


def drain(reader, into):
    for sample in reader.samples():
        if sample is not None:
            into.append(sample)


def test_stream_that_grows(encode, tmp_path):
    """The cap holds for every frame, not only for the first."""
    small = encode("a.ts", RAMP[:25], options={"g": "5"}).read_bytes()
    large = encode("b.ts", RAMP[:75], options={"g": "5"}, size=(320, 240)).read_bytes()
    path = tmp_path / "grown.ts"
    path.write_bytes(small + large)

    from reelvet_local.decode import VideoReader
    from reelvet_local.sample import Shape
    from reelvet_local.sampling import SamplingRule

    cap = 100 * 100
    with open_file(path) as file:
        reader = VideoReader(open_video(file, cap), SamplingRule(interval=0.04), Shape(32, 24, "rgb24"), cap)
        looked = []
        with pytest.raises(MediaError) as caught:
            drain(reader, looked)
        reader.close()
    assert caught.value.code == "broken_tail"
    assert len(looked) == 25
    assert reader.end == pytest.approx(0.96, abs=0.05)


def test_8k_frame(vet, encode):
    """8K is within the default cap, and is looked at."""
    path = encode("a.mp4", [200, 200], size=(7680, 4320), options={"preset": "ultrafast"})
    outcome = vet(path)
    assert outcome.status == "succeeded", outcome.error
    assert (outcome.facts.width, outcome.facts.height) == (7680, 4320)
    assert [hit.score for hit in bright(outcome)] == pytest.approx([200 / 255], abs=0.02)


# --- formats that name other files -------------------------------------------------------------------------------------


@pytest.fixture
def listener():
    """A server on the loopback interface that counts who connects."""
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def serve():
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                seen.append(connection)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], seen
        done.set()
        thread.join()


PLAYLISTS = {
    "hls.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}/a.ts\n#EXT-X-ENDLIST\n",
    "hls.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}/a.ts\n#EXT-X-ENDLIST\n",
    "concat.mp4": "ffconcat version 1.0\nfile '{url}/a.mp4'\n",
    "file.mp4": "ffconcat version 1.0\nfile '/etc/hostname'\n",
    "dash.mpd": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        "<Representation><BaseURL>{url}/</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ),
    "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_playlist_whose_inner_url_is_private(vet, tmp_path, listener, name):
    """Refused by kind, whatever its name, and nobody is asked for what it points to."""
    port, seen = listener
    (tmp_path / name).write_text(PLAYLISTS[name].format(url=f"http://127.0.0.1:{port}", port=port))
    assert_fails(vet(tmp_path / name), "unsupported_format")
    assert seen == []


@pytest.mark.parametrize("name", PLAYLISTS)
def test_playlist_is_refused_by_the_allow_list_alone(monkeypatch, tmp_path, listener, name):
    """FFmpeg itself refuses too: looking at the first bytes is for the message, not for safety."""
    port, seen = listener
    monkeypatch.setattr("reelvet_local.media._PLAYLISTS", (b"never",))
    content = PLAYLISTS[name].format(url=f"http://127.0.0.1:{port}", port=port).replace("<MPD", "<MPD ")
    (tmp_path / name).write_text(content)
    with open_file(tmp_path / name) as file, pytest.raises(MediaError) as caught:
        open_video(file)
    assert caught.value.code in {"unsupported_format", "not_media"}
    assert seen == []


def test_movie_that_refers_to_another_file(vet, encode, tmp_path):
    """A QuickTime data reference to a file beside it is not followed."""
    data = encode("secret.mp4", RAMP).read_bytes()
    alias = b"\0\0\0\0" + b"\0\0\0\1" + struct.pack(">I", 12 + 14) + b"url \0\0\0\0" + b"./secret.mp4\0\0"
    at = data.index(b"dref") + 4
    moov = data.index(b"moov") - 4
    patched = data[: at + 4] + alias[4:8] + alias[8:] + data[at + 20 :]
    grown = len(patched) - len(data)
    boxes = bytearray(patched)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        where = boxes.index(box, moov) - 4
        size = struct.unpack(">I", boxes[where : where + 4])[0]
        boxes[where : where + 4] = struct.pack(">I", size + grown)
    path = tmp_path / "outer.mp4"
    path.write_bytes(data[: data.index(b"mdat") + 4] + bytes(moov - data.index(b"mdat") - 4) + bytes(boxes[moov:]))
    outcome = vet(path, report_floor=0)
    assert outcome.status == "failed"
    assert outcome.hits == ()


# --- still images -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.gif", "a.bmp", "a.tiff"])
def test_still_image(vet, tmp_path, name):
    """One frame, at 0, and no stretch of time is claimed."""
    Image.new("RGB", (80, 60), (230, 230, 230)).save(tmp_path / name)
    outcome = vet(tmp_path / name)
    assert outcome.status == "succeeded", outcome.error
    assert outcome.facts.kind == "image"
    assert (outcome.facts.width, outcome.facts.height) == (80, 60)
    assert [hit.score for hit in bright(outcome)] == pytest.approx([230 / 255], abs=0.02)
    assert bright(outcome)[0].start in {0.0, None}
    assert outcome.sampling.frames == 1


def test_modes_of_pixels(vet, tmp_path):
    """Palette, alpha, 16 bit, CMYK: whatever the file holds, the detector gets three channels in its own order."""
    red = Image.new("RGB", (80, 60), (255, 60, 60))
    for name, picture in (
        ("p.png", red.convert("P")),
        ("a.png", red.convert("RGBA")),
        ("c.jpg", red.convert("CMYK")),
        ("a.webp", red.convert("RGBA")),
    ):
        picture.save(tmp_path / name)
        outcome = vet(tmp_path / name)
        assert outcome.status == "succeeded", outcome.error
        assert outcome.scores["red"].max == pytest.approx(195 / 255, abs=0.08), name


def test_transparent_pixels_are_looked_at(vet, tmp_path):
    """What alpha hides is seen: a viewer that ignores alpha would show it."""
    Image.new("RGBA", (80, 60), (240, 240, 240, 0)).save(tmp_path / "a.png")
    assert vet(tmp_path / "a.png").scores["bright"].max == pytest.approx(240 / 255, abs=0.02)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_animated_image(vet, tmp_path, name):
    """Sampled like a video, by the delays of its frames; 3 s of it are one long bright frame."""
    frames = [Image.new("RGB", (64, 48), (level, level, level)) for level in (10, 20, 30, 40, 250, 50, 60)]
    delays = [300, 300, 300, 300, 3000, 200, 200]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=delays, lossless=True)
    outcome = vet(tmp_path / name)
    assert outcome.status == "succeeded", outcome.error
    assert outcome.facts.kind == "image"
    assert [(hit.start, hit.frame) for hit in bright(outcome)] == [(1.2, 4)]
    assert outcome.through == pytest.approx(4.6)
    assert outcome.sampling.largest_gap == pytest.approx(3.0)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_cut_image(vet, tmp_path, name):
    """Half a picture is not passed off as a whole one."""
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    os.truncate(tmp_path / name, (tmp_path / name).stat().st_size // 2)
    outcome = vet(tmp_path / name)
    assert outcome.status == "failed"
    assert outcome.error.code in {"truncated", "decode_failed"}
    assert outcome.hits == ()


def test_cut_animation_keeps_what_was_found(vet, tmp_path):
    noise = np.random.default_rng(0)
    frames = [Image.fromarray(noise.integers(150, 255, (100, 100, 3), np.uint8)) for _ in range(6)]
    path = tmp_path / "a.png"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000)
    os.truncate(path, int(path.stat().st_size * 0.6))
    outcome = vet(path, report_floor=0.4)
    assert_fails(outcome, "broken_tail")
    assert len(bright(outcome)) >= 2
    assert outcome.through == bright(outcome)[-1].start


def test_motion_jpeg_is_a_video(vet, tmp_path):
    """One JPEG after another in one file: all of them are looked at."""
    pictures = io.BytesIO()
    for level in (10, 10, 240, 10):
        Image.new("RGB", (64, 48), (level, level, level)).save(pictures, "JPEG")
    (tmp_path / "a.jpg").write_bytes(pictures.getvalue())
    outcome = vet(tmp_path / "a.jpg", interval=0.04)
    assert outcome.sampling.frames == 4
    assert [hit.frame for hit in bright(outcome)] == [2]


# --- the right way up -------------------------------------------------------------------------------------------------


def corner(width=64, height=48):
    """A dark picture with a bright top left quarter."""
    array = np.zeros((height, width, 3), np.uint8)
    array[: height // 2, : width // 2] = 255
    return array


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 1), (180, 2), (270, 3)])
def test_rotation_of_a_video(vet, encode, degrees, turns):
    """A phone stores the picture lying and says how to turn it: the detector sees it as a viewer does."""
    stored = np.rot90(corner(), -turns).copy()
    height, width = stored.shape[:2]
    # The stored picture is turned clockwise; the display matrix turns it back, counterclockwise.
    path = encode("a.mp4", [stored] * 5, rotation=degrees, size=(width, height), options={"crf": "5"})
    outcome = vet(path, report_floor=0)
    assert outcome.scores["corner"].max > 0.9
    assert (outcome.facts.width, outcome.facts.height) == (64, 48)
    assert outcome.facts.rotation == -degrees % 360


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_photo(vet, tmp_path, orientation):
    """All eight EXIF orientations, mirrored ones included."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transpose methods that store it so
    picture = Image.fromarray(corner())
    if orientation != 1:
        picture = picture.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.jpg", exif=exif, quality=95)
    outcome = vet(tmp_path / "a.jpg")
    assert outcome.scores["corner"].max > 0.9
    assert (outcome.facts.width, outcome.facts.height) == (64, 48)


# --- facts ------------------------------------------------------------------------------------------------------------


def test_facts(vet, encode):
    facts = vet(encode("a.mp4", RAMP, options=B_FRAMES, sound=4.0)).facts
    assert (facts.kind, facts.codec, facts.width, facts.height, facts.fps) == ("video", "h264", 64, 48, 25.0)
    assert "mp4" in facts.container
    assert facts.duration == pytest.approx(4.0, abs=0.05)
    assert facts.other_video_streams == 0


def test_second_video_track_is_counted(vet, tmp_path):
    """Only one track is looked at: the other is not passed over in silence."""
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("libx264", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for stream in streams:
            for _ in range(10):
                output.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
            output.mux(stream.encode(None))
    assert vet(path).facts.other_video_streams == 1
