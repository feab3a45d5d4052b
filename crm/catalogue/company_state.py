"""A company in memory: loaded with its external ids and custom values, and compared with its state before a change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.customers import change_fields
from crm.errors import InputError
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values
from crm.values.addresses import ADDRESS_PARTS
from crm.values.custom_values import CustomValue
from db import tables
from db.queries.catalogue import companies, custom_fields
from db.rows import Row, copy_row
from db.tables.enums import EntityType
from db.values import wire_format

_encode_agent_id = wire_format.id_encoder("Agent")


@dataclass(slots=True)
class CompanyState:
    """A company with the requested changes, and its values before them."""

    row: Row
    is_new: bool
    external_ids: list[tuple[str, str]] = field(default_factory=list)
    values: dict[bytes, CustomValue] = field(default_factory=dict)
    snapshot_before: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    external_ids_before: frozenset[tuple[str, str]] = frozenset()
    values_before: Mapping[bytes, CustomValue] = field(default_factory=dict)
    errors: list[InputError] = field(default_factory=list)


def log_snapshot(row: Any) -> Mapping[str, Any]:
    """The log snapshot of the company's own columns."""
    address = {f"address.{name}": getattr(row, column) for _, column, name in ADDRESS_PARTS}
    owner = row.owner_id and _encode_agent_id(row.owner_id)
    return {"name": row.name, "domain": row.domain, "phone": row.phone, **address, "owner": owner}


async def load_state(unit: UnitOfWork, company: Any) -> CompanyState:
    """The state of a locked company."""
    row = copy_row(company, tables.Company)
    ids = [row.id]
    external_rows = (await companies.external_ids(unit.transaction, ids)).get(row.id, [])
    state = CompanyState(row, is_new=False, external_ids=[(record.system, record.value) for record in external_rows])
    fields_by_id = {record.id: record for record in await unit.custom_fields(EntityType.COMPANY)}
    rows_by_field: dict[bytes, list[Any]] = {}
    for value in (await custom_fields.values(unit.transaction, ids, EntityType.COMPANY)).get(row.id, []):
        rows_by_field.setdefault(value.field_id, []).append(value)
    for field_id, rows in rows_by_field.items():
        value = custom_values.value_from_rows(fields_by_id[field_id], rows)
        if value is not None:
            state.values[field_id] = value
    state.columns, state.external_ids_before, state.values_before = (
        dict(vars(row)),
        frozenset(state.external_ids),
        dict(state.values),
    )
    state.snapshot_before = snapshot_with_values(state, list(fields_by_id.values()))
    return state


def snapshot_with_values(state: CompanyState, fields_: Sequence[Any]) -> Mapping[str, Any]:
    """The log snapshot including external ids and custom values."""
    custom_fields_ = {
        f"custom.{field_.key}": custom_values.value_for_log(field_, state.values.get(field_.id)) for field_ in fields_
    }
    external_fields = change_fields.external_id_fields(state.external_ids)
    return {**log_snapshot(state.row), **external_fields, **custom_fields_}
