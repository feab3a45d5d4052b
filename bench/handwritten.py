"""The yardstick: the same answers from Starlette, the driver and orjson, with no GraphQL and nothing in between.

python -m bench.handwritten URL PORT WORKSPACE_ID TOKEN
"""

import sqlite3
import sys
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.tables.enums import CustomerStage, RelationshipStatus, SubscriptionStatus
from graph.scalars import show_decimal, show_moment

STAGES = [stage.name for stage in CustomerStage]
RELATIONSHIPS = [status.name for status in RelationshipStatus]
SUBSCRIPTIONS = [status.name for status in SubscriptionStatus]

_NINE = "id, name, email, phone, value, stage, relationship_status, subscription_status, created_at"
_PAGE = """SELECT {columns} FROM customer
    WHERE workspace_id = {workspace} AND archived_at IS NULL ORDER BY id DESC LIMIT {size}"""
_ONE = (
    """SELECT id, name, email, phone, stage, created_at FROM customer WHERE workspace_id = {workspace} AND id = {id}"""
)
_COMPANIES = "SELECT id, name FROM company WHERE workspace_id = {workspace} AND id {among}"
_AGENTS = "SELECT id, name, email FROM agent WHERE workspace_id = {workspace} AND id {among}"
_TAGS = """SELECT customer_tag.customer_id, tag.id, tag.name, tag.color
    FROM customer_tag JOIN tag ON tag.id = customer_tag.tag_id
    WHERE tag.workspace_id = {workspace} AND customer_tag.workspace_id = {workspace}
        AND customer_tag.customer_id {among}
    ORDER BY {by_name}, tag.id"""

Fetch = Callable[..., Awaitable[Sequence[Any]]]
FORMS = {
    "postgresql": {"workspace": "$1", "size": "$2", "id": "$2", "among": "= ANY($2)", "by_name": "tag.name_key"},
    # The plus keeps SQLite from walking through the index of names.
    "sqlite": {"workspace": "?1", "size": "?2", "id": "?2", "by_name": "+tag.name_key"},
}


class Server:
    """`fetch(statement, workspace_id, value)` runs one statement of the names below."""

    def __init__(self, workspace_id: int, token: str) -> None:
        self.workspace_id = workspace_id
        self.authorization = f"Bearer {token}"

    async def variables(self, request: Request) -> dict[str, Any] | None:
        if request.headers.get("authorization") != self.authorization:
            return None
        variables: dict[str, Any] = orjson.loads(await request.body())["variables"]
        return variables


def company(row: Any) -> dict[str, Any]:
    return {"id": "com_" + row[0].hex(), "name": row[1]}


def agent(row: Any) -> dict[str, Any]:
    return {"id": "agt_" + row[0].hex(), "name": row[1], "email": row[2]}


def nine(row: Any) -> dict[str, Any]:
    return {
        "id": "cus_" + row[0].hex(),
        "name": row[1],
        "email": row[2],
        "phone": row[3],
        "value": show_decimal(row[4]),
        "stage": STAGES[row[5]],
        "relationshipStatus": RELATIONSHIPS[row[6]],
        "subscriptionStatus": SUBSCRIPTIONS[row[7]],
        "createdAt": show_moment(row[8]),
    }


def one(row: Any) -> dict[str, Any]:
    return {
        "id": "cus_" + row[0].hex(),
        "name": row[1],
        "email": row[2],
        "phone": row[3],
        "stage": STAGES[row[4]],
        "createdAt": show_moment(row[5]),
    }


def cursor(row: Any) -> str:
    return urlsafe_b64encode(row[0]).rstrip(b"=").decode()


def page(rows: Sequence[Any], size: int, companies: Any, agents: Any, tags: Any) -> dict[str, Any]:
    found_companies = {row[0]: company(row) for row in companies}
    found_agents = {row[0]: agent(row) for row in agents}
    found_tags: dict[bytes, list[dict[str, Any]]] = {}
    for row in tags:
        tag = {"id": "tag_" + row[1].hex(), "name": row[2], "color": row[3]}
        found_tags.setdefault(row[0], []).append(tag)
    shown = rows[:size]
    nodes = []
    for row in shown:
        node = nine(row)
        node["company"] = found_companies.get(row[9])
        node["owner"] = found_agents.get(row[10])
        node["tags"] = found_tags.get(row[0], [])
        nodes.append(node)
    info = {
        "hasNextPage": len(rows) > size,
        "hasPreviousPage": False,
        "startCursor": cursor(shown[0]) if shown else None,
        "endCursor": cursor(shown[-1]) if shown else None,
    }
    return {"customers": {"nodes": nodes, "pageInfo": info}}


