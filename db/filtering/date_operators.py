"""Operators of dates, ages and times."""

from collections.abc import Callable
from typing import Any, TypeVar

from db.filtering import operators as op
from db.filtering import parser as read
from db.filtering.errors import Path, invalid_query
from db.filtering.filter_ast import FilterNode, conjunction, negate
from db.filtering.parser import FilterParser
from db.filtering.relative_dates import Duration
from db.values import wire_format

T = TypeVar("T")


def parse_date(
    reader: FilterParser, plain: Any, path: Path, column: str, *, wrap: op.WrapNode = op.unwrapped
) -> FilterNode:
    """DateFilter."""
    clock = reader.context.clock

    def compared(operator: str) -> op.MakeNode:
        return lambda given, here: ("compare", column, operator, reader.add_value(_date(given, here)))

    def between(low: str, high: str) -> FilterNode:
        return conjunction(
            [("compare", column, ">=", reader.add_value(low)), ("compare", column, "<=", reader.add_value(high))]
        )

    def last(given: Any, here: Path) -> FilterNode:
        return between(clock.day(_duration(given, here), -1).isoformat(), clock.today.isoformat())

    def next_(given: Any, here: Path) -> FilterNode:
        return between(clock.today.isoformat(), clock.day(_duration(given, here), 1).isoformat())

    def anniversary(given: Any, here: Path) -> FilterNode:
        return ("anniversary", column, reader.add_value(clock.anniversaries(_duration(given, here))))

    operators = {"eq": compared("="), "last": last, "next": next_, "anniversaryWithin": anniversary}
    operators |= {name: compared(operator) for name, operator in op.COMPARISONS.items()}
    return op.parse_operators(reader, plain, path, operators, wrap=wrap, present=negate(("empty", column)))


def parse_age(reader: FilterParser, plain: Any, path: Path, column: str) -> FilterNode:
    """IntFilter of the full years since the date."""

    def at_least(years: int) -> FilterNode:
        return ("compare", column, "<=", reader.add_value(reader.context.clock.born(years)))

    def below(years: int) -> FilterNode:
        return ("compare", column, ">", reader.add_value(reader.context.clock.born(years)))

    def exactly(years: int) -> FilterNode:
        return conjunction([at_least(years), below(years + 1)])

    def among(given: Any, here: Path) -> FilterNode:
        listed = [op.read_integer(one, (*here, str(place))) for place, one in enumerate(read.read_list(given, here))]
        return negate(conjunction([negate(exactly(years)) for years in dict.fromkeys(listed)]))

    operators: dict[str, op.MakeNode] = {
        "eq": lambda given, here: exactly(op.read_integer(given, here)),
        "!ne": lambda given, here: exactly(op.read_integer(given, here)),
        "in": among,
        "gt": lambda given, here: at_least(op.read_integer(given, here) + 1),
        "gte": lambda given, here: at_least(op.read_integer(given, here)),
        "lt": lambda given, here: below(op.read_integer(given, here)),
        "lte": lambda given, here: below(op.read_integer(given, here) + 1),
    }
    return op.parse_operators(reader, plain, path, operators, present=negate(("empty", column)))


def parse_timestamp(
    reader: FilterParser, plain: Any, path: Path, column: str, *, wrap: op.WrapNode = op.unwrapped
) -> FilterNode:
    """DateTimeFilter. The column "id" stands for the creation time inside the id."""
    clock = reader.context.clock
    place = _in_id if column == "id" else int

    def compared(operator: str) -> op.MakeNode:
        return lambda given, here: after(_moment(given, here), operator)

    def after(moment: int, operator: str) -> FilterNode:
        # Times are whole milliseconds, so "> t" is ">= t + 1". An id column supports only >= and <.
        bound, sign = {">": (moment + 1, ">="), ">=": (moment, ">="), "<": (moment, "<"), "<=": (moment + 1, "<")}[
            operator
        ]
        return ("compare", column, sign, reader.add_value(place(bound)))

    def last(given: Any, here: Path) -> FilterNode:
        return conjunction([after(clock.moment(_duration(given, here), -1), ">="), after(clock.now, "<=")])

    def next_(given: Any, here: Path) -> FilterNode:
        return conjunction([after(clock.now, ">="), after(clock.moment(_duration(given, here), 1), "<=")])

    operators: dict[str, op.MakeNode] = {"last": last, "next": next_}
    operators |= {name: compared(operator) for name, operator in op.COMPARISONS.items()}
    return op.parse_operators(reader, plain, path, operators, wrap=wrap, present=negate(("empty", column)))


def _in_id(moment: int) -> bytes:
    """The smallest id of that time."""
    return min(max(moment, 0), 2**48 - 1).to_bytes(6, "big") + bytes(10)


def _moment(given: Any, here: Path) -> int:
    return _parse(wire_format.parse_moment, "time such as 2026-11-21T09:30:00Z", given, here)


def _date(given: Any, here: Path) -> str:
    return _parse(wire_format.parse_date, "date such as 2026-11-21", given, here)


def _duration(given: Any, here: Path) -> Duration:
    return _parse(Duration.parse, "duration such as P30D", given, here)


def _parse(parse: Callable[[str], T], what: str, given: Any, here: Path) -> T:
    if isinstance(given, str):
        try:
            return parse(given)
        except (ValueError, OverflowError):
            pass
    raise invalid_query(f"`{'.'.join(here)}` takes a {what}, not {str(given)[:50]!r}.", here)
