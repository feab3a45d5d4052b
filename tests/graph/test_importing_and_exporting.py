"""Files of customers: looked at, brought in, written out, and brought in again without a change."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import pytest

from crm.access.permissions import Viewer
from crm.files import storage, tables, uploads
from crm.jobs import submit
from db import tables as rows
from db.engine import Database
from db.tables.enums import CustomFieldType, FileFormat, Gender, TagKind
from db.values import ids
from tests.support import factories

JOB = """job { id kind status matched processed dryRun error counts { outcome count }
  rows { nodes { row outcome node { id } changed { field before after } errors { code message path row } } }
  files { name format bytes url expiresAt } } errors { code message path row }"""
IMPORT = (
    "mutation ($input: ImportInput!, $options: BulkOptions) { customersImport(input: $input, options: $options) "
    f"{{ {JOB} }} }}"
)
EXPORT = (
    "mutation ($target: CustomerTarget!, $format: FileFormat, $columns: [ColumnInput!], $options: ExportOptions) {"
    " customersExport(target: $target, format: $format, columns: $columns, options: $options) "
    f"{{ {JOB} }} }}"
)
PREVIEW = """query ($upload: ID!) { importPreview(upload: $upload) {
  rowCount sample columns { header samples suggested confidence } } }"""
EVERYONE: dict[str, Any] = {"match": {"everyone": True}}
FORMATS = [pytest.param(one, id=one.name) for one in FileFormat]

Send = Callable[[bytes], Awaitable[str]]


@pytest.fixture(autouse=True)
def kept(database: Database, tmp_path: Path) -> storage.Storage:
    made = storage.Storage(tmp_path, b"a secret that nobody guesses")
    storage.attach_storage(database, made)
    return made


@pytest.fixture
def send(database: Database, viewer: Viewer, kept: storage.Storage) -> Send:
    async def sent(content: bytes) -> str:
        identifier = ids.new_id()
        relative, path = kept.new_path("uploads", identifier)
        path.write_bytes(content)
        return await uploads.store_upload(database, viewer, identifier, name="x", size=len(content), path=relative)

    return sent


def fetched(kept: storage.Storage, job: Any, directory: Path | None = None) -> Path:
    """The file of a job, found by its link alone."""
    [file] = job["files"]
    _, _, token, name = file["url"].split("/")
    said = kept.parse_token(token)
    assert said is not None
    path = kept.path(f"made/{said[1].hex()}")
    assert unquote(name) == file["name"]
    assert path.stat().st_size == file["bytes"]
    return path


def counted(job: Any) -> dict[str, int]:
    return {one["outcome"]: one["count"] for one in job["counts"]}


def mapped(header: str, field: str) -> dict[str, Any]:
    return {"mapping": [{"header": header, "field": field}]}


async def test_a_preview_tells_what_the_columns_mean(ask, send):
    """SM17, SB10."""
    upload = await send("Họ tên;Email; SĐT ;Ghi chú\nĐặng An;an@x.example;0901;x\nBình;;\n".encode())
    found = (await ask(PREVIEW, upload=upload))["importPreview"]
    assert found["rowCount"] == 2
    assert [(one["header"], one["suggested"]) for one in found["columns"]] == [
        ("Họ tên", "name"), ("Email", "email"), ("SĐT", "phone"), ("Ghi chú", None),
    ]  # fmt: skip
    assert found["columns"][0]["samples"] == ["Đặng An", "Bình"]
    assert found["sample"][0] == {"Họ tên": "Đặng An", "Email": "an@x.example", "SĐT": "0901", "Ghi chú": "x"}
    assert found["sample"][1] == {"Họ tên": "Bình", "Email": "", "SĐT": "", "Ghi chú": ""}


async def test_nobody_looks_at_anothers_upload(refused, send, viewer, database, workspace_id):
    upload = await send(b"name\nAn\n")
    other = Viewer(workspace_id, viewer.actor_kind, ids.new_id(), viewer.permissions)
    assert (await refused(PREVIEW, viewer=other, upload=upload))["reason"] == "NOT_FOUND"
    assert (await refused(PREVIEW, upload="upl_" + "0" * 32))["reason"] == "NOT_FOUND"
    unreadable = await send(b"PK\x03\x04")
    assert (await refused(PREVIEW, upload=unreadable))["reason"] == "INVALID"


async def test_an_import_without_more_said_takes_what_the_preview_suggests(ask, send):
    """SM17, SB10."""
    upload = await send(b"Full name,E-mail,Phone\nAn,an@x.example,+84901234567\nB,b@x.example,\n")
    job = (await ask(IMPORT, input={"upload": upload}))["customersImport"]["job"]
    assert (job["kind"], job["status"], job["matched"], counted(job)) == ("IMPORT", "DONE", 2, {"CREATED": 2})
    assert job["rows"]["nodes"][0]["changed"][0] == {"field": "name", "before": None, "after": "An"}
    assert job["files"] == []


@pytest.mark.parametrize("format", FORMATS)
async def test_failed_rows_come_back_and_can_be_mended(ask, send, kept, format, tmp_path):
    """SM17, SB10."""
    from crm.files.writers import RowWriter

    path = tmp_path / "sent"
    writer = RowWriter(path, format, ["name", "birthDate", "tags"])
    writer.write([["An", "1990-05-17", ["a;b", "c"]], ["Bình", "soon", "x"], ["", "", "=y"], ["Chi", "", ""]])
    writer.close()
    upload = await send(path.read_bytes())
    job = (await ask(IMPORT, input={"upload": upload}))["customersImport"]["job"]
    assert (job["status"], counted(job)) == ("DONE_WITH_ERRORS", {"CREATED": 2, "FAILED": 2})
    codes = [[(one["code"], one["row"]) for one in row["errors"]] for row in job["rows"]["nodes"]]
    assert codes == [[], [("INVALID", 1)], [("BLANK", 2)], []]
    assert job["files"][0]["format"] == format.name
    table = tables.open_table(fetched(kept, job))
    assert table.headers == ["name", "birthDate", "tags", "_error"]
    failed = list(table.rows())
    assert [row[:3] for row in failed] == [["Bình", "soon", "x"], ["", "", "=y"]]
    assert "soon" in failed[0][3]
    mended = fetched(kept, job).read_bytes()
    if format is not FileFormat.XLSX:
        mended = mended.replace(b"soon", b"1991-01-01")
        again = (await ask(IMPORT, input={"upload": await send(mended)}))["customersImport"]["job"]
        assert counted(again) == {"CREATED": 1, "FAILED": 1}


async def test_a_dry_run_tells_the_same_and_writes_nothing(ask, send, everything_of):
    upload = await send(b"name,tags\nAn,new tag\n,x\n")
    tried = (await ask(IMPORT, input={"upload": upload}, options={"dryRun": True}))["customersImport"]["job"]
    assert await everything_of(rows.Customer) == []
    assert await everything_of(rows.Tag) == []
    assert [one["name"] for one in tried["files"]] == ["failed rows.csv"]
    done = (await ask(IMPORT, input={"upload": upload}))["customersImport"]["job"]
    assert counted(tried) == counted(done) == {"CREATED": 1, "FAILED": 1}
    first = tried["rows"]["nodes"][0]["changed"], done["rows"]["nodes"][0]["changed"]
    assert [[one["field"] for one in each] for each in first] == [[one["field"] for one in first[1]]] * 2


async def test_who_holds_an_id_is_named_also_where_he_is_of_the_same_file(ask, send):
    """External ids are unique: DuplicateError with the customer who has it."""
    document = IMPORT.replace(
        "errors { code message path row } } }", "errors { code ... on DuplicateError { existing { id } } } } }", 1
    )
    upload = await send(b"name,externalId.erp\nAn,7\nB,7\n")
    job = (await ask(document, input={"upload": upload, "matchOn": "NONE"}))["customersImport"]["job"]
    first, second = job["rows"]["nodes"]
    assert second["errors"] == [{"code": "TAKEN", "existing": {"id": first["node"]["id"]}}]


RETRY = f"mutation ($id: ID!) {{ jobRetry(id: $id) {{ {JOB} }} }}"


async def test_the_failed_rows_are_tried_again_from_the_file(ask, send, save, kept, everything_of):
    """jobRetry: only the failed rows of an import, under their numbers, once what was missing is there."""
    upload = await send(b"name,company\nAn,Acme\nB,\n,\nC,Nobody\nD,ACME\n")
    job = (await ask(IMPORT, input={"upload": upload}))["customersImport"]["job"]
    assert counted(job) == {"CREATED": 1, "FAILED": 3}
    await save(factories.company("Acme"))
    again = (await ask(RETRY, id=job["id"]))["jobRetry"]["job"]
    assert (again["kind"], again["status"], again["matched"]) == ("RETRY", "DONE_WITH_ERRORS", 3)
    assert [(one["row"], one["outcome"]) for one in again["rows"]["nodes"]] == [
        (0, "CREATED"),
        (2, "FAILED"),
        (3, "CREATED"),
    ]
    assert [row[:2] for row in tables.open_table(fetched(kept, again)).rows()] == [["C", "Nobody"]]
    assert len(await everything_of(rows.Customer)) == 3
    third = (await ask(RETRY, id=again["id"]))["jobRetry"]["job"]
    assert counted(third) == {"FAILED": 1}


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        pytest.param(mapped("name", "nope"), "FIELD_UNKNOWN", "input.mapping.0.field", id="no field"),
        pytest.param(mapped("x", "name"), "INVALID", "input.mapping.0.header", id="no column"),
        pytest.param(mapped("name", "createdAt"), "FIELD_PROTECTED", "input.mapping.0.field", id="a kept field"),
        pytest.param({"matchOn": "EXTERNAL_ID"}, "INVALID", "input.matchOn", id="no column to match by"),
        pytest.param({"stage": "POOL"}, "INVALID", "input.stage", id="a stage that nobody starts in"),
        pytest.param({"upload": "upl_" + "0" * 32}, "NOT_FOUND", "input.upload", id="no upload"),
        pytest.param({"format": "XLSX"}, "INVALID", "input.upload", id="not of that format"),
    ],
)  # fmt: skip
async def test_an_import_that_cannot_be_is_refused_whole(ask, send, more, code, path):
    upload = await send(b"name\nAn\n")
    answer = (await ask(IMPORT, input={"upload": upload, **more}))["customersImport"]
    assert answer["job"] is None
    assert [(one["code"], ".".join(one["path"])) for one in answer["errors"]] == [(code, path)]


async def test_all_or_none_of_a_file_has_the_limit_of_other_jobs(ask, send, database, monkeypatch):
    """EM5: it is one transaction, for which others wait."""
    monkeypatch.setattr(submit, "MAX_ROWS_ALL_OR_NOTHING", {database.dialect.name: 1})
    given, abort = {"upload": await send(b"name\nAn\nB\n")}, {"onError": "ABORT"}
    answer = (await ask(IMPORT, input=given, options=abort))["customersImport"]
    assert [(one["code"], one["path"]) for one in answer["errors"]] == [("LIMIT_EXCEEDED", ["options", "onError"])]
    job = (await ask(IMPORT, input=given, options={**abort, "dryRun": True}))["customersImport"]["job"]
    assert counted(job) == {"CREATED": 2}


# ── out and in again ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def world(save: Any, workspace_id: int) -> Callable[..., Awaitable[None]]:
    """Customers with everything that is hard to write down."""

    async def saved(count: int = 3) -> None:
        owner, department, company = (
            factories.agent(),
            factories.department("Bán hàng"),
            factories.company("Công ty; “A”, s.p.a."),
        )
        namesake = factories.company("cong ty; “a”, S.P.A.")
        fields = [
            factories.custom_field("size", CustomFieldType.NUMBER),
            factories.custom_field("vip", CustomFieldType.BOOLEAN),
            factories.custom_field("seen", CustomFieldType.DATE_TIME),
            factories.custom_field("likes", CustomFieldType.MULTI_SELECT, options=["a;b", '"c"', "=d"]),
            factories.custom_field("remark", CustomFieldType.LONG_TEXT),
        ]
        tags = [
            factories.tag("=gold"),
            factories.tag("a; b"),
            factories.tag('"quoted"'),
            factories.tag("chat", kind=TagKind.WECOM),
        ]
        await save(owner, department, company, namesake, *fields, *tags)
        names = ["=HYPERLINK(1)", "'=quoted", "'plain", "Nguyễn Văn Đức", "@at", "-5", "Città d'Accòrso", "＝wide"]
        for number in range(count):
            customer = factories.customer(
                names[number % len(names)] + (f" {number}" if number >= len(names) else ""),
                nickname="two\nlines", real_name="tab\tinside", gender=Gender.FEMALE, birth_date="1990-05-17",
                value=-12_345, source="+source", city="Huế", address_line1="1, Lê Lợi; “x”", postal_code="007",
                **({"email": "Anh@x.example"} if number % 2 else {}), phone="+84901234567", phone_count=2,
                email_count=number % 2, company_id=company.id, department_id=department.id,
                owner_id=owner.id if number % 2 else None, tag_count=4, first_tag_key="=gold",
            )  # fmt: skip
            await save(
                customer, factories.phone(customer, "+84901234567"), factories.phone(customer, "+84901234568", 1),
                *([factories.email(customer, "Anh@x.example")] if number % 2 else []),
                factories.external_id(customer, "erp", f"={number}"),
                factories.external_id(customer, "a; b", f"'{number}; x"),
                *(factories.worn(customer, tag) for tag in tags),
                factories.value(customer, fields[0], number=0.1 + number),
                factories.value(customer, fields[1], boolean=False),
                factories.value(customer, fields[2], date_time=1_700_000_000_123),
                *(
                    factories.value(customer, fields[3], option=option, position=place)
                    for place, option in enumerate(["a;b", '"c"', "=d"])
                ),
                factories.value(customer, fields[4], text="'=x\r\ny"),
            )  # fmt: skip

    return saved


@pytest.fixture
def everything_of(session: Any) -> Callable[[Any], Awaitable[list[Any]]]:
    from sqlmodel import select

    from db.statements import in_workspace, prepare

    async def found(table: Any) -> list[Any]:
        return list(await session.fetch_all(prepare(select(table).where(in_workspace(table)))))

    return found


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("bom", [False, True], ids=["without a mark", "with a mark"])
async def test_an_export_imported_again_changes_nothing(ask, send, world, kept, everything_of, format, bom):
    """EM21, EM22, SB11."""
    await world(9)
    before = [tuple(row) for row in await everything_of(rows.Customer)]
    answer = (await ask(EXPORT, target=EVERYONE, format=format.name, options={"bom": bom}))["customersExport"]
    assert answer["errors"] == []
    job = answer["job"]
    assert (job["kind"], job["status"], job["matched"]) == ("EXPORT", "DONE", 9)
    content = fetched(kept, job).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") == (bom and format is FileFormat.CSV)
    given = {"upload": await send(content), "onDuplicate": "UPDATE"}
    again = (await ask(IMPORT, input=given))["customersImport"]["job"]
    wrong = [row for row in again["rows"]["nodes"] if row["outcome"] != "UNCHANGED"]
    assert wrong == []
    assert counted(again) == {"UNCHANGED": 9}
    assert [tuple(row) for row in await everything_of(rows.Customer)] == before


async def test_the_columns_wanted_under_the_headers_wanted(ask, world, kept):
    """EM21, EM22, SB11."""
    await world(1)
    columns = [
        {"field": "phone", "header": "Số"},
        {"field": "name"},
        {"field": "externalId.nowhere"},
        {"field": "tags"},
    ]
    job = (await ask(EXPORT, target=EVERYONE, columns=columns))["customersExport"]["job"]
    header, row, end = fetched(kept, job).read_bytes().decode().split("\r\n")
    assert header == "Số,name,externalId.nowhere,tags"
    assert row.startswith("'+84901234567,'=HYPERLINK(1),,")
    assert end == ""


async def test_json_holds_lists_and_values(ask, world, kept):
    await world(1)
    job = (await ask(EXPORT, target=EVERYONE, format="JSONL"))["customersExport"]["job"]
    found = orjson.loads(fetched(kept, job).read_bytes())
    assert found["phones"] == ["+84901234567", "+84901234568"]
    assert (found["custom.size"], found["custom.vip"], found["email"]) == (0.1, False, None)
    assert found["custom.likes"] == ["a;b", '"c"', "=d"]


async def test_an_unknown_column_is_refused(ask):
    columns = [{"field": "name"}, {"field": "custom.nope"}]
    answer = (await ask(EXPORT, target=EVERYONE, columns=columns))["customersExport"]
    assert answer["job"] is None
    [error] = answer["errors"]
    assert (error["code"], error["path"]) == ("FIELD_UNKNOWN", ["columns", "1", "field"])


async def test_an_export_of_nobody_has_its_header(ask, kept):
    columns = [{"field": "name"}]
    for format in FileFormat:
        job = (await ask(EXPORT, target=EVERYONE, columns=columns, format=format.name))["customersExport"]["job"]
        assert (job["status"], job["matched"]) == ("DONE", 0)
        if format is not FileFormat.JSONL:
            assert tables.open_table(fetched(kept, job)).headers == ["name"]


async def test_what_is_out_of_sight_is_not_exported(ask, world, kept, save):
    customer = factories.customer("Seen")
    await save(customer)
    target = {"ids": ["cus_" + customer.id.hex(), "cus_" + "0" * 32]}
    job = (await ask(EXPORT, target=target, columns=[{"field": "name"}]))["customersExport"]["job"]
    assert counted(job) == {"UNCHANGED": 1, "FAILED": 1}
    assert fetched(kept, job).read_bytes() == b"name\r\nSeen\r\n"
