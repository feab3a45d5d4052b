"""Undoing a merge: who was merged is kept as it was, and comes back unless the survivor was touched since."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm import change_log
from crm.change_log import ChangeEntry
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import SEARCHED_PARTS, LoadedCustomer
from crm.errors import ConflictError, ErrorCode, InputError
from crm.unit_of_work import UnitOfWork
from db import batch_writes, tables
from db.queries.catalogue import agents
from db.queries.customers import duplicates as pairs
from db.queries.customers import merging
from db.rows import Row, copy_row, new_row
from db.tables.enums import ChangeAction

StoredMerge = Mapping[str, Any]
"""Everybody of a merge as plain data: rows by the names of their tables, ids as text."""

_CUSTOMER: Final = "customer"
_APART: Final = "apart"


async def store_merge(unit: UnitOfWork, survivor: bytes, others: Sequence[bytes], rows: Sequence[Row]) -> StoredMerge:
    """All of them as they are, before they are merged; `rows` are the customers, the survivor first."""
    ids = [survivor, *others]
    kept: dict[str, Any] = {_CUSTOMER: [_plain(vars(row)) for row in rows]}
    for table in merging.OWN_TABLES:
        found = await merging.owned_rows(unit.transaction, table, ids)
        kept[table.__tablename__] = [_plain(vars(copy_row(row, table))) for row in found]
    for table in merging.MOVED_TABLES:
        found = await merging.related_rows(unit.transaction, table, others)
        kept[table.__tablename__] = [[row.id.hex(), row.customer_id.hex()] for row in found]
    dismissed = await pairs.dismissed_pairs(unit.transaction, ids)
    kept[_APART] = [[row.first_id.hex(), row.second_id.hex()] for row in dismissed]
    return kept


def _plain(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Ids are marked, so that they are told from texts."""
    return {
        name: {"id": value.hex()} if isinstance(value, bytes) else value
        for name, value in columns.items()
        if name != "workspace_id"
    }


def _columns(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: bytes.fromhex(value["id"]) if isinstance(value, dict) else value for name, value in plain.items()}


async def restore_merged(
    unit: UnitOfWork, kept: StoredMerge, version: int, places: Mapping[bytes, int]
) -> InputError | None:
    """Everybody is again who they were. Returns why not, where the survivor is not at `version` any more. `places` are
    their rows in the job that does it."""
    survivor, *others = (_columns(one) for one in kept[_CUSTOMER])
    state = (
        await loaded_customer.load_customers(unit, [survivor["id"]], SEARCHED_PARTS | {"friends", "block", "merged"})
    ).get(survivor["id"])
    if state is None or state.id != survivor["id"]:
        message = "The customer who stayed is not there any more, or out of sight."
        return InputError(ErrorCode.CONFLICT, message, ("id",))
    if state.row.version != version:
        return ConflictError(state.row, ("id",))
    for one in (survivor, *others):
        if (refused := await _ownerless(unit, one)) is not None:
            return refused
    change_fields.store_original_values(state)
    await _rows_back(unit, kept, survivor, others)
    await _told(unit, state, others, places)
    return None


async def _ownerless(unit: UnitOfWork, row: Mapping[str, Any]) -> InputError | None:
    """Why not, where whoever looked after the customer looks after nobody any more."""
    owner_id = row["owner_id"]
    agent = None if owner_id is None else (await agents.by_ids(unit.transaction, [owner_id]))[owner_id]
    if agent is None or agent.active:
        return None
    message = f"{agent.name}, who looked after “{row['name']}” before, is not active any more."
    return InputError(ErrorCode.CONFLICT, message, ("id",))


