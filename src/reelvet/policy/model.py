"""What a policy is made of, and where it comes from."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from reelvet.policy.rulebook import rulebook
from reelvet.schema.base import Strict
from reelvet.schema.errors import InvalidJob
from reelvet.schema.media import Channel
from reelvet.schema.validation import first_field, sentences
from reelvet.taxonomy import Taxonomy

STARTERS = ("default", "kids", "general", "adult")
"""The policies that ship with reelvet."""

_FIELDS = "docs/policy.md lists the fields."


class Switch(StrEnum):
    """Whether labels of a kind are judged."""

    ON = "on"
    """All of them, by their rule or by the policy's own thresholds."""
    OFF = "off"
    """Only those that a rule names."""
    NEVER = "never"
    """None; a rule that names one is an error."""


def _read_switch(value: Any) -> Any:
    # TOML has booleans, and people write them where a switch is meant.
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


_Switch = Annotated[Switch, BeforeValidator(_read_switch)]


class Kinds(Strict):
    """Which kinds of label are judged. `unmapped` leads to review whatever `meta` says."""

    harm: _Switch = Field(Switch.ON, description="What harms or is illegal.")
    sensitive: _Switch = Field(Switch.OFF, description="What jurisdiction or brand decides.")
    context: _Switch = Field(Switch.NEVER, description="Neutral attributes.")
    meta: _Switch = Field(Switch.ON, description="`custom`, `text_violation`, `unmapped`.")


