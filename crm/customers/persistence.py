"""Writing customers: whatever was decided about many of them, in a few statements, with the log and the search text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from crm import change_log
from crm.change_log import Entry
from crm.cooperative import yielding
from crm.customers import change_fields, search_document
from crm.customers.loaded_customer import State, custom_fields
from crm.errors import LimitRefused, Path
from crm.unit_of_work import Act
from crm.values import custom_values
from db import batch_writes, tables
from db.rows import Row, fresh
from db.tables.enums import ChangeAction, Outcome, TagKind
from db.values.folding import fold

CHUNK: Final = 1_000
"""So many customers are rewritten at a time where something that they share is changed."""


MOST: Final = 5_000
"""So many are rewritten in one request: it ends in time, and lets others write. More are what a job is for."""


def chunks(ids: Sequence[bytes], path: Path, instead: str) -> list[Sequence[bytes]]:
    """The ids, CHUNK at a time. Raises LimitRefused, which says what to do `instead`, where they are more than MOST."""
    if len(ids) > MOST:
        message = f"This would change {len(ids)} records, and one request changes {MOST} at most. {instead}"
        raise LimitRefused(message, path, limit=MOST, current=len(ids))
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


async def write(act: Act, states: Sequence[State], rows: Sequence[int] | None = None) -> list[Outcome]:
    """Writes each that is not refused, as far as it differs from what it was. `rows` are their places in a job's
    target. Whether each is FAILED, UNCHANGED, UPDATED or CREATED."""
    fields = await custom_fields(act)
    outcomes, written, entries = [], [], []
    async for place, state in yielding(enumerate(states)):
        if state.refused:
            outcomes.append(Outcome.FAILED)
            continue
        _mirror(state)
        entry = _entry(act, state, fields, None if rows is None else rows[place])
        outcomes.append(_outcome(state, entry))
        if entry is not None:
            written.append(state)
            entries.append(entry)
    await _store(act, written, fields)
    for entry in entries:
        act.log.add(entry)
    return outcomes


def preview(state: State, fields: Sequence[Any]) -> list[dict[str, Any]]:
    """What the log would tell of a customer who is written now. `fields` are the custom ones."""
    assert state.was is not None
    _mirror(state)
    return change_fields.different(state, fields)


async def search_texts(act: Act, states: Sequence[State]) -> None:
    """Rewrites what the customers are found by, and nothing else."""
    await search_document.write(act, states, await custom_fields(act))


async def refresh(act: Act, states: Sequence[State]) -> None:
    """Brings up to date what mirrors other records: no change of the customers, so nothing is logged."""
    fields = await custom_fields(act)
    for state in states:
        _mirror(state)
    await batch_writes.change(act.work, tables.Customer, ((state.id, _different(state)) for state in states))
    await search_document.write(act, states, fields)


def _outcome(state: State, entry: Entry | None) -> Outcome:
    if entry is None:
        return Outcome.UNCHANGED
    return Outcome.CREATED if state.made else Outcome.UPDATED


def _entry(act: Act, state: State, fields: Sequence[Any], place: int | None) -> Entry | None:
    """What the log will say; None where nothing is different. The version grows with it."""
    row = state.row
    if state.made:
        now = change_fields.told(state, fields)
        return Entry(ChangeAction.CREATED, "Customer", row.id, row.version, change_log.appeared_of(now), row=place)
    different = change_fields.different(state, fields)
    if not different:
        return None
    row.version += 1
    row.updated_at = act.now
    return Entry(ChangeAction.UPDATED, "Customer", row.id, row.version, different, row=place)


def _mirror(state: State) -> None:
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


def _fold_names(state: State) -> None:
    row, was = state.row, state.was
    for name in ("name", "nickname", "real_name"):
        text = getattr(row, name)
        if was is None or text != was.columns[name]:
            setattr(row, f"{name}_key", text and fold(text))


# ── the statements ────────────────────────────────────────────────────────────────────────────────────────────────────


async def _store(act: Act, states: Sequence[State], fields: Sequence[Any]) -> None:
    work = act.work
    made = [state for state in states if state.made]
    changed = [state for state in states if not state.made]
    await _new_tags(act, states)
    await work.insert(*(state.row for state in made))
    await batch_writes.change(work, tables.Customer, [(one.id, _different(one)) async for one in yielding(changed)])
    await _lists(act, states)
    await _sets(act, states)
    await _custom_values(act, states, {field.id: field for field in fields})
    await search_document.write(act, states, fields)


async def _new_tags(act: Act, states: Sequence[State]) -> None:
    """Tags made on the spot exist once a customer who is written wears them, and not before."""
    pending: dict[bytes, Row] = act.cache.get("new_tags", {})
    worn = {key: pending[key] for state in states for key in state.tags if key in pending}
    await act.work.insert(*worn.values())
    for tag in worn.values():
        act.log.add(tag_made(tag))
        del pending[tag.id]


def tag_made(tag: Any) -> Entry:
    """How the log tells that a tag is new."""
    fields = change_log.appeared(
        name=tag.name, kind=TagKind(tag.kind).name, color=tag.color, description=tag.description
    )
    return Entry(ChangeAction.CREATED, "Tag", tag.id, 1, fields)


def _different(state: State) -> Mapping[str, Any]:
    return {name: getattr(state.row, name) for name in sorted(state.changed())}


async def _lists(act: Act, states: Iterable[State]) -> None:
    """Phones and e-mails are kept whole, in their order."""
    phones = [state for state in states if "phones" in state.parts and _differs(state, "phones")]
    emails = [state for state in states if "emails" in state.parts and _differs(state, "emails")]
    work, number = act.work, act.workspace_id
    await batch_writes.clear(work, tables.CustomerPhone, "customer_id", [one.id for one in phones if not one.made])
    await work.insert(
        *(
            fresh(tables.CustomerPhone, workspace_id=number, customer_id=state.id, position=place, phone=phone)
            for state in phones
            for place, phone in enumerate(state.phones)
        )
    )
    await batch_writes.clear(work, tables.CustomerEmail, "customer_id", [one.id for one in emails if not one.made])
    await work.insert(
        *(
            fresh(
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


def _differs(state: State, part: str) -> bool:
    now = tuple(getattr(state, part))
    return bool(now) if state.was is None else now != getattr(state.was, part)


async def _sets(act: Act, states: Sequence[State]) -> None:
    """External ids, tags and friends: what is gone is deleted, what is new is added."""
    gone: dict[type[Any], list[dict[str, Any]]] = {}
    new: dict[type[Any], list[Row]] = {}
    async for state in yielding(states):
        for part, table, columns in _SETS:
            if part not in state.parts:
                continue
            now = set(getattr(state, part))
            before = set(getattr(state.was, part)) if state.was else set()
            gone.setdefault(table, []).extend(columns(state, one) for one in before - now)
            new.setdefault(table, []).extend(
                fresh(table, workspace_id=act.workspace_id, **columns(state, one)) for one in sorted(now - before)
            )
    for table, keys in gone.items():
        await batch_writes.remove(act.work, table, keys)
    for rows in new.values():
        await act.work.insert(*rows)
    await _blocks(act, states)


_SETS: tuple[tuple[str, Any, Any], ...] = (
    (
        "external_ids",
        tables.CustomerExternalId,
        lambda state, pair: {"system": pair[0], "value": pair[1], "customer_id": state.id},
    ),
    ("tags", tables.CustomerTag, lambda state, tag: {"customer_id": state.id, "tag_id": tag}),
    ("friends", tables.WechatFriend, lambda state, agent: {"customer_id": state.id, "agent_id": agent}),
)


async def _blocks(act: Act, states: Sequence[State]) -> None:
    different = [
        state
        for state in states
        if "block" in state.parts and (state.block and vars(state.block)) != (state.was.block if state.was else None)
    ]
    held = [state.id for state in different if state.was and state.was.block]
    await batch_writes.clear(act.work, tables.CustomerBlock, "customer_id", held)
    await act.work.insert(*(state.block for state in different if state.block))


async def _custom_values(act: Act, states: Sequence[State], fields: Mapping[bytes, Any]) -> None:
    gone, new = [], []
    for state in states:
        if "values" not in state.parts:
            continue
        before = state.was.values if state.was else {}
        for field_id in {*before, *state.values}:
            value = state.values.get(field_id)
            if value == before.get(field_id):
                continue
            if field_id in before:
                gone.append({"customer_id": state.id, "field_id": field_id})
            if value is not None:
                own = {"workspace_id": act.workspace_id, "customer_id": state.id}
                new += [
                    fresh(tables.CustomerValue, **own, **one) for one in custom_values.rows(fields[field_id], value)
                ]
    await batch_writes.remove(act.work, tables.CustomerValue, gone)
    await act.work.insert(*new)
