"""Custom fields: creating, updating and deleting them (EM8, SB5, SB15, SB24, SM18)."""

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

_KEY_PATTERN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}", re.ASCII)
_OPTION_TYPES: Final = (CustomFieldType.SELECT, CustomFieldType.MULTI_SELECT)


async def create(unit: UnitOfWork, data: InputData) -> Row:
    """Creates a custom field. Raises InputError and its subclasses."""
    await lock_by_name(unit, "custom fields")
    entity, kind = EntityType(data["entity"]), CustomFieldType(data["type"])
    existing = (await custom_fields.by_entities(unit.transaction, [entity]))[entity]
    check_list_has_room(len(existing), "custom fields")
    errors, position = ErrorCollector(), next_position(existing_field.position for existing_field in existing)
    row = new_row(tables.CustomField, workspace_id=unit.workspace_id, entity=int(entity), type=int(kind), options=[])
    row.key = errors.check(_check_key, data["key"], existing) or ""
    _read_input(errors, row, {"position": position, "options": None, **data})
    row.unique = bool(data.get("unique"))
    if row.unique and kind not in custom_values.UNIQUE_TYPES:
        message = f"Fields of the type {kind.name} cannot be unique."
        errors.add(ErrorCode.INVALID, message, ("input", "unique"))
    errors.raise_if_any()
    await record_writes.create_record(unit, "CustomField", row, log_snapshot)
    unit.forget_custom_fields()
    return row


async def update(unit: UnitOfWork, wire_id: str, data: InputData) -> Row:
    """Updates a custom field; its key and type cannot change. Raises InputError NOT_FOUND, OPTION_IN_USE, IN_USE and
    others."""
    stored_field = await _load_field(unit, wire_id)
    row, errors = copy_row(stored_field, tables.CustomField), ErrorCollector()
    _read_input(errors, row, data)
    if "active" in data:
        row.active = bool(errors.check(require_value, data["active"], ("input", "active")))
    errors.raise_if_any()
    await _check_removed_options(unit, row, stored_field)
    if stored_field.active and not row.active:
        await _check_unused(unit, row, ("input", "active"), "deactivated")
    if await record_writes.update_record(
        unit,
        "CustomField",
        row,
        vars(copy_row(stored_field, tables.CustomField)),
        log_snapshot(stored_field),
        log_snapshot,
    ):
        unit.forget_custom_fields()
    if row.active != stored_field.active:
        await _rewrite_search_documents(unit, row)
    return row


async def delete(unit: UnitOfWork, wire_id: str) -> Any:
    """Deletes a custom field and its values, which changes every record with a value. Raises InputError NOT_FOUND,
    IN_USE."""
    row = await _load_field(unit, wire_id)
    await _check_unused(unit, row, ("id",), "deleted")
    if row.entity == EntityType.CUSTOMER:
        await _delete_customer_values(unit, row)
        await saved_views.remove_field_from_views(unit, f"custom.{row.key}")
    else:
        await _delete_company_values(unit, row)
    await record_writes.delete_record(unit, "CustomField", row)
    unit.forget_custom_fields()
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


async def _load_field(unit: UnitOfWork, wire_id: str) -> Any:
    """Locks and loads the field, and locks the list of fields."""
    await lock_by_name(unit, "custom fields")
    identifier = wire_format.decode_id("CustomField", wire_id)
    field = await custom_fields.lock_by_ids(unit.transaction, identifier) if identifier else None
    if field is None:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no custom field “{wire_id}” in this workspace.", ("id",))
    return field


# ── the input ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_key(key: str, existing: Sequence[Any]) -> str:
    """Raises InputError INVALID, TAKEN. Keys that differ only in case are rejected as too easy to confuse."""
    path = ("input", "key")
    if not _KEY_PATTERN.fullmatch(key):
        message = (
            f"“{key}” is not a valid key; use a letter followed by letters, digits, _ or -, at most 50 characters."
        )
        raise InputError(ErrorCode.INVALID if key else ErrorCode.BLANK, message, path)
    holder = next((existing_field for existing_field in existing if existing_field.key.lower() == key.lower()), None)
    if holder is not None:
        message = f"The field “{holder.label}” already has the key “{holder.key}”; choose another key."
        raise InputError(ErrorCode.TAKEN, message, path)
    return key


def _read_input(errors: ErrorCollector, row: Row, data: InputData) -> None:
    if "label" in data:
        row.label = errors.check(text_values.read_required_text, data["label"], ("input", "label"), "a label")
    if "description" in data:
        path = ("input", "description")
        row.description = errors.check(
            text_values.read_text, data["description"], path, max_length=text_values.MAX_LINE_LENGTH
        )
    if "options" in data:
        row.options = errors.check(_check_options, CustomFieldType(row.type), data["options"]) or []
    if "required" in data:
        row.required = bool(data["required"])
    if data.get("position") is not None:
        row.position = errors.check(check_integer, data["position"], ("input", "position"))


