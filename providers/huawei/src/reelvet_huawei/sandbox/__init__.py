"""An emulator of Huawei Cloud's video moderation, v2 and v3, and of its IAM, written from their public documentation.

It was never held against the live service. Where the documentation says nothing, it chooses, and the choice is told at
the place where it is made and in docs/sandbox.md.
"""

from reelvet_huawei.sandbox.account import (
    AK,
    DOMAIN,
    PASSWORD,
    PROJECT_ID,
    REGION,
    SECURITY_TOKEN,
    SK,
    TEMPORARY_AK,
    TEMPORARY_SK,
    USER,
)
from reelvet_huawei.sandbox.emulator import HuaweiSandbox

__all__ = [
    "AK", "DOMAIN", "PASSWORD", "PROJECT_ID", "REGION", "SECURITY_TOKEN", "SK", "TEMPORARY_AK", "TEMPORARY_SK", "USER", "HuaweiSandbox",
]  # fmt: skip
