"""Shared by the tests of the engine."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _left_behind() -> Iterator[None]:
    """Where an operation fails, graphql-core leaves coroutines that nobody awaits: they are found here, and not in the
    test of another module."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
