"""The number of SQL statements of every list, asked for whole: the same for a page of one row and for a long one, for
one list and for many side by side. The lists are those of the schema, so that none can be forgotten."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from crm import settings
from db import tables
from db.tables.enums import CustomFieldType, JobKind, JobStatus, SegmentKind
from tests.support import factories, schemas

SCHEMA = schemas.ENGINE._schema

# What is asked of a connection of each type.
WHOLE = "edges { cursor node { NODE } } nodes { NODE } pageInfo { hasNextPage startCursor } totalCount(atMost: 100)"
OF_CUSTOMERS = (
    "edges { cursor highlight node { id name } } nodes { id name } pageInfo { endCursor } totalCount "
    'aggregate { count phoneCount value { avg } createdAt { min } customField(key: "points") { sum } } '
    "groups(by: [{field: OWNER}, {createdAt: MONTH}]) { keys { value label node { id } } aggregate { count "
    'customField(key: "points") { max } } }'
)
ASKED = {
    "CustomerConnection": OF_CUSTOMERS,
    "TimelineConnection": "edges { cursor node { __typename } } nodes { __typename }",
}
ASKED["ChangeConnection"] = "edges { cursor node { id nodeId } } nodes { id } pageInfo { endCursor }"
ASKED["JobRowConnection"] = WHOLE.replace("NODE", "row outcome")
FILTERED = '(FIRST, search: "x", filter: {name: {contains: "x"}}, sort: [{birthDate: DESC}, {name: ASC}])'

# The document around a list, its arguments, and how many statements all of it takes; those of the parents are in it.
LISTS: Mapping[str, tuple[str, str, int]] = {
    # A first key without values would be read in two parts: who has one, and if the page is not full, who has none.
    "Query.customers": ("{ LIST }", FILTERED.replace("[{birthDate: DESC}, {name: ASC}]", "[{name: DESC}]"), 8),
    "Query.companies": ("{ LIST }", '(FIRST, search: "x", sort: [{customerCount: DESC}])', 2),
    "Query.tags": ("{ LIST }", '(FIRST, search: "x", sort: [{customerCount: DESC}])', 2),
    "Query.segments": ("{ LIST }", '(FIRST, search: "x", sort: [{name: DESC}])', 2),
    "Query.agents": ("{ LIST }", '(FIRST, search: "x", sort: [{customerCount: DESC}])', 2),
    "Query.duplicates": ("{ LIST }", "(FIRST, on: [NAME])", 3),
    "Query.jobs": ("{ LIST }", "(FIRST)", 2),
    "Query.changes": ("{ LIST }", "(FIRST)", 1),
    "Tag.customers": ("{ tags(FIRST) { nodes { LIST } } }", FILTERED, 10),
    "Company.customers": ("{ companies(FIRST) { nodes { LIST } } }", FILTERED, 10),
    "Agent.customers": ("{ agents(FIRST) { nodes { LIST } } }", FILTERED, 10),
    "Segment.customers": ("{ segments(FIRST) { nodes { LIST } } }", FILTERED, 11),
    "SavedView.customers": ("{ savedViews { LIST } }", FILTERED, 9),
    "Customer.notes": ("{ customers(FIRST) { nodes { LIST } } }", "(FIRST)", 4),
    "Customer.interactions": ("{ customers(FIRST) { nodes { LIST } } }", "(FIRST, filter: {kind: {eq: CALL}})", 4),
    "Customer.orders": ("{ customers(FIRST) { nodes { LIST } } }", '(FIRST, filter: {source: {eq: "shop"}})', 4),
    "Customer.timeline": ("{ customers(FIRST) { nodes { LIST } } }", "(FIRST)", 5),
    # Of one job: those of several are read one after another.
    "Job.rows": ("{ jobs(first: 1) { nodes { LIST } } }", "(FIRST)", 4),
}


def connections() -> dict[str, str]:
    """Every field that answers with a connection, and the type of that."""
    return {
        f"{name}.{field}": kind
        for name, type_ in SCHEMA.type_map.items()
        if isinstance(type_, GraphQLObjectType)
        for field, definition in type_.fields.items()
        if (kind := get_named_type(definition.type).name).endswith("Connection")
    }


def test_every_list_of_the_schema_is_counted():
    assert set(LISTS) == set(connections())


@pytest.fixture(scope="module")
async def workspaces(database: Any) -> list[int]:
    """One with two lists of two rows each, one with three more of three, and one with eight more of eight."""
    made = []
    for sizes in ((2,), (2, 3), (2, 3, 8)):
        made.append(await factories.workspace(database))
        points, numbers = factories.custom_field("points", CustomFieldType.NUMBER), count()
        rows = [points, *(row for size in sizes for _ in range(size) for row in _together(size, next(numbers), points))]
        await factories.saved(database, made[-1], *rows)
    return made


def _together(number: int, place: int, points: Any) -> list[Any]:
    agent, company, tag = factories.agent(f"x{place}"), factories.company(f"x{place}"), factories.tag(f"x{place}")
    customers = [
        factories.customer(
            f"x{each}", owner_id=agent.id, company_id=company.id, birth_date="1990-01-01" if each % 2 else None
        )
        for each in range(number)
    ]
    segments = [
        factories.segment(f"x{place}", filter={"name": {"startsWith": f"x{place}"}}),
        factories.segment(f"xs{place}", kind=SegmentKind.STATIC),
    ]
    views = [factories.view(f"x{place}", shared=True, sort=[{"name": "ASC"}]), factories.view(f"y{place}", shared=True)]
    job = factories.job(kind=JobKind.UPDATE, status=JobStatus.DONE)
    found: list[Any] = [agent, company, tag, *segments, *views, job, *customers]
    for one in customers:
        found += [
            factories.worn(one, tag),
            factories.note(one),
            factories.interaction(one),
            factories.order(one),
            factories.value(one, points, number=1.0),
        ]
        found += [tables.CustomerSearch(workspace_id=0, customer_id=one.id, text=f"\tx {one.name_key}\v\f\r\x1c")]
        found += [tables.SegmentMember(workspace_id=0, segment_id=segments[1].id, customer_id=one.id)]
    found += [
        tables.JobRow(workspace_id=0, job_id=job.id, row=row, node_id=one.id, outcome=5)
        for row, one in enumerate(customers)
    ]
    return found


def document(name: str, first: int) -> str:
    around, arguments, _ = LISTS[name]
    kind = connections()[name]
    asked = ASKED.get(kind) or WHOLE.replace("NODE", "id")
    listed = f"{name.split('.')[1]}{arguments} {{ {asked} }}"
    return around.replace("LIST", listed).replace("FIRST", f"first: {first}")


@pytest.mark.skipif(settings.read_settings().engine == "reference", reason="graphql-core resolves objects one by one")
@pytest.mark.parametrize("name", sorted(LISTS))
async def test_a_list_takes_as_many_statements_as_one_row_of_it(ask, sent, viewer, workspaces, caplog, name):
    caplog.set_level(logging.DEBUG, "clientela.engine")
    counts = []
    for number, first in zip(workspaces, (1, 2, 50), strict=True):
        who = replace(viewer, workspace_id=number)
        await ask(document(name, first), viewer=who)
        sent.clear()
        await ask(document(name, first), viewer=who)
        counts.append(len(sent))
    assert not caplog.records, "the engine left it to graphql-core"
    assert counts == [LISTS[name][2]] * 3
