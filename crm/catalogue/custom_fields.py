"""Custom fields: making, changing and deleting them (EM8, SB5, SB15, SB24, SM18)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm import record_writes, stored_filters
from crm.catalogue import saved_views
from crm.change_log import ChangeEntry
from crm.customers import change_fields, loaded_customer, persistence
from crm.customers.loaded_customer import SEARCHED_PARTS, LoadedCustomer
from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.validation import (
    ErrorCollector,
    InputData,
    check_integer,
    check_list_has_room,
    check_list_length,
    lock_by_name,
    next_position,
    require_value,
)
from crm.values import custom_values, text_values
from db import batch_writes, tables
from db.queries.catalogue import companies, custom_fields
from db.queries.customers import customers
from db.rows import Row, copy_row, new_row
from db.tables.enums import ChangeAction, CustomFieldType, EntityType
from db.values import wire_format
from db.values.folding import normalize
from db.visibility import Visibility

_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}", re.ASCII)
_CHOSEN: Final = (CustomFieldType.SELECT, CustomFieldType.MULTI_SELECT)


async def create(unit: UnitOfWork, given: InputData) -> Row:
    """Raises InputError and its like."""
    await lock_by_name(unit, "custom fields")
    entity, kind = EntityType(given["entity"]), CustomFieldType(given["type"])
    known = (await custom_fields.by_entities(unit.transaction, [entity]))[entity]
    check_list_has_room(len(known), "custom fields")
    checks, position = ErrorCollector(), next_position(one.position for one in known)
    row = new_row(tables.CustomField, workspace_id=unit.workspace_id, entity=int(entity), type=int(kind), options=[])
    row.key = checks.check(_key, given["key"], known) or ""
    _read(checks, row, {"position": position, "options": None, **given})
    row.unique = bool(given.get("unique"))
    if row.unique and kind not in custom_values.UNIQUE_TYPES:
        message = f"Values of the type {kind.name} cannot be asked to be unique."
        checks.add(ErrorCode.INVALID, message, ("input", "unique"))
    checks.raise_if_any()
    await record_writes.create_record(unit, "CustomField", row, log_snapshot)
    _forget(unit)
    return row


async def update(unit: UnitOfWork, wire_id: str, given: InputData) -> Row:
    """Key and type never change. Raises InputError NOT_FOUND, OPTION_IN_USE, IN_USE and their like."""
    found = await _one(unit, wire_id)
    row, checks = copy_row(found, tables.CustomField), ErrorCollector()
    _read(checks, row, given)
    if "active" in given:
        row.active = bool(checks.check(require_value, given["active"], ("input", "active")))
    checks.raise_if_any()
    await _unused_options(unit, row, found)
    if found.active and not row.active:
        await _unused(unit, row, ("input", "active"), "switched off")
    if await record_writes.update_record(
        unit, "CustomField", row, vars(copy_row(found, tables.CustomField)), log_snapshot(found), log_snapshot
    ):
        _forget(unit)
    if row.active != found.active:
        await _search_anew(unit, row)
    return row


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Its values go with it, which changes every record that has one. Raises InputError NOT_FOUND, IN_USE."""
    row = await _one(unit, wire_id)
    await _unused(unit, row, ("id",), "deleted")
    if row.entity == EntityType.CUSTOMER:
        await _drop_of_customers(unit, row)
        await saved_views.remove_field_from_views(unit, f"custom.{row.key}")
    else:
        await _drop_of_companies(unit, row)
    await record_writes.delete_record(unit, "CustomField", row)
    _forget(unit)
    return row


def log_snapshot(row: Any) -> Mapping[str, Any]:
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


async def _one(unit: UnitOfWork, wire_id: str) -> Any:
    """Held, and the list of fields with it."""
    await lock_by_name(unit, "custom fields")
    identifier = wire_format.decode_id("CustomField", wire_id)
    found = await custom_fields.lock_by_ids(unit.transaction, identifier) if identifier else None
    if found is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no custom field “{wire_id}” here.", ("id",))
    return found


def _forget(unit: UnitOfWork) -> None:
    """Whatever the act does next reads the fields as they are now."""
    unit.cache.pop("custom_fields", None)
    unit.cache.pop("company_fields", None)


# ── what is given ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _key(given: str, known: Sequence[Any]) -> str:
    """Raises InputError INVALID and TAKEN. Two keys that differ in case alone would be mixed up."""
    path = ("input", "key")
    if not _KEY.fullmatch(given):
        message = f"“{given}” is no key; it begins with a letter and goes on with letters, digits, _ and -, 50 at most."
        raise InputError(ErrorCode.INVALID if given else ErrorCode.BLANK, message, path)
    holder = next((one for one in known if one.key.lower() == given.lower()), None)
    if holder is not None:
        message = f"The field “{holder.label}” has the key “{holder.key}” already; choose another key."
        raise InputError(ErrorCode.TAKEN, message, path)
    return given


