"""GraphiQL's page: what is written into it, what it may load, and the operations it opens with."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import graphql
import httpx
import pytest
from starlette.applications import Starlette

from graph import graphiql
from graph.graphiql import starters
from tests.support.repository_files import ROOT

TOKEN = "ses_0123456789abcdef"
HOSTILE = "</script><script>alert(1)</script><!--&\"'\u2028"
NAMES = [re.findall(r"^\w+ (\w+)", starter.query, re.MULTILINE)[0] for starter in starters.SIGNED_OUT_TABS]


class Page(HTMLParser):
    """The elements of a page as (name, attributes), and what is written into it for its script."""

    def __init__(self, token: str | None = TOKEN, **addresses: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.configuration: dict[str, Any] = {}
        self.feed(graphiql.render_page(**{"endpoint": "/graphql"} | addresses, token=token, nonce="n0nce"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements[-1:] and self.elements[-1][1].get("type") == "application/json" and data.strip():
            self.configuration = json.loads(data)

    def loads(self) -> list[str]:
        given = [attributes.get(name) for _, attributes in self.elements for name in ("src", "href")]
        return [address for address in given if address and not address.startswith("data:")]


def test_a_hostile_token_and_address_stay_text():
    page = Page(token=HOSTILE, endpoint=HOSTILE, assets='/"><img src=x>')
    names = [name for name, _ in page.elements]
    assert names.count("script") == 2
    assert "img" not in names
    assert (page.configuration["token"], page.configuration["endpoint"]) == (HOSTILE, HOSTILE)


def test_no_script_stands_in_the_page_itself():
    scripts = [attributes for name, attributes in Page().elements if name == "script"]
    assert all(script.get("src") or script["type"] == "application/json" for script in scripts)
    assert not [name for _, attributes in Page().elements for name in attributes if name.startswith("on")]


def test_everything_the_page_loads_is_a_file_we_serve():
    assert Page().loads()
    for address in Page().loads():
        assert address.startswith(f"{graphiql.ASSETS_PATH}/")
        assert (graphiql.STATIC_DIRECTORY / address.removeprefix(f"{graphiql.ASSETS_PATH}/")).is_file(), address


def test_every_file_the_build_names_is_there():
    for entry in json.loads((graphiql.STATIC_DIRECTORY / "manifest.json").read_text("utf-8")).values():
        for name in (entry["file"], *entry.get("css", ()), *entry.get("assets", ())):
            assert (graphiql.STATIC_DIRECTORY / name).is_file(), name


def test_styles_load_nothing_from_elsewhere():
    for sheet in graphiql.STATIC_DIRECTORY.glob("*.css"):
        text = sheet.read_text("utf-8")
        assert "@import" not in text
        addresses = [address.strip("\"'") for address in re.findall(r"url\(([^)]*)\)", text)]
        assert [address for address in addresses if not address.startswith(("data:", "./", "#"))] == [], sheet.name


def test_the_licences_of_what_is_bundled_are_there():
    text = (graphiql.STATIC_DIRECTORY / "LICENSES.txt").read_text("utf-8")
    for package in ("graphiql", "graphql", "graphql-ws", "monaco-editor", "monaco-graphql", "react"):
        assert re.search(rf"^{package} \d+\.\d+\.\d+ \(MIT\)$", text, re.MULTILINE), package


def test_the_lock_file_names_no_registry():
    lock = json.loads((graphiql.STATIC_DIRECTORY.parent / "source" / "package-lock.json").read_text("utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_the_policy_allows_only_this_server():
    policy = dict(rule.split(" ", 1) for rule in graphiql.content_security_policy(nonce="n0nce").split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["worker-src"] == policy["connect-src"] == "'self'"
    assert policy["style-src-elem"] == "'self' 'nonce-n0nce'"
    assert not {"*", "http:", "https:", "blob:", "'unsafe-eval'"} & set(" ".join(policy.values()).split())


def test_each_answer_has_its_own_nonce_and_is_never_kept():
    one, other = (graphiql.graphiql_response(endpoint="/graphql", token=TOKEN) for _ in range(2))
    nonce = re.search(r"'nonce-([^']+)'", one.headers["content-security-policy"])
    assert nonce is not None
    assert f'nonce="{nonce[1]}"' in bytes(one.body).decode()
    assert one.headers["content-security-policy"] != other.headers["content-security-policy"]
    assert one.headers["cache-control"] == "no-store"


async def test_assets_are_kept_by_the_browser_for_good():
    transport = httpx.ASGITransport(Starlette(routes=[graphiql.static_files_route()]))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        script = await client.get(next(address for address in Page().loads() if address.endswith(".js")))
        licences = await client.get(f"{graphiql.ASSETS_PATH}/LICENSES.txt")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-security-policy"].startswith("default-src 'none'")
    assert licences.status_code == 200
    assert "cache-control" not in licences.headers


def test_without_a_token_the_first_tab_signs_in():
    assert "signIn(" in Page(token=None).configuration["tabs"][0]["query"]
    assert not [tab for tab in Page().configuration["tabs"] if "signIn(" in tab["query"]]


@pytest.mark.parametrize("starter", starters.SIGNED_OUT_TABS, ids=NAMES)
def test_a_starter_tab_is_an_operation_of_the_schema(starter: starters.StarterTab):
    schema = graphql.build_schema((ROOT / "schema.graphql").read_text("utf-8"))
    assert graphql.validate(schema, graphql.parse(starter.query)) == []


@pytest.mark.parametrize("starter", starters.SIGNED_IN_TABS, ids=NAMES[1:])
async def test_a_starter_tab_runs(ask, starter: starters.StarterTab):
    assert await ask(starter.query, **starter.variables)
