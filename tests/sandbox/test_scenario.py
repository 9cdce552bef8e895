"""Scenarios: what may be written, what is said of a mistake, and which URL stands for which."""

import pytest

from reelvet.errors import ConfigurationError
from reelvet.sandbox import MAGIC, Catalogue, Scenario
from reelvet.schema.media import Channel
from reelvet.taxonomy import Kind, Label, Taxonomy


@pytest.fixture
def library():
    return Catalogue(Taxonomy.default())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"events": [{"label": "violnce", "score": 1}]}, "events.0.label: unknown label 'violnce' in label. Did you mean 'violence'"),
        ({"events": [{"label": "violence", "score": 90}]}, "events.0.score: input should be less than or equal to 1 (got 90)"),
        ({"events": [{"label": "violence"}]}, "events.0.score: is required"),
        ({"events": [{"label": "violence", "score": 1, "strat": 2}]}, "events.0.strat: no such field, did you mean 'start'?"),
        ({"events": [{"label": "violence", "score": 1, "start": 5, "end": 4}]}, "end 4 is before start 5"),
        ({"events": [{"label": "violence", "score": 1, "start": 31}]}, "events.0 ends at 31, after the 30 seconds of the media; shorten it or raise duration"),
        ({"speech": [{"start": 1, "end": 31, "text": "x"}]}, "speech.0 ends at 31, after the 30 seconds"),
        ({"speech": [{"start": 1, "end": 1, "text": "x"}]}, "end 1 is not after start 1"),
        ({"key_frames": [2, 1]}, "must ascend"),
        ({"key_frames": [0, 40]}, "the key frame at 40 is after the 30 seconds"),
        ({"duration": 600_000, "key_frames": 0.01}, "more than 100000 key frames"),
        ({"ending": "fails"}, "a reason and ending 'fails' belong together; the reasons are unsupported_type, unreachable"),
        ({"reason": "damaged"}, "a reason and ending 'fails' belong together"),
        ({"kind": "audio"}, "'audio' is reserved"),
        ({"name": "My Clip"}, "name: string should match pattern"),
        ({"durration": 3}, "durration: no such field, did you mean 'duration'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_field_its_value_and_the_way_out(change, says):
    with pytest.raises(ConfigurationError) as caught:
        Scenario.parse({"name": "own", **change}, source="own.yaml")
    assert says in str(caught.value)
    assert "own.yaml" in str(caught.value)
    assert "has the fields name, says, urls" in caught.value.way_out


def test_what_is_there_at_a_second():
    scenario = Scenario.parse(
        {
            "name": "own",
            "events": [
                {"label": "violence", "start": 2, "end": 4, "score": 1},
                {"label": "hate", "start": 3, "score": 1},
                {"label": "spam", "start": 3, "score": 1, "channel": "ocr"},
            ],
        }
    )
    assert [event.label for event in scenario.at(3)] == ["violence", "hate"]
    assert [event.label for event in scenario.at(4)] == ["violence"]
    assert scenario.at(4.1) == ()
    assert [event.label for event in scenario.at(3, Channel.OCR)] == ["spam"]


@pytest.mark.parametrize(
    ("given", "times"),
    [
        ({"duration": 5}, (0, 2, 4)),
        ({"duration": 4}, (0, 2)),
        ({"duration": 1, "key_frames": 0.3}, (0, 0.3, 0.6, 0.9)),
        ({"key_frames": [0, 7.5, 29]}, (0, 7.5, 29)),
        ({"kind": "image"}, (0,)),
    ],
)
def test_key_frames_by_interval_or_one_by_one(given, times):
    assert Scenario(name="own", **given).key_frame_times == times


def test_the_built_in_ones_are_there(library):
    names = {scenario.name for scenario in library}
    assert {"clean", "block-nudity", "review-nudity", "below-floor", "sport", "speech-only", "violence", "broken", "long", "child-safety", "never-finishes"} <= names  # fmt: skip
    assert all(scenario.says for scenario in library)


@pytest.mark.parametrize("end", [".mp4", "", ".jpg?sig=x#t=1", "/qid1_720.mp4"])
def test_a_magic_url_names_its_scenario(library, end):
    assert library.for_url(f"https://{MAGIC}/sport{end}").name == "sport"


def test_any_other_url_is_clean_until_something_is_registered_for_it(library):
    url = "https://cdn.example.com/a.mp4?sig=1"
    assert library.for_url(url).name == "clean"
    assert library.for_url("obs://bucket/a b.mp4").name == "clean"
    library.add({"name": "own"}, "https://cdn.example.com/a.mp4", "obs://bucket/a b.mp4")
    assert library.for_url(url).name == "own"  # whatever it is signed with
    assert library.for_url("obs://bucket/a b.mp4").name == "own"
    assert library.for_url(f"https://{MAGIC}/own.mp4").name == "own"
    library.reset()
    assert library.for_url(url).name == "clean"


def test_a_misspelled_name_is_no_clean_video(library):
    assert library.for_url(f"https://{MAGIC}/block-nudty.mp4").reason == "unreachable"
    assert library.for_url(f"https://{MAGIC}/").reason == "unreachable"


def test_labels_of_a_plugin_may_be_used():
    own = Taxonomy.default().extended("acme", [Label("x.acme.confetti", Kind.CONTEXT, "Confetti", parent="context")])
    data = {"name": "own", "events": [{"label": "x.acme.confetti", "score": 1}]}
    assert Catalogue(own).add(data).events[0].label == "x.acme.confetti"
    with pytest.raises(ConfigurationError, match=r"x\.acme\.confetti"):
        Catalogue(Taxonomy.default()).add(data)


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ({"name": "clean", "duration": 5}, "another scenario 'clean'"),
        ({"name": "own", "urls": ["a.mp4"]}, "'a.mp4' is no URL"),
        ({"name": "own", "urls": [f"https://{MAGIC}/x.mp4"]}, "whose URLs name their scenario"),
        ({"name": "own", "urls": ["https://cdn.example.com/taken.mp4"]}, "stands for the scenario 'first' already"),
    ],
)
def test_a_name_and_a_url_belong_to_one_scenario(library, scenario, says):
    library.add({"name": "first", "urls": ["https://cdn.example.com/taken.mp4"]})
    with pytest.raises(ConfigurationError, match=says):
        library.add(scenario)


