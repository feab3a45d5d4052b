"""The yardstick: the same answers from Starlette, the driver and orjson, with no GraphQL and nothing in between.

python -m bench.handwritten URL PORT

What a careful hand would write for these four questions and no others: statements prepared once, of the columns shown;
answers built in one pass; a token looked up in the database once a second, as the server does.
"""

import hmac
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.paging import cursors
from db.paging.sorting import NEWEST_FIRST
from db.tables.enums import CustomerStage, RelationshipStatus, SubscriptionStatus
from db.values.wire_format import format_decimal, format_moment

STAGES = [stage.name for stage in CustomerStage]
RELATIONSHIPS = [status.name for status in RelationshipStatus]
SUBSCRIPTIONS = [status.name for status in SubscriptionStatus]

_NINE = "id, name, email, phone, value, stage, relationship_status, subscription_status, created_at"
_PAGE = (
    f"SELECT {_NINE}, company_id, owner_id FROM customer WHERE workspace_id = $1 AND archived_at IS NULL"
    " AND relationship_status = $2 ORDER BY id DESC LIMIT $3"
)
_WIDE = f"SELECT {_NINE} FROM customer WHERE workspace_id = $1 AND archived_at IS NULL ORDER BY id DESC LIMIT $2"
_ONE = "SELECT id, name, email, phone, stage, created_at FROM customer WHERE workspace_id = $1 AND id = $2"
_COMPANIES = "SELECT id, name FROM company WHERE workspace_id = $1 AND id {among}"
_AGENTS = "SELECT id, name, email FROM agent WHERE workspace_id = $1 AND id {among}"
_TAGS = """SELECT customer_tag.customer_id, tag.id, tag.name, tag.color
    FROM customer_tag JOIN tag ON tag.id = customer_tag.tag_id
    WHERE tag.workspace_id = $1 AND customer_tag.workspace_id = $1 AND customer_tag.customer_id {among}
    ORDER BY {by_name}, tag.id"""
_FOUND = """FROM customer c JOIN customer_value v
        ON v.workspace_id = $1 AND v.field_id = $2 AND v.position = 0 AND v.customer_id = c.id AND v.number >= $3
    WHERE c.workspace_id = $1 AND c.archived_at IS NULL AND (c.value >= $4 OR EXISTS (
        SELECT 1 FROM customer_tag t WHERE t.workspace_id = $1 AND t.customer_id = c.id AND t.tag_id = $5))"""
_NUMBER = f"SELECT count(*) {_FOUND}"
_BY_VALUE = f"SELECT {_NINE} {_FOUND} ORDER BY c.value DESC, c.id DESC LIMIT $6"
_POINTS = "SELECT id FROM custom_field WHERE workspace_id = $1 AND key = 'points' AND entity = 0"
_SIGNED_IN = "SELECT workspace_id, secret_hash, expires_at FROM sign_in WHERE id = $1 AND ended_at IS NULL"


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
        "value": format_decimal(row[4]),
        "stage": STAGES[row[5]],
        "relationshipStatus": RELATIONSHIPS[row[6]],
        "subscriptionStatus": SUBSCRIPTIONS[row[7]],
        "createdAt": format_moment(row[8]),
    }


def one(row: Any) -> dict[str, Any]:
    return {
        "id": "cus_" + row[0].hex(),
        "name": row[1],
        "email": row[2],
        "phone": row[3],
        "stage": STAGES[row[4]],
        "createdAt": format_moment(row[5]),
    }


def cursor(row: Any) -> str:
    return cursors.encode_cursor(NEWEST_FIRST, SimpleNamespace(id=row[0]))


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