async def _rows_back(
    unit: UnitOfWork, kept: StoredMerge, survivor: Mapping[str, Any], others: Sequence[dict[str, Any]]
) -> None:
    transaction, present = unit.transaction, await _there(unit, kept)
    for row in (survivor, *others):
        for column, table in _REFERRED.items():
            if column in row and row[column] is not None and row[column] not in present[table]:
                row[column] = None  # type: ignore[index] # a dict of its own
    own = {name: value for name, value in survivor.items() if name not in ("id", "version", "updated_at", "created_at")}
    await batch_writes.update_rows(transaction, tables.Customer, [(survivor["id"], own)])
    await batch_writes.delete_where_in(transaction, tables.CustomerAlias, "id", [row["id"] for row in others])
    made = (
        new_row(
            tables.Customer,
            **{**row, "workspace_id": unit.workspace_id, "version": row["version"] + 2, "updated_at": unit.now},
        )
        for row in others
    )
    await transaction.insert(*made)
    for table in merging.OWN_TABLES:
        rows = [_columns(one) for one in kept[table.__tablename__]]
        await batch_writes.delete_where_in(transaction, table, "customer_id", [survivor["id"]])
        await transaction.insert(
            *(
                new_row(table, workspace_id=unit.workspace_id, **row)
                for row in rows
                if all(row[column] in present[known] for column, known in _REFERRED.items() if column in row)
            )
        )
    for table in merging.MOVED_TABLES:
        by_customer: dict[str, list[bytes]] = {}
        for identifier, customer in kept[table.__tablename__]:
            by_customer.setdefault(customer, []).append(bytes.fromhex(identifier))
        for customer, ids in by_customer.items():
            await merging.move_rows(transaction, table, ids, bytes.fromhex(customer))
    await _apart_again(unit, kept, [survivor["id"], *(row["id"] for row in others)])


# What may be gone since, without the survivor being touched.
_REFERRED: Final = {
    "company_id": tables.Company,
    "department_id": tables.Department,
    "field_id": tables.CustomField,
    "tag_id": tables.Tag,
    "segment_id": tables.Segment,
}


async def _there(unit: UnitOfWork, kept: StoredMerge) -> Mapping[Any, set[bytes]]:
    wanted: dict[Any, set[bytes]] = {table: set() for table in _REFERRED.values()}
    for name in (_CUSTOMER, *(table.__tablename__ for table in merging.OWN_TABLES)):
        for one in kept[name]:
            for column, table in _REFERRED.items():
                if one.get(column):
                    wanted[table].add(bytes.fromhex(one[column]["id"]))
    return {table: await merging.existing_ids(unit.transaction, table, list(ids)) for table, ids in wanted.items()}


async def _apart_again(unit: UnitOfWork, kept: StoredMerge, ids: Sequence[bytes]) -> None:
    """Who was known to be another than whom."""
    was = {(bytes.fromhex(first), bytes.fromhex(second)) for first, second in kept[_APART]}
    others = {one for pair in was for one in pair} - set(ids)
    present = {*ids, *await merging.existing_ids(unit.transaction, tables.Customer, list(others))}
    now = {(row.first_id, row.second_id) for row in await pairs.dismissed_pairs(unit.transaction, [ids[0]])}
    gone = [{"first_id": first, "second_id": second} for first, second in sorted(now - was)]
    await batch_writes.delete_rows(unit.transaction, tables.DuplicateDismissal, gone)
    own = {"workspace_id": unit.workspace_id}
    back = sorted(pair for pair in was - now if set(pair) <= present)
    await unit.transaction.insert(
        *(new_row(tables.DuplicateDismissal, **own, first_id=one, second_id=two) for one, two in back)
    )


async def _told(
    unit: UnitOfWork, before: LoadedCustomer, others: Sequence[Mapping[str, Any]], places: Mapping[bytes, int]
) -> None:
    """The log, and what they are found by: notes may have come since."""
    fields = await loaded_customer.load_custom_fields(unit)
    ids = [before.id, *(row["id"] for row in others)]
    found = await loaded_customer.load_customers(unit, ids, before.parts)
    assert before.original is not None
    for one in ids:
        state = found.get(one)
        if state is None:
            continue
        if one == before.id:
            version = before.row.version + 1
            await batch_writes.update_rows(
                unit.transaction, tables.Customer, [(one, {"version": version, "updated_at": unit.now})]
            )
            state.original = before.original
            told = change_fields.changed_fields(state, fields)
            unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Customer", one, version, told, row=places.get(one)))
        else:
            told = change_log.created_fields_of(change_fields.log_snapshot(state, fields))
            unit.log.add(
                ChangeEntry(ChangeAction.CREATED, "Customer", one, state.row.version, told, row=places.get(one))
            )
    assert before.parts >= SEARCHED_PARTS
    await persistence.rewrite_search_documents(unit, list(found.values()))
