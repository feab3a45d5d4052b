"""Whatever customers are like, an export of them that is imported again says of every row that nothing is different."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from crm.catalogue import companies, custom_fields
from crm.customers import records
from crm.exporting import jobs as exporting
from crm.files import storage, uploads
from crm.importing import jobs as importing
from db import tables
from db.queries import files as made
from db.statements import in_workspace, prepare
from db.tables.enums import CustomFieldType, EntityType, FileFormat, Gender, Role, SubscriptionStatus
from db.values import ids, wire_format
from tests.support import factories

OPTIONS = ["a;b", '"c"', "=d", "Đỏ", " ", "x, y"]
CUSTOM = {
    "text": CustomFieldType.TEXT,
    "long": CustomFieldType.LONG_TEXT,
    "number": CustomFieldType.NUMBER,
    "truth": CustomFieldType.BOOLEAN,
    "day": CustomFieldType.DATE,
    "moment": CustomFieldType.DATE_TIME,
    "one": CustomFieldType.SELECT,
    "many": CustomFieldType.MULTI_SELECT,
    "mail": CustomFieldType.EMAIL,
    "tel": CustomFieldType.PHONE,
    "web": CustomFieldType.URL,
}

_HARD = st.sampled_from(
    [
        *"=+-@'\"\t\n\r;,|&<> 0179.áđŁßİ＝＋－＠٣",
        "_x000D_",
        "\r\n",
        "\x0b",
        "\u00a0",
        "\u200b",
        "\u2028",
        "😀",
        "e\u0301",
        "''",
        "007",
        "1e5",
        "1,5",
        "true",
        "01/02/2024",
        "NaN",
        "#REF!",
    ]
)
texts = st.lists(_HARD, min_size=1, max_size=6).map("".join)
names = texts.filter(lambda text: bool(text.strip()))
phones = st.sampled_from(["+84901234567", "+390612345678", "+6281234567890", "+14155552671", "+442071838750"])
emails = st.sampled_from(
    ["An@x.example", "'a@x.example", "+b@x.example", "=c@x.example", "đ@x.example", "-d@x.example"]
)
days = st.dates(date(1900, 1, 1), date(2020, 1, 1)).map(date.isoformat)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2090, 1, 1)).map(
    lambda moment: wire_format.format_moment(int(moment.replace(tzinfo=UTC).timestamp() * 1000))
)
VALUES: dict[str, Any] = {
    "text": names, "long": names, "truth": st.booleans(), "day": days, "moment": moments,
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20).map(float),
    "one": st.sampled_from([one for one in OPTIONS if one.strip()]),
    "many": st.lists(st.sampled_from([one for one in OPTIONS if one.strip()]), min_size=1, unique=True),
    "mail": emails, "tel": phones, "web": st.just("https://x.example/a?b=1;2,3"),
}  # fmt: skip


def _valued(key: str) -> Any:
    return VALUES[key].map(lambda value: {"key": key, "value": value})


people = st.fixed_dictionaries(
    {"name": names},
    optional={
        "nickname": texts, "real_name": texts, "source": texts, "channel": texts, "birth_date": days,
        "gender": st.sampled_from(Gender), "value": st.integers(-(10**15), 10**15),
        "subscription_status": st.sampled_from(SubscriptionStatus), "reseller_relationship": st.booleans(),
        "phones": st.lists(phones, unique=True, max_size=3), "emails": st.lists(emails, unique=True, max_size=3),
        "address": st.fixed_dictionaries({}, optional={name: texts for name in ("line1", "city", "postal_code")}),
        "tags": st.lists(names, max_size=3).map(lambda tags: {"add": [{"name": tag} for tag in tags]}),
        "external_ids": st.lists(names.map(lambda one: {"system": "=e; rp", "value": one}), max_size=2),
        "custom_fields": st.sets(st.sampled_from(sorted(VALUES))).flatmap(
            lambda keys: st.tuples(*(_valued(key) for key in sorted(keys))).map(list)
        ),
        "company": st.just({"name": "company"}),
    },
)  # fmt: skip


@pytest.fixture
async def world(database, tmp_path: Path, save, viewer, does):
    """A workspace with a field of every type and a company; the company's id."""
    storage.attach_storage(database, storage.Storage(tmp_path, b"a secret that nobody guesses"))
    await save(factories.agent(id=viewer.actor_id, role=Role.ADMIN))
    for key, kind in CUSTOM.items():
        field: dict[str, Any] = {"entity": EntityType.CUSTOMER, "type": kind, "key": key, "label": key}
        if kind in (CustomFieldType.SELECT, CustomFieldType.MULTI_SELECT):
            field["options"] = [one for one in OPTIONS if one.strip()]
        await does(custom_fields.create, field)
    done = await does(companies.create, {"name": "=Công ty; “A”, s.p.a."})
    return wire_format.id_encoder("Company")(done.company.id)


async def brought(does: Any, company: str, given_: list[dict[str, Any]]) -> list[str]:
    """The ids of those who can be made."""
    wanted = [{**one, "company": {"id": company}} if "company" in one else one for one in given_]

    async def make_(unit: Any) -> list[str]:
        found, _ = await records.create_each(unit, [(one, ("input",)) for one in wanted])
        return [wire_format.id_encoder("Customer")(state.id) for state in found if not state.errors]

    return await does(make_)


several = st.lists(people, min_size=1, max_size=8)


@pytest.mark.parametrize("format", [FileFormat.CSV, FileFormat.JSONL], ids=["CSV", "JSONL"])
@given(everybody=several)
async def test_nothing_is_different(database, session, viewer, does, world, format, everybody):
    await _alike(database, session, viewer, does, world, format, everybody)


# Workbooks are read by processes of their own.
@settings(max_examples=settings.default.max_examples // 4)
@given(everybody=several)
async def test_nothing_is_different_in_a_workbook(database, session, viewer, does, world, everybody):
    await _alike(database, session, viewer, does, world, FileFormat.XLSX, everybody)


async def _alike(database, session, viewer, does, world, format, everybody):
    customers = await brought(does, world, everybody)
    if not customers:
        return
    before = await stored(session)
    job = await does(exporting.start_export, {"ids": customers}, format, None, {})
    [file] = (await made.by_job(session, [job.id]))[job.id]
    identifier = ids.new_id()
    relative, path = storage.storage_of(database).new_path("uploads", identifier)
    path.write_bytes(storage.storage_of(database).path(file.path).read_bytes())
    upload = await uploads.store_upload(database, viewer, identifier, name="x", size=1, path=relative)
    wanted = {"upload": upload, "match_on": 0, "on_duplicate": 1, "stage": 1}
    again = await does(importing.start_import, wanted, await importing.read_request(session, viewer, wanted), None)
    assert again.counts == {"UNCHANGED": len(customers)}, await told(session, again)
    assert await stored(session) == before


async def stored(session: Any) -> list[Any]:
    found = []
    for table in (
        tables.Customer,
        tables.CustomerPhone,
        tables.CustomerEmail,
        tables.CustomerValue,
        tables.CustomerTag,
    ):
        found += sorted(
            tuple(row) for row in await session.fetch_all(prepare(select(table).where(in_workspace(table))))
        )
    return found


async def told(session: Any, job: Any) -> Any:
    """What was different after all, or wrong."""
    rows = await session.fetch_all(prepare(select(tables.JobRow).where(in_workspace(tables.JobRow))))
    changes = await session.fetch_all(prepare(select(tables.Change).where(in_workspace(tables.Change))))
    return [row.errors for row in rows if row.job_id == job.id], [row.fields for row in changes if row.job_id == job.id]
