"""A request that the API does not take: HTTP says 200 all the same, and the body has a code.

The codes: https://www.tencentcloud.com/document/api/1140/51177. Of their messages few are published, and clients are told
not to rely on any (https://cloud.tencent.com/document/api/271/2056). Those that are not published are the emulator's own.
"""

from __future__ import annotations


class Refused(Exception):
    """A request, or one task of it, that is not taken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def missing(name: str) -> Refused:
    """A parameter that is required."""
    return Refused("MissingParameter", f"The request is missing a required parameter `{name}`.")


def wrong_value(name: str, says: str) -> Refused:
    """A parameter whose value is none of those that it may have."""
    return Refused("InvalidParameterValue", f"The value of parameter `{name}` is not valid: {says}.")
