"""The rows of an export: a page of customers with what their columns need, in a few statements."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.exporting.columns import Chosen, Page, part, show
from crm.files.writing import Cell
from db.engine import Session
from db.queries import agents, companies, customers, departments, fields, tags
from db.reading import grouped
from db.sight import Sight
from db.tables.enums import EntityType


async def read(
    session: Session, ids: Sequence[bytes], sight: Sight, chosen: Sequence[Chosen]
) -> Mapping[bytes, list[Cell]]:
    """The cells of each customer in sight."""
    found = await customers.by_ids(session, ids, sight)
    page = await _page(session, found, {part(one.column) for one in chosen})
    shows = [show(one.column) for one in chosen]
    return {identifier: [shown(row, page) for shown in shows] for identifier, row in found.items()}


async def _page(session: Session, found: Mapping[bytes, Any], parts: set[str | None]) -> Page:
    ids = list({row.id for row in found.values()})
    values: Mapping[bytes, list[Any]] = {}
    if "values" in parts:
        values = await fields.values(session, ids, EntityType.CUSTOMER)

    async def held(name: str, batch: Any) -> Any:
        return await batch(session, ids) if name in parts and ids else {}

    async def shared(name: str, batch: Any, column: str) -> Any:
        wanted = list({key for row in found.values() if (key := getattr(row, column)) is not None})
        return await batch(session, wanted) if name in parts and wanted else {}

    return Page(
        phones=await held("phones", customers.phones),
        emails=await held("emails", customers.emails),
        tags=await held("tags", tags.by_customer),
        friends=await held("friends", agents.friends_by_customer),
        external_ids=await held("external_ids", customers.external_ids),
        values={key: grouped(rows, "field_id") for key, rows in values.items()},
        agents=await shared("agents", agents.by_ids, "owner_id"),
        companies=await shared("companies", companies.by_ids, "company_id"),
        departments=await shared("departments", departments.by_ids, "department_id"),
    )
