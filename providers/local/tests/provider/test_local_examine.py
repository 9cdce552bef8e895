"""What the local provider sees to be wrong with its settings, without loading a model."""

import sys
from pathlib import Path

import pytest

from reelvet.config import Config
from reelvet.plugins import Fault, Registry
from reelvet_local.detector import DetectorError, find_detector

HEAD = "# name: mine\n# version: 1\nfield,native,unified,relation,channel,note\n"


@pytest.fixture
def faults(tmp_path, monkeypatch):
    """What is found with these settings; `my_detectors` is a module of the user's own."""
    (tmp_path / "labels.csv").write_text(f"{HEAD}score,glow,violence.graphic,close,visual,\n")
    (tmp_path / "my_detectors.py").write_text(
        "class Glow:\n    labels = ('glow', 'gleam')\nclass Other:\n    labels = ('mist',)\n"
        "class Late:\n    def __init__(self):\n        self.labels = ('glow',)\n"
    )
    (tmp_path / "my_broken.py").write_text("raise RuntimeError('no graphics card')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def find(**settings):
        from reelvet.moderator.instance import Instance

        config = Config.parse({"providers": {"local": settings}})
        found = list(Instance("local", config, Registry.discover(allow=["local"])).provider.examine())
        assert all(isinstance(fault, Fault) and fault.way_out for fault in found)
        return [(fault.field, fault.says) for fault in found]

    yield find
    for name in ("my_detectors", "my_broken"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"thumbnails": "pictures/of/findings"},
        {"detector": "my_detectors:Glow", "labels": "labels.csv"},
        {"detector": "my_detectors:Late", "labels": "labels.csv"},
    ],
)
def test_all_is_well_and_stays_as_it_was(faults, settings):
    before = sorted(Path().iterdir())
    assert faults(**settings) == []
    assert [file for file in sorted(Path().iterdir()) if file.name != "__pycache__"] == before


@pytest.mark.parametrize(
    ("settings", "field", "says"),
    [
        ({"detector": "nosuch.module:X"}, "detector", "nosuch"),
        ({"detector": "my_detectors:Gone"}, "detector", "Gone"),
        ({"detector": "my_broken:X"}, "detector", "RuntimeError: no graphics card"),
        ({"detector": "my_detectors:__name__"}, "detector", "is no class"),
        ({"detector": "my_detectors"}, "detector", "package.module:Class"),
        ({"detector": "my_detectors:Other"}, "labels", "none of the words of detector = 'my_detectors:Other' (mist)"),
        ({"detector": "my_detectors:Glow", "thumbnails": "labels.csv/a"}, "thumbnails", "labels.csv is a file"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(faults, settings, field, says):
    ((where, told),) = faults(labels="labels.csv", **settings)
    assert where == field
    assert says in told


def test_a_class_is_found_and_not_made(faults):
    with pytest.raises(DetectorError, match="cannot be imported"):
        find_detector("nosuch.module:X")
    assert find_detector("reelvet_local.detector:OpenNsfw").__name__ == "OpenNsfw"
