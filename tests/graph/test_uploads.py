"""Files on their way in and out: POST /uploads and the links of GET /files."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from crm import settings
from crm.access import accounts, permissions
from crm.files import storage
from crm.workspace import workspaces
from db import tables
from db.engine import Database
from db.queries import files
from db.queries import workspaces as stored
from db.rows import new_row
from db.tables.enums import ActorKind, FileFormat, JobKind, Role
from db.values import ids, wire_format
from graph import app
from tests.graph.transport.conftest import serving
from tests.support import factories

PASSWORD = "correct horse battery"
MOST = 100_000
CSV = "name,email\nNguyễn,an@x.example\n".encode()


@dataclass
class Door:
    http: httpx.AsyncClient
    database: Database
    token: str
    directory: Path
    workspace_id: int
    viewer: permissions.Viewer

    async def send(self, content: bytes = CSV, token: str | None = None, **options: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {token or self.token}", **options.pop("headers", {})}  # type: ignore[dict-item] # as given
        return await self.http.post("/uploads", content=content, headers=headers, **options)  # type: ignore[arg-type] # as given


@pytest.fixture(scope="module")
async def door(database: Database, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    email = f"admin-{database.dialect.name}-files@clientela.example"
    made = await workspaces.create_workspace(database, name="Files", email=email, password=PASSWORD)
    public = wire_format.decode_id("Workspace", made.workspace)
    assert public is not None
    entry = await stored.by_public_id(database.session(None), public)
    assert entry is not None
    viewer = await accounts.viewer_of_token(database, made.token)
    assert viewer is not None
    directory = tmp_path_factory.mktemp("files")
    chosen = {
        "CLIENTELA_DATABASE_URL": database_url,
        "CLIENTELA_FILES_DIR": str(directory),
        "CLIENTELA_MAX_UPLOAD": str(MOST),
        "CLIENTELA_SECRET": "a secret that nobody guesses",
    }
    served = app.create_application(replace(settings.read_settings(chosen), runs_jobs=False))
    async with serving(served) as address, httpx.AsyncClient(base_url=f"http://{address}") as http:
        storage.attach_storage(database, storage.Storage(directory, b"a secret that nobody guesses"))
        yield Door(http, database, made.token, directory, entry.workspace_id, viewer)


def lying(door: Door) -> list[Path]:
    return [path for path in door.directory.rglob("*") if path.is_file()]


async def kept(door: Door, upload: str) -> tables.Upload:
    identifier = wire_format.decode_id("Upload", upload)
    assert identifier is not None
    row = await files.upload_by_id(door.database.session(door.workspace_id), identifier, door.viewer.actor_id)
    assert row is not None
    return row


async def test_a_raw_body_is_kept_as_it_is(door):
    answer = await door.send(headers={"content-disposition": 'attachment; filename="c:\\x\\people.csv"'})
    assert answer.status_code == 201
    row = await kept(door, answer.json()["upload"])
    assert (row.name, row.bytes) == ("people.csv", len(CSV))
    assert (door.directory / row.path).read_bytes() == CSV


async def test_a_form_with_one_file(door):
    parts = {"note": (None, "ignored"), "file": ("people.csv", CSV, "text/csv")}
    headers = {"authorization": f"Bearer {door.token}"}
    answer = await door.http.post("/uploads", files=parts, headers=headers)
    assert answer.status_code == 201
    row = await kept(door, answer.json()["upload"])
    assert row.name == "people.csv"
    assert (door.directory / row.path).read_bytes() == CSV


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"", "text/csv", id="nothing"),
        pytest.param(b"--x\r\n\r\n", "multipart/form-data; boundary=x", id="a form that breaks off"),
        pytest.param(b"nothing of a form", "multipart/form-data; boundary=x", id="no form"),
        pytest.param(b"--x--\r\n", "multipart/form-data; boundary=x", id="a form without a file"),
        pytest.param(b"abc", "multipart/form-data", id="a form without a boundary"),
        pytest.param(
            b"".join(b'--x\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\na\r\n' for _ in range(2))
            + b"--x--\r\n",
            "multipart/form-data; boundary=x",
            id="a form with two files",
        ),
    ],
)
async def test_what_is_no_file_is_refused_and_nothing_is_left(door, body, kind):
    before = lying(door)
    answer = await door.send(body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert lying(door) == before


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in pieces"])
async def test_what_is_too_large_is_refused_and_nothing_is_left(door, announced):
    before = lying(door)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 10_000

    answer = await door.send(b"x" * 300_000 if announced else pieces())
    assert answer.status_code == 413
    extensions = answer.json()["errors"][0]["extensions"]
    assert (extensions["reason"], extensions["limit"]) == ("LIMIT_EXCEEDED", MOST)
    assert lying(door) == before


async def test_an_upload_that_breaks_off_leaves_nothing(door):
    before = lying(door)
    host, port = door.http.base_url.host, door.http.base_url.port
    _, writer = await asyncio.open_connection(host, port)
    head = f"POST /uploads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {door.token}\r\ncontent-length: 50000\r\n\r\n"
    writer.write(head.encode() + b"x" * 20_000)
    await writer.drain()
    async with asyncio.timeout(10):
        while lying(door) == before:
            await asyncio.sleep(0.01)
    writer.close()
    async with asyncio.timeout(10):
        while lying(door) != before:
            await asyncio.sleep(0.01)


async def test_a_stranger_sends_nothing(door):
    answer = await door.http.post("/uploads", content=CSV)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_who_may_not_import_sends_nothing(door):
    agent = factories.agent(email=f"agent-{door.database.dialect.name}-files@clientela.example", role=Role.AGENT)
    agent.workspace_id = door.workspace_id
    await door.database.write(door.workspace_id, lambda transaction: transaction.insert(agent))
    viewer = permissions.Viewer(door.workspace_id, ActorKind.AGENT, agent.id, permissions.ROLE_PERMISSIONS[Role.AGENT])
    from crm.errors import Forbidden
    from crm.files import uploads

    with pytest.raises(Forbidden):
        uploads.check_may_upload(viewer)


# ── links ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def made(door: Door, name: str = "khách hàng.csv") -> tables.JobFile:
    """A file that a job made."""
    job = new_row(
        tables.Job,
        workspace_id=door.workspace_id,
        kind=int(JobKind.EXPORT),
        arguments={},
        counts={},
        actor_kind=int(door.viewer.actor_kind),
        actor_id=door.viewer.actor_id,
    )
    identifier = ids.new_id()
    relative, path = storage.storage_of(door.database).new_path("made", identifier)
    path.write_bytes(CSV)
    row = new_row(
        tables.JobFile,
        workspace_id=door.workspace_id,
        id=identifier,
        job_id=job.id,
        name=name,
        format=int(FileFormat.CSV),
        bytes=len(CSV),
        path=relative,
        expires_at=ids.current_time() + storage.LINK_LIFETIME_MS,
    )

    async def insert(transaction):
        await transaction.insert(job)
        await transaction.insert(row)

    await door.database.write(door.workspace_id, insert)
    return row


def link(door: Door, row: tables.JobFile, expires_at: int | None = None) -> str:
    kept = storage.storage_of(door.database)
    return kept.link(door.workspace_id, row.id, row.name, row.expires_at if expires_at is None else expires_at)


async def test_a_link_brings_the_file_without_a_token(door):
    row = await made(door)
    answer = await door.http.get(link(door, row))
    assert answer.status_code == 200
    assert answer.content == CSV
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment; filename*=utf-8''kh%C3%A1ch%20h%C3%A0ng.csv" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "private, no-store"


async def test_a_part_of_a_file_and_its_size_alone(door):
    row = await made(door, "a.csv")
    answer = await door.http.head(link(door, row))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(CSV))
    part = await door.http.get(link(door, row), headers={"range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, CSV[5:10])


@pytest.mark.parametrize("name", ['a"b;c.csv', "x\r\ny.csv", "日本.csv"])
async def test_a_name_is_nothing_but_a_name(door, name):
    answer = await door.http.get(link(door, await made(door, name)))
    assert (answer.status_code, answer.content) == (200, CSV)
    assert "\n" not in answer.headers["content-disposition"]


async def test_a_link_ends(door):
    row = await made(door)
    answer = await door.http.get(link(door, row, ids.current_time() - 1))
    assert answer.status_code == 410


async def test_a_link_that_was_touched_is_none(door):
    row = await made(door)
    good = link(door, row)
    token = good.split("/")[2]
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        answer = await door.http.get(good.replace(token, token[:place] + other + token[place + 1 :]))
        assert answer.status_code == 404
    assert (await door.http.get(f"/files/{token[:-4]}/x")).status_code == 404
    assert (await door.http.get("/files/é/x")).status_code == 404


async def test_a_link_of_another_secret_is_none(door):
    row = await made(door)
    foreign = storage.Storage(door.directory, b"another secret altogether")
    answer = await door.http.get(foreign.link(door.workspace_id, row.id, "x", row.expires_at))
    assert answer.status_code == 404


async def test_a_file_that_is_gone_is_said_to_be(door):
    row = await made(door)
    storage.storage_of(door.database).path(row.path).unlink()
    assert (await door.http.get(link(door, row))).status_code == 410


def test_a_path_leads_nowhere_else(tmp_path):
    with pytest.raises(ValueError, match="outside of the files directory"):
        storage.Storage(tmp_path, b"secret").path("../elsewhere")


def test_links_stand_under_the_public_address(tmp_path):
    kept = storage.Storage(tmp_path, b"secret", "https://crm.example/base")
    assert kept.link(1, ids.new_id(), "a b.csv", 5).startswith("https://crm.example/base/files/")
