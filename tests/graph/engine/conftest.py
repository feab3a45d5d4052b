"""Fixtures of the engine tests."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _left_behind() -> Iterator[None]:
    """If an operation fails, graphql-core leaves coroutines unawaited. They are detected here, not in another module's
    test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
