"""Undoing a merge: the merged customers are stored as they were, and come back unless the survivor has changed
since."""

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
from db.tables.enums import ChangeAction, EntityType

StoredMerge = Mapping[str, Any]
"""All customers of a merge as plain data: rows by table name, ids as text."""

_CUSTOMER: Final = "customer"
_DISMISSED_PAIRS: Final = "apart"


async def store_merge(unit: UnitOfWork, survivor: bytes, others: Sequence[bytes], rows: Sequence[Row]) -> StoredMerge:
    """The customers before the merge, in stored form. `rows` are their rows, the survivor first."""
    ids = [survivor, *others]
    stored: dict[str, Any] = {_CUSTOMER: [_plain(vars(row)) for row in rows]}
    for table in merging.OWN_TABLES:
        table_rows = await merging.owned_rows(unit.transaction, table, ids)
        stored[table.__tablename__] = [_plain(vars(copy_row(row, table))) for row in table_rows]
    for table in merging.MOVED_TABLES:
        table_rows = await merging.related_rows(unit.transaction, table, others)
        stored[table.__tablename__] = [[row.id.hex(), row.customer_id.hex()] for row in table_rows]
    dismissed_rows = await pairs.dismissed_pairs(unit.transaction, ids)
    stored[_DISMISSED_PAIRS] = [[row.first_id.hex(), row.second_id.hex()] for row in dismissed_rows]
    return stored


