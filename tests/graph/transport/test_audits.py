"""The server audits of npm's graphql-http against a real server, asked as someone signed in."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import transport_server

AUDITS = Path(__file__).parents[2] / "audits"


@pytest.fixture(scope="session")
def node() -> str:
    """Node's path, with the audits installed. Without node the test is skipped, or fails where it must not be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        message = "The GraphQL over HTTP audits need node and npm, which are not installed."
        if os.environ.get("CLIENTELA_TEST_REQUIRE_NODE") == "1":
            pytest.fail(message)
        pytest.skip(message)
    if not (AUDITS / "node_modules" / "graphql-http").is_dir():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=AUDITS, check=True, capture_output=True)
    return node


async def test_every_audit_passes_without_a_warning(node: str, served: str) -> None:
    results = await _audited(node, f"http://{served}/graphql")
    assert [each for each in results if each["status"] != "ok"] == []
    assert len(results) == 61


async def _audited(node: str, url: str) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        node,
        "run.mjs",
        cwd=AUDITS,
        env={**os.environ, "AUDIT_URL": url, "AUDIT_TOKEN": transport_server.VALID_TOKEN},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    results: list[dict[str, Any]] = json.loads(said)
    return results
