"""Custom fields: making, changing and deleting them (EM8, SB5, SB15, SB24, SM18)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm import record_writes, stored_filters
from crm.catalogue import saved_views
from crm.change_log import Entry
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import SEARCHED, State
from crm.errors import ErrorCode, Path, Refused
from crm.unit_of_work import Act
from crm.validation import Checks, Given, behind, listed, present, room, take_turn, whole
from crm.values import custom_values, text_values
from db import batch_writes, tables
from db.queries.catalogue import companies, custom_fields
from db.queries.customers import customers
from db.rows import Row, copied, fresh
from db.tables.enums import ChangeAction, CustomFieldType, EntityType
from db.values import wire_format
from db.values.folding import normal
from db.visibility import Sight

_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}", re.ASCII)
_CHOSEN: Final = (CustomFieldType.SELECT, CustomFieldType.MULTI_SELECT)


async def create(act: Act, given: Given) -> Row:
    """Raises Refused and its like."""
    await take_turn(act, "custom fields")
    entity, kind = EntityType(given["entity"]), CustomFieldType(given["type"])
    known = (await custom_fields.by_entities(act.work, [entity]))[entity]
    room(len(known), "custom fields")
    checks, position = Checks(), behind(one.position for one in known)
    row = fresh(tables.CustomField, workspace_id=act.workspace_id, entity=int(entity), type=int(kind), options=[])
    row.key = checks.read(_key, given["key"], known) or ""
    _read(checks, row, {"position": position, "options": None, **given})
    row.unique = bool(given.get("unique"))
    if row.unique and kind not in custom_values.UNIQUE:
        message = f"Values of the type {kind.name} cannot be asked to be unique."
        checks.refuse(ErrorCode.INVALID, message, ("input", "unique"))
    checks.end()
    await record_writes.make(act, "CustomField", row, told)
    _forget(act)
    return row


async def update(act: Act, wire_id: str, given: Given) -> Row:
    """Key and type never change. Raises Refused NOT_FOUND, OPTION_IN_USE, IN_USE and their like."""
    found = await _one(act, wire_id)
    row, checks = copied(found, tables.CustomField), Checks()
    _read(checks, row, given)
    if "active" in given:
        row.active = bool(checks.read(present, given["active"], ("input", "active")))
    checks.end()
    await _unused_options(act, row, found)
    if found.active and not row.active:
        await _unused(act, row, ("input", "active"), "switched off")
    if await record_writes.change(act, "CustomField", row, vars(copied(found, tables.CustomField)), told(found), told):
        _forget(act)
    if row.active != found.active:
        await _search_anew(act, row)
    return row


async def delete(act: Act, wire_id: str) -> Any:
    """Its values go with it, which changes every record that has one. Raises Refused NOT_FOUND, IN_USE."""
    row = await _one(act, wire_id)
    await _unused(act, row, ("id",), "deleted")
    if row.entity == EntityType.CUSTOMER:
        await _drop_of_customers(act, row)
        await saved_views.forget_field(act, f"custom.{row.key}")
    else:
        await _drop_of_companies(act, row)
    await record_writes.remove(act, "CustomField", row)
    _forget(act)
    return row


def told(row: Any) -> Mapping[str, Any]:
    return {
        "entity": EntityType(row.entity).name,
        "key": row.key,
        "label": row.label,
        "description": row.description,
        "type": CustomFieldType(row.type).name,
        "options": row.options,
        "required": row.required,
        "unique": row.unique,
        "active": row.active,
        "position": row.position,
    }


async def _one(act: Act, wire_id: str) -> Any:
    """Held, and the list of fields with it."""
    await take_turn(act, "custom fields")
    identifier = wire_format.parse("CustomField", wire_id)
    found = await custom_fields.locked(act.work, identifier) if identifier else None
    if found is None:
        raise Refused(ErrorCode.NOT_FOUND, f"There is no custom field “{wire_id}” here.", ("id",))
    return found


def _forget(act: Act) -> None:
    """Whatever the act does next reads the fields as they are now."""
    act.cache.pop("custom_fields", None)
    act.cache.pop("company_fields", None)


# ── what is given ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _key(given: str, known: Sequence[Any]) -> str:
    """Raises Refused INVALID and TAKEN. Two keys that differ in case alone would be mixed up."""
    path = ("input", "key")
    if not _KEY.fullmatch(given):
        message = f"“{given}” is no key; it begins with a letter and goes on with letters, digits, _ and -, 50 at most."
        raise Refused(ErrorCode.INVALID if given else ErrorCode.BLANK, message, path)
    holder = next((one for one in known if one.key.lower() == given.lower()), None)
    if holder is not None:
        message = f"The field “{holder.label}” has the key “{holder.key}” already; choose another key."
        raise Refused(ErrorCode.TAKEN, message, path)
    return given


def _read(checks: Checks, row: Row, given: Given) -> None:
    if "label" in given:
        row.label = checks.read(text_values.needed, given["label"], ("input", "label"), "a label")
    if "description" in given:
        path = ("input", "description")
        row.description = checks.read(text_values.text, given["description"], path, longest=text_values.LINE)
    if "options" in given:
        row.options = checks.read(_options, CustomFieldType(row.type), given["options"]) or []
    if "required" in given:
        row.required = bool(given["required"])
    if given.get("position") is not None:
        row.position = checks.read(whole, given["position"], ("input", "position"))


def _options(kind: CustomFieldType, given: Sequence[str] | None) -> list[str]:
    """Raises Refused where there are some that the type does not take, or none that it needs, and at each bad one."""
    path: Path = ("input", "options")
    wanted = listed(given, path)
    if kind not in _CHOSEN:
        if wanted:
            raise Refused(ErrorCode.INVALID, f"A field of the type {kind.name} has no options.", path)
        return []
    if not wanted:
        raise Refused(ErrorCode.BLANK, "Give it the options that can be chosen.", path)
    kept: dict[str, str] = {}
    for place, one in enumerate(wanted):
        option = text_values.needed(one, (*path, place), "a name", longest=text_values.WORD)
        if option.casefold() in kept:
            message = f"“{option}” is there already; every option has a name of its own."
            raise Refused(ErrorCode.INVALID, message, (*path, place))
        kept[option.casefold()] = normal(option)
    return list(kept.values())


async def _unused_options(act: Act, row: Row, found: Any) -> None:
    """Raises Refused OPTION_IN_USE where one is gone that somebody has."""
    gone = [one for one in found.options if one not in row.options]
    used = await custom_fields.options_used(act.work, EntityType(row.entity), row.id, gone) if gone else []
    if used:
        named = ", ".join(f"“{one}”" for one in used)
        message = f"{named} cannot go: there are records with it. Give them another option first."
        raise Refused(ErrorCode.OPTION_IN_USE, message, ("input", "options"))


async def _unused(act: Act, row: Any, path: Path, what: str) -> None:
    """Raises Refused IN_USE where something that is kept filters or sorts by the field."""
    if user := await stored_filters.user_of(act, EntityType(row.entity), row.key):
        message = f"“{row.label}” cannot be {what}: {user} filters or sorts by it; change that first."
        raise Refused(ErrorCode.IN_USE, message, path)


# ── the records that have values ──────────────────────────────────────────────────────────────────────────────────────


_EMPTIED: Final = "Empty the field with customersUpdate first, which is done by a job."


def _searched(row: Any) -> bool:
    return custom_values.COLUMNS[CustomFieldType(row.type)] == "text"


async def _search_anew(act: Act, row: Any) -> None:
    """Customers are found by the values of active fields. It is no change of theirs."""
    if row.entity != EntityType.CUSTOMER or not _searched(row):
        return
    holders = await custom_fields.holders(act.work, EntityType.CUSTOMER, row.id)
    for chunk in persistence.chunks(holders, ("input", "active"), _EMPTIED):
        await persistence.search_texts(act, await _loaded(act, chunk, SEARCHED))


async def _drop_of_customers(act: Act, row: Any) -> None:
    searched = row.active and _searched(row)
    holders = await custom_fields.holders(act.work, EntityType.CUSTOMER, row.id)
    for chunk in persistence.chunks(holders, ("id",), _EMPTIED):
        found = await _loaded(act, chunk, SEARCHED if searched else frozenset({"values"}))
        for state in found:
            change_fields.remember(state)
            state.values.pop(row.id, None)
        await persistence.write(act, found)


async def _loaded(act: Act, ids: Sequence[bytes], parts: frozenset[str]) -> list[State]:
    """Whoever may see them."""
    found = await customers.locked(act.work, ids, Sight(everything=True))
    return list((await loaded_customer.of_rows(act, found, parts)).values())


async def _drop_of_companies(act: Act, row: Any) -> None:
    ids = await custom_fields.holders(act.work, EntityType.COMPANY, row.id)
    for chunk in persistence.chunks(ids, ("id",), "Empty the field with companyUpdate first."):
        found = await companies.locked(act.work, chunk)
        held = await custom_fields.values(act.work, chunk, EntityType.COMPANY)
        for key, company in found.items():
            was = custom_values.told(row, custom_values.read(row, [one for one in held[key] if one.field_id == row.id]))
            different = [{"field": f"custom.{row.key}", "before": was, "after": None}]
            act.log.add(Entry(ChangeAction.UPDATED, "Company", key, company.version + 1, different))
        versions = {key: {"version": one.version + 1, "updated_at": act.now} for key, one in found.items()}
        await batch_writes.change(act.work, tables.Company, versions.items())
    await batch_writes.clear(act.work, tables.CompanyValue, "field_id", [row.id])
