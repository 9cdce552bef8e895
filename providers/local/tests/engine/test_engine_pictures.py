"""Pictures in containers of several: tiles, planes, pages, covers. What was not looked at is never passed over in silence."""

import io
import os
import struct
import time

import av
import numpy as np
import pytest
from PIL import Image

from reelvet_local.media import _is_cut

AV1 = next(name for name in ("libsvtav1", "libaom-av1", "librav1e") if name in av.codecs_available)


def avif(level, size=(64, 64)):
    """A picture as FFmpeg itself writes it."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="avif") as output:
        stream = output.add_stream(AV1, rate=1)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level, np.uint8), "rgb24")
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def box(name, *content):
    return struct.pack(">I4s", sum(map(len, content)) + 8, name) + b"".join(content)


def full(name, version, *content):
    return box(name, struct.pack(">I", version << 24), *content)


def grid(levels, brand=b"avif"):
    """Tiles of 64 x 64, two in a row, as cameras store photos."""
    tiles = [avif(level) for level in levels]
    start = tiles[0].index(b"av1C") - 4
    config = tiles[0][start : start + struct.unpack(">I", tiles[0][start : start + 4])[0]]
    data = [tile[tile.index(b"mdat") + 4 :] for tile in tiles]
    ids, layout = range(2, 2 + len(tiles)), struct.pack(">BBBBHH", 0, 0, len(tiles) // 2 - 1, 1, 128, 32 * len(tiles))

    def build(offset):
        places = [(1, 1, 0, len(layout))]
        for item, content in zip(ids, data, strict=True):
            places.append((item, 0, offset, len(content)))
            offset += len(content)
        infos = [full(b"infe", 2, struct.pack(">HH4sB", i, 0, b"grid" if i == 1 else b"av01", 0)) for i in (1, *ids)]
        used = [struct.pack(">HBBB", 1, 2, 0x81, 4), *(struct.pack(">HBBBB", i, 3, 2, 0x83, 4) for i in ids)]
        sizes = [full(b"ispe", 0, struct.pack(">II", *size)) for size in ((128, 32 * len(tiles)), (64, 64))]
        return box(b"ftyp", brand, b"\0\0\0\0", brand, b"mif1", b"miaf") + full(
            b"meta", 0,
            full(b"hdlr", 0, struct.pack(">I4s13x", 0, b"pict")),
            full(b"pitm", 0, struct.pack(">H", 1)),
            full(b"iloc", 1, struct.pack(">BBH", 0x44, 0, len(places)), *(struct.pack(">HHHHII", i, how, 0, 1, at, n) for i, how, at, n in places)),
            full(b"iinf", 0, struct.pack(">H", len(infos)), *infos),
            full(b"iref", 0, box(b"dimg", struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *ids))),
            box(b"iprp", box(b"ipco", *sizes, config, full(b"pixi", 0, b"\3\x08\x08\x08")), full(b"ipma", 0, struct.pack(">I", len(used)), *used)),
            box(b"idat", layout),
        )  # fmt: skip

    return build(len(build(0)) + 8) + box(b"mdat", *data)


def bright(outcome):
    return [(hit.start, hit.frame) for hit in outcome.hits if hit.label == "bright"]


def test_single_picture_of_an_avif(vet, tmp_path):
    (tmp_path / "a.avif").write_bytes(avif(250))
    outcome = vet(tmp_path / "a.avif")
    assert outcome.status == "succeeded", outcome.error
    assert (outcome.facts.kind, bright(outcome)) == ("image", [(0.0, 0)])
    assert (outcome.through, outcome.sampling.largest_gap, outcome.facts.other_video_streams) == (None, None, 0)


def test_single_picture_of_a_heic(vet, encode, tmp_path):
    """Of HEIC nothing but the codec is special: one picture of HEVC in the place of AV1."""
    path = encode(
        "a.mp4",
        [250],
        "libx265",
        options={"x265-params": "log-level=none:info=0:pools=none:frame-threads=1"},
        size=(64, 64),
    )
    video, still = path.read_bytes(), avif(0)
    start = video.index(b"hvcC") - 4
    config = video[start : start + struct.unpack(">I", video[start : start + 4])[0]]
    at = video.index(b"mdat")
    data = video[at + 4 : at - 4 + struct.unpack(">I", video[at - 4 : at])[0]]
    old = still.index(b"av1C") - 4
    end = old + struct.unpack(">I", still[old : old + 4])[0]
    grown = len(config) - (end - old)
    head = bytearray(still[:old] + config + still[end : still.index(b"mdat") - 4])
    head = head.replace(b"av01", b"hvc1").replace(b"avif", b"heic")
    for name in (b"meta", b"iprp", b"ipco"):
        where = head.index(name) - 4
        head[where : where + 4] = struct.pack(">I", struct.unpack(">I", head[where : where + 4])[0] + grown)
    place = head.index(b"iloc") + 4 + 4 + 2 + 2 + 2 + 2 + 2
    head[place : place + 8] = struct.pack(">II", len(head) + 8, len(data))
    (tmp_path / "a.heic").write_bytes(bytes(head) + box(b"mdat", data))
    outcome = vet(tmp_path / "a.heic")
    assert outcome.status == "succeeded", outcome.error
    assert (outcome.facts.kind, outcome.facts.codec, bright(outcome)) == ("image", "hevc", [(0.0, 0)])


def test_grid_of_tiles_is_refused_and_not_taken_for_its_first_tile(vet, tmp_path):
    (tmp_path / "a.avif").write_bytes(grid([0, 255, 255, 255]))
    outcome = vet(tmp_path / "a.avif")
    assert (outcome.status, outcome.error.code) == ("failed", "unsupported_format")
    assert "grid of 4 tiles" in outcome.error.message
    assert outcome.sampling is None


def test_cut_avif(vet, tmp_path):
    path = tmp_path / "a.avif"
    path.write_bytes(avif(250, (640, 480)))
    os.truncate(path, path.stat().st_size - 20)
    assert vet(path).status == "failed"


def test_a_video_that_calls_itself_a_picture_is_judged_as_a_video(vet, encode):
    """The brand is the uploader's: a tail that cannot be decoded is told all the same."""
    path = encode("a.mp4", [20, 200] * 50, options={"g": "25", "bf": "0"}, container={"brand": "avif"})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for position, size in packets[1:]:
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    assert vet(path).status == "failed"


