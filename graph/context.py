"""What one operation carries: who asks, its loaders, the way to read and the way to write."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from crm.access import Viewer
from db import ids
from db.engine import Database, Session, Work
from graph.ids import parse

T = TypeVar("T")

Load = Callable[..., Awaitable[Mapping[Any, Any]]]


class Context:
    """New for every operation. What was loaded is kept until the operation ends or writes."""

    def __init__(
        self,
        database: Database,
        viewer: Viewer | None,
        *,
        request_id: str,
        address: str | None = None,
        token: str | None = None,
    ) -> None:
        self.database = database
        # None for a stranger, whom the doors let no further than sign-in.
        self.viewer = viewer
        self.request_id = request_id
        self.address = address
        self.token = token
        self.now = ids.now()
        # One DataLoader for each place in the document, used when graphql-core executes it.
        self.loaders: dict[Any, DataLoader[Any, Any]] = {}
        self._loaded: dict[Any, dict[Any, Any]] = {}

    @property
    def reading(self) -> Session:
        return self.database.reading(self.viewer.workspace_id if self.viewer else None)

    def become(self, viewer: Viewer | None) -> None:
        """Goes on as another: who signed in asks the rest of the operation."""
        self.viewer = viewer
        self._loaded.clear()

    async def write(self, rule: Callable[[Work], Awaitable[T]]) -> T:
        """Runs a rule in one transaction; what was loaded before is forgotten."""
        done = await self.database.write(self.viewer.workspace_id if self.viewer else None, rule)
        self._loaded.clear()
        return done

    async def load(self, batch: Load, keys: Sequence[Any], *arguments: Any) -> Mapping[Any, Any]:
        """`batch(session, keys, *arguments)`, asked only for keys that this operation has not loaded with it yet."""
        known = self._loaded.setdefault((batch, *arguments), {})
        missing = list({key: None for key in keys if key is not None and key not in known})
        if missing:
            found = await batch(self.reading, missing, *arguments)
            for key in missing:
                known[key] = found.get(key)
        return known

    async def found(self, batch: Load, kind: str, wire: str, *arguments: Any) -> Any:
        """The record of that type with that id on the wire, or None."""
        identifier = parse(kind, wire)
        if identifier is None:
            return None
        return (await self.load(batch, [identifier], *arguments))[identifier]

    async def one(self, batch: Load, parents: Sequence[Any], column: str, *arguments: Any) -> list[Any]:
        """For each parent what `batch` has under its column, or None."""
        keys = [getattr(parent, column) for parent in parents]
        found = await self.load(batch, keys, *arguments)
        return [None if key is None else found[key] for key in keys]

    async def many(self, batch: Load, parents: Sequence[Any], column: str, *arguments: Any) -> list[Any]:
        """For each parent the list that `batch` has under its column, empty where it has none."""
        return [found if found is not None else [] for found in await self.one(batch, parents, column, *arguments)]

    async def counts(self, batch: Load, parents: Sequence[Any], *arguments: Any) -> list[int]:
        """For each parent the number that `batch` has under its id, 0 where it has none."""
        return [found or 0 for found in await self.one(batch, parents, "id", *arguments)]