def test_yaml_files_and_directories_of_them(library, tmp_path):
    (tmp_path / "a.yaml").write_text("scenarios:\n- name: one\n  duration: 12\n- name: two\n")
    (tmp_path / "b.yml").write_text("scenarios: [{name: three, urls: ['https://h.example/3.mp4']}]\n")
    (tmp_path / "notes.txt").write_text("not a scenario")
    assert [scenario.name for scenario in library.load(tmp_path)] == ["one", "two", "three"]
    assert library.for_url("https://h.example/3.mp4").name == "three"
    assert library.named("one").duration == 12


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("scenarios: [", "is no YAML"),
        ("- name: one", "the one key `scenarios`"),
        ("scenarios: {name: one}", "the one key `scenarios`"),
        ("scenarios:\n- name: one\n  colour: red\n", "colour: no such field"),
        ("scenarios:\n- one\n", "invalid scenario"),
        ("scenarios: [!!python/object/apply:os.getcwd []]", "is no YAML"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_what_is_wrong(library, tmp_path, text, says):
    file = tmp_path / "own.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        library.load(file)
    assert says in str(caught.value)
    assert "own.yaml" in str(caught.value)


def test_a_file_that_is_not_there_and_a_directory_without_any(library, tmp_path):
    with pytest.raises(ConfigurationError, match="No such file"):
        library.load(tmp_path / "nothing.yaml")
    with pytest.raises(ConfigurationError, match=r"no file \*.yaml or \*.yml"):
        library.load(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"bytes\.yaml"):
        library.load(tmp_path)


def test_without_the_package_that_reads_yaml_it_says_how_to_get_it(library, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'reelvet\[sandbox\]'"):
        library.load(tmp_path / "own.yaml")


def test_signatures_in_urls_are_masked_where_a_scenario_is_shown():
    scenario = Scenario(name="own", urls=("https://h.example/a.mp4?sig=hush",))
    assert "hush" not in scenario.model_dump_json() + repr(scenario)
