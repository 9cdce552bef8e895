"""A policy kept at the vendor covers what its owner declares, and nothing else."""

import pytest
from pydantic import ValidationError

from reelvet.plugins import Capabilities, Capability, DeclaredPolicy
from reelvet.schema.errors import UnknownLabel
from reelvet.schema.media import Channel
from reelvet.taxonomy import Taxonomy

ABLE = Capabilities(
    entries=(
        Capability("sexual.explicit.pornography", (Channel.VISUAL, Channel.SPEECH)),
        Capability("violence.weapons", (Channel.VISUAL, Channel.OCR)),
        Capability("gambling", (Channel.OCR,)),
    )
)


def test_what_is_declared_is_what_is_left():
    policy = DeclaredPolicy.model_validate(
        {
            "covers": [
                {"labels": ["sexual"], "channels": ["visual"]},
                {"labels": ["violence*"], "channels": ["ocr", "sound"]},
            ]
        }
    )
    left = policy.restrict(ABLE, Taxonomy.default())
    assert [(entry.label, entry.channels) for entry in left.entries] == [
        ("sexual.explicit.pornography", (Channel.VISUAL,)),
        ("violence.weapons", (Channel.OCR,)),
    ]


def test_nothing_declared_covers_nothing():
    assert DeclaredPolicy().restrict(ABLE, Taxonomy.default()).entries == ()


def test_a_wrong_declaration_is_refused():
    with pytest.raises(UnknownLabel, match="covers"):
        DeclaredPolicy.model_validate({"covers": [{"labels": ["sexuel"], "channels": ["visual"]}]}).restrict(
            ABLE, Taxonomy.default()
        )
    for wrong in (
        {"labels": [], "channels": ["visual"]},
        {"labels": ["sexual"], "channels": ["smell"]},
        {"labels": ["sexual"]},
    ):
        with pytest.raises(ValidationError):
            DeclaredPolicy.model_validate({"covers": [wrong]})
