"""Segments: stored questions and lists kept by hand."""

import pytest

from crm.catalogue import segments
from crm.errors import ConflictError
from db import tables
from db.tables.enums import SegmentKind
from tests.crm.conftest import named
from tests.support import factories


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        pytest.param({"filter": {}}, ("BLANK", "input.name"), id="no name"),
        pytest.param({"name": "S"}, ("INVALID", "input.filter"), id="dynamic without a filter"),
        pytest.param(
            {"name": "S", "kind": SegmentKind.STATIC, "filter": {}}, ("INVALID", "input.filter"), id="static with one"
        ),
        pytest.param(
            {"name": "S", "filter": {"customFields": [{"key": "no", "is": {"text": {"eq": "x"}}}]}},
            ("FIELD_UNKNOWN", "input.filter.customFields.0.key"),
            id="unknown field",
        ),
        pytest.param({"name": "S", "filter": {"name": {"eq": None}}}, ("INVALID", "input.filter.name.eq"), id="null"),
    ],
)
async def test_what_cannot_be_taken_is_refused_at_its_place(refuses, given, refusal):
    assert await refuses(segments.create, given) == refusal


async def test_a_filter_is_kept_as_it_was_written(does, log):
    filter = {"and": [{"name": {"contains": "an"}}], "value": {"gte": "1.50"}}
    made = await does(segments.create, {"name": "S", "filter": filter})
    assert (made.filter, made.kind, made.version) == (filter, SegmentKind.DYNAMIC, 1)
    assert {one["field"]: one["after"] for one in (await log(made))[-1].fields}["filter"] == filter


async def test_a_segment_cannot_be_a_part_of_itself(does, refuses):
    inner = await does(segments.create, {"name": "inner", "filter": {}})
    outer = await does(
        segments.create, {"name": "outer", "filter": {"segments": {"includesAll": [named(inner)["id"]]}}}
    )
    for one, filter in (
        (inner, {"segments": {"includesAll": [named(outer)["id"]]}}),
        (inner, {"and": [{"segments": {"includesAll": [named(inner)["id"]]}}]}),
        (inner, {"not": {"segments": {"any": {"name": {"eq": "outer"}}}}}),
    ):
        refusal = await refuses(segments.update, named(one)["id"], {"filter": filter})
        assert refusal == ("SEGMENT_CYCLE", f"input.filter.{_WHERE[next(iter(filter))]}")
    for filter in ({"segments": {"any": {"kind": {"eq": "DYNAMIC"}}}}, {"segments": {"none": {"name": {"eq": "S"}}}}):
        refusal = await refuses(segments.create, {"name": "S", "filter": filter})
        assert refusal == ("SEGMENT_CYCLE", f"input.filter.segments.{next(iter(filter['segments']))}")
    assert await refuses(segments.update, named(inner)["id"], {"filter": _deep(9)}) == (
        "LIMIT_EXCEEDED", f"input.filter{'.not' * 8}",
    )  # fmt: skip


_WHERE = {"segments": "segments.includesAll", "and": "and.0.segments.includesAll", "not": "not.segments.any"}


def _deep(depth):
    return {"not": _deep(depth - 1)} if depth > 1 else {"name": {"eq": "x"}}


async def test_one_that_is_used_cannot_be_deleted(does, refuses, everything):
    inner = await does(segments.create, {"name": "inner", "filter": {}})
    outer = await does(
        segments.create, {"name": "outer", "filter": {"or": [{"segments": {"includesAll": [named(inner)["id"]]}}]}}
    )
    assert await refuses(segments.delete, named(inner)["id"]) == ("IN_USE", "id")
    await does(segments.delete, named(outer)["id"])
    await does(segments.delete, named(inner)["id"])
    assert await everything(tables.Segment) == []


async def test_a_segment_keeps_its_kind_and_its_version_counts(does, refuses, save):
    await save(segment := factories.segment(filter={}))
    change = {"kind": SegmentKind.STATIC}
    assert await refuses(segments.update, named(segment)["id"], change) == ("FIELD_PROTECTED", "input.kind")
    done = await does(segments.update, named(segment)["id"], {"name": "New", "description": "d"}, if_version=1)
    assert (done.version, done.name, done.filter) == (2, "New", {})
    with pytest.raises(ConflictError):
        await does(segments.update, named(segment)["id"], {"name": "Newer"}, if_version=1)
