"""GraphiQL in a real browser, asking the real application: it works under its policy and speaks to its server only."""

import json

import pytest
from starlette.requests import HTTPConnection
from starlette.responses import Response

from graph import graphiql
from graph.server import create_app
from tests.graph.graphiql.conftest import CUSTOMERS, EMAIL, PASSWORD, visiting
from tests.support import transport_server
from tests.support.browser import HEADERS_PANE, QUERY_EDITOR, RESPONSE_PANE, RUN_BUTTON, Browser

pytestmark = pytest.mark.long


def test_the_first_tab_runs_and_its_workers_are_ours(signed_in: Browser):
    signed_in.wait_for_text(HEADERS_PANE, "Bearer ses_")
    signed_in.click(RUN_BUTTON)
    signed_in.wait_for_text(RESPONSE_PANE, f'"totalCount": {CUSTOMERS}')
    signed_in.wait_for_text(RESPONSE_PANE, f'"name": "Nguyễn Thị Linh {CUSTOMERS - 1}"')
    signed_in.wait_for_text(RESPONSE_PANE, '"name": "Trần Bình"')
    for worker in ("editor", "json", "graphql"):
        signed_in.wait_for_request(f"/{worker}.worker-")


def test_signing_in_opens_the_schema_and_keeps_no_password(signed_out: Browser):
    signed_out.wait_for_text(".graphiql-footer", "Not signed in.")
    given = f"email: {json.dumps(EMAIL)}, password: {json.dumps(PASSWORD)}"
    signed_out.run_operation(f"mutation Enter {{ signIn({given}) {{ token }} }}")
    signed_out.wait_for_text(".graphiql-footer", "Signed in")
    signed_out.click('[aria-label="Show Documentation Explorer"]')
    signed_out.wait_for_text(".graphiql-plugin", "CustomerConnection")
    signed_out.run_operation("query Count { customers(first: 1) { totalCount } }")
    signed_out.wait_for_text(RESPONSE_PANE, f'"totalCount": {CUSTOMERS}')
    signed_out.wait_until("JSON.stringify(localStorage).includes('signIn')")
    assert not signed_out.evaluate("/sesame|ses_/.test(JSON.stringify(localStorage))")


def test_its_tools_work_under_the_policy(signed_in: Browser):
    tools = {"Documentation Explorer": "Query", "History": "History", "GraphiQL Explorer": "totalCount"}
    for tool, shown in tools.items():
        signed_in.click(f'[aria-label="Show {tool}"]')
        signed_in.wait_for_text(".graphiql-plugin", shown)
    signed_in.set_editor_text("operation.graphql", "#kept\n{customers(first:1){totalCount}}")
    signed_in.set_editor_text("request-headers.json", '{"A":"b"}')
    signed_in.click('[aria-label^="Prettify"]')
    signed_in.wait_for_text(QUERY_EDITOR, "#kept\n{\n  customers(first: 1) {")
    signed_in.wait_for_text(HEADERS_PANE, '{\n  "A": "b"\n}')


def test_the_theme_follows_the_system_until_one_is_chosen(signed_in: Browser):
    signed_in.wait_until("!!document.querySelector('.monaco-editor.vs')")
    signed_in.set_color_scheme("dark")
    signed_in.wait_until("!!document.querySelector('.monaco-editor.vs-dark')")
    signed_in.click('[aria-label="Open settings dialog"]')
    signed_in.click('[data-theme="light"]')
    signed_in.wait_until("!!document.querySelector('body.graphiql-light .monaco-editor.vs')")
    assert signed_in.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_a_subscription_is_told_the_token(chromium: Browser):
    def explorer(_: HTTPConnection) -> Response:
        return graphiql.graphiql_response(endpoint="/graphql", token=transport_server.VALID_TOKEN)

    # The doors know this one token, and refuse a socket that comes without it.
    served = create_app(
        schema=transport_server.build_schema(),
        backend=transport_server.InMemoryBackend(),
        graphiql_page=explorer,
        routes=[graphiql.static_files_route()],
    )
    with visiting(chromium, served):
        chromium.run_operation("subscription Numbers { count(to: 3, pause: 0.05) }")
        chromium.wait_for_text(RESPONSE_PANE, '"count": 2')


def test_a_stranger_would_be_seen(signed_in: Browser):
    signed_in.evaluate("fetch('http://127.0.0.1:9/').catch(() => null)")
    assert any("Content Security Policy" in fault for fault in signed_in.faults)
    signed_in.faults.clear()
