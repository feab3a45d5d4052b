"""The context of one operation: its viewer, its loaded records, and access to reading and writing."""

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
from graph.idempotency import ReplayedAnswer, decode_payload, encode_payload
from graph.types.ids import decode_id

T = TypeVar("T")
Payload = TypeVar("Payload")

Load = Callable[..., Awaitable[Mapping[Any, Any]]]


class Context:
    """A new context for every operation. Loaded records are cached until the operation ends or writes."""

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
        self.viewer = viewer
        """None for an anonymous caller, who can only sign in."""
        self.request_id = request_id
        self.address = address
        self.token = token
        self.now = ids.current_time()
        self.idempotent_call: IdempotentCall | None = None
        """The idempotency key of the mutation that is running."""
        self.build_error_payload: Callable[[Any], Any] | None = None
        """Turns an input error into the payload of the mutation that is running."""
        self.replayed_fields: list[str] = []
        """The response keys of the mutations whose stored payload is returned again."""
        self.loaders: dict[Any, DataLoader[Any, Any]] = {}
        """One DataLoader for each field of the document, if graphql-core executes it."""
        self._loaded: dict[Any, dict[Any, Any]] = {}

    @property
    def session(self) -> Session:
        """A session that reads the columns which the selection of the current field needs."""
        return self.database.session(self.viewer.workspace_id if self.viewer else None, columns_to_read.get())

    def sign_in_as(self, viewer: Viewer | None) -> None:
        """Continues the operation as this viewer, because its signIn or signOut has run."""
        self.viewer = viewer
        self._loaded.clear()

    async def write(self, rule: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs a rule in one transaction and clears the loaded records."""
        result = await self.database.write(self.viewer.workspace_id if self.viewer else None, rule)
        self._loaded.clear()
        return result

    async def mutate(
        self, rule: Callable[[UnitOfWork], Awaitable[T]], build_payload: Callable[[T], Payload]
    ) -> Payload:
        """Runs a rule in one unit of work, logs its changes, and returns the payload of its result.

        Under an idempotency key the rule runs once. Raises ReplayedAnswer with the stored payload if it has run before.
        """
        assert self.viewer is not None

        async def run(unit: UnitOfWork) -> Payload:
            call = self.idempotent_call
            if call is None:
                return build_payload(await rule(unit))
            caller = unit.viewer.caller
            stored = await idempotency.claim_key(unit.transaction, caller, call, unit.now)
            if stored is not None:
                raise ReplayedAnswer(decode_payload(stored, call.key))
            payload = await self._run_in_savepoint(unit, rule, build_payload)
            await idempotency.store_answer(unit.transaction, caller, call, encode_payload(payload, call.key))
            return payload

        payload = await run_unit_of_work(self.database, self.viewer, run, now=self.now, request_id=self.request_id)
        self._loaded.clear()
        return payload

    async def _run_in_savepoint(
        self, unit: UnitOfWork, rule: Callable[[UnitOfWork], Awaitable[T]], build_payload: Callable[[T], Payload]
    ) -> Payload:
        """Undoes the changes of a rule that raises an input error, so that only the error payload is stored."""
        try:
            async with unit.transaction.savepoint():
                return build_payload(await rule(unit))
        except (InputError, InputErrors) as error:
            unit.reset()
            assert self.build_error_payload is not None
            return self.build_error_payload(error)

    async def load(self, batch: Load, keys: Sequence[Any], *arguments: Any) -> Mapping[Any, Any]:
        """The results of `batch(session, keys, *arguments)`, called only for keys that are not loaded yet.

        The mapping may hold further keys. A key without a result maps to None.
        """
        complete = self._loaded.setdefault((batch, *arguments), {})
        session = self.session
        # Rows that lack columns are cached separately, for fields that need the same columns.
        is_pruned = session.columns is not None
        loaded = self._loaded.setdefault((batch, *arguments, session.columns), {}) if is_pruned else complete
        missing = dict.fromkeys(keys)
        missing.pop(None, None)
        if loaded or complete:
            missing = {key: None for key in missing if key not in loaded and key not in complete}
        if missing:
            results = await batch(session, list(missing), *arguments)
            cache = loaded if session.pruned else complete
            cache |= results
            if len(results) < len(missing):
                cache |= dict.fromkeys(missing.keys() - results.keys())
        return loaded if loaded is complete or not complete else {**complete, **loaded} if loaded else complete

    async def load_by_wire_id(self, batch: Load, kind: str, wire_id: str, *arguments: Any) -> Any:
        """The record of that type with that public id; None if there is none."""
        identifier = decode_id(kind, wire_id)
        if identifier is None:
            return None
        return (await self.load(batch, [identifier], *arguments))[identifier]

    async def load_one(self, batch: Load, parents: Sequence[Any], key_column: str, *arguments: Any) -> list[Any]:
        """For each parent the result of `batch` for the value of its column, or None."""
        keys = column_values(parents, key_column)
        results = await self.load(batch, keys, *arguments)
        return list(map(results.get, keys))

    async def load_many(self, batch: Load, parents: Sequence[Any], key_column: str, *arguments: Any) -> list[Any]:
        """For each parent the list that `batch` returns for the value of its column; empty if there is none."""
        lists = await self.load_one(batch, parents, key_column, *arguments)
        return [[] if items is None else items for items in lists]

    async def load_counts(self, batch: Load, parents: Sequence[Any], *arguments: Any) -> list[int]:
        """For each parent the number that `batch` returns for its id; 0 if there is none."""
        return [count or 0 for count in await self.load_one(batch, parents, "id", *arguments)]