def test_all_pages_of_a_tiff(vet, tmp_path):
    pages = [Image.new("RGB", (64 + i, 48), (level,) * 3) for i, level in enumerate((0, 0, 250, 0))]
    pages[0].save(tmp_path / "a.tiff", save_all=True, append_images=pages[1:])
    outcome = vet(tmp_path / "a.tiff")
    assert outcome.status == "succeeded", outcome.error
    assert bright(outcome) == [(0.0, 2)]
    assert (outcome.sampling.frames, outcome.through, outcome.sampling.largest_gap) == (4, None, None)
    assert (outcome.facts.width, outcome.facts.height) == (64, 48)


def test_page_that_is_too_large_is_refused_before_it_is_decoded(vet, tmp_path):
    pages = [Image.new("1", size) for size in ((64, 48), (20_000, 10_000))]
    pages[0].save(tmp_path / "a.tiff", save_all=True, append_images=pages[1:])
    outcome = vet(tmp_path / "a.tiff")
    assert (outcome.error.code, outcome.sampling.frames) == ("too_many_pixels", 1)


def test_pictures_below_a_page_are_told(vet, tmp_path):
    """As raw photos have them, of which Pillow shows a preview."""
    from PIL import TiffImagePlugin

    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[330] = (8, 8)
    tags.tagtype[330] = 4
    Image.new("RGB", (64, 48)).save(tmp_path / "a.tiff", tiffinfo=tags)
    outcome = vet(tmp_path / "a.tiff")
    assert (outcome.status, outcome.facts.other_video_streams) == ("succeeded", 2)


def test_tiff_with_orientation(vet, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 48), "white").save(tmp_path / "a.tiff", exif=exif)
    outcome = vet(tmp_path / "a.tiff")
    assert (outcome.facts.width, outcome.facts.height) == (48, 64)


@pytest.mark.parametrize("film", [True, False])
def test_cover_is_no_video_track(vet, encode, tmp_path, film):
    """The picture of an album: a sound file has nothing to be looked at, and a film no second track."""
    cover, path = io.BytesIO(), tmp_path / "a.mkv"
    Image.new("RGB", (64, 48), "white").save(cover, "PNG")
    source = encode("b.mkv", [0] * 25, sound=1.0, options={"bf": "0"})
    with av.open(str(source)) as read, av.open(str(path), "w") as output:
        copies = {s.index: output.add_stream_from_template(s) for s in read.streams if film or s.type == "audio"}
        output.add_attachment("cover.png", "image/png", cover.getvalue())
        for packet in read.demux():
            if packet.dts is not None and packet.stream.index in copies:
                packet.stream = copies[packet.stream.index]
                output.mux(packet)
    outcome = vet(path)
    if film:
        assert (outcome.status, outcome.facts.other_video_streams, bright(outcome)) == ("succeeded", 0, [])
    else:
        assert outcome.error.code == "no_video"


def test_walk_over_boxes_is_bounded(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(box(b"ftyp", b"isom\0\0\0\0") + box(b"free") * 3_000_000)
    started = time.monotonic()
    with path.open("rb") as file:
        assert not _is_cut(file)
    assert time.monotonic() - started < 5
    path.write_bytes(box(b"ftyp", b"isom\0\0\0\0") + box(b"free") * 1000)
    with path.open("rb") as file:
        assert _is_cut(file)
