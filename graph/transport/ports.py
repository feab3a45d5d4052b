"""What this room needs from the rest of the product, and nothing more."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

from graph.errors.top_level import TopLevelError


class Viewer(Protocol):
    """Who is signed in. This room asks one thing only: whom to count sockets for."""

    @property
    def caller(self) -> Hashable:
        """The same for every request of one agent or API key."""


@dataclass(slots=True)
class Caller:
    """One operation's caller. `viewer` is None for a stranger, who reaches signIn and __typename only."""

    viewer: Any
    """What `Doors.authenticate` answered."""
    request_id: str
    address: str | None
    """The client's network address."""
    token: str | None = field(default=None, repr=False)


class Context(Protocol):
    """What `info.context` has to offer to this room; without a viewer the operation counts as a stranger's."""

    @property
    def viewer(self) -> Any: ...


class Doors(Protocol):
    """Everything that this room asks for. All of it may raise; `explain` says what that means to a client."""

    async def authenticate(self, token: str) -> Viewer | None:
        """Who bears the token; None when it is unknown, expired or revoked. Asked for every operation."""

    def context(self, caller: Caller) -> Context:
        """A new one for each operation, also on a socket."""

    async def startup(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def ready(self) -> str | None:
        """Why requests cannot be answered now; None when they can."""

    def explain(self, error: Exception) -> TopLevelError | None:
        """What a client is told of an exception from below; None for a bug, which is logged and answered INTERNAL."""
