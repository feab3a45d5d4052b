"""The rows of an export: a page of customers with what their columns need, in a few statements, column by column."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from db.engine import Session
from db.queries.customers import exporting
from db.queries.customers.exporting import ExportRead
from db.visibility import Visibility

SHARED_RECORDS: Final = {"agents": "owner_id", "companies": "company_id", "departments": "department_id"}
"""What customers share, and the column that names it."""

_COUNTED: Final = {"phones": ("phone", "phone_count"), "emails": ("email", "email_count")}
"""Columns that repeat what hangs on a customer: the first, and how many there are."""


@dataclass(slots=True)
class ExportPage:
    """Customers in the order of `ids`: each of their columns as a list; what hangs on them by their ids, or of values
    and ids in other systems by the field or system first; the names of what they share by its own id."""

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
    """Those of the customers who are in sight, in the order given; None where they were to be read `together` and
    are far from each other."""
    if not ids:
        return ExportPage()
    asked = ExportRead(ids, together)
    mirrors = {name for part in parts for name in _COUNTED.get(part, ())}
    rows = await exporting.export_customers(session, asked, visibility, columns | mirrors)
    if rows is None:
        return None
    page = _arranged(rows, ids)
    for part in parts if page.ids else ():
        if part in SHARED_RECORDS:
            rows = await exporting.shared_records(session, part, set(page.columns[SHARED_RECORDS[part]]) - {None})
            page.shared[part] = {row[0]: row[1] for row in rows}
        else:
            page.lists[part] = await _LISTS[part](session, part, page, asked)
    return page


def _arranged(rows: Sequence[Any], ids: Sequence[bytes]) -> ExportPage:
    names = type(rows[0]).__columns__ if rows else ("id",)
    place = names.index("id")
    by_id = {row[place]: row for row in rows}
    found = [by_id[identifier] for identifier in ids if identifier in by_id]
    if not found:
        return ExportPage()
    columns = dict(zip(names, zip(*found, strict=True), strict=True))
    return ExportPage(columns["id"], columns)


async def _counted(session: Session, part: str, page: ExportPage, _: ExportRead) -> dict[bytes, list[str]]:
    """Phones or addresses under the customer's id. They are asked for where there are more than the first."""
    first, count = (page.columns[name] for name in _COUNTED[part])
    found = {one: [value] for one, value, many in zip(page.ids, first, count, strict=True) if many == 1}
    several = [one for one, many in zip(page.ids, count, strict=True) if many > 1]
    for identifier, value in await exporting.related_rows(session, part, ExportRead(several)):
        found.setdefault(identifier, []).append(value)
    return found


async def _named(session: Session, part: str, _: ExportPage, asked: ExportRead) -> dict[bytes, list[str]]:
    """Tags or friends under the customer's id, in the order of their names."""
    held = await exporting.joined_rows(session, part, asked)
    wanted = {one for _, each in held for one in each}
    rows = await exporting.shared_records(session, "tags" if part == "tags" else "agents", wanted)
    rows.sort(key=lambda row: (row.name_key, row.id))
    ranks = {row[0]: rank for rank, row in enumerate(rows)}
    names = [row[1] for row in rows]
    found: dict[bytes, list[str]] = {}
    for key, each in held:
        order = [ranks[one] for one in each]
        order.sort()
        found[key] = [names[rank] for rank in order]
    return found


async def _apart(session: Session, part: str, _: ExportPage, asked: ExportRead) -> dict[Any, dict[bytes, list[Any]]]:
    """The rows under their second column, and there under the customer's id."""
    found: dict[Any, dict[bytes, list[Any]]] = {}
    for row in await exporting.related_rows(session, part, asked):
        found.setdefault(row[1], {}).setdefault(row[0], []).append(row)
    return found


_LISTS: Final[Mapping[str, Any]] = {
    "phones": _counted,
    "emails": _counted,
    "tags": _named,
    "friends": _named,
    "external_ids": _apart,
    "values": _apart,
}
