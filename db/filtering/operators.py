"""Operators of single values: text, numbers, counts, enums, ids and booleans. `date_operators` has dates and times."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import IntEnum
from typing import Any

from db.filtering import parser as read
from db.filtering.errors import Path, invalid_query
from db.filtering.filter_ast import FALSE, TRUE, FilterNode, conjunction, negate
from db.filtering.parser import FilterParser
from db.values import wire_format
from db.values.folding import email_key, fold, normalize

WrapNode = Callable[[FilterNode], FilterNode]
"""Turns the condition on a value into the condition on the record that has it."""

MakeNode = Callable[[Any, Path], FilterNode]

_MAX_INTEGER = 2**63 - 1


def unwrapped(shape: FilterNode) -> FilterNode:
    return shape


def parse_operators(
    reader: FilterParser,
    plain: Any,
    path: Path,
    operators: Mapping[str, MakeNode],
    *,
    wrap: WrapNode = unwrapped,
    present: FilterNode,
) -> FilterNode:
    """Parses a filter object; all operators must hold. `operators` build the condition on the value. An operator with
    the prefix "!" is the negation of the one it names, so it also holds without a value."""
    found = []
    for name, given in read.read_object(plain, path).items():
        here = (*path, name)
        reader.count_predicate(here)
        if name == "isNull":
            some = wrap(present)
            found.append(negate(some) if read.read_boolean(given, here) else some)
        elif make := operators.get(name):
            found.append(wrap(make(given, here)))
        elif make := operators.get("!" + name):
            found.append(negate(wrap(make(given, here))))
        else:
            raise read.unknown_field(name, path)
    return conjunction(found)


def parse_text(
    reader: FilterParser, plain: Any, path: Path, column: str, key: str, *, folded: bool = False,
    wrap: WrapNode = unwrapped, present: FilterNode | None = None, length: int | None = None,
) -> FilterNode:  # fmt: skip
    """StringFilter. `key` is the column with the folded text, limited to `length` characters if given. With `folded`,
    equality ignores case as well."""

    def cut(text: str) -> str:
        return fold(text)[:length]

    def equal(given: Any, here: Path) -> FilterNode:
        text = normalize(read.read_text(given, here))
        if key == column:
            return ("compare", column, "=", reader.add_value(_dialled(text) if column == "phone" else text))
        if folded:
            return ("compare", key, "=", reader.add_value(_key(text, key)))
        return ("equal", key, column, reader.add_value(cut(text)), reader.add_value(text))

    def among(given: Any, here: Path) -> FilterNode:
        listed = read.read_list(given, here)
        texts = [normalize(read.read_text(one, (*here, str(place)))) for place, one in enumerate(listed)]
        if not texts:
            return FALSE
        if key == column:
            return is_one_of(reader, column, texts)
        if folded:
            return is_one_of(reader, key, [_key(text, key) for text in texts])
        if len(texts) == 1:
            return equal(texts[0], (*here, "0"))
        return ("among_folded", key, column, reader.add_value([cut(text) for text in texts]), reader.add_value(texts))

    whole = key if length is None else "text_folded"
    operators: dict[str, MakeNode] = {
        "eq": equal,
        "!ne": equal,
        "in": among,
        "!notIn": among,
        "contains": lambda given, here: _holding(reader, given, here, whole),
        "!notContains": lambda given, here: _holding(reader, given, here, whole),
        "startsWith": lambda given, here: _starting(reader, given, here, key, whole, length),
        "endsWith": lambda given, here: _ending(reader, given, here, whole),
    }
    there = negate(("empty", column)) if present is None else present
    return parse_operators(reader, plain, path, operators, wrap=wrap, present=there)


def _needle(given: Any, here: Path, column: str) -> str:
    text = read.read_text(given, here)
    folded = _key(_dialled(text) if column == "phone" else text, column)
    # Folding trims the text, but a trailing space was meant.
    return folded if not folded else " " * text[:1].isspace() + folded + " " * text[-1:].isspace()


def _key(text: str, column: str) -> str:
    """The text as the key column stores it: e-mail addresses keep their accents."""
    return email_key(text) if column == "email_key" else fold(text)


def _dialled(text: str) -> str:
    """A phone number without the usual punctuation, as it is stored."""
    marked = text.strip("+0123456789 ().-/") == ""
    return "".join(letter for letter in text if letter in "+0123456789") if marked else text


def _holding(reader: FilterParser, given: Any, here: Path, column: str) -> FilterNode:
    needle = _needle(given, here, column)
    return contains_node(reader, column, needle) if needle else negate(("empty", column))


def contains_node(reader: FilterParser, column: str, needle: str) -> FilterNode:
    """The column contains the text, byte for byte."""
    return ("holds", column, reader.add_value(needle), reader.add_value(f"%{escape_like(needle)}%"))


def _starting(reader: FilterParser, given: Any, here: Path, key: str, whole: str, length: int | None) -> FilterNode:
    needle = _needle(given, here, key)
    if not needle:
        return negate(("empty", key))
    column = key if length is None or len(needle) <= length else whole
    return ("between", column, reader.add_value(needle), reader.add_value(next_prefix(needle)))


def _ending(reader: FilterParser, given: Any, here: Path, column: str) -> FilterNode:
    needle = _needle(given, here, column)
    if not needle:
        return negate(("empty", column))
    return ("ends", column, reader.add_value("%" + escape_like(needle)))


def escape_like(text: str) -> str:
    """The text as part of a LIKE pattern with the escape character \\."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def next_prefix(prefix: str) -> str:
    """The smallest text, in code point order, that is greater than every text with that prefix."""
    for place in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[place]) + 1
        if point <= 0x10FFFF:
            return prefix[:place] + chr(0xE000 if 0xD800 <= point <= 0xDFFF else point)
    return "\U0010ffff" * (len(prefix) + 1)


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def parse_ordered(
    reader: FilterParser,
    plain: Any,
    path: Path,
    column: str,
    taken: Callable[[Any, Path], Any],
    *,
    wrap: WrapNode = unwrapped,
) -> FilterNode:
    """IntFilter, DecimalFilter and similar filters. `taken` converts a given value into the column's value."""

    def compared(operator: str) -> MakeNode:
        return lambda given, here: ("compare", column, operator, reader.add_value(taken(given, here)))

    def among(given: Any, here: Path) -> FilterNode:
        listed = read.read_list(given, here)
        values = [taken(one, (*here, str(place))) for place, one in enumerate(listed)]
        return is_one_of(reader, column, values)

    operators = {"eq": compared("="), "!ne": compared("="), "in": among, "!notIn": among}
    operators |= {name: compared(operator) for name, operator in COMPARISONS.items()}
    return parse_operators(reader, plain, path, operators, wrap=wrap, present=negate(("empty", column)))