class Server:
    """Its endpoints. `connection` lends one that has `fetch(statement, *values)`; `among` writes "is one of these"."""

    def __init__(
        self, connection: Callable[[], AbstractAsyncContextManager[Any]], among: Callable[..., Sequence[Any]]
    ) -> None:
        self._connection = connection
        self._among = among
        self._seen: dict[str, tuple[int, float]] = {}
        self._points: dict[int, bytes] = {}

    async def p1(self, request: Request) -> Response:
        if (workspace := await self._workspace(request)) is None:
            return Response(status_code=401)
        variables = orjson.loads(await request.body())["variables"]
        size, status = variables["first"], RELATIONSHIPS.index(variables["status"])
        async with self._connection() as connection:
            rows = await connection.fetch(_PAGE, workspace, status, size + 1)
            shown = rows[:size]
            companies = await connection.fetch(*self._among(_COMPANIES, workspace, distinct(shown, 9)))
            agents = await connection.fetch(*self._among(_AGENTS, workspace, distinct(shown, 10)))
            tags = await connection.fetch(*self._among(_TAGS, workspace, [row[0] for row in shown]))
        return response(page(rows, size, companies, agents, tags))

    async def p2(self, request: Request) -> Response:
        if (workspace := await self._workspace(request)) is None:
            return Response(status_code=401)
        variables = orjson.loads(await request.body())["variables"]
        async with self._connection() as connection:
            rows = await connection.fetch(_ONE, workspace, bytes.fromhex(variables["id"][4:]))
        return response({"customer": one(rows[0]) if rows else None})

    async def p3(self, request: Request) -> Response:
        if (workspace := await self._workspace(request)) is None:
            return Response(status_code=401)
        variables = orjson.loads(await request.body())["variables"]
        async with self._connection() as connection:
            rows = await connection.fetch(_WIDE, workspace, variables["first"])
        return response({"customers": {"nodes": [nine(row) for row in rows]}})

    async def p4(self, request: Request) -> Response:
        if (workspace := await self._workspace(request)) is None:
            return Response(status_code=401)
        variables = orjson.loads(await request.body())["variables"]
        least, points = int(variables["value"]) * 10_000, float(variables["points"])
        tag = bytes.fromhex(variables["tags"][0][4:])
        async with self._connection() as connection:
            if workspace not in self._points:
                self._points[workspace] = (await connection.fetch(_POINTS, workspace))[0][0]
            values = (workspace, self._points[workspace], points, least, tag)
            number = (await connection.fetch(_NUMBER, *values))[0][0]
            rows = await connection.fetch(_BY_VALUE, *values, variables["first"])
        return response({"customers": {"totalCount": number, "nodes": [nine(row) for row in rows]}})

    async def _workspace(self, request: Request) -> int | None:
        """The account of the token; None for an anonymous caller."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        seen = self._seen.get(token)
        if seen is not None and time.time() < seen[1]:
            return seen[0]
        if not token.startswith("ses_"):
            return None
        async with self._connection() as connection:
            rows = await connection.fetch(_SIGNED_IN, bytes.fromhex(token[4:36]))
        for workspace, secret_hash, expires_at in rows:
            right = hmac.compare_digest(secret_hash, sha256(token[36:].encode()).digest())
            if right and time.time() * 1000 < expires_at:
                self._seen[token] = (workspace, time.time() + 1)
                return int(workspace)
        return None


def _any(statement: str, workspace: int, keys: Sequence[bytes]) -> Sequence[Any]:
    return statement.format(among="= ANY($2)", by_name="tag.name_key"), workspace, keys


def answering(connection: Callable[[], AbstractAsyncContextManager[Any]]) -> Starlette:
    """The application on existing PostgreSQL connections."""
    return Starlette(routes=_routes(Server(connection, _any)))


def on_postgresql(url: str) -> Starlette:
    async def nothing(_: Any) -> None:
        """Skips the reset that the pool would send after every use."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> Any:
        settings = {"jit": "off", "random_page_cost": "1.1", "work_mem": "32MB"}
        async with asyncpg.create_pool(url, min_size=8, max_size=8, reset=nothing, server_settings=settings) as pool:
            server = Server(pool.acquire, _any)
            app.router.routes.extend(_routes(server))
            yield

    return Starlette(lifespan=lifespan)


class _OnTheLoop:
    """sqlite3 on the event loop's thread: the cheapest way, although a slow statement would block all requests."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, cached_statements=500)
        self._connection.execute("PRAGMA mmap_size = 268435456")
        self._connection.execute("PRAGMA cache_size = -65536")

    async def fetch(self, statement: str, *values: Any) -> Sequence[Any]:
        return self._connection.execute(statement.replace("$", "?"), values).fetchall()


def on_sqlite(url: str) -> Starlette:
    connection = _OnTheLoop(url.removeprefix("sqlite:///"))

    def among(statement: str, workspace: int, keys: Sequence[bytes]) -> Sequence[Any]:
        marks = ", ".join(f"?{place}" for place in range(2, len(keys) + 2))
        # The plus keeps SQLite from scanning the index of names.
        return statement.format(among=f"IN ({marks})", by_name="+tag.name_key"), workspace, *keys

    return Starlette(routes=_routes(Server(lambda: nullcontext(connection), among)))


def _routes(server: Server) -> list[Route]:
    endpoints = (server.p1, server.p2, server.p3, server.p4)
    return [Route(f"/{endpoint.__name__}", endpoint, methods=["POST"]) for endpoint in endpoints]


def main(url: str, port: str) -> None:
    app = on_sqlite(url) if url.startswith("sqlite:") else on_postgresql(url)
    uvicorn.run(app, port=int(port), loop="uvloop", http="httptools", access_log=False, server_header=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
