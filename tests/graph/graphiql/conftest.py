"""A small workspace served to Chromium, whose requests are observed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from anyio.from_thread import start_blocking_portal
from starlette.types import ASGIApp

from crm import settings
from crm.settings import Settings
from crm.workspace import workspaces
from db import engine, tables
from db.engine import Database, Transaction
from db.queries import workspaces as stored
from graph import app
from graph.types import ids
from tests.graph.transport.conftest import serving
from tests.support import browser, factories
from tests.support.browser import Browser
from tests.support.databases import Databases, finished

EMAIL = "linh@clientela.example"
PASSWORD = 'open " sesame'
CUSTOMERS = 12


@pytest.fixture(scope="module")
def chosen(databases: Databases) -> Iterator[Settings]:
    """The settings of the served workspace."""
    url = finished(databases.fresh("sqlite"))
    finished(_filled(url))
    yield settings.read_settings({"CLIENTELA_DATABASE_URL": url})
    finished(databases.drop(url))


async def _filled(url: str) -> None:
    database = await engine.connect(url)
    try:
        made = await workspaces.create_workspace(database, name="Clientela", email=EMAIL, password=PASSWORD)
        await _people(database, made.workspace)
    finally:
        await database.close()


async def _people(database: Database, workspace: str) -> None:
    identifier = ids.decode_id("Workspace", workspace)
    assert identifier is not None
    entry = await stored.by_public_id(database.session(None), identifier)
    assert entry is not None
    company, tag, owner = (
        factories.company("Samsung"),
        factories.tag("vip", color="#d60590"),
        factories.agent("Trần Bình"),
    )
    customers = [_customer(number, company, owner) for number in range(CUSTOMERS)]

    async def fill(transaction: Transaction) -> None:
        for row in [company, tag, owner, *customers, *(factories.worn(customer, tag) for customer in customers)]:
            row.workspace_id = entry.workspace_id
            await transaction.insert(row)

    await database.write(entry.workspace_id, fill)


def _customer(number: int, company: tables.Company, owner: tables.Agent) -> tables.Customer:
    return factories.customer(
        f"Nguyễn Thị Linh {number}",
        email=f"linh{number}@samsung.example",
        company_id=company.id,
        owner_id=owner.id,
    )


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        refuse = pytest.fail if os.environ.get("CLIENTELA_TEST_REQUIRE_BROWSER") == "1" else pytest.skip
        refuse("GraphiQL was not tried in a browser: there is no Chromium here")
    with browser.launch_browser(program, tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
def signed_in(chromium: Browser, chosen: Settings) -> Iterator[Browser]:
    """The page as the demo serves it."""
    with visiting(chromium, app.create_application(chosen, guest_email=EMAIL)):
        yield chromium


@pytest.fixture
def signed_out(chromium: Browser, chosen: Settings) -> Iterator[Browser]:
    with visiting(chromium, app.create_application(chosen)):
        yield chromium


@contextmanager
def visiting(browser: Browser, served: ASGIApp) -> Iterator[None]:
    """An open GraphiQL page. It may only send requests to its own server and must report no error.

    The server has its own thread, because this thread waits for the browser.
    """
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(served)) as address:
        browser.open(f"http://{address}/graphql")
        yield
        browser.evaluate("new Promise(done => setTimeout(done, 300))")  # An error in a worker may arrive late.
        ours = (f"http://{address}/", f"ws://{address}/", "data:")
        assert [url for url in browser.requests if not url.startswith(ours)] == []
        assert browser.faults == []
