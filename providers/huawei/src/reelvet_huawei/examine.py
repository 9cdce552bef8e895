"""What can be seen to be wrong with the settings on this machine, before a job stumbles over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelvet.plugins import Fault
from reelvet_huawei import bucket
from reelvet_huawei.auth import PROFILE, profile_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reelvet_huawei.settings import HuaweiSettings


def examine(settings: HuaweiSettings) -> Iterator[Fault]:
    """Looks at what is installed, at the profile file, and at what is declared."""
    if settings.api == "v2" and settings.obs_output is not None and not settings.hosting:
        if not bucket.is_installed():
            yield Fault(
                "results go to a bucket, and the package esdk-obs-python that reads them is not installed",
                "Install reelvet-huawei[obs], or set hosting = true.",
                "obs_output",
            )
        if settings.credentials == "token":
            yield Fault(
                "results go to a bucket, and a token does not open it",
                "Give a key pair (credentials = 'keys'), or set hosting = true.",
                "credentials",
            )
    if settings.api == "v3" and settings.biz_type is not None and settings.biz_type not in settings.biz_types:
        yield Fault(
            f"nobody said what the policy {settings.biz_type!r} looks at, so it promises nothing",
            f"Declare it: [providers.<instance>.biz_types.{settings.biz_type}] covers = [...].",
            "biz_type",
        )
    if settings.credentials == "profile":
        path = profile_path()
        if not path.is_file():
            yield Fault(f"there is no profile file {path}", f"Write it, or name another in {PROFILE}.", "credentials")
