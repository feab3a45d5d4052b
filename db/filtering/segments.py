"""Belonging to segments: the filters of dynamic ones are read in place, static ones are asked for their members."""

from collections.abc import Iterable
from typing import Any

from db.filtering import fields
from db.filtering import operators as op
from db.filtering import parser as read
from db.filtering.errors import Path, QueryError, invalid, too_many
from db.filtering.filter_ast import FALSE, Shape, either, every, opposite
from db.filtering.parser import Reader
from db.tables.enums import SegmentKind
from db.values import wire_format
from db.values.folding import fold, normal


def membership(reader: Reader, plain: Any, path: Path) -> Shape:
    """SegmentListFilter."""
    parts = []
    for name, given in read.record(plain, path).items():
        here = (*path, name)
        if name in ("any", "none"):
            some = _any_of(reader, _matching(reader, given, here), here)
            parts.append(some if name == "any" else opposite(some))
        elif name == "includesAll":
            reader.predicate(here)
            named = op.ids(given, here, "Segment")
            parts += [belongs(reader, one, here) for one in named]
        else:
            raise read.unknown(name, path)
    return every(parts)


def belongs(reader: Reader, segment_id: bytes, path: Path) -> Shape:
    """The customer is in that segment; nobody is where there is no such segment."""
    segment = reader.circumstances.segments.get(segment_id)
    return FALSE if segment is None else _any_of(reader, [segment], path)


def _any_of(reader: Reader, segments: Iterable[Any], path: Path) -> Shape:
    static = []
    parts = []
    for segment in segments:
        if segment.kind == SegmentKind.STATIC:
            static.append(segment.id)
        else:
            parts.append(_dynamic(reader, segment, path))
    if len(static) == 1:
        parts.append(("some", "members", ("compare", "segment_id", "=", reader.value(static[0]))))
    elif static:
        parts.append(("some", "members", ("among", "segment_id", reader.value(static))))
    return either(parts)


def _dynamic(reader: Reader, segment: Any, path: Path) -> Shape:
    if segment.id in reader.within:
        message = f"The segment “{segment.name}” is a part of itself; change its filter."
        raise QueryError("SEGMENT_CYCLE", message, path)
    if len(reader.within) == read.DEPTH:
        message = f"Segments name each other at most {read.DEPTH} deep; “{segment.name}” is deeper."
        raise too_many(message, path, read.DEPTH)
    outer, counts = reader.within, reader.elsewhere()
    reader.within = (*outer, segment.id)
    try:
        return fields.customers(reader, segment.filter or {}, path)
    except QueryError as refused:
        # Whoever asks sees the segment that he names, and not what it is made of.
        refused.path = path
        raise
    finally:
        reader.within = outer
        reader.back(counts)


# ── which segments a SegmentFilter means; there are few, so they are judged here ──────────────────────────────────────


def _matching(reader: Reader, plain: Any, path: Path) -> list[Any]:
    reader.deeper(path)
    found = list(reader.circumstances.segments.values())
    for name, given in read.record(plain, path).items():
        here = (*path, name)
        for operator, operand in read.record(given, here).items():
            reader.predicate((*here, operator))
            judge = _judge(name, operator, operand, (*here, operator))
            found = [segment for segment in found if judge(segment)]
    reader.higher()
    return found


def _judge(name: str, operator: str, operand: Any, path: Path) -> Any:
    if operator in ("ne", "notIn", "notContains"):
        positive = _judge(name, {"ne": "eq", "notIn": "in", "notContains": "contains"}[operator], operand, path)
        return lambda segment: not positive(segment)
    if operator in ("eq", "in"):
        listed = read.items(operand, path) if operator == "in" else [operand]
        taken = [_taken(name, one, path) for one in listed]
        return lambda segment: getattr(segment, name) in taken
    if name == "name" and operator == "isNull":
        none = read.boolean(operand, path)
        return lambda segment: not none
    if name == "name" and operator in ("contains", "startsWith", "endsWith"):
        folded = fold(read.text(operand, path))
        tell = {"contains": str.__contains__, "startsWith": str.startswith, "endsWith": str.endswith}[operator]
        return lambda segment: tell(segment.name_key, folded)
    raise read.unknown(operator, path[:-1])


def _taken(name: str, given: Any, path: Path) -> Any:
    text = read.text(given, path)
    if name == "id":
        return wire_format.decode_id("Segment", text)
    if name == "name":
        return normal(text)
    if name == "kind" and text in SegmentKind.__members__:
        return SegmentKind[text].value
    raise invalid(f"`{'.'.join(path)}` cannot be {text[:50]!r}.", path)
