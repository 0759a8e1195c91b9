"""An API key and its secret, which nothing shows."""

import importlib
import inspect
import pkgutil

import pytest

import krakenasync.client
from krakenasync import KrakenClient

ABROAD = {"limits", "sharedlane"}
"""Modules whose objects are made by ours alone, when all that can fail has been checked."""


def step_by_step():
    """Yield all classes of the client's room that have a `__repr__` of their own and are built step by step."""
    for module in pkgutil.iter_modules(krakenasync.client.__path__):
        if module.name not in ABROAD:
            found = importlib.import_module(f"krakenasync.client.{module.name}")
            for name, kind in inspect.getmembers(found, inspect.isclass):
                if kind.__module__ == found.__name__ and {"__init__", "__repr__"} <= vars(kind).keys():
                    yield pytest.param(kind, id=name)


@pytest.mark.parametrize("kind", list(step_by_step()))
def test_an_object_that_is_not_built_can_be_shown(kind):
    """A traceback with local variables asks for it, and must not fail for that."""
    assert repr(kind.__new__(kind)) == f"<{kind.__name__}, not built>"


def test_a_traceback_with_locals_of_a_constructor_of_the_callers_own(secrets_of_the_key):
    """A class derived from ours may fail before ours is built, with itself among its frame's local variables."""

    class Mine(KrakenClient):
        def __init__(self):
            raise LookupError(repr(self))

    with pytest.raises(LookupError, match="<Mine, not built>"):
        Mine()