def read_integer(given: Any, here: Path) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or abs(given) > _MAX_INTEGER:
        raise invalid_query(f"`{'.'.join(here)}` takes a whole number, not {str(given)[:50]!r}.", here)
    return given


def read_amount(given: Any, here: Path) -> int:
    """A Decimal in ten-thousandths."""
    scaled = read_number(given, here).scaleb(wire_format.SCALE)
    if scaled != int(scaled) or abs(scaled) > _MAX_INTEGER:
        digits = f"at most {wire_format.SCALE} decimals and 14 digits before them"
        raise invalid_query(f"`{'.'.join(here)}` takes a number of {digits}.", here)
    return int(scaled)


def read_float(given: Any, here: Path) -> float:
    return float(read_number(given, here))


def read_number(given: Any, here: Path) -> Decimal:
    taken = str(given) if isinstance(given, int | float) and not isinstance(given, bool) else given
    if isinstance(taken, str) and len(taken) <= 62 and taken.lstrip("+-").replace(".", "", 1).isdecimal():
        try:
            return Decimal(taken)
        except ArithmeticError:
            pass
    raise invalid_query(f'`{".".join(here)}` takes a number such as "1234.56", not {str(given)[:50]!r}.', here)


def parse_count(reader: FilterParser, plain: Any, path: Path, relation: Any, shape: FilterNode = TRUE) -> FilterNode:
    """IntFilter of the number of related records, which always has a value."""

    def compared(operator: str) -> MakeNode:
        return lambda given, here: _count(reader, relation, operator, read_integer(given, here), shape)

    def among(given: Any, here: Path) -> FilterNode:
        values = [read_integer(one, (*here, str(place))) for place, one in enumerate(read.read_list(given, here))]
        return ("count", relation, "in", reader.add_value(values), shape) if values else FALSE

    operators = {"eq": compared("="), "!ne": compared("="), "in": among}
    operators |= {name: compared(operator) for name, operator in COMPARISONS.items()}
    return parse_operators(reader, plain, path, operators, present=TRUE)


