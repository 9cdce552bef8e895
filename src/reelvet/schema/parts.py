"""What the models are made of that stand within a job and are made by callers too."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from reelvet.schema.base import Strict
from reelvet.schema.validation import refusal


class JobPart(Strict):
    """A model that a caller makes by itself and gives to a job: what is wrong with it is an `InvalidJob` either way."""

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            kind = type(self)
            raise refusal(error, kind.__name__, kind, "`reelvet schema job` shows every field.") from None
