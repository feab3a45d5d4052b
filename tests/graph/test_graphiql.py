"""GraphiQL: what its page may load, and a real browser that uses it and is watched for anything else."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import graphql
import httpx
import pytest
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from websockets.sync.client import ClientConnection, connect

from graph import graphiql
from graph.graphiql import starters

TOKEN = "ses_0123456789abcdef"
HOSTILE = "</script><script>alert(1)</script><!--&\"'\u2028"
SCHEMA = Path(__file__).parents[2] / "schema.graphql"
PATIENCE = 30.0  # seconds


class Page(HTMLParser):
    """The elements of a page as (name, attributes), and what is written into it for its script."""

    def __init__(self, token: str | None = TOKEN, **addresses: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.configuration: dict[str, Any] = {}
        self.feed(graphiql.page(**{"endpoint": "/graphql"} | addresses, token=token, nonce="n0nce"))

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
        assert address.startswith(f"{graphiql.ADDRESS}/")
        assert (graphiql.STATIC / address.removeprefix(f"{graphiql.ADDRESS}/")).is_file(), address


def test_every_file_the_build_names_is_there():
    for entry in json.loads((graphiql.STATIC / "manifest.json").read_text("utf-8")).values():
        for name in (entry["file"], *entry.get("css", ()), *entry.get("assets", ())):
            assert (graphiql.STATIC / name).is_file(), name


def test_styles_load_nothing_from_elsewhere():
    for sheet in graphiql.STATIC.glob("*.css"):
        text = sheet.read_text("utf-8")
        assert "@import" not in text
        addresses = [address.strip("\"'") for address in re.findall(r"url\(([^)]*)\)", text)]
        assert [address for address in addresses if not address.startswith(("data:", "./", "#"))] == [], sheet.name


def test_the_licences_of_what_is_bundled_are_there():
    text = (graphiql.STATIC / "LICENSES.txt").read_text("utf-8")
    for package in ("graphiql", "graphql", "graphql-ws", "monaco-editor", "monaco-graphql", "react"):
        assert re.search(rf"^{package} \d+\.\d+\.\d+ \(MIT\)$", text, re.MULTILINE), package


def test_the_lock_file_names_no_registry():
    lock = json.loads((graphiql.STATIC.parent / "source" / "package-lock.json").read_text("utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_the_policy_allows_only_this_server():
    policy = dict(rule.split(" ", 1) for rule in graphiql.content_security_policy(nonce="n0nce").split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["worker-src"] == policy["connect-src"] == "'self'"
    assert policy["style-src-elem"] == "'self' 'nonce-n0nce'"
    assert not {"*", "http:", "https:", "blob:", "'unsafe-eval'"} & set(" ".join(policy.values()).split())


def test_each_answer_has_its_own_nonce_and_is_never_kept():
    one, other = (graphiql.response(endpoint="/graphql", token=TOKEN) for _ in range(2))
    nonce = re.search(r"'nonce-([^']+)'", one.headers["content-security-policy"])
    assert nonce is not None
    assert f'nonce="{nonce[1]}"' in bytes(one.body).decode()
    assert one.headers["content-security-policy"] != other.headers["content-security-policy"]
    assert one.headers["cache-control"] == "no-store"


async def test_assets_are_kept_by_the_browser_for_good():
    transport = httpx.ASGITransport(Starlette(routes=[graphiql.static_files()]))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        script = await client.get(next(address for address in Page().loads() if address.endswith(".js")))
        licences = await client.get(f"{graphiql.ADDRESS}/LICENSES.txt")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-security-policy"].startswith("default-src 'none'")
    assert licences.status_code == 200
    assert "cache-control" not in licences.headers


def test_without_a_token_the_first_tab_signs_in():
    assert "signIn(" in Page(token=None).configuration["tabs"][0]["query"]
    assert not [tab for tab in Page().configuration["tabs"] if "signIn(" in tab["query"]]


@pytest.mark.parametrize("starter", starters.SIGNED_OUT, ids=lambda tab: re.findall(r"^\w+ (\w+)", tab.query, re.M)[0])
def test_a_starter_tab_is_an_operation_of_the_schema(starter: starters.Starter):
    if not SCHEMA.is_file():
        pytest.skip("schema.graphql has not been exported yet")
    schema = graphql.build_schema(SCHEMA.read_text("utf-8"))
    assert graphql.validate(schema, graphql.parse(starter.query)) == []


# A small server of the product's shape, so that the page is tried apart from it.


@strawberry.type
class Named:
    name: str
    color: str | None = None


@strawberry.type
class Customer:
    id: strawberry.ID
    name: str = "Nguyễn Thị Linh"
    email: str | None = None
    stage: str = "FOLLOW_UP"
    company: Named | None = None
    owner: Named | None = None
    tags: list[Named] = strawberry.field(default_factory=lambda: [Named(name="vip", color="#d60590")])


@strawberry.type
class PageInfo:
    has_next_page: bool = True
    end_cursor: str | None = None


@strawberry.type
class CustomerConnection:
    nodes: list[Customer]
    total_count: int = 2000
    page_info: PageInfo = strawberry.field(default_factory=PageInfo)


@strawberry.type
class Refusal:
    code: str
    message: str


@strawberry.type
class SignInPayload:
    token: str | None = TOKEN
    expires_at: str | None = None
    errors: list[Refusal] = strawberry.field(default_factory=list)


@strawberry.type
class Query:
    @strawberry.field
    def customers(self, info: strawberry.Info[Any, Any], first: int) -> CustomerConnection:
        if info.context["request"].headers.get("authorization") != f"Bearer {TOKEN}":
            raise PermissionError("Sign in first.")
        return CustomerConnection(nodes=[Customer(id=strawberry.ID(f"cus_{i}")) for i in range(first)])


@strawberry.type
class Mutation:
    @strawberry.mutation
    def sign_in(self, email: str, password: str) -> SignInPayload:
        return SignInPayload()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def numbers(self) -> AsyncIterator[int]:
        for i in range(41, 44):
            yield i
            await asyncio.sleep(0.05)


class Door(GraphQL[Any, None]):
    """The product's one address: a browser gets GraphiQL, all others GraphQL."""

    def __init__(self, token: str | None) -> None:
        super().__init__(strawberry.Schema(Query, Mutation, Subscription), graphql_ide=None)
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        browser = scope["type"] == "http" and "text/html" in Request(scope).headers.get("accept", "")
        answer: ASGIApp = graphiql.response(endpoint="/graphql", token=self.token) if browser else super().__call__
        await answer(scope, receive, send)

    async def on_ws_connect(self, context: Any) -> Any:
        if context["connection_params"] != {"authorization": f"Bearer {TOKEN}"}:
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)


