"""Writes many customers with a few statements, including the log and the search documents."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from crm import change_log
from crm.change_log import ChangeEntry
from crm.cooperative import yield_periodically
from crm.customers import change_fields, search_document
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import LimitError, Path
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values
from db import batch_writes, tables
from db.rows import Row, new_row
from db.tables.enums import ChangeAction, EntityType, Outcome, TagKind
from db.values.folding import fold

CUSTOMERS_PER_REWRITE: Final = 1_000
"""Customers per chunk when a change of a shared record rewrites them."""


MAX_REWRITTEN_CUSTOMERS: Final = 5_000
"""Maximum number of customers that one request rewrites, so that it ends in time and other writers can run. More need a
job."""


def rewrite_chunks(ids: Sequence[bytes], path: Path, instead: str) -> list[Sequence[bytes]]:
    """The ids in chunks of CUSTOMERS_PER_REWRITE. Raises LimitError for more than MAX_REWRITTEN_CUSTOMERS; `instead`
    tells the person what to do."""
    if len(ids) > MAX_REWRITTEN_CUSTOMERS:
        message = (
            f"This would change {len(ids)} records, but one request can change at most {MAX_REWRITTEN_CUSTOMERS}. "
            f"{instead}"
        )
        raise LimitError(message, path, limit=MAX_REWRITTEN_CUSTOMERS, current=len(ids))
    return [ids[start : start + CUSTOMERS_PER_REWRITE] for start in range(0, len(ids), CUSTOMERS_PER_REWRITE)]


async def write_customers(
    unit: UnitOfWork, states: Sequence[LoadedCustomer], rows: Sequence[int] | None = None
) -> list[Outcome]:
    """Writes the changes of each customer without errors. `rows` are the row numbers in a job. Returns the outcomes
    FAILED, UNCHANGED, UPDATED or CREATED."""
    fields = await unit.custom_fields(EntityType.CUSTOMER)
    outcomes, written, entries = [], [], []
    async for index, state in yield_periodically(enumerate(states)):
        if state.errors:
            outcomes.append(Outcome.FAILED)
            continue
        _update_copied_columns(state)
        entry = _build_entry(unit, state, fields, None if rows is None else rows[index])
        outcomes.append(_outcome(state, entry))
        if entry is not None:
            written.append(state)
            entries.append(entry)
    await _write_rows(unit, written, fields)
    for entry in entries:
        unit.log.add(entry)
    return outcomes


def preview_changes(state: LoadedCustomer, fields: Sequence[Any]) -> list[dict[str, Any]]:
    """The log fields that writing the customer now would add. `fields` are the custom fields."""
    assert state.original is not None
    _update_copied_columns(state)
    return change_fields.changed_fields(state, fields)


async def rewrite_search_documents(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """Rewrites the search documents of the customers and nothing else."""
    await search_document.write_documents(unit, states, await unit.custom_fields(EntityType.CUSTOMER))


async def refresh_copied_columns(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """Updates the columns that are copied from other records. This is not a change of the customers, so nothing is
    logged."""
    fields = await unit.custom_fields(EntityType.CUSTOMER)
    for state in states:
        _update_copied_columns(state)
    await batch_writes.update_rows(
        unit.transaction, tables.Customer, ((state.id, _changed_values(state)) for state in states)
    )
    await search_document.write_documents(unit, states, fields)


def _outcome(state: LoadedCustomer, entry: ChangeEntry | None) -> Outcome:
    if entry is None:
        return Outcome.UNCHANGED
    return Outcome.CREATED if state.is_new else Outcome.UPDATED


def _build_entry(
    unit: UnitOfWork, state: LoadedCustomer, fields: Sequence[Any], row_number: int | None
) -> ChangeEntry | None:
    """The log entry of the change; None if nothing changed. Increases the version."""
    row = state.row
    if state.is_new:
        snapshot = change_fields.log_snapshot(state, fields)
        return ChangeEntry(
            ChangeAction.CREATED,
            "Customer",
            row.id,
            row.version,
            change_log.created_fields_of(snapshot),
            row=row_number,
        )
    changed = change_fields.changed_fields(state, fields)
    if not changed:
        return None
    row.version += 1
    row.updated_at = unit.now
    return ChangeEntry(ChangeAction.UPDATED, "Customer", row.id, row.version, changed, row=row_number)


def _update_copied_columns(state: LoadedCustomer) -> None:
    """Updates the columns that repeat values of the parts."""
    row = state.row
    _fold_names(state)
    if "phones" in state.parts:
        row.phone, row.phone_count = (state.phones[0] if state.phones else None), len(state.phones)
    if "emails" in state.parts:
        row.email, row.email_count = (state.emails[0] if state.emails else None), len(state.emails)
        row.email_key = row.email and fold(row.email)
    if "tags" in state.parts:
        row.tag_count = len(state.tags)
        row.first_tag_key = min((tag.name_key for tag in state.tags.values()), default=None)


def _fold_names(state: LoadedCustomer) -> None:
    row, original = state.row, state.original
    for name in ("name", "nickname", "real_name"):
        text = getattr(row, name)
        if original is None or text != original.columns[name]:
            setattr(row, f"{name}_key", text and fold(text))


# ── the statements ────────────────────────────────────────────────────────────────────────────────────────────────────


async def _write_rows(unit: UnitOfWork, states: Sequence[LoadedCustomer], fields: Sequence[Any]) -> None:
    transaction = unit.transaction
    new_states = [state for state in states if state.is_new]
    changed = [state for state in states if not state.is_new]
    await _insert_new_tags(unit, states)
    await transaction.insert(*(state.row for state in new_states))
    await batch_writes.update_rows(
        transaction,
        tables.Customer,
        [(state.id, _changed_values(state)) async for state in yield_periodically(changed)],
    )
    await _write_lists(unit, states)
    await _write_sets(unit, states)
    await _write_custom_values(unit, states, {field.id: field for field in fields})
    await search_document.write_documents(unit, states, fields)


async def _insert_new_tags(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """Inserts inline tags that a written customer has. Unused ones are never stored."""
    pending: dict[bytes, Row] = unit.cache.get("new_tags", {})
    used_tags = {key: pending[key] for state in states for key in state.tags if key in pending}
    await unit.transaction.insert(*used_tags.values())
    for tag in used_tags.values():
        unit.log.add(tag_created_entry(tag))
        del pending[tag.id]


def tag_created_entry(tag: Any) -> ChangeEntry:
    """The log entry of a new tag."""
    fields = change_log.created_fields(
        name=tag.name, kind=TagKind(tag.kind).name, color=tag.color, description=tag.description
    )
    return ChangeEntry(ChangeAction.CREATED, "Tag", tag.id, 1, fields)


def _changed_values(state: LoadedCustomer) -> Mapping[str, Any]:
    return {name: getattr(state.row, name) for name in sorted(state.changed_columns())}


async def _write_lists(unit: UnitOfWork, states: Iterable[LoadedCustomer]) -> None:
    """Replaces the changed lists of phones and emails as a whole, in their order."""
    phones = [state for state in states if "phones" in state.parts and _is_changed(state, "phones")]
    emails = [state for state in states if "emails" in state.parts and _is_changed(state, "emails")]
    transaction, workspace_id = unit.transaction, unit.workspace_id
    await batch_writes.delete_where_in(
        transaction, tables.CustomerPhone, "customer_id", [state.id for state in phones if not state.is_new]
    )
    await transaction.insert(
        *(
            new_row(
                tables.CustomerPhone, workspace_id=workspace_id, customer_id=state.id, position=position, phone=phone
            )
            for state in phones
            for position, phone in enumerate(state.phones)
        )
    )
    await batch_writes.delete_where_in(
        transaction, tables.CustomerEmail, "customer_id", [state.id for state in emails if not state.is_new]
    )
    await transaction.insert(
        *(
            new_row(
                tables.CustomerEmail,
                workspace_id=workspace_id,
                customer_id=state.id,
                position=position,
                email=email,
                email_key=fold(email),
            )
            for state in emails
            for position, email in enumerate(state.emails)
        )
    )


def _is_changed(state: LoadedCustomer, part: str) -> bool:
    current = tuple(getattr(state, part))
    return bool(current) if state.original is None else current != getattr(state.original, part)


async def _write_sets(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """Deletes removed external ids, tags and friends and inserts new ones."""
    removed_keys: dict[type[Any], list[dict[str, Any]]] = {}
    added_rows: dict[type[Any], list[Row]] = {}
    async for state in yield_periodically(states):
        for part, table, columns in _SET_TABLES:
            if part not in state.parts:
                continue
            current = set(getattr(state, part))
            before = set(getattr(state.original, part)) if state.original else set()
            removed_keys.setdefault(table, []).extend(columns(state, item) for item in before - current)
            added_rows.setdefault(table, []).extend(
                new_row(table, workspace_id=unit.workspace_id, **columns(state, item))
                for item in sorted(current - before)
            )
    for table, keys in removed_keys.items():
        await batch_writes.delete_rows(unit.transaction, table, keys)
    for rows in added_rows.values():
        await unit.transaction.insert(*rows)
    await _write_blocks(unit, states)


_SET_TABLES: tuple[tuple[str, Any, Any], ...] = (
    (
        "external_ids",
        tables.CustomerExternalId,
        lambda state, pair: {"system": pair[0], "value": pair[1], "customer_id": state.id},
    ),
    ("tags", tables.CustomerTag, lambda state, tag: {"customer_id": state.id, "tag_id": tag}),
    ("friends", tables.WechatFriend, lambda state, agent: {"customer_id": state.id, "agent_id": agent}),
)


async def _write_blocks(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    changed = [
        state
        for state in states
        if "block" in state.parts
        and (state.block and vars(state.block)) != (state.original.block if state.original else None)
    ]
    blocked_before = [state.id for state in changed if state.original and state.original.block]
    await batch_writes.delete_where_in(unit.transaction, tables.CustomerBlock, "customer_id", blocked_before)
    await unit.transaction.insert(*(state.block for state in changed if state.block))


async def _write_custom_values(unit: UnitOfWork, states: Sequence[LoadedCustomer], fields: Mapping[bytes, Any]) -> None:
    removed_keys, added_rows = [], []
    for state in states:
        if "values" not in state.parts:
            continue
        before = state.original.values if state.original else {}
        for field_id in {*before, *state.values}:
            value = state.values.get(field_id)
            if value == before.get(field_id):
                continue
            if field_id in before:
                removed_keys.append({"customer_id": state.id, "field_id": field_id})
            if value is not None:
                key_columns = {"workspace_id": unit.workspace_id, "customer_id": state.id}
                added_rows += [
                    new_row(tables.CustomerValue, **key_columns, **columns)
                    for columns in custom_values.value_rows(fields[field_id], value)
                ]
    await batch_writes.delete_rows(unit.transaction, tables.CustomerValue, removed_keys)
    await unit.transaction.insert(*added_rows)
