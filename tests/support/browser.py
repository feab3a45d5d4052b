"""Controls Chromium over the DevTools protocol and observes its pages and workers."""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

TIMEOUT_SECONDS: Final = 30.0
"""Timeout in seconds."""

RUN_BUTTON: Final = ".graphiql-execute-button"
RESPONSE_PANE: Final = ".graphiql-response .view-lines"
HEADERS_PANE: Final = ".graphiql-editor-tool .view-lines"
QUERY_EDITOR: Final = ".graphiql-query-editor .view-lines"

_FLAGS: Final = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--remote-debugging-port=0", "--window-size=1400,900"),
)


@dataclass
class Browser:
    """One page at a time, each with empty storage. `requests` and `faults` are those of the open page."""

    socket: ClientConnection
    session: str | None = None
    sent: int = 0
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, url: str, *, scheme: str = "light") -> None:
        """Observed from its first request."""
        self.session = None
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._watch(self.session)
        self.call("Audits.enable")
        self.set_color_scheme(scheme)
        self.requests.clear()
        self.faults.clear()
        self.call("Page.navigate", url=url)
        self.wait_until(f"!!document.querySelector({json.dumps(QUERY_EDITOR + ' .view-line')})")

    def set_color_scheme(self, scheme: str) -> None:
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = self._send(method, params, self.session)
        while (message := json.loads(self.socket.recv(TIMEOUT_SECONDS))).get("id") != number:
            self._note(message)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def evaluate(self, script: str) -> Any:
        return self.call("Runtime.evaluate", expression=script, awaitPromise=True)["result"].get("value")

    def wait_until(self, script: str) -> None:
        """Waits until the script returns true."""
        self._until(lambda: self.evaluate(script), script)

    def wait_for_request(self, address: str) -> None:
        """Waits for a request to an address that contains this part."""
        self._until(lambda: self.evaluate("true") and any(address in url for url in self.requests), address)

    def click(self, selector: str) -> None:
        self.wait_until(f"!!document.querySelector({json.dumps(selector)})")
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def set_editor_text(self, editor: str, text: str) -> None:
        models = f"__MONACO.editor.getModels().find(model => model.uri.path.endsWith({json.dumps(editor)}))"
        self.evaluate(f"{models}.setValue({json.dumps(text)})")

    def run_operation(self, operation: str) -> None:
        """Runs a named operation once GraphiQL has parsed it."""
        self.set_editor_text("operation.graphql", operation)
        self.wait_for_text(".graphiql-tabs", operation.split()[1])
        self.click(RUN_BUTTON)

    def wait_for_text(self, place: str, text: str) -> None:
        """Waits until the text is visible."""
        seen = f"[...document.querySelectorAll({json.dumps(place)})].map(found => found.innerText).join()"
        self.wait_until(f"{seen}.replaceAll('\\u00a0', ' ').includes({json.dumps(text)})")

    def _until(self, holds: Callable[[], Any], what: str) -> None:
        ends = time.monotonic() + TIMEOUT_SECONDS
        while not holds():
            assert time.monotonic() < ends, (what, self.faults, self.evaluate("document.body.innerText"))
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
                pass  # Advice, such as an <input> of GraphiQL without a name.
            case {"method": "Runtime.exceptionThrown" | "Audits.issueAdded", "params": found}:
                self.faults.append(json.dumps(found))
            case {"method": "Runtime.consoleAPICalled", "params": {"type": "error" | "warning" | "assert"} as found}:
                self.faults.append(json.dumps(found["args"]))
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error" | "warning"} as found}}:
                self.faults.append(json.dumps(found))


@contextlib.contextmanager
def launch_browser(program: str, profile: Path) -> Iterator[Browser]:
    """Chromium with an empty profile until the end of the block."""
    process = subprocess.Popen([program, *_FLAGS, f"--user-data-dir={profile}"], stderr=subprocess.DEVNULL)
    try:
        with connect(_devtools(profile), max_size=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


def _devtools(profile: Path) -> str:
    """The address that the browser writes to its profile when it is ready."""
    ends = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < ends:
        with contextlib.suppress(FileNotFoundError, ValueError):
            port, path = (profile / "DevToolsActivePort").read_text().splitlines()
            return f"ws://127.0.0.1:{port}{path}"
        time.sleep(0.05)
    raise TimeoutError("Chromium did not open its DevTools port")
