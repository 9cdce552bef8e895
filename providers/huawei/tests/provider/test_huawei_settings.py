"""What is configured: what is needed, what cannot work, and where it leads."""

from __future__ import annotations

import pytest

from reelvet import AsyncModerator, Config
from reelvet.schema.errors import ConfigurationError, MissingSecret


def test_what_is_needed_is_named_with_the_vendor_s_own_variables():
    with pytest.raises(MissingSecret, match="HUAWEICLOUD_SDK_AK") as caught:
        AsyncModerator(Config.parse({"use": "huawei"}))
    assert all(name in str(caught.value) for name in ("HUAWEICLOUD_SDK_SK", "region"))


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"ak": " a"}, "white space"), ({"seed": "not-a-seed"}, "letters, digits"), ({"seeds": {"a": "ü"}}, "letters, digits"), ({"region": "CN North"}, "region"),
     ({"iam_url": "ftp://x"}, "base URL"), ({"obs_output": "obs://B"}, "obs://bucket/path"), ({"obs_output": "obs://bkt/{kee}/"}, "obs_output"), ({"project_id": "a/b"}, "project_id"), ({"api": "v1"}, "api"),
     ({"credentials": "token"}, "domain"), ({"frame_interval": 61}, "60 s at most"), ({"base_url": "https://h.example/a%2Fb"}, "nothing escaped"),
     ({"base_url": "https://h.example/a b"}, "white space"), ({"iam_url": "https://h.example/ü"}, "base URL"), ({"obs_url": "https://h.example/%41"}, "base URL"),
     ({"base_url": "https://h.example:99999"}, "a port"), ({"base_url": "https://h.example:0"}, "a port"), ({"base_url": "https://h.example/a\nb"}, "base URL")],
)  # fmt: skip
def test_settings_that_cannot_work_stop_the_start(settings, says):
    table = {"ak": "AK", "sk": "SK", "region": "cn-north-4"} | settings
    with pytest.raises(ConfigurationError, match=says):
        AsyncModerator(Config.parse({"use": "huawei", "providers": {"huawei": table}}))


def test_what_goes_out_as_it_is_signed_may_be_a_base_url(configured):
    for url in ("https://h.example:8443/a/b-c.d~e_f", "http://[::1]:80", "https://h.example/a+b=c"):
        assert configured(base_url=url)._instance("huawei").provider.settings.url == url


def test_the_longest_interval_is_that_of_the_api(configured):
    assert configured(api="v2", frame_interval=3600)._instance("huawei").provider.settings.frame_interval == 3600
    assert configured(api="v3", frame_interval=60)._instance("huawei").provider.settings.frame_interval == 60


def test_each_region_has_its_own_addresses(configured):
    def settings(**table):
        return configured(**table)._instance("huawei").provider.settings

    assert settings(region="cn-east-3").url == "https://moderation.cn-east-3.myhuaweicloud.com"
    assert settings(region="cn-north-4", api="v2").url == "https://iva.cn-north-4.myhuaweicloud.com"
    assert settings(region="cn-north-4").iam == "https://iam.cn-north-4.myhuaweicloud.com"
    assert settings(region="cn-north-4").obs == "https://obs.cn-north-4.myhuaweicloud.com"
    over = settings(base_url="http://127.0.0.1:1/x/", iam_url="http://127.0.0.1:2", obs_url="http://127.0.0.1:3")
    assert (over.url, over.iam, over.obs) == ("http://127.0.0.1:1/x", "http://127.0.0.1:2", "http://127.0.0.1:3")