def small_server(token: str | None) -> Starlette:
    door = Door(token)
    return Starlette(routes=[graphiql.static_files(), Route("/graphql", door), WebSocketRoute("/graphql", door)])


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The origin at which any app is served: this one or the product's own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="websockets-sansio"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--remote-debugging-port=0", "--window-size=1400,900"),
)


@dataclass
class Browser:
    """A Chromium over the DevTools protocol: what it is told, and all that its page and workers do."""

    socket: ClientConnection
    session: str | None = None
    sent: int = 0
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, url: str, *, scheme: str = "light") -> None:
        """A page with empty storage, watched from its first request on."""
        self.session = None
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._watch(self.session)
        self.call("Audits.enable")
        self.prefer(scheme)
        self.requests.clear()
        self.faults.clear()
        self.call("Page.navigate", url=url)
        self.wait("!!document.querySelector('.graphiql-query-editor .view-line')")

    def prefer(self, scheme: str) -> None:
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = self._send(method, params, self.session)
        while (message := json.loads(self.socket.recv(PATIENCE))).get("id") != number:
            self._note(message)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def value(self, script: str) -> Any:
        return self.call("Runtime.evaluate", expression=script, awaitPromise=True)["result"].get("value")

    def wait(self, script: str) -> None:
        """Until the script is true."""
        self._until(lambda: self.value(script), script)

    def asks_for(self, address: str) -> None:
        """Waits until a request has gone to an address with this part."""
        self._until(lambda: self.value("true") and any(address in url for url in self.requests), address)

    def click(self, selector: str) -> None:
        self.wait(f"!!document.querySelector({json.dumps(selector)})")
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def write(self, editor: str, text: str) -> None:
        models = f"__MONACO.editor.getModels().find(model => model.uri.path.endsWith({json.dumps(editor)}))"
        self.value(f"{models}.setValue({json.dumps(text)})")

    def run(self, operation: str) -> None:
        """Runs an operation with a name, once GraphiQL shows that it has understood it."""
        self.write("operation.graphql", operation)
        self.reads(".graphiql-tabs", operation.split()[1])
        self.click(RUN)

    def reads(self, place: str, text: str) -> None:
        """Waits until the text is there to be seen."""
        seen = f"[...document.querySelectorAll({json.dumps(place)})].map(found => found.innerText).join()"
        self.wait(f"{seen}.replaceAll('\\u00a0', ' ').includes({json.dumps(text)})")

    def _until(self, holds: Callable[[], Any], what: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < ends, (what, self.faults, self.value("document.body.innerText"))
            time.sleep(0.05)

    def _send(self, method: str, params: dict[str, Any], session: str | None) -> int:
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": params}
        self.socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return self.sent

    def _watch(self, session: str) -> None:
        for domain in ("Network", "Runtime", "Log"):
            self._send(f"{domain}.enable", {}, session)
        attach = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        self._send("Target.setAutoAttach", attach, session)
        self._send("Runtime.runIfWaitingForDebugger", {}, session)

    def _note(self, message: dict[str, Any]) -> None:
        match message:
            case {"method": "Target.attachedToTarget", "params": {"sessionId": worker}} if self.session:
                self._watch(worker)
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}}:
                self.requests.append(url)
            case {"method": "Network.webSocketCreated", "params": {"url": url}}:
                self.requests.append(url)
            case {"method": "Audits.issueAdded", "params": {"issue": {"code": "GenericIssue"}}}:
                pass  # Advice, such as an <input> of GraphiQL's that has no name.
            case {"method": "Runtime.exceptionThrown" | "Audits.issueAdded", "params": found}:
                self.faults.append(json.dumps(found))
            case {"method": "Runtime.consoleAPICalled", "params": {"type": "error" | "warning" | "assert"} as found}:
                self.faults.append(json.dumps(found["args"]))
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error" | "warning"} as found}}:
                self.faults.append(json.dumps(found))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        refuse = pytest.fail if os.environ.get("CLIENTELA_TEST_REQUIRE_BROWSER") == "1" else pytest.skip
        refuse("GraphiQL was NOT tried in a browser: there is no Chromium here")
    profile = tmp_path_factory.mktemp("chromium")
    process = subprocess.Popen([found, *FLAGS, f"--user-data-dir={profile}"], stderr=subprocess.DEVNULL)
    try:
        with connect(_devtools(profile), max_size=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _devtools(profile: Path) -> str:
    """The address that the browser writes into its profile once it is ready."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with contextlib.suppress(FileNotFoundError, ValueError):
            port, path = (profile / "DevToolsActivePort").read_text().splitlines()
            return f"ws://127.0.0.1:{port}{path}"
        time.sleep(0.05)
    raise TimeoutError("Chromium did not open its DevTools port")


@pytest.fixture
def signed_in(chromium: Browser) -> Iterator[Browser]:
    yield from _opened(chromium, TOKEN)


@pytest.fixture
def signed_out(chromium: Browser) -> Iterator[Browser]:
    yield from _opened(chromium, None)


def _opened(browser: Browser, token: str | None) -> Iterator[Browser]:
    """Whatever a test does in the page, it may speak to its own server only and find no fault."""
    with serving(small_server(token)) as origin:
        browser.open(f"{origin}/graphql")
        yield browser
        browser.value("new Promise(done => setTimeout(done, 300))")  # A fault of a worker may come late.
        ours = (f"{origin}/", origin.replace("http", "ws") + "/", "data:")
        assert [url for url in browser.requests if not url.startswith(ours)] == []
        assert browser.faults == []


RUN = ".graphiql-execute-button"
ANSWER = ".graphiql-response .view-lines"


@pytest.mark.long
def test_the_first_tab_runs_and_its_workers_are_ours(signed_in: Browser):
    signed_in.reads(".graphiql-editor-tool .view-lines", f"Bearer {TOKEN}")
    signed_in.click(RUN)
    signed_in.reads(ANSWER, '"totalCount": 2000')
    for worker in ("editor", "json", "graphql"):
        signed_in.asks_for(f"/{worker}.worker-")


@pytest.mark.long
def test_a_subscription_is_told_the_token(signed_in: Browser):
    signed_in.run("subscription Numbers { numbers }")
    signed_in.reads(ANSWER, '"numbers": 43')


@pytest.mark.long
def test_signing_in_opens_the_schema_and_keeps_no_password(signed_out: Browser):
    signed_out.reads(".graphiql-footer", "Not signed in.")
    signed_out.run('mutation Enter { signIn(email: "a@b.c", password: "open \\" sesame") { token } }')
    signed_out.reads(".graphiql-footer", "Signed in")
    signed_out.click('[aria-label="Show Documentation Explorer"]')
    signed_out.reads(".graphiql-plugin", "CustomerConnection")
    signed_out.run("query Count { customers(first: 1) { totalCount } }")
    signed_out.reads(ANSWER, '"totalCount": 2000')
    signed_out.wait("JSON.stringify(localStorage).includes('signIn')")
    assert not signed_out.value("/sesame|ses_/.test(JSON.stringify(localStorage))")


@pytest.mark.long
def test_its_tools_work_under_the_policy(signed_in: Browser):
    tools = {"Documentation Explorer": "Query", "History": "History", "GraphiQL Explorer": "totalCount"}
    for tool, shown in tools.items():
        signed_in.click(f'[aria-label="Show {tool}"]')
        signed_in.reads(".graphiql-plugin", shown)
    signed_in.write("operation.graphql", "#kept\n{customers(first:1){totalCount}}")
    signed_in.write("request-headers.json", '{"A":"b"}')
    signed_in.click('[aria-label^="Prettify"]')
    signed_in.reads(".graphiql-query-editor .view-lines", "#kept\n{\n  customers(first: 1) {")
    signed_in.reads(".graphiql-editor-tool .view-lines", '{\n  "A": "b"\n}')


@pytest.mark.long
def test_the_theme_follows_the_system_until_one_is_chosen(signed_in: Browser):
    signed_in.wait("!!document.querySelector('.monaco-editor.vs')")
    signed_in.prefer("dark")
    signed_in.wait("!!document.querySelector('.monaco-editor.vs-dark')")
    signed_in.click('[aria-label="Open settings dialog"]')
    signed_in.click('[data-theme="light"]')
    signed_in.wait("!!document.querySelector('body.graphiql-light .monaco-editor.vs')")


@pytest.mark.long
def test_a_stranger_would_be_seen(chromium: Browser):
    with serving(small_server(TOKEN)) as origin:
        chromium.open(f"{origin}/graphql")
        chromium.value("fetch('http://127.0.0.1:9/').catch(() => null)")
    assert any("Content Security Policy" in fault for fault in chromium.faults)
