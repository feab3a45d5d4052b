"""What the transports need of the application. graph/app.py provides it."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

from graph.errors.top_level import TopLevelError


class AuthenticatedViewer(Protocol):
    """The agent or API key that is signed in. The transports use it only to count open streams."""

    @property
    def caller(self) -> Hashable:
        """The same value for every request of one agent or API key."""


@dataclass(slots=True)
class OperationCaller:
    """The caller of one operation."""

    viewer: Any
    """The result of `Backend.authenticate`; None for an anonymous caller, who reaches signIn and __typename only."""
    request_id: str
    address: str | None
    """The client's network address."""
    token: str | None = field(default=None, repr=False)


class OperationContext(Protocol):
    """What the transports read of `info.context`. Without a viewer the operation is anonymous."""

    @property
    def viewer(self) -> Any: ...


class Backend(Protocol):
    """The application behind the transports. Every method may raise; `explain_error` translates its exceptions."""

    async def authenticate(self, token: str) -> AuthenticatedViewer | None:
        """The token's viewer; None if the token is unknown, expired or revoked. Called for every operation."""

    def create_context(self, caller: OperationCaller) -> OperationContext:
        """A new context, for one operation."""

    async def startup(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def readiness_problem(self) -> str | None:
        """Why requests cannot be answered now; None if they can."""

    def explain_error(self, error: Exception) -> TopLevelError | None:
        """The error that a client receives; None for a bug, which is logged and answered with INTERNAL."""