def response(data: Any) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


def distinct(rows: Sequence[Any], place: int) -> list[bytes]:
    return list({row[place]: None for row in rows if row[place] is not None})


def on_postgresql(url: str, workspace_id: int, token: str) -> Starlette:
    forms = FORMS["postgresql"]
    nine_more = _PAGE.format(columns=f"{_NINE}, company_id, owner_id", **forms)
    wide, single = _PAGE.format(columns=_NINE, **forms), _ONE.format(**forms)
    companies, agents, tags = (each.format(**forms) for each in (_COMPANIES, _AGENTS, _TAGS))
    server = Server(workspace_id, token)

    async def p1(request: Request) -> Response:
        if (variables := await server.variables(request)) is None:
            return Response(status_code=401)
        size = variables["first"]
        async with request.app.state.pool.acquire() as connection:
            rows = await connection.fetch(nine_more, workspace_id, size + 1)
            shown = rows[:size]
            found = (
                await connection.fetch(companies, workspace_id, distinct(shown, 9)),
                await connection.fetch(agents, workspace_id, distinct(shown, 10)),
                await connection.fetch(tags, workspace_id, [row[0] for row in shown]),
            )
        return response(page(rows, size, *found))

    async def p2(request: Request) -> Response:
        if (variables := await server.variables(request)) is None:
            return Response(status_code=401)
        row = await request.app.state.pool.fetchrow(single, workspace_id, bytes.fromhex(variables["id"][4:]))
        return response({"customer": row and one(row)})

    async def p3(request: Request) -> Response:
        if (variables := await server.variables(request)) is None:
            return Response(status_code=401)
        rows = await request.app.state.pool.fetch(wide, workspace_id, variables["first"])
        return response({"customers": {"nodes": [nine(row) for row in rows]}})

    async def nothing(_: Any) -> None:
        """What a careful hand spares itself: the reset that the pool would send after every use."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> Any:
        app.state.pool = await asyncpg.create_pool(url, min_size=8, max_size=8, reset=nothing)
        yield
        await app.state.pool.close()

    return Starlette(routes=_routes(p1, p2, p3), lifespan=lifespan)


def on_sqlite(url: str, workspace_id: int, token: str) -> Starlette:
    """Straight on the loop's own thread: nothing is cheaper, though a slow statement would hold up everybody."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), cached_statements=500)
    connection.execute("PRAGMA mmap_size = 268435456")
    forms = FORMS["sqlite"]
    nine_more = _PAGE.format(columns=f"{_NINE}, company_id, owner_id", **forms)
    wide, single = _PAGE.format(columns=_NINE, **forms), _ONE.format(**forms)
    server = Server(workspace_id, token)

    def among(statement: str, keys: list[bytes]) -> list[Any]:
        marks = ", ".join(f"?{place}" for place in range(2, len(keys) + 2))
        text = statement.format(among=f"IN ({marks})", **forms)
        return connection.execute(text, (workspace_id, *keys)).fetchall()

    async def p1(request: Request) -> Response:
        if (variables := await server.variables(request)) is None:
            return Response(status_code=401)
        size = variables["first"]
        rows = connection.execute(nine_more, (workspace_id, size + 1)).fetchall()
        shown = rows[:size]
        found = (
            among(_COMPANIES, distinct(shown, 9)),
            among(_AGENTS, distinct(shown, 10)),
            among(_TAGS, [row[0] for row in shown]),
        )
        return response(page(rows, size, *found))

    async def p2(request: Request) -> Response:
        if (variables := await server.variables(request)) is None:
            return Response(status_code=401)
        row = connection.execute(single, (workspace_id, bytes.fromhex(variables["id"][4:]))).fetchone()
        return response({"customer": row and one(row)})

    async def p3(request: Request) -> Response:
        if (variables := await server.variables(request)) is None:
            return Response(status_code=401)
        rows = connection.execute(wide, (workspace_id, variables["first"])).fetchall()
        return response({"customers": {"nodes": [nine(row) for row in rows]}})

    return Starlette(routes=_routes(p1, p2, p3))


def _routes(*endpoints: Any) -> list[Route]:
    return [Route(f"/{endpoint.__name__}", endpoint, methods=["POST"]) for endpoint in endpoints]


def main(url: str, port: str, workspace_id: str, token: str) -> None:
    make = on_sqlite if url.startswith("sqlite:") else on_postgresql
    app = make(url, int(workspace_id), token)
    uvicorn.run(app, port=int(port), loop="uvloop", http="httptools", access_log=False, server_header=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
