"""The rows of an export: a page of customers with the data of their columns, loaded with a few statements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from db.engine import Session
from db.queries.customers import exporting
from db.queries.customers.exporting import ExportRead
from db.visibility import Visibility

SHARED_RECORDS: Final = {"agents": "owner_id", "companies": "company_id", "departments": "department_id"}
"""Records that customers share, and the customer column that refers to them."""

_COUNTED_LISTS: Final = {"phones": ("phone", "phone_count"), "emails": ("email", "email_count")}
"""For each list, the customer columns that hold its first entry and its length."""


@dataclass(slots=True)
class ExportPage:
    """A page of customers in the order of `ids`.

    `columns` has one list per customer column. `lists` has the related rows by customer id; custom values and external
    ids are grouped by field or system first. `shared` has the names of shared records by their id."""

    ids: Sequence[bytes] = ()
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    lists: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Mapping[bytes, str]] = field(default_factory=dict)


async def read_export_page(
    session: Session,
    ids: Sequence[bytes],
    visibility: Visibility,
    columns: frozenset[str],
    parts: Collection[str],
    *,
    together: bool = False,
) -> ExportPage | None:
    """Loads the visible customers in the given order. Returns None if `together` was requested and the customers are
    stored far apart."""
    if not ids:
        return ExportPage()
    export_read = ExportRead(ids, together)
    mirrored_columns = {name for part in parts for name in _COUNTED_LISTS.get(part, ())}
    rows = await exporting.export_customers(session, export_read, visibility, columns | mirrored_columns)
    if rows is None:
        return None
    page = _arrange_page(rows, ids)
    for part in parts if page.ids else ():
        if part in SHARED_RECORDS:
            rows = await exporting.shared_records(session, part, set(page.columns[SHARED_RECORDS[part]]) - {None})
            page.shared[part] = {row[0]: row[1] for row in rows}
        else:
            page.lists[part] = await _LIST_LOADERS[part](session, part, page, export_read)
    return page


def _arrange_page(rows: Sequence[Any], ids: Sequence[bytes]) -> ExportPage:
    names = type(rows[0]).__columns__ if rows else ("id",)
    id_index = names.index("id")
    by_id = {row[id_index]: row for row in rows}
    ordered_rows = [by_id[identifier] for identifier in ids if identifier in by_id]
    if not ordered_rows:
        return ExportPage()
    columns = dict(zip(names, zip(*ordered_rows, strict=True), strict=True))
    return ExportPage(columns["id"], columns)


async def _load_counted_list(session: Session, part: str, page: ExportPage, _: ExportRead) -> dict[bytes, list[str]]:
    """Phones or email addresses by customer id. A statement runs only for customers with more than one."""
    first, count = (page.columns[name] for name in _COUNTED_LISTS[part])
    values_by_customer = {
        customer_id: [value] for customer_id, value, length in zip(page.ids, first, count, strict=True) if length == 1
    }
    with_several = [customer_id for customer_id, length in zip(page.ids, count, strict=True) if length > 1]
    for identifier, value in await exporting.related_rows(session, part, ExportRead(with_several)):
        values_by_customer.setdefault(identifier, []).append(value)
    return values_by_customer


async def _load_names(session: Session, part: str, _: ExportPage, export_read: ExportRead) -> dict[bytes, list[str]]:
    """Tags or WeChat friends by customer id, sorted by name."""
    ids_by_customer = await exporting.joined_rows(session, part, export_read)
    record_ids = {record_id for _, record_ids_of_customer in ids_by_customer for record_id in record_ids_of_customer}
    rows = await exporting.shared_records(session, "tags" if part == "tags" else "agents", record_ids)
    rows.sort(key=lambda row: (row.name_key, row.id))
    ranks = {row[0]: rank for rank, row in enumerate(rows)}
    names = [row[1] for row in rows]
    names_by_customer: dict[bytes, list[str]] = {}
    for key, record_ids_of_customer in ids_by_customer:
        order = [ranks[record_id] for record_id in record_ids_of_customer]
        order.sort()
        names_by_customer[key] = [names[rank] for rank in order]
    return names_by_customer


async def _load_grouped_rows(
    session: Session, part: str, _: ExportPage, export_read: ExportRead
) -> dict[Any, dict[bytes, list[Any]]]:
    """The rows grouped by their second column, then by customer id."""
    groups: dict[Any, dict[bytes, list[Any]]] = {}
    for row in await exporting.related_rows(session, part, export_read):
        groups.setdefault(row[1], {}).setdefault(row[0], []).append(row)
    return groups


_LIST_LOADERS: Final[Mapping[str, Any]] = {
    "phones": _load_counted_list,
    "emails": _load_counted_list,
    "tags": _load_names,
    "friends": _load_names,
    "external_ids": _load_grouped_rows,
    "values": _load_grouped_rows,
}