def _read(checks: ErrorCollector, row: Row, given: InputData) -> None:
    if "label" in given:
        row.label = checks.check(text_values.read_required_text, given["label"], ("input", "label"), "a label")
    if "description" in given:
        path = ("input", "description")
        row.description = checks.check(
            text_values.read_text, given["description"], path, longest=text_values.MAX_LINE_LENGTH
        )
    if "options" in given:
        row.options = checks.check(_options, CustomFieldType(row.type), given["options"]) or []
    if "required" in given:
        row.required = bool(given["required"])
    if given.get("position") is not None:
        row.position = checks.check(check_integer, given["position"], ("input", "position"))


def _options(kind: CustomFieldType, given: Sequence[str] | None) -> list[str]:
    """Raises InputError where there are some that the type does not take, or none that it needs, and at each bad one."""
    path: Path = ("input", "options")
    wanted = check_list_length(given, path)
    if kind not in _CHOSEN:
        if wanted:
            raise InputError(ErrorCode.INVALID, f"A field of the type {kind.name} has no options.", path)
        return []
    if not wanted:
        raise InputError(ErrorCode.BLANK, "Give it the options that can be chosen.", path)
    kept: dict[str, str] = {}
    for place, one in enumerate(wanted):
        option = text_values.read_required_text(one, (*path, place), "a name", longest=text_values.MAX_WORD_LENGTH)
        if option.casefold() in kept:
            message = f"“{option}” is there already; every option has a name of its own."
            raise InputError(ErrorCode.INVALID, message, (*path, place))
        kept[option.casefold()] = normalize(option)
    return list(kept.values())


async def _unused_options(unit: UnitOfWork, row: Row, found: Any) -> None:
    """Raises InputError OPTION_IN_USE where one is gone that somebody has."""
    gone = [one for one in found.options if one not in row.options]
    used = await custom_fields.used_options(unit.transaction, EntityType(row.entity), row.id, gone) if gone else []
    if used:
        named = ", ".join(f"“{one}”" for one in used)
        message = f"{named} cannot go: there are records with it. Give them another option first."
        raise InputError(ErrorCode.OPTION_IN_USE, message, ("input", "options"))


async def _unused(unit: UnitOfWork, row: Any, path: Path, what: str) -> None:
    """Raises InputError IN_USE where something that is kept filters or sorts by the field."""
    if user := await stored_filters.user_of_field(unit, EntityType(row.entity), row.key):
        message = f"“{row.label}” cannot be {what}: {user} filters or sorts by it; change that first."
        raise InputError(ErrorCode.IN_USE, message, path)


# ── the records that have values ──────────────────────────────────────────────────────────────────────────────────────


_EMPTIED: Final = "Empty the field with customersUpdate first, which is done by a job."


def _searched(row: Any) -> bool:
    return custom_values.COLUMN_BY_TYPE[CustomFieldType(row.type)] == "text"


async def _search_anew(unit: UnitOfWork, row: Any) -> None:
    """Customers are found by the values of active fields. It is no change of theirs."""
    if row.entity != EntityType.CUSTOMER or not _searched(row):
        return
    holders = await custom_fields.ids_with_value(unit.transaction, EntityType.CUSTOMER, row.id)
    for chunk in persistence.rewrite_chunks(holders, ("input", "active"), _EMPTIED):
        await persistence.rewrite_search_documents(unit, await _loaded(unit, chunk, SEARCHED_PARTS))


async def _drop_of_customers(unit: UnitOfWork, row: Any) -> None:
    searched = row.active and _searched(row)
    holders = await custom_fields.ids_with_value(unit.transaction, EntityType.CUSTOMER, row.id)
    for chunk in persistence.rewrite_chunks(holders, ("id",), _EMPTIED):
        found = await _loaded(unit, chunk, SEARCHED_PARTS if searched else frozenset({"values"}))
        for state in found:
            change_fields.store_original_values(state)
            state.values.pop(row.id, None)
        await persistence.write_customers(unit, found)


async def _loaded(unit: UnitOfWork, ids: Sequence[bytes], parts: frozenset[str]) -> list[LoadedCustomer]:
    """Whoever may see them."""
    found = await customers.lock_by_ids(unit.transaction, ids, Visibility(sees_all=True))
    return list((await loaded_customer.from_rows(unit, found, parts)).values())


async def _drop_of_companies(unit: UnitOfWork, row: Any) -> None:
    ids = await custom_fields.ids_with_value(unit.transaction, EntityType.COMPANY, row.id)
    for chunk in persistence.rewrite_chunks(ids, ("id",), "Empty the field with companyUpdate first."):
        found = await companies.lock_by_ids(unit.transaction, chunk)
        held = await custom_fields.values(unit.transaction, chunk, EntityType.COMPANY)
        for key, company in found.items():
            was = custom_values.value_for_log(
                row, custom_values.value_from_rows(row, [one for one in held[key] if one.field_id == row.id])
            )
            different = [{"field": f"custom.{row.key}", "before": was, "after": None}]
            unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Company", key, company.version + 1, different))
        versions = {key: {"version": one.version + 1, "updated_at": unit.now} for key, one in found.items()}
        await batch_writes.update_rows(unit.transaction, tables.Company, versions.items())
    await batch_writes.delete_where_in(unit.transaction, tables.CompanyValue, "field_id", [row.id])
