"""Filters of custom fields, with the operators of the field's type."""

from collections.abc import Mapping
from typing import Any

from db.filtering import date_operators
from db.filtering import operators as op
from db.filtering import parser as read
from db.filtering.errors import Path, QueryError, invalid_query
from db.filtering.filter_ast import TRUE, FilterNode, conjunction, negate
from db.filtering.parser import FilterParser
from db.tables.enums import CustomFieldType, EntityType
from db.tables.key_columns import MAX_TEXT_KEY_LENGTH
from db.values.folding import normalize

VALUE_RELATION = {EntityType.CUSTOMER: "customerValue", EntityType.COMPANY: "companyValue"}

# The name of the predicate for each field type.
_WORDS: Mapping[CustomFieldType, str] = {
    CustomFieldType.NUMBER: "number",
    CustomFieldType.BOOLEAN: "boolean",
    CustomFieldType.DATE: "date",
    CustomFieldType.DATE_TIME: "dateTime",
    CustomFieldType.SELECT: "options",
    CustomFieldType.MULTI_SELECT: "options",
}
# The column that sorts the values of each field type.
SORTED_COLUMNS: Mapping[CustomFieldType, str] = {
    CustomFieldType.NUMBER: "number",
    CustomFieldType.BOOLEAN: "boolean",
    CustomFieldType.DATE: "date",
    CustomFieldType.DATE_TIME: "date_time",
}


def find_field(circumstances: Any, entity: EntityType, key: str, path: Path) -> Any:
    """The active field with that key. Raises QueryError FIELD_UNKNOWN."""
    found = circumstances.fields.get(entity, {}).get(key)
    if found is None:
        raise QueryError(
            "FIELD_UNKNOWN",
            f"There is no custom field “{key[:100]}”: `{'.'.join(path)}` has to name an active one.",
            path,
        )
    return found


def parse_value(reader: FilterParser, plain: Any, path: Path, entity: EntityType) -> FilterNode:
    """CustomFieldFilter: a key and one predicate of the field's type."""
    given = read.read_object(plain, path)
    if unknown := [name for name in given if name not in ("key", "is")]:
        raise read.unknown_field(unknown[0], path)
    key = read.read_text(given.get("key"), (*path, "key"))
    found = find_field(reader.context, entity, key, (*path, "key"))
    predicate = read.read_object(given.get("is"), (*path, "is"))
    if len(predicate) != 1:
        raise invalid_query(f"`{'.'.join(path)}.is` takes exactly one predicate.", (*path, "is"))
    (word, operators), *_ = predicate.items()
    kind = CustomFieldType(found.type)
    wanted = _WORDS.get(kind, "text")
    here = (*path, "is", word)
    if word != wanted:
        raise invalid_query(
            f"“{key}” is a {kind.name} field: ask with `{wanted}`, not with `{word}`, at `{'.'.join(here)}`.", here
        )
    return _typed(reader, operators, here, word, entity, reader.add_value(found.id))


def _typed(reader: FilterParser, plain: Any, path: Path, word: str, entity: EntityType, field_id: int) -> FilterNode:
    def held(shape: FilterNode) -> FilterNode:
        return ("some", VALUE_RELATION[entity], conjunction([("compare", "field_id", "=", field_id), shape]))

    if word == "text":
        return op.parse_text(
            reader, plain, path, "text", "text_key", wrap=held, present=TRUE, length=MAX_TEXT_KEY_LENGTH
        )
    if word == "number":
        return op.parse_ordered(reader, plain, path, "number", op.read_float, wrap=held)
    if word == "boolean":
        return op.parse_boolean(reader, plain, path, "boolean", wrap=held)
    if word == "date":
        return date_operators.parse_date(reader, plain, path, "date", wrap=held)
    if word == "dateTime":
        return date_operators.parse_timestamp(reader, plain, path, "date_time", wrap=held)
    return _options(reader, plain, path, held)


def _options(reader: FilterParser, plain: Any, path: Path, held: op.WrapNode) -> FilterNode:
    """OptionListFilter."""

    def texts(given: Any, here: Path) -> list[str]:
        listed = enumerate(read.read_list(given, here))
        return list(dict.fromkeys(normalize(read.read_text(one, (*here, str(place)))) for place, one in listed))

    def among(given: Any, here: Path) -> FilterNode:
        return op.is_one_of(reader, "option", texts(given, here))

    found = []
    for name, given in read.read_object(plain, path).items():
        here = (*path, name)
        reader.count_predicate(here)
        if name == "isNull":
            some = held(negate(("empty", "option")))
            found.append(negate(some) if read.read_boolean(given, here) else some)
        elif name in ("any", "none"):
            some = held(among(given, here))
            found.append(some if name == "any" else negate(some))
        elif name == "all":
            found += [held(("compare", "option", "=", reader.add_value(one))) for one in texts(given, here)]
        else:
            raise read.unknown_field(name, path)
    return conjunction(found)