def _count(reader: FilterParser, relation: Any, operator: str, number: int, shape: FilterNode) -> FilterNode:
    """A comparison that only tests for existence becomes one."""
    if (operator, number) in ((">", 0), (">=", 1)):
        return ("some", relation, shape)
    if (operator, number) in (("=", 0), ("<", 1), ("<=", 0)):
        return negate(("some", relation, shape))
    return ("count", relation, operator, reader.add_value(number), shape)


# ── enums, ids, yes or no ─────────────────────────────────────────────────────────────────────────────────────────────


def parse_enum(reader: FilterParser, plain: Any, path: Path, column: str, kind: type[IntEnum]) -> FilterNode:
    """The filter of an enum."""

    def taken(given: Any, here: Path) -> int:
        if isinstance(given, str) and given in kind.__members__:
            return kind[given].value
        message = f"`{'.'.join(here)}` takes one of {', '.join(kind.__members__)}, not {str(given)[:50]!r}."
        raise invalid_query(message, here)

    return _equality(reader, plain, path, column, taken)


def parse_id(reader: FilterParser, plain: Any, path: Path, column: str, kind: str) -> FilterNode:
    """IDFilter. An id of another type matches nothing. The id of a merged customer means the survivor."""
    survivors = reader.context.survivors if kind == "Customer" else {}

    def taken(given: Any, here: Path) -> bytes:
        identifier = wire_format.decode_id(kind, read.read_text(given, here)) or b""
        return survivors.get(identifier, identifier)

    return _equality(reader, plain, path, column, taken)


def read_ids(given: Any, path: Path, kind: str) -> list[bytes]:
    """The ids of a list without repetitions; ids of another type match nothing."""
    listed: Sequence[Any] = read.read_list(given, path)
    found = (
        wire_format.decode_id(kind, read.read_text(one, (*path, str(place)))) or b"" for place, one in enumerate(listed)
    )
    return list(dict.fromkeys(found))


def parse_boolean(
    reader: FilterParser, plain: Any, path: Path, column: str, *, wrap: WrapNode = unwrapped
) -> FilterNode:
    """BooleanFilter. eq true is not the negation of eq false, because the value may be empty."""

    def equal(given: Any, here: Path) -> FilterNode:
        flag: FilterNode = ("flag", column)
        return flag if read.read_boolean(given, here) else conjunction([negate(flag), negate(("empty", column))])

    return parse_operators(reader, plain, path, {"eq": equal}, wrap=wrap, present=negate(("empty", column)))


def _equality(
    reader: FilterParser, plain: Any, path: Path, column: str, taken: Callable[[Any, Path], Any]
) -> FilterNode:
    def equal(given: Any, here: Path) -> FilterNode:
        return ("compare", column, "=", reader.add_value(taken(given, here)))

    def among(given: Any, here: Path) -> FilterNode:
        values = [taken(one, (*here, str(place))) for place, one in enumerate(read.read_list(given, here))]
        return is_one_of(reader, column, values)

    operators: dict[str, MakeNode] = {"eq": equal, "!ne": equal, "in": among, "!notIn": among}
    return parse_operators(reader, plain, path, operators, present=negate(("empty", column)))


def is_one_of(reader: FilterParser, column: str, values: Sequence[Any]) -> FilterNode:
    """The column is one of the values. A single value is compared with =, which keeps the order of an index."""
    if len(values) == 1:
        return ("compare", column, "=", reader.add_value(values[0]))
    return ("among", column, reader.add_value(list(values))) if values else FALSE
