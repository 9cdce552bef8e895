"""What the documentation prints is what the emulator takes, but for what its own models forbid."""

import json
import re
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[1] / "samples" / "requests"
COMMON = {"Action", "<Common request parameters>", "<公共请求参数>"}


def index():
    rows = re.findall(r"^\| (\S+\.json) \|(.+)\|$", (SAMPLES / "INDEX.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [(file, *(cell.strip() for cell in rest.split("|"))) for file, rest in rows]


ROWS = index()


def test_every_sample_is_in_the_index():
    assert {file for file, *_ in ROWS} == {path.name for path in SAMPLES.glob("*.json")}
    assert all(row[4].startswith("verbatim") for row in ROWS)


@pytest.mark.parametrize(("file", "action", "version", "form", "fidelity", "does"), ROWS, ids=[row[0] for row in ROWS])
def test_a_printed_request_is_accepted_or_refused_for_the_documented_reason(
    api, reelvet_sandbox, *, file, action, version, form, fidelity, does
):
    everything = {"covers": [{"labels": ["*"], "channels": ["visual"]}]}
    reelvet_sandbox.set_up("tencent", biz_types={"default": everything, "1001": everything})
    task = api.create() if action in {"DescribeTaskDetail", "CancelTask"} else None
    api.version = version
    printed = json.loads((SAMPLES / file).read_text(encoding="utf-8"))
    if form == "GET":
        _, _, query = printed["_wrapped_verbatim_text"].replace("\n", "").partition("?")
        pairs = [pair for pair in query.split("&") if pair.partition("=")[0] not in COMMON]
        query = "&".join(f"TaskId={task}" if pair.startswith("TaskId=") else pair for pair in pairs)
        told = api.ask(action, query)
    else:
        told = api.call(action, printed | ({"TaskId": task} if task else {}))
    if does == "accepts":
        assert "Error" not in told, told
        created = reelvet_sandbox.tasks("tencent")
        if action == "CreateVideoModerationTask":
            assert [result["Code"] for result in told["Results"]] == ["OK"]
            assert len(created) == 1
            if form == "JSON":
                assert created[0].data == {name: value for name, value in printed.items() if name != "Seed"}
            else:
                assert created[0].data["Tasks"] == [{"DataId": "test_data_1", "Input": {"Type": "URL", "Url": "https://v.com/test.mp4"}}]  # fmt: skip
    else:
        assert told["Error"]["Code"] == does.removeprefix("refuses: ").partition(",")[0]
        assert does.rpartition(" as ")[2].split()[0] in told["Error"]["Message"]


def test_signature_v1_is_not_emulated(api):
    printed = json.loads((SAMPLES / "create_request_20210922_intl_getstyle.json").read_text(encoding="utf-8"))
    query = printed["_wrapped_verbatim_text"].replace("\n", "").partition("?")[2]
    assert api.http.get("/", params=query).json()["Response"]["Error"]["Code"] == "MissingParameter"


def test_a_query_is_read_by_the_types_of_its_parameters(api):
    task = api.create()
    assert "Error" not in api.ask("DescribeTaskDetail", f"TaskId={task}&ShowAllSegments=true")
    assert api.ask("DescribeTaskDetail", f"TaskId={task}&ShowAllSegments=yes")["Error"]["Code"] == "InvalidParameter"
    assert api.ask("DescribeTasks", "Limit=1&Filter.Type=VIDEO")["Total"] == "1"
    assert api.ask("DescribeTasks", "Limit=one")["Error"]["Code"] == "InvalidParameter"
    assert api.ask("DescribeTasks", "Filter=a&Filter.Type=VIDEO")["Error"]["Code"] == "InvalidParameter"
    assert api.ask("DescribeTasks", "Foo=1")["Error"]["Code"] == "UnknownParameter"
