"""The application from its settings: whom GraphiQL comes signed in for."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from crm import settings
from crm.access import accounts
from crm.workspace import workspaces
from db.engine import Database
from graph import app

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

EMAIL = "guest@clientela.example"
HERE = [
    pytest.param("127.0.0.1:8000", id="an address of IPv4"),
    pytest.param("[::1]:8000", id="an address of IPv6"),
    pytest.param("localhost:8000", id="a name"),
]
WITHOUT_A_PORT = [
    pytest.param("127.0.0.1", id="an address of IPv4 on port 80"),
    pytest.param("[::1]", id="an address of IPv6 on port 80"),
    pytest.param("localhost", id="a name on port 80"),
]
ELSEWHERE = [
    pytest.param("evil.example", id="a foreign name on port 80"),
    pytest.param("evil.example:8000", id="a foreign name"),
    pytest.param("localhost.evil.example:8000", id="a name that begins with ours"),
    pytest.param("evil-localhost:8000", id="a name that ends with ours"),
    pytest.param("localhost:8000.evil.example:8000", id="a name that begins with ours and a port"),
    pytest.param("192.168.1.20:8000", id="another machine's address"),
    pytest.param("", id="none"),
]


@pytest.fixture(scope="module")
async def client(database: Database, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application that serves the guest, as the demo does."""
    await workspaces.create_workspace(database, name="Demo", email=EMAIL, password="correct horse battery")
    served = app.create_application(settings.read_settings({"CLIENTELA_DATABASE_URL": database_url}), guest_email=EMAIL)
    async with served.router.lifespan_context(served):
        transport = httpx.ASGITransport(served)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://here", headers=[("accept", "text/html")]
        ) as it:
            yield it


@pytest.mark.parametrize("host", HERE)
async def test_who_asks_this_machine_by_its_own_name_is_signed_in(client, database, host):
    [token] = await _tokens(client, host)
    assert await accounts.viewer_of_token(database, token)


@pytest.mark.parametrize("host", WITHOUT_A_PORT)
async def test_a_browser_leaves_out_the_usual_port(client, host):
    assert len(await _tokens(client, host)) == 1


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_a_foreign_name_that_points_here_gets_no_token(client, host):
    assert await _tokens(client, host) == []


async def _tokens(client: httpx.AsyncClient, host: str) -> list[str]:
    answer = await client.get("/graphql", headers={"host": host})
    assert answer.status_code == 200
    assert "GraphiQL" in answer.text
    return re.findall(r"ses_[\w-]+", answer.text)
