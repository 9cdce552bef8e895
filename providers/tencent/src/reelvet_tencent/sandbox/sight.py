"""What the policy of a BizType sees in a scenario, in the vendor's labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from reelvet.sandbox import NativeWords
from reelvet.schema.base import Strict
from reelvet.schema.media import Channel
from reelvet.taxonomy import Kind, LabelMap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reelvet.sandbox import Event
    from reelvet.taxonomy import Taxonomy

NORMAL = "Normal"
PASS, REVIEW, BLOCK = "Pass", "Review", "Block"
MOAN, CUSTOM, RECOGNIZED = "Moan", "Custom", frozenset({"Teenager", "Gender"})
GENERATED = "AIGC"
"""What is found in a task of type VIDEO_AIGC. Its labels are documented nowhere: this one is made up."""

_SEVERITY = (PASS, REVIEW, BLOCK)
# The older codes of the vendor's content security: https://unpkg.com/tencentcloud-sdk-nodejs (cms_models.d.ts); 20105 is
# the one code that the examples of VM have.
_CODES = {
    "Polity": "20001", "Porn": "20002", "Illegal": "20006", "Abuse": "20007", "Ad": "20105", "Terror": "24001", "Spam": "25001",
    "Moan": "26001",
}  # fmt: skip


class Cover(Strict):
    """Labels that are looked for in channels."""

    labels: tuple[str, ...] = Field(min_length=1, description="Label ids or patterns.")
    channels: tuple[Channel, ...] = Field(min_length=1, description="Where they are looked for.")


class Policy(Strict):
    """What the policy of a BizType looks at, as it is declared under `[providers.tencent.biz_types]`."""

    covers: tuple[Cover, ...] = Field((), description="What is looked for, and nothing else.")


@dataclass(frozen=True, slots=True)
class Marks:
    """From which scores on a policy says Review, and Block."""

    review: int
    block: int

    def suggestion(self, score: int) -> str:
        """What a score suggests."""
        return BLOCK if score >= self.block else REVIEW if score >= self.review else PASS


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is seen, read or heard."""

    label: str
    sub_label: str
    score: int
    suggestion: str
    event: Event

    @property
    def hits(self) -> bool:
        """Whether it speaks against the media."""
        return self.suggestion != PASS

    @property
    def weight(self) -> tuple[int, int]:
        """Which of several is the worst."""
        return _SEVERITY.index(self.suggestion), self.score

    @property
    def code(self) -> str:
        """`SubLabelCode`."""
        return _CODES.get(self.label, "")


def worst(found: Iterable[Found]) -> Found | None:
    """The worst of those that hit."""
    return max((one for one in found if one.hits), key=lambda one: one.weight, default=None)


class Lexicon:
    """What the vendor calls things, by the provider's label map read backwards."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        labels = LabelMap.load("reelvet_tencent", taxonomy)
        self._taxonomy = taxonomy
        self._words = NativeWords(labels, taxonomy)
        self._parents = tuple(dict.fromkeys(m.native for m in labels if m.field.startswith("Label")))

    def named(self, label: str, channel: Channel) -> tuple[str, str] | None:
        """Label and sub-label of something; `None` where the vendor has no word for it.

        It is the nearest word, at the label or above it. A harm that a scenario names only roughly is one of those below
        it, where the vendor has words for these alone: or what is in the media would be passed over in silence.
        """
        found = self._nearest(label, channel)
        if found is None and self._taxonomy.kind(label) is Kind.HARM:
            below = (self._nearest(one, channel) for one in self._taxonomy.subtree(label)[1:])
            return next((one for one in below if one is not None), None)
        return found

    def _nearest(self, label: str, channel: Channel) -> tuple[str, str] | None:
        """Of two words that are as near, the label alone is taken, as in the vendor's examples."""
        chain = [label, *self._taxonomy.ancestors(label)]
        found = [(chain.index(m.label or ""), m.native, "") for m in self._words.of(label, "Label", channel)]
        for parent in self._parents:
            below = self._words.of(label, f"SubLabel of {parent}", channel)
            found += ((chain.index(m.label or ""), parent, m.native) for m in below)
        return min(found, key=lambda one: one[0])[1:] if found else None

    def places(self, policy: Policy) -> frozenset[tuple[str, Channel]]:
        """Where a policy looks for what.

        Raises:
            UnknownLabel: A pattern matches no label.
        """
        return frozenset(
            (label, channel)
            for cover in policy.covers
            for label in self._taxonomy.expand_all(cover.labels, field="covers")
            for channel in cover.channels
        )

    def is_generated(self, label: str) -> bool:
        """Whether it is generated media, which a task of its own type looks for."""
        return self._taxonomy.is_within(label, "synthetic")


@dataclass(frozen=True)
class Sight:
    """A policy as it was when a task was created, and nothing of what it was later."""

    lexicon: Lexicon
    places: frozenset[tuple[str, Channel]]
    marks: Marks
    generated: bool = False
    """Whether the task looks for generated media alone, which is no policy's business."""

    @property
    def looks(self) -> bool:
        """Whether pictures are looked at."""
        return self.generated or any(channel in {Channel.VISUAL, Channel.OCR} for _, channel in self.places)

    @property
    def listens(self) -> bool:
        """Whether sound is listened to."""
        return not self.generated and any(
            channel in {Channel.SPEECH, Channel.SOUND} for _, channel in self.places
        )  # fmt: skip

    def found(self, event: Event) -> Found | None:
        """What is made of an event; `None` where it is not looked for, or the vendor has no word for it."""
        score = round(event.score * 100)
        if self.generated:
            named = (GENERATED, "") if self.lexicon.is_generated(event.label) else None
        else:
            named = (
                self.lexicon.named(event.label, event.channel) if (event.label, event.channel) in self.places else None
            )
        if named is None:
            return None
        return Found(named[0], named[1], score, self.marks.suggestion(score), event)
