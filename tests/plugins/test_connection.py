"""What every vendor's settings share: where the API is, and how it is reached."""

import ssl
from typing import ClassVar

import pytest
from pydantic import ValidationError

from reelvet.plugins import ConnectionSettings


class Settings(ConnectionSettings):
    official_hosts: ClassVar[frozenset[str]] = frozenset({"api.vendor.example", ".cloud.example"})


@pytest.mark.parametrize(
    ("url", "official"),
    [(None, True), ("https://api.vendor.example", True), ("https://api.vendor.example/v2/", True), ("https://API.vendor.example", True),
     ("https://eu.cloud.example", True), ("http://api.vendor.example", False), ("https://api.vendor.example.evil.example", False),
     ("https://evilcloud.example", False), ("http://127.0.0.1:1", False)],
)  # fmt: skip
def test_only_the_vendors_own_hosts_over_tls_are_no_sandbox(url, official):
    assert Settings(base_url=url).is_official is official


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [("base_url", "api.vendor.example", "a base URL is"), ("base_url", "https://u:p@h.example", "a base URL is"), ("base_url", "https://h.example?a=b", "a base URL is"),
     ("proxy", "proxy:3128", "a proxy is a URL"), ("proxy", "", "a proxy is a URL"), ("ca_bundle", "/no/such.pem", "in PEM"),
     ("timeout", 0, "greater than 0"), ("requests_per_second", 0, "greater than or equal to 1")],
)  # fmt: skip
def test_what_cannot_work_is_refused_when_it_is_configured(field, value, says):
    with pytest.raises(ValidationError, match=says):
        Settings(**{field: value})


def test_a_file_that_holds_no_certificates_is_refused(tmp_path):
    (tmp_path / "a.pem").write_text("hello")
    with pytest.raises(ValidationError, match="in PEM"):
        Settings(ca_bundle=tmp_path / "a.pem")
    assert Settings(ca_bundle=tmp_path).ca_bundle == tmp_path


def test_a_slash_at_the_end_is_no_part_of_the_url():
    assert Settings(base_url="https://h.example/").base_url == "https://h.example"


def test_the_session_is_told(tmp_path):
    told = Settings(timeout=7, proxy="http://p.example:1").session_options()
    assert (told["timeouts"].total, told["timeouts"].read, told["proxy"], told["verify"]) == (
        7,
        7,
        "http://p.example:1",
        True,
    )
    bundle = ssl.get_default_verify_paths().cafile
    if bundle:
        assert str(Settings(ca_bundle=bundle).session_options()["verify"]) == bundle
