"""The faults that concern what a task says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelvet.sandbox import Contradiction, StatusBackwards, UnknownLabel, UnknownStatus
from reelvet_tencent.sandbox import life, results
from reelvet_tencent.sandbox.sight import BLOCK, NORMAL, PASS

if TYPE_CHECKING:
    from reelvet.sandbox import Call

_SCORE = 90


def spoil(call: Call, told: dict[str, Any]) -> None:
    """Applies them to a reply of DescribeTaskDetail."""
    if told["Status"] == life.FINISH:
        strange = call.take(UnknownLabel)
        if strange is not None:
            _add(told, strange.word)
        shown = told["Suggestion"] != PASS
        contradiction = call.take(Contradiction, lambda fault: fault.how == "verdict_without_evidence" or shown)
        if contradiction is not None and contradiction.how == "verdict_without_evidence":
            told |= {"Suggestion": BLOCK, "Label": "Porn", "Labels": [], **{name: [] for name in results.LISTS}}
        elif contradiction is not None:
            told |= {"Suggestion": PASS, "Label": NORMAL, "Labels": []}
    if told["Status"] != life.PENDING and call.take(StatusBackwards):
        told |= {
            "Status": life.PENDING, "ErrorType": "", "ErrorDescription": "", "AudioText": "", "Asrs": [],
            **results.verdict([], finished=False), **{name: [] for name in results.LISTS},
        }  # fmt: skip
    word = call.take(UnknownStatus)
    if word is not None:
        told["Status"] = word.word


def _add(told: dict[str, Any], word: str) -> None:
    """A picture with a label that nobody knows."""
    said = {"HitFlag": 1, "Label": word, "SubLabel": "", "Suggestion": BLOCK, "Score": _SCORE}
    scene = {"Scene": word, **said, "Names": [], "Text": "", "Details": [], "HitType": ""}
    result = {
        **said, "Results": [scene], "Url": "", "Extra": "", "RecognitionResults": [], "HitType": "", "RequestId": "", "HitSnippetInfos": [],
    }  # fmt: skip
    segment = {"OffsetTime": "0", "Result": result, "CreatedAt": told["CreatedAt"], "OffsetusTime": "0"}
    label = {"Label": word, "Suggestion": BLOCK, "Score": _SCORE, "SubLabel": ""}
    told["ImageSegments"] = [segment, *told["ImageSegments"]]
    told |= {"Suggestion": BLOCK, "Labels": [label, *told["Labels"]], "Label": word}