class Threshold(Strict):
    """A score, and how often or how long it must be reached. A bare number is a score."""

    score: float = Field(
        ge=0, le=1, strict=True, allow_inf_nan=False, description="Reached by a score at or above it. 0-1."
    )
    min_hits: int = Field(
        1,
        ge=1,
        strict=True,
        description="Distinct moments with such a score. A finding without a time is a moment of its own.",
    )
    min_seconds: float = Field(
        0.0,
        ge=0,
        strict=True,
        allow_inf_nan=False,
        description="Seconds covered by such findings, overlaps once. Instants have no length: where only they are short of it, the verdict is review.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        if isinstance(value, int | float):
            return {"score": value}
        if not isinstance(value, Mapping | Threshold):
            raise ValueError(  # noqa: TRY004 - pydantic passes a TypeError on as it is
                f"{value!r} is no threshold; write a score from 0 to 1, {{score = 0.8, min_hits = 2}}, or 'none'"
            )
        return value

    @field_validator("score", "min_seconds")
    @classmethod
    def _without_sign(cls, value: float) -> float:
        return value + 0.0  # -0.0 is 0.0: one content, one hash

    @property
    def conditional(self) -> bool:
        """Whether one finding with the score is not enough."""
        return self.min_hits > 1 or self.min_seconds > 0


def _read_none(value: Any) -> Any:
    # TOML has no null, and "no threshold" must be sayable where another policy is extended.
    return None if value == "none" else value


_Threshold = Annotated[Threshold | None, BeforeValidator(_read_none)]


def _check_order(review: Threshold | None, block: Threshold | None) -> None:
    if review and block and review.score > block.score:
        raise ValueError(f"review is at {review.score}, above block at {block.score}; review begins at or below block")


class Rule(Strict):
    """What holds for one label or pattern, perhaps at one provider, instance or channel only."""

    label: str = Field(min_length=1, description="An id (it and everything below it), or a pattern that ends in `*`.")
    provider: str | None = Field(None, min_length=1, description="Only what this provider found.")
    instance: str | None = Field(None, min_length=1, description="Only what this configured instance found.")
    channel: Channel | None = Field(None, description="Only what was found in this channel.")
    review: _Threshold = Field(None, description="From where a person should look. `none`: no score is enough.")
    block: _Threshold = Field(None, description="From where it is blocked. `none`: no score is enough.")
    off: bool = Field(False, strict=True, description="Not judged at all, not even the vendor's own verdict on it.")

    @model_validator(mode="after")
    def _check_sense(self) -> Self:
        _check_order(self.review, self.block)
        if self.off and (self.review or self.block):
            raise ValueError("off = true and a threshold contradict each other; give one of them")
        if not self.off and not {"review", "block"} & self.model_fields_set:
            raise ValueError(
                "says nothing; give review, block, or off = true (review = 'none' leaves it to the vendor's own verdict)"
            )
        return self

    @property
    def place(self) -> tuple[str, str | None, str | None, Channel | None]:
        """What the rule is for: no two rules of a policy share it."""
        return self.label, self.provider, self.instance, self.channel


class Policy(Strict):
    """Thresholds and conditions that turn findings and coverage into a verdict.

    Of the rules that match a finding the most specific one holds, alone: the deepest label; then an id before a
    pattern; then instance, provider, channel, in this order. Findings that no rule matches are judged by the policy's
    own `review` and `block` if their kind is on; if there is neither, each of them leads to review.

    Raises:
        InvalidJob: A field is missing, unknown, or has a value that makes no sense.
    """

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        max_length=100,
        description="Names the policy in decisions and reasons.",
    )
    kinds: Kinds = Field(default_factory=Kinds, description="Which kinds of label are judged.")
    review: _Threshold = Field(None, description="For labels that no rule matches.")
    block: _Threshold = Field(None, description="For labels that no rule matches.")
    rules: tuple[Rule, ...] = Field((), description="In any order.")
    require: tuple[str, ...] = Field((), description="Labels or patterns without whose evaluation nothing passes.")

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            faults = "; ".join(f"{field or 'policy'}: {says}" for field, says in sentences(error, model=Policy))
            raise InvalidJob(
                f"invalid policy {fields.get('name', '')!r}: {faults}",
                field=first_field(error),
                way_out=_FIELDS,
            ) from None

    @model_validator(mode="after")
    def _check_sense(self) -> Self:
        _check_order(self.review, self.block)
        seen: dict[object, int] = {}
        for number, rule in enumerate(self.rules):
            first = seen.setdefault(rule.place, number)
            if first != number:
                raise ValueError(
                    f"rules.{first} and rules.{number} are both for {rule.label!r} in the same place; make one of them"
                )
        return self

    @classmethod
    def default(cls) -> Self:
        """The policy that judges where none is named."""
        return cls.named("default")

    @classmethod
    def named(cls, name: str) -> Self:
        """A policy that ships with reelvet: `default`, `kids`, `general` or `adult`.

        Raises:
            InvalidJob: There is none of that name.
        """
        return cls.parse(_starter(name), source=f"policy {name!r}")

    @classmethod
    def load(cls, path: str | Path, *, taxonomy: Taxonomy | None = None) -> Self:
        """A policy from a TOML or (by its suffix) JSON file. Without a `name` in it, the file's name is the policy's.

        Args:
            path: The file.
            taxonomy: What its labels must exist in; the labels of reelvet if left out.

        Raises:
            InvalidJob: The file cannot be read, or is no policy.
            UnknownLabel: A rule or `require` names a label that does not exist.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
            data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        except OSError as error:
            raise InvalidJob(
                f"cannot read the policy {path}: {error.strerror}", way_out=f"Shipped ones are {', '.join(STARTERS)}."
            ) from error
        except ValueError as error:  # both parsers' errors, and bytes that are no UTF-8
            raise InvalidJob(
                f"the policy {path} is no {'JSON' if path.suffix == '.json' else 'TOML'}: {error}",
                way_out=f"Mend the file. {_FIELDS}",
            ) from error
        if isinstance(data, dict):
            data.setdefault("name", path.stem)
        return cls.parse(data, taxonomy=taxonomy, source=str(path))

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, taxonomy: Taxonomy | None = None, source: str | None = None) -> Self:
        """A policy from a mapping.

        `extends = "kids"` in it starts from a shipped policy: fields given replace its fields, rules for the same
        label and place replace its rules, all others are added.

        Args:
            data: The fields of the policy.
            taxonomy: What its labels must exist in; the labels of reelvet if left out.
            source: Where it comes from, for the error message.

        Raises:
            InvalidJob: It is no policy; the message names field, value and way out.
            UnknownLabel: A rule or `require` names a label that does not exist; the nearest ones are named.
        """
        if not isinstance(data, Mapping):
            raise InvalidJob(
                f"a policy is a table, not {type(data).__name__}" + (f" ({source})" if source else ""), way_out=_FIELDS
            )
        try:
            policy = cls(**_extended(data)) if "extends" in data else cls(**data)
        except InvalidJob as error:
            if source is None:
                raise
            raise InvalidJob(f"{error.message} ({source})", field=error.field, way_out=error.way_out) from error
        policy.check(taxonomy)
        return policy

    def check(self, taxonomy: Taxonomy | None = None) -> None:
        """Check the labels against a taxonomy, as judging will.

        Raises:
            InvalidJob: A rule is for what no rule can change.
            UnknownLabel: A rule or `require` names a label that does not exist; the nearest ones are named.
        """
        rulebook(self, taxonomy or Taxonomy.default())

    @property
    def digest(self) -> str:
        """`sha256:...` over what judges: not over the name, the order of rules, or fields left at their default."""
        content = self.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
        # Order means nothing to a policy, so it must mean nothing to its hash.
        content["rules"] = sorted(content.get("rules", ()), key=_canonical)
        content["require"] = sorted(set(self.require))
        # What is empty is left out, so that a field added in a later version leaves the hashes of today as they are.
        text = _canonical({field: value for field, value in content.items() if value})
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    @property
    def id(self) -> str:
        """`name@sha256:...`, as results carry it in `versions["policy"]`."""
        return f"{self.name}@{self.digest}"


def _canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _starter(name: Any) -> dict[str, Any]:
    if name not in STARTERS:
        near = difflib.get_close_matches(str(name), STARTERS, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise InvalidJob(
            f"no policy {name!r} ships with reelvet",
            field="policy",
            way_out=f"{hint}There are {', '.join(STARTERS)}; Policy.load() reads a file.",
        )
    return tomllib.loads(
        resources.files("reelvet.policy").joinpath("tables", f"{name}.toml").read_text(encoding="utf-8")
    )


def _extended(data: Mapping[str, Any]) -> dict[str, Any]:
    own = dict(data)
    base = Policy(**_starter(own.pop("extends")))
    part = Policy(**own)  # checked alone first, so that its errors name its own fields
    rules = {rule.place: rule for rule in (*base.rules, *part.rules)}
    merged = {name: getattr(part if name in own else base, name) for name in ("review", "block", "require")}
    kinds = {**base.kinds.model_dump(exclude_unset=True), **part.kinds.model_dump(exclude_unset=True)}
    return {"name": part.name, **merged, "kinds": kinds, "rules": tuple(rules.values())}
