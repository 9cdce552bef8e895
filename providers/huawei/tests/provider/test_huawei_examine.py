"""What is wrong with an instance's settings is said before a job stumbles over it."""

from __future__ import annotations

import pytest

from reelvet_huawei import bucket


@pytest.fixture
def faults(configured):
    return lambda **settings: [fault.field for fault in configured(**settings)._instance("huawei").provider.examine()]


def test_nothing_is_wrong_with_the_usual_settings(faults):
    assert faults() == faults(api="v2") == []


@pytest.mark.parametrize(("installed", "fields"), [(True, []), (False, ["obs_output"])])
def test_a_bucket_that_nobody_can_read_is_found(faults, monkeypatch, installed, fields):
    monkeypatch.setattr(bucket, "is_installed", lambda: installed)
    assert faults(api="v2", obs_output="obs://bkt/out/") == fields
    assert faults(api="v2", obs_output="obs://bkt/out/", hosting=True) == []
    token = {"credentials": "token", "domain": "d", "user": "u"}
    assert faults(api="v2", obs_output="obs://bkt/out/", **token) == [*fields, "credentials"]


def test_a_policy_that_nobody_declared_is_found(faults):
    assert faults(biz_type="p") == ["biz_type"]
    assert faults(biz_type="p", biz_types={"p": {"covers": []}}) == []


def test_a_profile_file_that_is_not_there_is_found(faults, monkeypatch, tmp_path):
    assert faults(credentials="profile") == ["credentials"]
    path = tmp_path / "credentials"
    path.write_text("", encoding="utf-8")
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(path))
    assert faults(credentials="profile") == []


@pytest.mark.parametrize(
    ("settings", "sandbox"),
    [({}, False), ({"base_url": "https://moderation.cn-north-4.myhuaweicloud.com"}, False), ({"base_url": "http://moderation.cn-north-4.myhuaweicloud.com"}, True),
     ({"base_url": "https://huaweicloud.example"}, True), ({"base_url": "https://evilmyhuaweicloud.com"}, True), ({"obs_url": "https://obs.cn-north-4.myhuaweicloud.com"}, False),
     ({"obs_url": "https://store.example"}, True), ({"iam_url": "https://iam.example"}, False)],
)  # fmt: skip
def test_what_does_not_come_from_the_vendor_says_so(configured, settings, sandbox):
    """Law 16; a result is read from the object store too."""
    assert configured(**settings)._instance("huawei").provider.sandbox is sandbox
