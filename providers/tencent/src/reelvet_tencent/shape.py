"""Parts of a reply, read as they stand: what is as documented is taken as it came, and only the rest is made so.

A reply has tens of thousands of parts, nearly all of them as the vendor documents them. A model of each, validated, would cost
many times what it takes to look at them; so a part stays the mapping that it came as, once its layout (which fields, of which
types) is known to be sound. The models of `parts` and `wire` say what that is. What deviates from it is made as they would:
fields are spelled as the vendor spells them, and what cannot be read as what it should be is `None`.

Of a part as read here, texts are `str` or `None`, flags `int` or `None`, parts mappings and lists of mappings, or `None`. What
stands in a field of numbers or a date is as it came, for `lenient.number`, `whole` and `moment`; of a list of texts `texts` gives
them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BeforeValidator
from pydantic_core import to_jsonable_python

from reelvet.schema import lenient
from reelvet_tencent.parts import UNREADABLE, Part, as_parts, flag, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Told = Mapping[str, Any]

_MOST = 1000
"""Layouts that are remembered of one model. A reply has a handful."""

_NONE = type(None)
_NESTS = (list, dict, tuple)
_SCALARS = frozenset({str, int, float, bool, _NONE})


class Shape:
    """What a part should look like, and those that do.

    Args:
        model: It as a model.
    """

    def __init__(self, model: type[Part]) -> None:
        self._fields = {str(field.alias): _Field(name, field) for name, field in model.model_fields.items()}
        self._layouts: dict[tuple[Any, ...], tuple[_Field, ...] | None] = {}

    @staticmethod
    @cache
    def of(model: type[Part]) -> Shape:
        """The one of a model."""
        return Shape(model)

    def told(self, part: dict[str, Any]) -> dict[str, Any]:
        """A part as it should be: the very object, if it and all below it is as documented."""
        layout = (*part, *map(type, part.values()))
        try:
            nests = self._layouts[layout]
        except KeyError:
            nests = self._learn(part, layout)
        if nests is None:
            return self._made(part)
        made = part
        for field in nests:
            inner = part[field.alias]
            if inner and (told := field.told(inner)) is not inner:
                made = {**made, field.alias: told}
        return made

    def all(self, items: list[Any]) -> list[dict[str, Any]]:
        """A list of them: the very object, if they are all as documented. What is no object is kept in one."""
        made: list[dict[str, Any]] | None = None
        for number, item in enumerate(items):
            told = self.told(item if isinstance(item, dict) else {UNREADABLE: item})
            if made is not None:
                made.append(told)
            elif told is not item:
                made = [*items[:number], told]
        return items if made is None else made

    def rest(self, without: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The fields that are not among some: texts, and others."""
        kept = [field for field in self._fields.values() if field.name not in without]
        texts_ = tuple(field.alias for field in kept if field.reads is lenient.text)
        return texts_, tuple(field.alias for field in kept if field.reads is not lenient.text)

    @property
    def names(self) -> Iterable[str]:
        """How its fields are spelled."""
        return self._fields

    def _learn(self, part: dict[str, Any], layout: tuple[Any, ...]) -> tuple[_Field, ...] | None:
        fields = self._fields
        known = [(fields[name], type(value)) for name, value in part.items() if name in fields]
        others = [(name, type(value)) for name, value in part.items() if name not in fields]
        spelled = {field.name for field in fields.values()}
        sound = (
            bool(known)
            and all(field.takes(type_) for field, type_ in known)
            and all(type_ in _SCALARS and name not in spelled for name, type_ in others)
        )
        nests = tuple(field for field, type_ in known if field.shape is not None and type_ is not _NONE)
        if len(self._layouts) < _MOST:
            self._layouts[layout] = nests if sound else None
        return nests if sound else None

    def _made(self, part: dict[str, Any]) -> dict[str, Any]:
        made, used = {}, set()
        for alias, field in self._fields.items():
            name = alias if alias in part else field.name
            if name in part:
                used.add(name)
                made[alias] = field.made(part[name])
        return made | {name: value for name, value in part.items() if name not in used}


class _Field:
    """One of its fields."""

    def __init__(self, name: str, field: Any) -> None:
        self.name, self.alias = name, str(field.alias)
        before = next((one for one in field.metadata if isinstance(one, BeforeValidator)), None)
        self.reads: Any = None if before is None else before.func
        models = [one for one in (field.annotation, *get_args(field.annotation)) if isinstance(one, type)]
        model = next((one for one in models if issubclass(one, Part)), None)
        self.shape = None if model is None else Shape.of(model)
        self.is_list = self.reads is as_parts
        self._types = _TYPES.get(self.reads)

    def takes(self, type_: type) -> bool:
        """Whether a value of a type is to be taken as it is."""
        return self._types is None or type_ in self._types

    def told(self, inner: Any) -> Any:
        """What stands in it, a part or a list of parts, as it should be."""
        assert self.shape is not None  # noqa: S101
        return self.shape.all(inner) if self.is_list else self.shape.told(inner)

    def made(self, value: Any) -> Any:
        """Whatever stands in it, as it should be."""
        if self.shape is not None:
            return self.told(list(self.reads(value)) if self.is_list else self.reads(value))
        if self.reads is lenient.text:
            read = lenient.text(value)
            return None if read is None else str(read)
        if self.reads is texts:
            return list(texts(value))
        return flag(value) if self.reads is flag else value


_TYPES: dict[Any, frozenset[type]] = {
    lenient.text: frozenset({str, _NONE}),
    flag: frozenset({int, bool, _NONE}),
    texts: frozenset({list, _NONE}),
    as_parts: frozenset({list, _NONE}),
    lenient.mapping: frozenset({dict, _NONE}),
}
"""How a field is read -> the types of which a value is taken as it is. Of those that are not here: any."""


class Rest:
    """What else a part says, as the vendor spells it; what is empty is left out.

    Args:
        model: It as a model.
        without: Its fields that are told elsewhere.
    """

    def __init__(self, model: type[Part], *without: str) -> None:
        shape = Shape.of(model)
        self._texts, self._others = shape.rest(without)
        self._known = frozenset({*shape.names, *without})

    def __call__(self, part: Told) -> dict[str, Any]:
        """All of it that a part says."""
        get = part.get
        told = {name: value for name in self._texts if (value := get(name))}
        others = self._others if self._known.issuperset(part) else [*self._others, *(part.keys() - self._known)]
        for name in others:
            value = get(name)
            if value or not is_empty(value):
                # Shares nothing that can be changed with the reply.
                told[name] = to_jsonable_python(value) if isinstance(value, _NESTS) else value
        return told


def is_empty(value: Any) -> bool:
    """Whether a value says nothing."""
    return not value and (value is None or value in ("", [], {}, ()))
