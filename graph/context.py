"""What one operation carries: who asks, its loaders, the way to read and the way to write."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from crm import idempotency
from crm.access.permissions import Viewer
from crm.errors import InputError, InputErrors
from crm.idempotency import IdempotentCall
from crm.unit_of_work import UnitOfWork, run_unit_of_work
from db.engine import Database, Session, Transaction
from db.statements import column_values
from db.values import ids
from graph.engine.selected_columns import columns_to_read
from graph.idempotency import Replayed, packed, unpacked
from graph.types.ids import decode_id

T = TypeVar("T")
Payload = TypeVar("Payload")

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
        self.now = ids.current_time()
        # Of the mutation that runs now: its idempotency key, and how a refusal becomes its payload.
        self.idempotent_call: IdempotentCall | None = None
        self.build_error_payload: Callable[[Any], Any] | None = None
        # The fields whose answers were repeated, by their names in the answer.
        self.replayed_fields: list[str] = []
        # One DataLoader for each place in the document, used when graphql-core executes it.
        self.loaders: dict[Any, DataLoader[Any, Any]] = {}
        self._loaded: dict[Any, dict[Any, Any]] = {}

    @property
    def session(self) -> Session:
        """For what is handed over as objects, with the columns that the field being resolved has to show of them."""
        return self.database.session(self.viewer.workspace_id if self.viewer else None, columns_to_read.get())

    def sign_in_as(self, viewer: Viewer | None) -> None:
        """Goes on as another: who signed in asks the rest of the operation."""
        self.viewer = viewer
        self._loaded.clear()

    async def write(self, rule: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs a rule in one transaction; what was loaded before is forgotten."""
        done = await self.database.write(self.viewer.workspace_id if self.viewer else None, rule)
        self._loaded.clear()
        return done

    async def mutate(
        self, rule: Callable[[UnitOfWork], Awaitable[T]], build_payload: Callable[[T], Payload]
    ) -> Payload:
        """Runs a rule in one transaction and logs what it did; `shown` makes the payload of what it returns. Under an
        idempotency key it is done once: raises Replayed, with what the payload held, where it was done before."""
        assert self.viewer is not None

        async def run(unit: UnitOfWork) -> Payload:
            once = self.idempotent_call
            if once is None:
                return build_payload(await rule(unit))
            if (
                earlier := await idempotency.claim_key(unit.transaction, unit.viewer.caller, once, unit.now)
            ) is not None:
                raise Replayed(unpacked(earlier, once.key))
            payload = await self._attempted(unit, rule, build_payload)
            await idempotency.store_answer(unit.transaction, unit.viewer.caller, once, packed(payload, once.key))
            return payload

        done = await run_unit_of_work(self.database, self.viewer, run, now=self.now, request_id=self.request_id)
        self._loaded.clear()
        return done

    async def _attempted(
        self, unit: UnitOfWork, rule: Callable[[UnitOfWork], Awaitable[T]], shown: Callable[[T], Payload]
    ) -> Payload:
        """What is refused leaves nothing but its answer."""
        try:
            async with unit.transaction.savepoint():
                return shown(await rule(unit))
        except (InputError, InputErrors) as refusal:
            unit.reset()
            assert self.build_error_payload is not None
            return self.build_error_payload(refusal)

    async def load(self, batch: Load, keys: Sequence[Any], *arguments: Any) -> Mapping[Any, Any]:
        """`batch(session, keys, *arguments)`, asked only for keys that this operation has not loaded with it yet."""
        whole = self._loaded.setdefault((batch, *arguments), {})
        session = self.session
        # Rows that lack columns are kept apart, for fields that want the same ones.
        lean = session.columns is not None
        known = self._loaded.setdefault((batch, *arguments, session.columns), {}) if lean else whole
        missing = dict.fromkeys(keys)
        missing.pop(None, None)
        if known or whole:
            missing = {key: None for key in missing if key not in known and key not in whole}
        if missing:
            found = await batch(session, list(missing), *arguments)
            kept = known if session.pruned else whole
            kept |= found
            if len(found) < len(missing):
                kept |= dict.fromkeys(missing.keys() - found.keys())
        return known if known is whole or not whole else {**whole, **known} if known else whole

    async def load_by_wire_id(self, batch: Load, kind: str, wire: str, *arguments: Any) -> Any:
        """The record of that type with that id on the wire, or None."""
        identifier = decode_id(kind, wire)
        if identifier is None:
            return None
        return (await self.load(batch, [identifier], *arguments))[identifier]

    async def load_one(self, batch: Load, parents: Sequence[Any], column: str, *arguments: Any) -> list[Any]:
        """For each parent what `batch` has under its column, or None."""
        keys = column_values(parents, column)
        found = await self.load(batch, keys, *arguments)
        return list(map(found.get, keys))

    async def load_many(self, batch: Load, parents: Sequence[Any], column: str, *arguments: Any) -> list[Any]:
        """For each parent the list that `batch` has under its column, empty where it has none."""
        return [[] if found is None else found for found in await self.load_one(batch, parents, column, *arguments)]

    async def load_counts(self, batch: Load, parents: Sequence[Any], *arguments: Any) -> list[int]:
        """For each parent the number that `batch` has under its id, 0 where it has none."""
        return [found or 0 for found in await self.load_one(batch, parents, "id", *arguments)]
