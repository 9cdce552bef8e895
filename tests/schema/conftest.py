"""Every model of the schema, and one example of each."""

import importlib
import pkgutil

import pytest

import reelvet.schema
from reelvet.schema.base import Stored, Strict
from reelvet.schema.parts import JobPart

SECRET = "s3cr3t-signature"


def _models():
    for module in pkgutil.iter_modules(reelvet.schema.__path__, "reelvet.schema."):
        for thing in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(thing, type)
                and issubclass(thing, Strict | Stored)
                and thing not in {Strict, Stored, JobPart}
            ):
                yield thing


MODELS = sorted(set(_models()), key=lambda model: model.__name__)


def pytest_generate_tests(metafunc):
    if "model" in metafunc.fixturenames:
        metafunc.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.fixture
def secret():
    """Words that may be seen nowhere but where a URL is used."""
    return SECRET
