"""What holds for every model that crosses the boundary."""

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from reelvet.schema.base import Stored, Strict
from reelvet.schema.errors import InvalidJob
from reelvet.schema.job import ModerationJob, Money
from reelvet.schema.media import Media

JOB = {"media": "https://cdn.example.com/a.mp4"}


def test_the_models_are_found(model):
    """The list the other tests run over is real, and nothing in it escapes the two base classes."""
    assert issubclass(model, Strict) or issubclass(model, Stored)


def test_every_model_is_frozen(model):
    """What was asked, promised or found does not change under anybody's hands."""
    assert model.model_config["frozen"] is True
    instance = model.model_construct()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(instance, next(iter(model.model_fields)), None)


def test_callers_are_held_to_the_fields_and_stored_data_is_not(model):
    """Strict to callers, lenient to what another version wrote."""
    assert model.model_config["extra"] == ("forbid" if issubclass(model, Strict) else "allow")


def test_every_field_is_documented(model):
    """Each field says its shape, unit, range or source: the JSON Schema is the reference."""
    silent = [name for name, field in model.model_fields.items() if not field.description]
    assert not silent, f"{model.__name__}: no description of {silent}"


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_every_model_exports_a_json_schema(model, mode):
    """In both directions, each property with a type: no field is an unexplained blank."""
    schema = model.model_json_schema(mode=mode)
    names = {field.serialization_alias or field.alias or name for name, field in model.model_fields.items()}
    assert schema["type"] == "object"
    assert set(schema["properties"]) == names
    assert all(part.get("description") for part in schema["properties"].values())


def test_an_error_about_a_model_does_not_show_what_it_was_given(secret):
    """Pydantic prints the input of a failed validation; a URL in it may be signed."""
    with pytest.raises(ValidationError) as caught:
        Media.model_validate({"url": f"ftp://cdn.example.com/a.mp4?sign={secret}"})
    assert secret not in str(caught.value)
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(ModerationJob).validate_python({"media": f"https://cdn.example.com/a?{secret}", "detekt": []})
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "amount", "currency"), [("0.50 USD", "0.50", "USD"), ("3EUR", "3", "EUR"), (" 12.5  CNY ", "12.5", "CNY")]
)
def test_money_is_read_from_text(text, amount, currency):
    """As people write it, and back."""
    money = Money.model_validate(text)
    assert (str(money.amount), money.currency) == (amount, currency)
    assert Money.model_validate(str(money)) == money


@pytest.mark.parametrize(
    "wrong", ["0.50", "USD", "-1 USD", "1 usd", "1,5 EUR", "", 3, {"amount": "NaN", "currency": "USD"}]
)
def test_what_is_no_money_is_refused(wrong):
    """With the way to write it, where it is text."""
    with pytest.raises(InvalidJob) as caught:
        ModerationJob(**JOB, max_cost=wrong)
    assert caught.value.field.startswith("max_cost")
    if isinstance(wrong, str):
        assert "'0.50 USD'" in str(caught.value)


def test_a_model_of_a_subclass_keeps_the_masking(secret):
    """A repr of a plain text field hides URLs as well, in any model."""

    class Mine(Stored):
        text: str
        inner: dict[str, list[str]]

    mine = Mine(text=f"see https://h/a?{secret}", inner={f"https://h/b?{secret}": [f"https://h/c?{secret}"]})
    assert secret not in repr(mine) + str(mine)
    assert isinstance(mine, BaseModel)
    assert mine.text.endswith(secret)