def _check_options(kind: CustomFieldType, texts: Sequence[str] | None) -> list[str]:
    """The distinct options. Raises InputError if the type has no options, if it needs some, and at each invalid
    option."""
    path: Path = ("input", "options")
    options = check_list_length(texts, path)
    if kind not in _OPTION_TYPES:
        if options:
            raise InputError(ErrorCode.INVALID, f"A field of the type {kind.name} has no options; remove them.", path)
        return []
    if not options:
        raise InputError(ErrorCode.BLANK, "Enter the options of this field.", path)
    options_by_key: dict[str, str] = {}
    for index, text in enumerate(options):
        option = text_values.read_required_text(text, (*path, index), "a name", max_length=text_values.MAX_WORD_LENGTH)
        if option.casefold() in options_by_key:
            message = f"The option “{option}” is listed twice; remove one of them."
            raise InputError(ErrorCode.INVALID, message, (*path, index))
        options_by_key[option.casefold()] = normalize(option)
    return list(options_by_key.values())


async def _check_removed_options(unit: UnitOfWork, row: Row, stored_field: Any) -> None:
    """Raises InputError OPTION_IN_USE if a removed option is still in use."""
    removed = [option for option in stored_field.options if option not in row.options]
    still_used = (
        await custom_fields.used_options(unit.transaction, EntityType(row.entity), row.id, removed) if removed else []
    )
    if still_used:
        shown_options = ", ".join(f"“{option}”" for option in still_used)
        message = (
            f"{shown_options} cannot be removed, because records still have this value; give them another option first."
        )
        raise InputError(ErrorCode.OPTION_IN_USE, message, ("input", "options"))


async def _check_unused(unit: UnitOfWork, row: Any, path: Path, participle: str) -> None:
    """Raises InputError IN_USE if a stored filter or sort uses the field."""
    if user := await stored_filters.user_of_field(unit, EntityType(row.entity), row.key):
        message = f"“{row.label}” cannot be {participle}, because {user} filters or sorts by it; change that first."
        raise InputError(ErrorCode.IN_USE, message, path)


# ── records with values ───────────────────────────────────────────────────────────────────────────────────────────────


_EMPTY_FIELD_HINT: Final = "Empty the field with customersUpdate first; it runs as a background job."


def _is_searched(row: Any) -> bool:
    return custom_values.COLUMN_BY_TYPE[CustomFieldType(row.type)] == "text"


async def _rewrite_search_documents(unit: UnitOfWork, row: Any) -> None:
    """Rewrites the search documents, which contain the values of active fields. This is not a change of the
    customers."""
    if row.entity != EntityType.CUSTOMER or not _is_searched(row):
        return
    holders = await custom_fields.ids_with_value(unit.transaction, EntityType.CUSTOMER, row.id)
    for chunk in persistence.rewrite_chunks(holders, ("input", "active"), _EMPTY_FIELD_HINT):
        await persistence.rewrite_search_documents(unit, await _load_customers(unit, chunk, SEARCHED_PARTS))


async def _delete_customer_values(unit: UnitOfWork, row: Any) -> None:
    is_searched = row.active and _is_searched(row)
    holders = await custom_fields.ids_with_value(unit.transaction, EntityType.CUSTOMER, row.id)
    for chunk in persistence.rewrite_chunks(holders, ("id",), _EMPTY_FIELD_HINT):
        loaded = await _load_customers(unit, chunk, SEARCHED_PARTS if is_searched else frozenset({"values"}))
        for state in loaded:
            change_fields.store_original_values(state)
            state.values.pop(row.id, None)
        await persistence.write_customers(unit, loaded)


async def _load_customers(unit: UnitOfWork, ids: Sequence[bytes], parts: frozenset[str]) -> list[LoadedCustomer]:
    """Loads the customers independent of the viewer's visibility."""
    rows = await customers.lock_by_ids(unit.transaction, ids, Visibility(sees_all=True))
    return list((await loaded_customer.from_rows(unit, rows, parts)).values())


async def _delete_company_values(unit: UnitOfWork, row: Any) -> None:
    ids = await custom_fields.ids_with_value(unit.transaction, EntityType.COMPANY, row.id)
    for chunk in persistence.rewrite_chunks(ids, ("id",), "Empty the field with companyUpdate first."):
        companies_by_id = await companies.lock_by_ids(unit.transaction, chunk)
        values_by_company = await custom_fields.values(unit.transaction, chunk, EntityType.COMPANY)
        for key, company in companies_by_id.items():
            value_before = custom_values.value_for_log(
                row,
                custom_values.value_from_rows(
                    row, [record for record in values_by_company[key] if record.field_id == row.id]
                ),
            )
            changed = [{"field": f"custom.{row.key}", "before": value_before, "after": None}]
            unit.log.add(ChangeEntry(ChangeAction.UPDATED, "Company", key, company.version + 1, changed))
        versions = {
            key: {"version": record.version + 1, "updated_at": unit.now} for key, record in companies_by_id.items()
        }
        await batch_writes.update_rows(unit.transaction, tables.Company, versions.items())
    await batch_writes.delete_where_in(unit.transaction, tables.CompanyValue, "field_id", [row.id])
