"""Writing customers: whatever was decided about many of them, in a few statements, with the log and the search text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from crm import change_log
from crm.change_log import ChangeEntry
from crm.cooperative import yield_periodically
from crm.customers import change_fields, search_document
from crm.customers.loaded_customer import LoadedCustomer, load_custom_fields
from crm.errors import LimitError, Path
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values
from db import batch_writes, tables
from db.rows import Row, new_row
from db.tables.enums import ChangeAction, Outcome, TagKind
from db.values.folding import fold

CUSTOMERS_PER_REWRITE: Final = 1_000
"""So many customers are rewritten at a time where something that they share is changed."""


MAX_REWRITTEN_CUSTOMERS: Final = 5_000
"""So many are rewritten in one request: it ends in time, and lets others write. More are what a job is for."""


def rewrite_chunks(ids: Sequence[bytes], path: Path, instead: str) -> list[Sequence[bytes]]:
    """The ids, CHUNK at a time. Raises LimitError, which says what to do `instead`, where they are more than MOST."""
    if len(ids) > MAX_REWRITTEN_CUSTOMERS:
        message = (
            f"This would change {len(ids)} records, and one request changes {MAX_REWRITTEN_CUSTOMERS} at most. "
            f"{instead}"
        )
        raise LimitError(message, path, limit=MAX_REWRITTEN_CUSTOMERS, current=len(ids))
    return [ids[start : start + CUSTOMERS_PER_REWRITE] for start in range(0, len(ids), CUSTOMERS_PER_REWRITE)]


async def write_customers(
    unit: UnitOfWork, states: Sequence[LoadedCustomer], rows: Sequence[int] | None = None
) -> list[Outcome]:
    """Writes each that is not refused, as far as it differs from what it was. `rows` are their places in a job's
    target. Whether each is FAILED, UNCHANGED, UPDATED or CREATED."""
    fields = await load_custom_fields(unit)
    outcomes, written, entries = [], [], []
    async for place, state in yield_periodically(enumerate(states)):
        if state.errors:
            outcomes.append(Outcome.FAILED)
            continue
        _mirror(state)
        entry = _entry(unit, state, fields, None if rows is None else rows[place])
        outcomes.append(_outcome(state, entry))
        if entry is not None:
            written.append(state)
            entries.append(entry)
    await _store(unit, written, fields)
    for entry in entries:
        unit.log.add(entry)
    return outcomes


def preview_changes(state: LoadedCustomer, fields: Sequence[Any]) -> list[dict[str, Any]]:
    """What the log would tell of a customer who is written now. `fields` are the custom ones."""
    assert state.original is not None
    _mirror(state)
    return change_fields.changed_fields(state, fields)


async def rewrite_search_documents(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """Rewrites what the customers are found by, and nothing else."""
    await search_document.write_documents(unit, states, await load_custom_fields(unit))


async def refresh_copied_columns(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """Brings up to date what mirrors other records: no change of the customers, so nothing is logged."""
    fields = await load_custom_fields(unit)
    for state in states:
        _mirror(state)
    await batch_writes.update_rows(
        unit.transaction, tables.Customer, ((state.id, _different(state)) for state in states)
    )
    await search_document.write_documents(unit, states, fields)


def _outcome(state: LoadedCustomer, entry: ChangeEntry | None) -> Outcome:
    if entry is None:
        return Outcome.UNCHANGED
    return Outcome.CREATED if state.is_new else Outcome.UPDATED


def _entry(unit: UnitOfWork, state: LoadedCustomer, fields: Sequence[Any], place: int | None) -> ChangeEntry | None:
    """What the log will say; None where nothing is different. The version grows with it."""
    row = state.row
    if state.is_new:
        now = change_fields.log_snapshot(state, fields)
        return ChangeEntry(
            ChangeAction.CREATED, "Customer", row.id, row.version, change_log.created_fields_of(now), row=place
        )
    different = change_fields.changed_fields(state, fields)
    if not different:
        return None
    row.version += 1
    row.updated_at = unit.now
    return ChangeEntry(ChangeAction.UPDATED, "Customer", row.id, row.version, different, row=place)


def _mirror(state: LoadedCustomer) -> None:
    """The columns that repeat what the parts say."""
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
    row, was = state.row, state.original
    for name in ("name", "nickname", "real_name"):
        text = getattr(row, name)
        if was is None or text != was.columns[name]:
            setattr(row, f"{name}_key", text and fold(text))


# ── the statements ────────────────────────────────────────────────────────────────────────────────────────────────────


async def _store(unit: UnitOfWork, states: Sequence[LoadedCustomer], fields: Sequence[Any]) -> None:
    transaction = unit.transaction
    made = [state for state in states if state.is_new]
    changed = [state for state in states if not state.is_new]
    await _new_tags(unit, states)
    await transaction.insert(*(state.row for state in made))
    await batch_writes.update_rows(
        transaction, tables.Customer, [(one.id, _different(one)) async for one in yield_periodically(changed)]
    )
    await _lists(unit, states)
    await _sets(unit, states)
    await _custom_values(unit, states, {field.id: field for field in fields})
    await search_document.write_documents(unit, states, fields)


async def _new_tags(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """Tags made on the spot exist once a customer who is written wears them, and not before."""
    pending: dict[bytes, Row] = unit.cache.get("new_tags", {})
    worn = {key: pending[key] for state in states for key in state.tags if key in pending}
    await unit.transaction.insert(*worn.values())
    for tag in worn.values():
        unit.log.add(tag_created_entry(tag))
        del pending[tag.id]


def tag_created_entry(tag: Any) -> ChangeEntry:
    """How the log tells that a tag is new."""
    fields = change_log.created_fields(
        name=tag.name, kind=TagKind(tag.kind).name, color=tag.color, description=tag.description
    )
    return ChangeEntry(ChangeAction.CREATED, "Tag", tag.id, 1, fields)


def _different(state: LoadedCustomer) -> Mapping[str, Any]:
    return {name: getattr(state.row, name) for name in sorted(state.changed_columns())}


async def _lists(unit: UnitOfWork, states: Iterable[LoadedCustomer]) -> None:
    """Phones and e-mails are kept whole, in their order."""
    phones = [state for state in states if "phones" in state.parts and _differs(state, "phones")]
    emails = [state for state in states if "emails" in state.parts and _differs(state, "emails")]
    transaction, number = unit.transaction, unit.workspace_id
    await batch_writes.delete_where_in(
        transaction, tables.CustomerPhone, "customer_id", [one.id for one in phones if not one.is_new]
    )
    await transaction.insert(
        *(
            new_row(tables.CustomerPhone, workspace_id=number, customer_id=state.id, position=place, phone=phone)
            for state in phones
            for place, phone in enumerate(state.phones)
        )
    )
    await batch_writes.delete_where_in(
        transaction, tables.CustomerEmail, "customer_id", [one.id for one in emails if not one.is_new]
    )
    await transaction.insert(
        *(
            new_row(
                tables.CustomerEmail,
                workspace_id=number,
                customer_id=state.id,
                position=place,
                email=email,
                email_key=fold(email),
            )
            for state in emails
            for place, email in enumerate(state.emails)
        )
    )


def _differs(state: LoadedCustomer, part: str) -> bool:
    now = tuple(getattr(state, part))
    return bool(now) if state.original is None else now != getattr(state.original, part)


async def _sets(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    """External ids, tags and friends: what is gone is deleted, what is new is added."""
    gone: dict[type[Any], list[dict[str, Any]]] = {}
    new: dict[type[Any], list[Row]] = {}
    async for state in yield_periodically(states):
        for part, table, columns in _SETS:
            if part not in state.parts:
                continue
            now = set(getattr(state, part))
            before = set(getattr(state.original, part)) if state.original else set()
            gone.setdefault(table, []).extend(columns(state, one) for one in before - now)
            new.setdefault(table, []).extend(
                new_row(table, workspace_id=unit.workspace_id, **columns(state, one)) for one in sorted(now - before)
            )
    for table, keys in gone.items():
        await batch_writes.delete_rows(unit.transaction, table, keys)
    for rows in new.values():
        await unit.transaction.insert(*rows)
    await _blocks(unit, states)


_SETS: tuple[tuple[str, Any, Any], ...] = (
    (
        "external_ids",
        tables.CustomerExternalId,
        lambda state, pair: {"system": pair[0], "value": pair[1], "customer_id": state.id},
    ),
    ("tags", tables.CustomerTag, lambda state, tag: {"customer_id": state.id, "tag_id": tag}),
    ("friends", tables.WechatFriend, lambda state, agent: {"customer_id": state.id, "agent_id": agent}),
)


async def _blocks(unit: UnitOfWork, states: Sequence[LoadedCustomer]) -> None:
    different = [
        state
        for state in states
        if "block" in state.parts
        and (state.block and vars(state.block)) != (state.original.block if state.original else None)
    ]
    held = [state.id for state in different if state.original and state.original.block]
    await batch_writes.delete_where_in(unit.transaction, tables.CustomerBlock, "customer_id", held)
    await unit.transaction.insert(*(state.block for state in different if state.block))


async def _custom_values(unit: UnitOfWork, states: Sequence[LoadedCustomer], fields: Mapping[bytes, Any]) -> None:
    gone, new = [], []
    for state in states:
        if "values" not in state.parts:
            continue
        before = state.original.values if state.original else {}
        for field_id in {*before, *state.values}:
            value = state.values.get(field_id)
            if value == before.get(field_id):
                continue
            if field_id in before:
                gone.append({"customer_id": state.id, "field_id": field_id})
            if value is not None:
                own = {"workspace_id": unit.workspace_id, "customer_id": state.id}
                new += [
                    new_row(tables.CustomerValue, **own, **one)
                    for one in custom_values.value_rows(fields[field_id], value)
                ]
    await batch_writes.delete_rows(unit.transaction, tables.CustomerValue, gone)
    await unit.transaction.insert(*new)
