"""Segment conditions: the filters of dynamic segments are inlined, static segments are tested for members."""

from collections.abc import Iterable
from typing import Any

from db.filtering import operators as op
from db.filtering import parser as read
from db.filtering.errors import Path, QueryError, invalid_query, limit_exceeded
from db.filtering.filter_ast import FALSE, FilterNode, conjunction, disjunction, negate
from db.filtering.parser import FilterParser
from db.tables.enums import SegmentKind
from db.values import wire_format
from db.values.folding import fold, normalize


def parse_membership(reader: FilterParser, plain: Any, path: Path) -> FilterNode:
    """SegmentListFilter."""
    parts = []
    for name, given in read.read_object(plain, path).items():
        here = (*path, name)
        if name in ("any", "none"):
            some = _any_of(reader, _matching(reader, given, here), here)
            parts.append(some if name == "any" else negate(some))
        elif name == "includesAll":
            reader.count_predicate(here)
            named = op.read_ids(given, here, "Segment")
            parts += [member_of(reader, one, here) for one in named]
        else:
            raise read.unknown_field(name, path)
    return conjunction(parts)


def member_of(reader: FilterParser, segment_id: bytes, path: Path) -> FilterNode:
    """The customer is in that segment; false if the segment does not exist."""
    segment = reader.context.segments.get(segment_id)
    return FALSE if segment is None else _any_of(reader, [segment], path)


def _any_of(reader: FilterParser, segments: Iterable[Any], path: Path) -> FilterNode:
    static = []
    parts = []
    for segment in segments:
        if segment.kind == SegmentKind.STATIC:
            static.append(segment.id)
        else:
            parts.append(_dynamic(reader, segment, path))
    if len(static) == 1:
        parts.append(("some", "members", ("compare", "segment_id", "=", reader.add_value(static[0]))))
    elif static:
        parts.append(("some", "members", ("among", "segment_id", reader.add_value(static))))
    return disjunction(parts)


def _dynamic(reader: FilterParser, segment: Any, path: Path) -> FilterNode:
    if segment.id in reader.open_segments:
        message = f"The segment “{segment.name}” is a part of itself; change its filter."
        raise QueryError("SEGMENT_CYCLE", message, path)
    if len(reader.open_segments) == read.MAX_FILTER_DEPTH:
        message = f"Segments name each other at most {read.MAX_FILTER_DEPTH} deep; “{segment.name}” is deeper."
        raise limit_exceeded(message, path, read.MAX_FILTER_DEPTH)
    outer, counts = reader.open_segments, reader.begin_stored_filter()
    reader.open_segments = (*outer, segment.id)
    try:
        return reader.parse_customer_filter(reader, segment.filter or {}, path)
    except QueryError as refused:
        # The error names the segment in the caller's filter, not the content of its stored filter.
        refused.path = path
        raise
    finally:
        reader.open_segments = outer
        reader.end_stored_filter(counts)


# ── which segments a SegmentFilter means; there are few, so they are judged here ──────────────────────────────────────


def _matching(reader: FilterParser, plain: Any, path: Path) -> list[Any]:
    reader.enter(path)
    found = list(reader.context.segments.values())
    for name, given in read.read_object(plain, path).items():
        here = (*path, name)
        for operator, operand in read.read_object(given, here).items():
            reader.count_predicate((*here, operator))
            judge = _judge(name, operator, operand, (*here, operator))
            found = [segment for segment in found if judge(segment)]
    reader.leave()
    return found


def _judge(name: str, operator: str, operand: Any, path: Path) -> Any:
    if operator in ("ne", "notIn", "notContains"):
        positive = _judge(name, {"ne": "eq", "notIn": "in", "notContains": "contains"}[operator], operand, path)
        return lambda segment: not positive(segment)
    if operator in ("eq", "in"):
        listed = read.read_list(operand, path) if operator == "in" else [operand]
        taken = [_taken(name, one, path) for one in listed]
        return lambda segment: getattr(segment, name) in taken
    if name == "name" and operator == "isNull":
        none = read.read_boolean(operand, path)
        return lambda segment: not none
    if name == "name" and operator in ("contains", "startsWith", "endsWith"):
        folded = fold(read.read_text(operand, path))
        tell = {"contains": str.__contains__, "startsWith": str.startswith, "endsWith": str.endswith}[operator]
        return lambda segment: tell(segment.name_key, folded)
    raise read.unknown_field(operator, path[:-1])


def _taken(name: str, given: Any, path: Path) -> Any:
    text = read.read_text(given, path)
    if name == "id":
        return wire_format.decode_id("Segment", text)
    if name == "name":
        return normalize(text)
    if name == "kind" and text in SegmentKind.__members__:
        return SegmentKind[text].value
    raise invalid_query(f"`{'.'.join(path)}` cannot be {text[:50]!r}.", path)
