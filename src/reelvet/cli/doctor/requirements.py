"""Whether a version is one that a distribution's metadata asks for: releases in plain numbers, which is all we need."""

from __future__ import annotations

import operator
import re

_NAME = r"\s*{}\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?"
_BOUND = re.compile(r"\s*(>=|<=|==|!=|~=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?\s*")
_COMPARISONS = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def allows(requirement: str, name: str, version: str) -> bool:
    """Whether a requirement leaves room for that version of that distribution.

    One that is of another distribution, or is written in a way that is not known here, does.
    """
    bounds = re.fullmatch(_NAME.format(re.escape(name)), requirement.partition(";")[0], re.IGNORECASE)
    return bounds is None or all(_holds(bound, version) for bound in bounds[1].split(",") if bound.strip())


def _holds(bound: str, version: str) -> bool:
    read, release = _BOUND.fullmatch(bound), re.match(r"\d+(?:\.\d+)*", version)
    if read is None or release is None:
        return True
    here, there = _numbers(release[0]), _numbers(read[2])
    if read[3]:  # == 1.2.*
        return (here[: len(there)] == there) is (read[1] == "==")
    if read[1] == "~=":
        return here >= there and here[: len(there) - 1] == there[:-1]
    most = max(len(here), len(there))
    return bool(_COMPARISONS[read[1]](here + (0,) * (most - len(here)), there + (0,) * (most - len(there))))


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in release.split("."))
