"""Fixtures of the schema tests."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.conftest import Ask


@pytest.fixture
def bulk(ask: Ask) -> Callable[..., Awaitable[Any]]:
    """The job of a bulk mutation, or its errors."""

    async def called(document: str, **variables: Any) -> Any:
        (answer,) = (await ask(document, **variables)).values()
        return answer["job"] if answer["job"] else [(one["code"], ".".join(one["path"])) for one in answer["errors"]]

    return called
