"""From findings and coverage to a verdict: policies, judging, judging again."""

from reelvet.policy.floors import FloorGap, thresholds_below_floor
from reelvet.policy.judge import UNKNOWN_VERDICT, judge
from reelvet.policy.model import STARTERS, Kinds, Policy, Rule, Switch, Threshold
from reelvet.policy.replay import Replayed, replay

__all__ = [
    "STARTERS",
    "UNKNOWN_VERDICT",
    "FloorGap",
    "Kinds",
    "Policy",
    "Replayed",
    "Rule",
    "Switch",
    "Threshold",
    "judge",
    "replay",
    "thresholds_below_floor",
]