def _plain(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Converts columns to plain data. Ids are marked to distinguish them from texts."""
    return {
        name: {"id": value.hex()} if isinstance(value, bytes) else value
        for name, value in columns.items()
        if name != "workspace_id"
    }


def _columns(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: bytes.fromhex(value["id"]) if isinstance(value, dict) else value for name, value in plain.items()}


async def restore_merged(
    unit: UnitOfWork, stored: StoredMerge, version: int, row_numbers: Mapping[bytes, int]
) -> InputError | None:
    """Restores all customers of a merge. Returns an error if the survivor is no longer at `version`. `row_numbers`
    are those of the customers in the undo job."""
    survivor, *others = (_columns(columns) for columns in stored[_CUSTOMER])
    state = (
        await loaded_customer.load_customers(unit, [survivor["id"]], SEARCHED_PARTS | {"friends", "block", "merged"})
    ).get(survivor["id"])
    if state is None or state.id != survivor["id"]:
        message = "The customer that the others were merged into no longer exists or is not visible to you."
        return InputError(ErrorCode.CONFLICT, message, ("id",))
    if state.row.version != version:
        return ConflictError(state.row, ("id",))
    for columns in (survivor, *others):
        if (error := await _owner_error(unit, columns)) is not None:
            return error
    change_fields.store_original_values(state)
    await _restore_rows(unit, stored, survivor, others)
    await _log_and_index(unit, state, others, row_numbers)
    return None


async def _owner_error(unit: UnitOfWork, row: Mapping[str, Any]) -> InputError | None:
    """Returns an error if the former owner of the customer is no longer active."""
    owner_id = row["owner_id"]
    agent = None if owner_id is None else (await agents.by_ids(unit.transaction, [owner_id]))[owner_id]
    if agent is None or agent.active:
        return None
    message = f"{agent.name}, the former owner of “{row['name']}”, is not active any more."
    return InputError(ErrorCode.CONFLICT, message, ("id",))


async def _restore_rows(
    unit: UnitOfWork, stored: StoredMerge, survivor: Mapping[str, Any], others: Sequence[dict[str, Any]]
) -> None:
    transaction, existing = unit.transaction, await _existing_references(unit, stored)
    for row in (survivor, *others):
        for column, table in _REFERENCED_TABLES.items():
            if column in row and row[column] is not None and row[column] not in existing[table]:
                row[column] = None  # type: ignore[index] # a dict of its own
    survivor_columns = {
        name: value for name, value in survivor.items() if name not in ("id", "version", "updated_at", "created_at")
    }
    await batch_writes.update_rows(transaction, tables.Customer, [(survivor["id"], survivor_columns)])
    await batch_writes.delete_where_in(transaction, tables.CustomerAlias, "id", [row["id"] for row in others])
    new_rows = (
        new_row(
            tables.Customer,
            **{**row, "workspace_id": unit.workspace_id, "version": row["version"] + 2, "updated_at": unit.now},
        )
        for row in others
    )
    await transaction.insert(*new_rows)
    for table in merging.OWN_TABLES:
        rows = [_columns(columns) for columns in stored[table.__tablename__]]
        await batch_writes.delete_where_in(transaction, table, "customer_id", [survivor["id"]])
        await transaction.insert(
            *(
                new_row(table, workspace_id=unit.workspace_id, **row)
                for row in rows
                if all(
                    row[column] in existing[referenced_table]
                    for column, referenced_table in _REFERENCED_TABLES.items()
                    if column in row
                )
            )
        )
    for table in merging.MOVED_TABLES:
        by_customer: dict[str, list[bytes]] = {}
        for identifier, customer in stored[table.__tablename__]:
            by_customer.setdefault(customer, []).append(bytes.fromhex(identifier))
        for customer, ids in by_customer.items():
            await merging.move_rows(transaction, table, ids, bytes.fromhex(customer))
    await _restore_dismissals(unit, stored, [survivor["id"], *(row["id"] for row in others)])


# Records that may have been deleted since without a change of the survivor.
_REFERENCED_TABLES: Final = {
    "company_id": tables.Company,
    "department_id": tables.Department,
    "field_id": tables.CustomField,
    "tag_id": tables.Tag,
    "segment_id": tables.Segment,
}


async def _existing_references(unit: UnitOfWork, stored: StoredMerge) -> Mapping[Any, set[bytes]]:
    ids_by_table: dict[Any, set[bytes]] = {table: set() for table in _REFERENCED_TABLES.values()}
    for name in (_CUSTOMER, *(table.__tablename__ for table in merging.OWN_TABLES)):
        for columns in stored[name]:
            for column, table in _REFERENCED_TABLES.items():
                if columns.get(column):
                    ids_by_table[table].add(bytes.fromhex(columns[column]["id"]))
    return {
        table: await merging.existing_ids(unit.transaction, table, list(ids)) for table, ids in ids_by_table.items()
    }


async def _restore_dismissals(unit: UnitOfWork, stored: StoredMerge, ids: Sequence[bytes]) -> None:
    """Restores the dismissed duplicate pairs."""
    pairs_before = {(bytes.fromhex(first), bytes.fromhex(second)) for first, second in stored[_DISMISSED_PAIRS]}
    others = {customer_id for pair in pairs_before for customer_id in pair} - set(ids)
    existing_ids = {*ids, *await merging.existing_ids(unit.transaction, tables.Customer, list(others))}
    pairs_now = {(row.first_id, row.second_id) for row in await pairs.dismissed_pairs(unit.transaction, [ids[0]])}
    added_pairs = [{"first_id": first, "second_id": second} for first, second in sorted(pairs_now - pairs_before)]
    await batch_writes.delete_rows(unit.transaction, tables.DuplicateDismissal, added_pairs)
    own = {"workspace_id": unit.workspace_id}
    missing_pairs = sorted(pair for pair in pairs_before - pairs_now if set(pair) <= existing_ids)
    await unit.transaction.insert(
        *(
            new_row(tables.DuplicateDismissal, **own, first_id=customer_id, second_id=other_id)
            for customer_id, other_id in missing_pairs
        )
    )


async def _log_and_index(
    unit: UnitOfWork, before: LoadedCustomer, others: Sequence[Mapping[str, Any]], row_numbers: Mapping[bytes, int]
) -> None:
    """Writes the log entries and the search documents, which include notes added since the merge."""
    fields = await unit.custom_fields(EntityType.CUSTOMER)
    ids = [before.id, *(row["id"] for row in others)]
    customers_by_id = await loaded_customer.load_customers(unit, ids, before.parts)
    assert before.original is not None
    for customer_id in ids:
        state = customers_by_id.get(customer_id)
        if state is None:
            continue
        if customer_id == before.id:
            version = before.row.version + 1
            await batch_writes.update_rows(
                unit.transaction, tables.Customer, [(customer_id, {"version": version, "updated_at": unit.now})]
            )
            state.original = before.original
            entry_fields = change_fields.changed_fields(state, fields)
            unit.log.add(
                ChangeEntry(
                    ChangeAction.UPDATED,
                    "Customer",
                    customer_id,
                    version,
                    entry_fields,
                    row=row_numbers.get(customer_id),
                )
            )
        else:
            entry_fields = change_log.created_fields_of(change_fields.log_snapshot(state, fields))
            unit.log.add(
                ChangeEntry(
                    ChangeAction.CREATED,
                    "Customer",
                    customer_id,
                    state.row.version,
                    entry_fields,
                    row=row_numbers.get(customer_id),
                )
            )
    assert before.parts >= SEARCHED_PARTS
    await persistence.rewrite_search_documents(unit, list(customers_by_id.values()))
